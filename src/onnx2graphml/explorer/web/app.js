// The whole of it: what is chosen, and the three views that show it.

import { ArchitectureView } from "./architecture_view.js";
import { h } from "./dom.js";
import { graphml } from "./graphml.js";
import { LayerView } from "./layer_view.js";
import { NeuronView } from "./neuron_view.js";
import { counted, shown } from "./numbers.js";
import { download, savePng, saveSvg } from "./save.js";
import { Search } from "./search.js";
import { read, written } from "./state.js";
import { tilesOf } from "./tiles.js";

let apps = 0;

export class App {
  constructor(root, source, store) {
    this.number = apps++;
    this.root = root;
    this.source = source;
    this.store = store;
    this.known = new Map();
    this.turn = 0;
    this.field = null;
    this.fields = new Map();
    this.state = read(store.get(), source.layers, source.runs.length);
    this.architectureView = new ArchitectureView(this);
    this.layerView = new LayerView(this);
    this.neuronView = new NeuronView(this);
    this.search = new Search(this);
    this.announcer = h("p", { class: "aside-for-readers", role: "status" });
    this.header = h("header", { class: "top" });
    root.classList.add("o2g");
    root.replaceChildren(
      this.header,
      h("div", { class: "columns" }, this.architectureView.element, this.layerView.element, this.neuronView.element),
      this.announcer,
    );
    store.listen(() => this.restore());
    root.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.resized()).observe(root);
    this.ready = this.render();
  }

  id(name) {
    return `o2g-${this.number}-${name}`;
  }

  tiles(layer) {
    if (!this.known.has(layer.number)) this.known.set(layer.number, tilesOf(layer));
    return this.known.get(layer.number);
  }

  get neuron() {
    return this.state.neuron;
  }

  get run() {
    return this.state.runs[0];
  }

  // The layer in the middle: the chosen one, the neuron's, or the first that computes something.
  get layer() {
    const { layers } = this.source.layers;
    if (this.state.layer !== null) return layers[this.state.layer];
    if (this.neuron !== null) return this.source.layers.layerOf(this.neuron);
    return layers.find((layer) => layer.incoming.length) ?? layers[0];
  }

  // Go to another state, which can be gone back from.
  go(changes) {
    this.state = { ...this.state, ...changes };
    this.store.set(written(this.state));
    this.ready = this.render();
    return this.ready;
  }

  open(neuron) {
    return this.go({ neuron, layer: null, walk: [], trace: null });
  }

  // To a source or target of the neuron that is open, which stays in the walk; or back along the walk.
  walkTo(neuron) {
    const back = this.state.walk.indexOf(neuron);
    const walk = back >= 0 ? this.state.walk.slice(0, back) : [...this.state.walk, this.neuron].filter((id) => id !== null).slice(-20);
    return this.go({ neuron, layer: null, walk, trace: null });
  }

  restore() {
    const state = read(this.store.get(), this.source.layers, this.source.runs.length);
    if (written(state) === written(this.state)) return;
    this.state = state;
    this.ready = this.render();
  }

  // Whether what was asked for is still what is to be shown: a later turn may have begun.
  isCurrent() {
    return this.drawing === this.turn;
  }

  async render() {
    const turn = ++this.turn;
    this.drawing = turn;
    if (this.fieldOf !== this.neuron) this.field = null;
    this.traced = null;
    this.top();
    this.architectureView.render();
    try {
      await this.neuronView.render();
      await this.layerView.render();
      if (turn === this.turn) await this.neuronView.rest();
    } catch (problem) {
      if (turn === this.turn) this.failed(problem);
      throw problem;
    }
    if (turn !== this.turn) return;
    this.announce();
    this.root.dataset.ready = String(turn);
    this.prepare();
  }

  // Have at hand what the next click is likely to need.
  prepare() {
    const near = new Set(this.layer.incoming.map((incoming) => incoming.source));
    for (const run of this.state.runs) for (const number of near) setTimeout(() => this.source.values(run, number).catch(() => null), 50);
  }

  failed(problem) {
    this.announcer.textContent = problem.message;
    this.layerView.element.replaceChildren(h("p", { class: "empty tall", role: "alert" }, `This can't be shown: ${shown(problem.message, 300)}`));
  }

  announce() {
    const where = this.neuron === null ? `Layer ${shown(this.layer.name)}` : `Neuron ${this.search.neuronLabel(this.neuron)}`;
    if (this.announcer.textContent !== where) this.announcer.textContent = where;
  }

  // The receptive field of the open neuron; the other views show it as soon as it is known.
  async receptiveField() {
    const { neuron } = this;
    if (this.fieldOf !== neuron) {
      await new Promise((painted) => setTimeout(painted));
      const field = await this.source.field(neuron);
      if (neuron !== this.neuron) return null;
      [this.field, this.fieldOf] = [field, neuron];
      this.architectureView.render();
      if (this.state.layer !== null) await this.layerView.render();
    }
    return this.field;
  }

  // The other layers' maps show the neurons of a trace instead of the receptive field.
  async showTrace({ source, target }) {
    const traced = new Map();
    for (const neuron of [...source, ...target]) {
      const layer = this.source.layers.layerOf(neuron);
      if (!traced.has(layer.number)) traced.set(layer.number, new Uint8Array(layer.size));
      traced.get(layer.number)[neuron - layer.first] = 1;
    }
    this.traced = traced;
    if (this.state.layer !== null) await this.layerView.render();
  }

  top() {
    const { meta, layers, runs } = this.source;
    const about = [`${counted(layers.neurons)} neurons`, `${counted(layers.edges)} edges`, `${counted(layers.parameters)} parameters`];
    if (this.header.firstChild) {
      this.header.querySelector(".runs").replaceWith(this.runs(runs));
      return;
    }
    this.header.append(
      h("div", { class: "title" }, h("h1", { title: shown(layers.name, 1000) }, shown(layers.name, 48) || "network"), h("p", { class: "faint" }, [...about, meta.note].filter(Boolean).join(" · "))),
      this.search.element,
      this.runs(runs),
      this.menu(),
    );
  }

  // Which inputs, and which checkpoints, are shown; the first one values the edges.
  runs(runs) {
    if (runs.length < 2) return h("div", { class: "runs faint" }, shown(runs[0].name, 30));
    const [first, ...others] = this.state.runs;
    const main = h(
      "select",
      { "aria-label": "Input", onchange: (e) => this.go({ runs: [Number(e.target.value), ...others.filter((k) => k !== Number(e.target.value))] }) },
      runs.map((run, k) => h("option", { value: k, selected: k === first }, shown(run.name, 40))),
    );
    const toggle = (k) => this.go({ runs: others.includes(k) ? [first, ...others.filter((o) => o !== k)] : [first, ...others, k] });
    const beside = h(
      "details",
      { class: "drop" },
      h("summary", {}, others.length ? `beside ${counted(others.length)}` : "beside …"),
      h("div", { class: "choices" }, runs.map((run, k) => (k === first ? null : h("label", { class: "check" }, h("input", { type: "checkbox", value: k, checked: others.includes(k), onchange: () => toggle(k) }), shown(run.name, 40))))),
    );
    beside.open = this.header.querySelector(".runs details")?.open ?? false;
    return h("div", { class: "runs" }, main, beside);
  }

  menu() {
    const name = (shown(this.source.layers.name, 40) || "network").replace(/[^\w.-]+/g, "-");
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
          choice("Picture, PNG", () => savePng(this.root, name)),
          choice("Picture, SVG", () => saveSvg(this.root, name)),
          choice("Visible graph, GraphML", () => this.saveGraph(name)),
        ),
      ),
      h("button", { class: "quiet", "aria-label": "Light or dark", title: "Light or dark", onclick: () => this.theme() }, "◐"),
    );
  }

  // The open neuron, its edges, and what was traced of it.
  saveGraph(name) {
    const open = this.neuronView.graph;
    if (this.neuron === null || !open) {
      this.announcer.textContent = "Choose a neuron first: the visible graph is the neuron with its edges.";
      return;
    }
    const parts = [open.edges, open.out, open.trace].filter(Boolean);
    download(`${name}-n${this.neuron}.graphml`, graphml(this.source.layers, this.neuron, parts, this.valueOf(parts)), "application/xml");
  }

  // Values of the neurons at the ends of edges, where they are on the screen.
  valueOf(parts) {
    const values = new Map();
    for (const { source, target, values: found } of parts) {
      if (!found) continue;
      const ends = source.length && source[0] !== this.neuron ? source : target;
      Array.from(ends).forEach((id, e) => values.set(id, found[0][e]));
    }
    const own = this.neuronView.element.querySelector("output");
    if (own) values.set(this.neuron, Number(own.dataset.value));
    return (id) => values.get(id) ?? null;
  }

  theme() {
    const dark = getComputedStyle(this.root).getPropertyValue("--dark").trim() === "1";
    this.root.dataset.theme = dark ? "light" : "dark";
    this.ready = this.render();
  }

  key(event) {
    if (event.target.matches("input, select, textarea")) return;
    if (event.key === "/") {
      event.preventDefault();
      this.search.field.focus();
    } else if (event.key === "Backspace" && this.state.walk.length) {
      event.preventDefault();
      this.walkTo(this.state.walk[this.state.walk.length - 1]);
    }
  }

  // Maps are laid out for the width that there is.
  resized() {
    const width = this.root.clientWidth;
    if (this.laidOut === undefined) this.laidOut = width;
    if (Math.abs(width - this.laidOut) < 24) return;
    this.laidOut = width;
    this.ready = this.render();
  }
}
