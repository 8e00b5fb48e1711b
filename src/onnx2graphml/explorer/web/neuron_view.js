// A neuron: what it computes, with numbers; its edges, what it is coupled to, where it looks, where its value comes from.

import { bySize, contributions } from "./contributions.js";
import { h, present } from "./dom.js";
import { fieldSection } from "./field_view.js";
import { counted, indexText, number, shown } from "./numbers.js";
import { indexOf, stridesOf } from "./network.js";
import { patches } from "./patch_view.js";
import { traceSection } from "./trace_view.js";

const FIRST = 12; // rows of a table

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
    const [edges, about] = await Promise.all([source.edges("in", neuron, state.runs), source.neuron(neuron, state.runs)]);
    if (!app.isCurrent()) return;
    const layer = source.layers.layerOf(neuron);
    const found = state.runs.map((_, k) => contributions(layer, edges, edges.values[k], edges.weights[k], about[k].bias));
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
      h("p", {}, "Click into a map, or type a layer and a position in the search field, such as ", h("code", {}, this.example()), "."),
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
      walk.length ? h("p", { class: "walk" }, walk.map((id) => [this.link(id), " → "])) : null,
      h("h2", {}, shown(layer.name, 40), h("span", { class: "index" }, index ? ` [${index}]` : "")),
      h("p", { class: "facts" }, h("span", {}, `n${app.neuron}`), h("span", {}, layer.op)),
      h("button", { class: "quiet close", "aria-label": "Close the neuron", onclick: () => app.go({ neuron: null, walk: [], trace: null }) }, "×"),
    );
  }

  // A neuron that a click leads to.
  link(id) {
    const { source } = this.app;
    const layer = source.layers.layerOf(id);
    const index = indexText(indexOf(id - layer.first, layer.shape));
    return h("button", { class: "link", "data-neuron": id, title: shown(layer.name, 300), onclick: () => this.app.walkTo(id) },
      `${shown(layer.name, 22)} [${index}]`);
  }

  inSections(layer, edges, about, found) {
    return [
      this.equation(layer, about, found),
      edges.source.length ? this.inEdges(layer, edges, about, found) : null,
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
      if (layer.aggregation === "input" || layer.aggregation === "constant") steps.push(h("span", {}, layer.aggregation));
      else if (start !== null) {
        const name = { sum: "Σ weight × value", terms: "Σ products", product: "Π weight × value", choice: layer.aggregation }[found[k].kind];
        steps.push(h("span", {}, `${bias !== null && layer.aggregation === "sum" ? "bias + " : ""}${name} = `, h("b", {}, number(start, 6))));
      } else steps.push(h("span", {}, `${layer.aggregation}(${layer.ports.join(", ")})`));
      for (const activation of layer.activation) steps.push(h("span", {}, shown(activation.text)));
      return h(
        "div",
        { class: "value" },
        state.runs.length > 1 ? h("span", { class: "faint" }, shown(source.runs[run].name, 40)) : null,
        h("output", { "data-value": value }, number(value, 6)),
        h("p", { class: "steps" }, steps.flatMap((step, i) => (i ? [h("i", {}, " → "), step] : [step]))),
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
      h("dl", {}, facts.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text)))),
    );
  }

  inEdges(layer, edges, about, found) {
    const title = { choice: "Candidates", product: "Factors", terms: "Terms", function: "Values" }[found[0].kind] ?? "In-edges";
    const count = found[0].kind === "terms" ? `${counted(found[0].rows.length)} products of ${counted(edges.source.length)} edges` : counted(edges.source.length);
    return h(
      "section",
      { class: "in" },
      h("h3", {}, title, h("span", { class: "faint" }, count)),
      found[0].kind === "sum" || found[0].kind === "choice" ? patches(this.app, edges, found[0]) : null,
      this.table(layer, edges, about, found),
    );
  }

  table(layer, edges, about, found) {
    const terms = found[0].kind === "terms";
    const order = bySize(found[0]);
    if (found[0].kind === "function") order.sort((a, b) => edges.port[a] - edges.port[b]); // rows are edges here
    const body = h("tbody", {});
    const more = h("p", { class: "more" });
    let count = 0;
    const add = (n) => {
      for (const k of order.slice(count, count + n)) body.append(...this.rows(layer, edges, found, k));
      count = Math.min(order.length, count + n);
      more.replaceChildren(
        ...(count < order.length
          ? [h("button", { onclick: () => add(100) }, "Show more"), h("span", { class: "faint" }, `${counted(count)} of ${counted(order.length)}`)]
          : []),
      );
    };
    add(FIRST);
    const runs = this.app.state.runs.length;
    const own = terms ? ["value", "product"] : ["value", "weight × value"];
    const head = [layer.ports.length ? "input" : null, "source", "weight", ...found.flatMap(() => own)];
    const foot = this.foot(layer, about, found, layer.ports.length ? 3 : 2);
    return [
      h(
        "div",
        { class: runs > 1 ? "wide" : null },
        h(
          "table",
          { class: "numbers edges" },
          h("thead", {}, h("tr", {}, head.filter(Boolean).map((text) => h("th", { scope: "col" }, text)))),
          body,
          foot,
        ),
      ),
      more,
    ];
  }

  rows(layer, edges, found, k) {
    const row = found[0].rows[k];
    return row.edges.map((e, i) => {
      const last = row.edges.length > 1 && i === row.edges.length - 1;
      const shows = row.edges.length === 1 || last; // what the edges of a term come to stands at the last of them
      const cells = found.flatMap((each, j) => [
        h("td", {}, number(edges.values[j][e])),
        h("td", { class: last ? "product" : null, "data-contribution": shows ? each.rows[k].value : null }, shows ? number(each.rows[k].value) : ""),
      ]);
      const port = edges.port[e];
      return h(
        "tr",
        { class: [found[0].winner === k ? "winner" : null, last ? "last" : null].filter(Boolean).join(" ") || null, "data-source": edges.source[e], "data-weight": edges.weight[e] },
        layer.ports.length ? h("td", {}, shown(layer.ports[Math.min(port ?? 0, layer.ports.length - 1)])) : null,
        h("td", {}, this.link(edges.source[e]), found[0].winner === k ? h("span", { class: "badge" }, "chosen") : null),
        h("td", {}, number(edges.weight[e])),
        cells,
      );
    });
  }

  foot(layer, about, found, before) {
    if (found[0].total === null) return null;
    const line = (name, cells, kind) => h("tr", { class: kind }, h("th", { scope: "row", colspan: before }, name), cells.flatMap((cell) => [h("td", {}), h("td", {}, cell)]));
    const sum = layer.aggregation === "sum";
    return h(
      "tfoot",
      {},
      sum && about[0].bias !== null ? line("bias", about.map((one) => number(one.bias))) : null,
      line(sum ? "sum" : layer.aggregation, found.map((each) => number(each.total, 6)), "total"),
      layer.activation.length ? line(`after ${layer.activation.map((a) => a.op).join(", ")}`, about.map((one) => number(one.value, 6)), "total") : null,
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
    for (const axis of axes) positions = positions.flatMap((p) => Array.from({ length: layer.shape[axis] }, (_, i) => p + i * strides[axis]));
    const most = positions.reduce((a, p) => Math.max(a, Math.abs(values[p])), 0) || 1;
    const strongest = [...positions].sort((a, b) => values[b] - values[a] || a - b).slice(0, 10);
    const self = neuron - layer.first;
    if (!strongest.includes(self)) strongest.push(self);
    section.append(
      h("p", { class: "faint" }, `${counted(positions.length)} neurons, whose values depend on each other`),
      h("div", { class: "bars" }, strongest.map((p) =>
        h("div", { class: p === self ? "here" : null },
          this.link(layer.first + p),
          h("i", { style: { width: `${(100 * Math.abs(values[p])) / most}%` } }),
          h("span", {}, number(values[p], 4))))),
    );
  }

  async later(scroll, layer) {
    const { app } = this;
    const { source, state, neuron } = app;
    const out = await source.edges("out", neuron, state.runs);
    if (!app.isCurrent()) return;
    scroll.querySelector(".out").replaceChildren(...this.outEdges(out));
    scroll.querySelector(".out").removeAttribute("aria-busy");
    this.graph.out = out;
    const field = await app.receptiveField();
    if (!app.isCurrent() || !field) return;
    const section = scroll.querySelector(".field");
    section.replaceChildren(...present(await fieldSection(app, field)));
    section.removeAttribute("aria-busy");
    if (layer.incoming.length) await traceSection(app, scroll.querySelector(".trace"), this);
  }

  outEdges(out) {
    const title = h("h3", {}, "Out-edges", h("span", { class: "faint" }, counted(out.target.length)));
    if (!out.target.length) return [title, h("p", { class: "empty" }, "No edge leads out: this is an output of the network.")];
    const order = Array.from(out.target, (_, e) => e).sort((a, b) => Math.abs(out.weight[b]) - Math.abs(out.weight[a]) || a - b);
    const body = h("tbody", {});
    const more = h("p", { class: "more" });
    let count = 0;
    const add = (n) => {
      for (const e of order.slice(count, count + n)) {
        body.append(h("tr", { "data-target": out.target[e] }, h("td", {}, this.link(out.target[e])), h("td", {}, number(out.weight[e])), h("td", {}, number(out.values[0][e]))));
      }
      count = Math.min(order.length, count + n);
      more.replaceChildren(...(count < order.length ? [h("button", { onclick: () => add(100) }, "Show more"), h("span", { class: "faint" }, `${counted(count)} of ${counted(order.length)}`)] : []));
    };
    add(8);
    const head = h("thead", {}, h("tr", {}, ["target", "weight", "its value"].map((text) => h("th", { scope: "col" }, text))));
    return [title, h("table", { class: "numbers edges" }, head, body), more];
  }
}
