// The network's layers as boxes and arrows, as `architecture` draws them; a box opens its layer.

import { h, present, s } from "./dom.js";
import { counted } from "./numbers.js";

const [SMALLEST, LARGEST] = [0.58, 0.85]; // of the drawing's own size: below, one scrolls

export class ArchitectureView {
  constructor(app) {
    this.app = app;
    this.scroll = h("div", { class: "scroll drawing" });
    this.head = h("div", { class: "bar" });
    this.element = h("nav", { class: "panel architecture", "aria-label": "Architecture" }, this.head, this.scroll);
    this.shownFolded = null;
    this.boxes = new Map();
  }

  get folded() {
    const { folded, fold } = this.app.source.meta.drawings;
    return Boolean(folded) && (this.app.state.fold ?? fold);
  }

  render() {
    if (this.shownFolded !== this.folded) this.draw();
    const layer = this.drawnFor(this.app.layer.number);
    for (const [number, box] of this.boxes) {
      const here = number === layer;
      if (here && box.getAttribute("aria-current") !== "true") this.reveal(box);
      box.setAttribute("aria-current", here);
      box.setAttribute("tabindex", here ? 0 : -1);
      box.classList.toggle("reached", Boolean(this.app.field?.has(number)));
    }
  }

  // The layer that is drawn for one that a fold stands for.
  drawnFor(number) {
    if (this.boxes.has(number)) return number;
    for (const copies of this.drawing.copies) {
      for (const copy of copies) {
        const k = copy.indexOf(number);
        if (k >= 0) return copies[0][k];
      }
    }
    return null;
  }

  reveal(box) {
    requestAnimationFrame(() => {
      const [here, all] = [box.getBoundingClientRect(), this.scroll.getBoundingClientRect()];
      if (here.top < all.top || here.bottom > all.bottom) {
        this.scroll.scrollTop += here.top - all.top - (all.height - here.height) / 2;
      }
      if (here.left < all.left || here.right > all.right) {
        this.scroll.scrollLeft += here.left - all.left - (all.width - here.width) / 2;
      }
    });
  }

  draw() {
    const { drawings, structure } = this.app.source.meta;
    const { folded } = this;
    this.shownFolded = folded;
    this.drawing = folded ? drawings.folded : drawings.whole;
    this.boxes.clear();
    const { drawing } = this;
    const [, , width, height] = drawing.view;
    const svg = s("svg", { viewBox: drawing.view.join(" "), width, height, role: "group" });
    svg.style.setProperty("--least", `${Math.round(width * SMALLEST)}px`);
    svg.style.setProperty("--most", `${Math.round(width * LARGEST)}px`);
    for (const frame of drawing.frames) svg.append(this.frame(frame));
    for (const arrow of drawing.arrows) svg.append(this.arrow(arrow, drawings.skips));
    for (const box of drawing.boxes) svg.append(this.box(box));
    svg.addEventListener("keydown", (event) => this.key(event));
    this.scroll.replaceChildren(svg);
    const saved = structure.layers.length - drawing.boxes.length;
    const bar = [
      h("h2", {}, "Architecture"),
      h(
        "span",
        { class: "faint" },
        saved
          ? `${counted(drawing.boxes.length)} of ${counted(structure.layers.length)} layers`
          : `${counted(structure.layers.length)} layers`,
      ),
      drawings.folded
        ? h(
            "button",
            {
              class: "quiet",
              "aria-pressed": folded,
              title: "Draw repeats once",
              onclick: () => this.app.go({ fold: !folded }),
            },
            "Fold",
          )
        : null,
    ];
    this.head.replaceChildren(...present(bar));
  }

  frame({ box: [x, y, width, height], tab: [tabX, tabWidth], label }) {
    return s(
      "g",
      { class: "repeat" },
      s("rect", { x, y, width, height, fill: "none" }),
      s("rect", { class: "tab", x: tabX, y, width: tabWidth, height: 16 }),
      s("text", { x: tabX + 4, y: y + 12 }, label),
    );
  }

  arrow({ line, end: [x, y], skip }, skips) {
    const head = s("path", { class: "head", d: `M${x} ${y}L${x - 4} ${y - 8}L${x + 4} ${y - 8}Z` });
    return s(
      "g",
      { class: "arrow" },
      s("path", { d: line, stroke: skip >= 0 ? skips[skip % skips.length] : null }),
      head,
    );
  }

  box({ layer, kind, end, names, title, box: [x, y, width, height], texts }) {
    const open = () => this.app.go({ layer });
    const group = s(
      "g",
      {
        class: `box ${kind}${end ? " end" : ""}`,
        role: "button",
        "aria-label": title.replaceAll("\n", ", "),
        tabindex: -1,
        onclick: open,
      },
      s("rect", { x, y, width, height, rx: end ? 12 : 4 }),
      texts.map(([tx, ty, text], k) => s("text", { x: tx, y: ty, class: k < names ? "name" : null }, text)),
    );
    this.boxes.set(layer, group);
    return group;
  }

  key(event) {
    const numbers = this.drawing.boxes.map((box) => box.layer);
    const at = numbers.indexOf(this.drawnFor(this.app.layer.number));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: numbers.length - 1 }[event.key];
    if (to === undefined || !(to in numbers)) return;
    event.preventDefault();
    this.app.go({ layer: numbers[to] });
    this.boxes.get(numbers[to]).focus({ preventScroll: true });
  }
}
