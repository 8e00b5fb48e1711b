// The search field: layers by their names, neurons by layer and position.

import { h } from "./dom.js";
import { indexText, shapeText, shown } from "./numbers.js";

const MOST = 12;

export class Search {
  constructor(app) {
    this.app = app;
    this.list = h("ul", { class: "found", role: "listbox", id: app.id("found"), hidden: true });
    this.field = h("input", {
      type: "search",
      placeholder: "Layer, or neuron: conv2 0,1,5",
      "aria-label": "Search for a layer or a neuron",
      role: "combobox",
      "aria-expanded": "false",
      "aria-controls": app.id("found"),
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => this.look(),
      onkeydown: (event) => this.key(event),
      onblur: () => setTimeout(() => this.close(), 150),
      onfocus: () => this.field.value && this.look(),
    });
    this.element = h("div", { class: "search" }, this.field, this.list);
    this.at = 0;
    this.hits = [];
  }

  look() {
    const text = this.field.value.trim();
    const { layers } = this.app.source;
    const neuron = text ? layers.parse(this.field.value) : null;
    const words = text.toLowerCase();
    const named = text ? layers.layers.filter((layer) => layer.name.toLowerCase().includes(words)) : [];
    const first = (layer) =>
      layer.name.toLowerCase() === words ? 0 : layer.name.toLowerCase().startsWith(words) ? 1 : 2;
    named.sort((a, b) => first(a) - first(b) || a.number - b.number);
    this.hits = [
      ...(neuron === null
        ? []
        : [{ go: () => this.app.open(neuron), label: this.neuronLabel(neuron), note: "neuron" }]),
      ...named.slice(0, MOST).map((layer) => ({
        go: () => this.app.go({ layer: layer.number }),
        label: shown(layer.name, 60),
        note: shapeText(layer.shape),
      })),
    ];
    this.at = 0;
    this.show(text);
  }

  neuronLabel(neuron) {
    const { layers } = this.app.source;
    return `${shown(layers.layerOf(neuron).name, 40)} [${indexText(layers.index(neuron))}]`;
  }

  show(text) {
    const items = this.hits.map(({ go, label, note }, k) =>
      h(
        "li",
        {
          role: "option",
          id: this.app.id(`found-${k}`),
          "aria-selected": k === this.at,
          onmousedown: (event) => {
            event.preventDefault();
            this.choose(go);
          },
        },
        h("span", {}, label),
        h("span", { class: "faint" }, note),
      ),
    );
    this.list.replaceChildren(
      ...(items.length ? items : [h("li", { class: "faint" }, "No layer and no neuron is called so.")]),
    );
    this.list.hidden = !text;
    this.field.setAttribute("aria-expanded", String(Boolean(text)));
    if (items.length) this.field.setAttribute("aria-activedescendant", this.app.id(`found-${this.at}`));
    else this.field.removeAttribute("aria-activedescendant");
  }

  key(event) {
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && this.hits[this.at]) this.choose(this.hits[this.at].go);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.at = Math.max(0, Math.min(this.hits.length - 1, this.at + step));
      this.show(this.field.value.trim());
      event.preventDefault();
    }
  }

  choose(go) {
    this.close();
    this.field.value = "";
    go();
  }

  close() {
    this.list.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
  }
}
