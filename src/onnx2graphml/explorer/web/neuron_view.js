// A neuron: what it computes, with numbers; its edges, what it is coupled to, where it looks, where its value comes from.

import { contributions } from "./contributions.js";
import { h, present } from "./dom.js";
import { inEdges, outEdges } from "./edge_tables.js";
import { fieldSection } from "./field_view.js";
import { counted, indexText, number, shown } from "./numbers.js";
import { indexOf, stridesOf } from "./network.js";
import { traceSection } from "./trace_view.js";

const STRONGEST = 10; // of the neurons that a softmax couples

export class NeuronView {
  constructor(app) {
    this.app = app;
    this.element = h("aside", { class: "panel neuron", "aria-label": "Neuron", tabindex: -1 });
    this.shownNeuron = undefined;
  }

  async render() {
    const { app } = this;
    this.rest = async () => {}; // what takes longer, and is shown below
    if (app.neuron === null) {
      this.shownNeuron = null;
      this.element.replaceChildren(this.nothing());
      return;
    }
    const { source, state, neuron } = app;
    const started = performance.now();
    const [edges, about] = await Promise.all([
      source.edges("in", neuron, state.runs),
      source.neuron(neuron, state.runs),
    ]);
    if (!app.isCurrent()) return;
    const layer = source.layers.layerOf(neuron);
    const found = state.runs.map((_, k) =>
      contributions(layer, edges, edges.values[k], edges.weights[k], about[k].bias),
    );
    const scroll = h("div", { class: "scroll" }, this.inSections(layer, edges, about, found));
    const top = this.shownNeuron === neuron ? this.scroll.scrollTop : 0;
    this.scroll = scroll;
    this.shownNeuron = neuron;
    this.element.replaceChildren(this.heading(layer), scroll);
    scroll.scrollTop = top;
    this.element.dataset.neuron = neuron;
    this.element.dataset.milliseconds = performance.now() - started;
    this.graph = { neuron, edges };
    this.rest = async () => {
      await this.later(scroll, layer);
      scroll.scrollTop = top;
    };
  }

  nothing() {
    return h(
      "div",
      { class: "empty tall" },
      h("h2", {}, "No neuron is chosen"),
      h(
        "p",
        {},
        "Click into a map, or type a layer and a position in the search field, such as ",
        h("code", {}, this.example()),
        ".",
      ),
      h("p", {}, "You then see its value, every edge into it, and where it looks."),
    );
  }

  example() {
    const { layers } = this.app.source.layers;
    const layer = layers.find((one) => one.incoming.length && one.shape.length && one.name.length < 30) ?? layers[0];
    return `${shown(layer.name, 30)} ${layer.shape.map(() => 0).join(",")}`;
  }

  heading(layer) {
    const { app } = this;
    const index = indexText(indexOf(app.neuron - layer.first, layer.shape));
    const walk = app.state.walk.slice(-4);
    return h(
      "header",
      { class: "bar tall" },
      walk.length
        ? h(
            "p",
            { class: "walk" },
            walk.map((id) => [this.app.link(id), " → "]),
          )
        : null,
      h("h2", {}, shown(layer.name, 40), h("span", { class: "index" }, index ? ` [${index}]` : "")),
      h("p", { class: "facts" }, h("span", {}, `n${app.neuron}`), h("span", {}, layer.op)),
      h(
        "button",
        {
          class: "quiet close",
          "aria-label": "Close the neuron",
          onclick: () => app.go({ neuron: null, walk: [], trace: null }),
        },
        "×",
      ),
    );
  }

  inSections(layer, edges, about, found) {
    const { app } = this;
    return [
      this.equation(layer, about, found),
      edges.source.length ? inEdges(app, layer, edges, about, found) : null,
      this.coupling(layer),
      h("section", { class: "out", "aria-busy": true }, h("h3", {}, "Out-edges")),
      h("section", { class: "field", "aria-busy": true }, h("h3", {}, "Receptive field")),
      layer.incoming.length ? h("section", { class: "trace" }, h("h3", {}, "Where does this come from?")) : null,
    ];
  }

