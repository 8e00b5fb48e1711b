// Elements. Text is only ever set as text: what a model brings along is never markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("aria-") && typeof value === "boolean") element.setAttribute(name, String(value));
    else if (value === null || value === undefined || value === false) continue;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(element.style, value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...present(children));
  return element;
}

// Children as they may be given: in lists, and none where there is nothing to show.
export const present = (children) =>
  children.flat(3).filter((child) => child !== null && child !== undefined && child !== false);

export const h = (tag, properties = {}, ...children) => filled(document.createElement(tag), properties, children);
export const s = (tag, properties = {}, ...children) =>
  filled(document.createElementNS(SVG, tag), properties, children);
