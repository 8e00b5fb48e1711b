// The whole of it: what is chosen, and the three views that show it.

import { ArchitectureView } from "./architecture_view.js";
import { h } from "./dom.js";
import { Header } from "./header.js";
import { LayerView } from "./layer_view.js";
import { NeuronView } from "./neuron_view.js";
import { indexText, shown } from "./numbers.js";
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
    this.header = new Header(this);
    this.announcer = h("p", { class: "aside-for-readers", role: "status" });
    root.classList.add("o2g");
    root.replaceChildren(
      this.header.element,
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

  // A neuron that a click leads to.
  link(neuron) {
    const layer = this.source.layers.layerOf(neuron);
    const text = `${shown(layer.name, 22)} [${indexText(this.source.layers.index(neuron))}]`;
    const about = { class: "link", "data-neuron": neuron, title: shown(layer.name, 300) };
    return h("button", { ...about, onclick: () => this.walkTo(neuron) }, text);
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
    const walk =
      back >= 0
        ? this.state.walk.slice(0, back)
        : [...this.state.walk, this.neuron].filter((id) => id !== null).slice(-20);
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
    this.header.render();
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
    for (const run of this.state.runs)
      for (const number of near) setTimeout(() => this.source.values(run, number).catch(() => null), 50);
  }

  failed(problem) {
    this.announcer.textContent = problem.message;
    this.layerView.element.replaceChildren(
      h("p", { class: "empty tall", role: "alert" }, `This can't be shown: ${shown(problem.message, 300)}`),
    );
  }

  announce() {
    const where =
      this.neuron === null ? `Layer ${shown(this.layer.name)}` : `Neuron ${this.search.neuronLabel(this.neuron)}`;
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