  equation(layer, about, found) {
    const { source, state } = this.app;
    const cells = state.runs.map((run, k) => {
      const { bias, value } = about[k];
      const start = found[k].total;
      const steps = [];
      if (layer.aggregation === "input" || layer.aggregation === "constant")
        steps.push(h("span", {}, layer.aggregation));
      else if (start !== null) {
        const name = {
          sum: "Σ weight × value",
          terms: "Σ products",
          product: "Π weight × value",
          choice: layer.aggregation,
        }[found[k].kind];
        steps.push(
          h(
            "span",
            {},
            `${bias !== null && layer.aggregation === "sum" ? "bias + " : ""}${name} = `,
            h("b", {}, number(start, 6)),
          ),
        );
      } else steps.push(h("span", {}, `${layer.aggregation}(${layer.ports.join(", ")})`));
      for (const activation of layer.activation) steps.push(h("span", {}, shown(activation.text)));
      return h(
        "div",
        { class: "value" },
        state.runs.length > 1 ? h("span", { class: "faint" }, shown(source.runs[run].name, 40)) : null,
        h("output", { "data-value": value }, number(value, 6)),
        h(
          "p",
          { class: "steps" },
          steps.flatMap((step, i) => (i ? [h("i", {}, " → "), step] : [step])),
        ),
      );
    });
    const facts = [
      ["aggregation", layer.aggregation],
      ["bias", about[0].bias === null ? "none" : number(about[0].bias, 6)],
      ["activation", layer.activation.map((a) => shown(a.text, 60)).join(", ") || "none"],
    ];
    return h(
      "section",
      { class: "equation" },
      h("div", { class: "values" }, cells),
      h(
        "dl",
        {},
        facts.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text))),
      ),
    );
  }

  // What a softmax couples this neuron to: those that share all indices but the ones along its axes.
  coupling(layer) {
    const coupling = layer.activation.find((a) => a.axes.length);
    if (!coupling) return null;
    const section = h("section", { class: "coupled" }, h("h3", {}, `${coupling.op} couples`));
    this.coupled(section, layer, coupling.axes);
    return section;
  }

  async coupled(section, layer, axes) {
    const { source, run, neuron } = this.app;
    const values = await source.values(run, layer.number);
    const strides = stridesOf(layer.shape);
    const own = indexOf(neuron - layer.first, layer.shape);
    let positions = [own.reduce((sum, i, axis) => sum + (axes.includes(axis) ? 0 : i * strides[axis]), 0)];
    for (const axis of axes)
      positions = positions.flatMap((p) => Array.from({ length: layer.shape[axis] }, (_, i) => p + i * strides[axis]));
    const most = positions.reduce((a, p) => Math.max(a, Math.abs(values[p])), 0) || 1;
    const strongest = [...positions].sort((a, b) => values[b] - values[a] || a - b).slice(0, STRONGEST);
    const self = neuron - layer.first;
    if (!strongest.includes(self)) strongest.push(self);
    section.append(
      h("p", { class: "faint" }, `${counted(positions.length)} neurons, whose values depend on each other`),
      h(
        "div",
        { class: "bars" },
        strongest.map((p) =>
          h(
            "div",
            { class: p === self ? "here" : null },
            this.app.link(layer.first + p),
            h("i", { style: { width: `${(100 * Math.abs(values[p])) / most}%` } }),
            h("span", {}, number(values[p], 4)),
          ),
        ),
      ),
    );
  }

  async later(scroll, layer) {
    const { app } = this;
    const { source, state, neuron } = app;
    const out = await source.edges("out", neuron, state.runs);
    if (!app.isCurrent()) return;
    scroll.querySelector(".out").replaceChildren(...outEdges(app, out));
    scroll.querySelector(".out").removeAttribute("aria-busy");
    this.graph.out = out;
    const field = await app.receptiveField();
    if (!app.isCurrent() || !field) return;
    const section = scroll.querySelector(".field");
    section.replaceChildren(...present(await fieldSection(app, field)));
    section.removeAttribute("aria-busy");
    if (layer.incoming.length) await traceSection(app, scroll.querySelector(".trace"), this);
  }
}
