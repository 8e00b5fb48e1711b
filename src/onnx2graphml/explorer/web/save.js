// What is on the screen as a picture, and the visible part of the graph as GraphML.

import { s } from "./dom.js";
import { FORBIDDEN } from "./graphml.js";

const XML = "http://www.w3.org/2000/svg";

export function download(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const visible = (style) => style.display !== "none" && style.visibility !== "hidden" && style.opacity !== "0";
const painted = (colour) => colour !== "transparent" && !/, 0\)$/.test(colour);

// An element as SVG: its boxes, its lines of text, its canvases, its own drawings, where they are on the screen.
export function picture(root) {
  const whole = root.getBoundingClientRect();
  const out = s("svg", {
    xmlns: XML,
    viewBox: `0 0 ${whole.width} ${whole.height}`,
    width: whole.width,
    height: whole.height,
  });
  let clips = 0;
  const at = (box) => ({ x: box.left - whole.left, y: box.top - whole.top, width: box.width, height: box.height });
  const clipped = (box, into) => {
    const id = `clip${clips++}`;
    out.append(s("clipPath", { id }, s("rect", at(box))));
    const group = s("g", { "clip-path": `url(#${id})` });
    into.append(group);
    return group;
  };
  const walk = (element, into) => {
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    if (!visible(style) || !box.width || !box.height) return;
    if (painted(style.backgroundColor))
      into.append(s("rect", { ...at(box), fill: style.backgroundColor, rx: parseFloat(style.borderRadius) || 0 }));
    for (const [side, x1, y1, x2, y2] of [
      ["Bottom", box.left, box.bottom, box.right, box.bottom],
      ["Right", box.right, box.top, box.right, box.bottom],
    ]) {
      if (parseFloat(style[`border${side}Width`]) > 0 && painted(style[`border${side}Color`])) {
        into.append(
          s("line", {
            x1: x1 - whole.left,
            y1: y1 - whole.top,
            x2: x2 - whole.left,
            y2: y2 - whole.top,
            stroke: style[`border${side}Color`],
          }),
        );
      }
    }
    if (element.tagName === "CANVAS") into.append(s("image", { ...at(box), href: element.toDataURL("image/png") }));
    else if (element.tagName === "svg") into.append(inlined(element, at(box)));
    else if (element.tagName === "SELECT")
      into.append(line(element.selectedOptions[0]?.textContent ?? "", box, style, whole));
    else if (element.tagName === "INPUT")
      into.append(line(element.type === "search" ? element.value : "", box, style, whole));
    else {
      const inner =
        style.overflow !== "visible" &&
        (element.scrollHeight > element.clientHeight || element.scrollWidth > element.clientWidth)
          ? clipped(box, into)
          : into;
      for (const child of element.childNodes) {
        if (child.nodeType === Node.TEXT_NODE) texts(child, style, whole, inner);
        else if (child.nodeType === Node.ELEMENT_NODE) walk(child, inner);
      }
    }
  };
  walk(root, out);
  return out;
}

const font = (style) => ({
  "font-family": style.fontFamily,
  "font-size": style.fontSize,
  "font-weight": style.fontWeight,
  fill: style.color,
});

function line(text, box, style, whole) {
  return s(
    "text",
    {
      ...font(style),
      x: box.left - whole.left + 6,
      y: box.top - whole.top + box.height / 2 + parseFloat(style.fontSize) * 0.35,
    },
    text,
  );
}

// The words of a text, one line of the screen each.
function texts(node, style, whole, into) {
  const range = document.createRange();
  let current = null;
  for (const { index, 0: word } of node.data.matchAll(/\S+\s*/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.trimEnd().length);
    const box = range.getClientRects()[0];
    if (!box || !box.width) continue;
    if (current && Math.abs(current.top - box.top) < 2) current.text += word;
    else {
      current = { left: box.left, top: box.top, height: box.height, text: word };
      (texts.lines ??= []).push(current);
    }
  }
  for (const { left, top, height, text } of texts.lines ?? []) {
    const size = parseFloat(style.fontSize);
    into.append(
      s(
        "text",
        { ...font(style), x: left - whole.left, y: top - whole.top + height / 2 + size * 0.35 },
        text.trimEnd(),
      ),
    );
  }
  texts.lines = null;
}

const KEPT = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "font-family",
  "font-size",
  "font-weight",
  "opacity",
];

// A drawing with the styles that a style sheet gave it.
function inlined(svg, box) {
  const copy = svg.cloneNode(true);
  const originals = [svg, ...svg.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, k) => {
    const style = getComputedStyle(originals[k]);
    for (const name of KEPT) element.setAttribute(name, style.getPropertyValue(name));
    for (const name of ["class", "role", "tabindex", "style"]) element.removeAttribute(name);
  });
  for (const [name, value] of Object.entries(box)) copy.setAttribute(name, value);
  return copy;
}

const serialized = (root) => new XMLSerializer().serializeToString(picture(root)).replace(FORBIDDEN, "\uFFFD");

export const saveSvg = (root, name) => download(`${name}.svg`, serialized(root), "image/svg+xml");

export async function savePng(root, name) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(serialized(root))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width * 2;
  canvas.height = image.height * 2;
  const context = canvas.getContext("2d");
  context.scale(2, 2);
  context.drawImage(image, 0, 0);
  download(`${name}.png`, await new Promise((done) => canvas.toBlob(done, "image/png")));
}
