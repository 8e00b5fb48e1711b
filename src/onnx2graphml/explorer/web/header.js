// Above everything: the network's name, the search field, which inputs are shown, what can be saved.

import { h } from "./dom.js";
import { graphml } from "./graphml.js";
import { counted, shown } from "./numbers.js";
import { download, savePng, saveSvg } from "./save.js";

export class Header {
  constructor(app) {
    this.app = app;
    this.element = h("header", { class: "top" });
  }

  render() {
    const { meta, layers, runs } = this.app.source;
    const about = [
      `${counted(layers.neurons)} neurons`,
      `${counted(layers.edges)} edges`,
      `${counted(layers.parameters)} parameters`,
    ];
    if (this.element.firstChild) {
      this.element.querySelector(".runs").replaceWith(this.runs(runs));
      return;
    }
    this.element.append(
      h(
        "div",
        { class: "title" },
        h("h1", { title: shown(layers.name, 1000) }, shown(layers.name, 48) || "network"),
        h("p", { class: "faint" }, [...about, meta.note].filter(Boolean).join(" · ")),
      ),
      this.app.search.element,
      this.runs(runs),
      this.menu(),
    );
  }

  // Which inputs, and which checkpoints, are shown; the first one values the edges.
  runs(runs) {
    if (runs.length < 2) return h("div", { class: "runs faint" }, shown(runs[0].name, 30));
    const [first, ...others] = this.app.state.runs;
    const main = h(
      "select",
      {
        "aria-label": "Input",
        onchange: (e) =>
          this.app.go({ runs: [Number(e.target.value), ...others.filter((k) => k !== Number(e.target.value))] }),
      },
      runs.map((run, k) => h("option", { value: k, selected: k === first }, shown(run.name, 40))),
    );
    const toggle = (k) =>
      this.app.go({ runs: others.includes(k) ? [first, ...others.filter((o) => o !== k)] : [first, ...others, k] });
    const beside = h(
      "details",
      { class: "drop" },
      h("summary", {}, others.length ? `beside ${counted(others.length)}` : "beside …"),
      h(
        "div",
        { class: "choices" },
        runs.map((run, k) =>
          k === first
            ? null
            : h(
                "label",
                { class: "check" },
                h("input", { type: "checkbox", value: k, checked: others.includes(k), onchange: () => toggle(k) }),
                shown(run.name, 40),
              ),
        ),
      ),
    );
    beside.open = this.element.querySelector(".runs details")?.open ?? false;
    return h("div", { class: "runs" }, main, beside);
  }

  menu() {
    const name = (shown(this.app.source.layers.name, 40) || "network").replace(/[^\w.-]+/g, "-");
    const done = (act) => (event) => {
      event.target.closest("details").open = false;
      return act();
    };
    const choice = (label, act) => h("button", { onclick: done(act) }, label);
    return h(
      "div",
      { class: "menu" },
      h(
        "details",
        { class: "drop" },
        h("summary", {}, "Save"),
        h(
          "div",
          { class: "choices right" },
          choice("Picture, PNG", () => savePng(this.app.root, name)),
          choice("Picture, SVG", () => saveSvg(this.app.root, name)),
          choice("Visible graph, GraphML", () => this.saveGraph(name)),
        ),
      ),
      h(
        "button",
        { class: "quiet", "aria-label": "Light or dark", title: "Light or dark", onclick: () => this.theme() },
        "◐",
      ),
    );
  }

  // The open neuron, its edges, and what was traced of it.
  saveGraph(name) {
    const open = this.app.neuronView.graph;
    if (this.app.neuron === null || !open) {
      this.app.announcer.textContent = "Choose a neuron first: the visible graph is the neuron with its edges.";
      return;
    }
    const parts = [open.edges, open.out, open.trace].filter(Boolean);
    download(
      `${name}-n${this.app.neuron}.graphml`,
      graphml(this.app.source.layers, this.app.neuron, parts, this.valueOf(parts)),
      "application/xml",
    );
  }

  // Values of the neurons at the ends of edges, where they are on the screen.
  valueOf(parts) {
    const values = new Map();
    for (const { source, target, values: found } of parts) {
      if (!found) continue;
      const ends = source.length && source[0] !== this.app.neuron ? source : target;
      Array.from(ends).forEach((id, e) => values.set(id, found[0][e]));
    }
    const own = this.app.neuronView.element.querySelector("output");
    if (own) values.set(this.app.neuron, Number(own.dataset.value));
    return (id) => values.get(id) ?? null;
  }

  theme() {
    const dark = getComputedStyle(this.app.root).getPropertyValue("--dark").trim() === "1";
    this.app.root.dataset.theme = dark ? "light" : "dark";
    this.app.ready = this.app.render();
  }
}
