// A layer: its maps, its weights, its statistics.

import { scaleOf } from "./colours.js";
import { h } from "./dom.js";
import { mosaic, photo } from "./mosaic.js";
import { counted, shapeText, shown } from "./numbers.js";
import { scaleBar } from "./scale_bar.js";
import { statistics } from "./statistics.js";
import { energies, norms, ordered, tilesOf } from "./tiles.js";
import { weightFigures } from "./weight_view.js";

const AT_ONCE = { grid: 64, stack: 256, fold: 1024, map: 1 };
const TABS = [
  ["maps", "Maps"],
  ["weights", "Weights"],
  ["statistics", "Statistics"],
];
const ORDERS = [
  ["index", "by index"],
  ["energy", "by energy"],
  ["norm", "by kernel norm"],
];

export class LayerView {
  constructor(app) {
    this.app = app;
    this.element = h("main", { class: "panel layer", "aria-label": "Layer" });
    this.more = 1; // how many times as many units as fit at first
    this.drawn = null;
    this.units = []; // that are shown, in their order
  }

  async render() {
    const { app } = this;
    if (this.drawn !== app.layer.number) this.more = 1;
    this.drawn = app.layer.number;
    const body = await this.body();
    if (!app.isCurrent()) return;
    const { scrollTop } = this.scroll ?? {};
    const same = this.element.dataset.layer === String(app.layer.number);
    this.scroll = h("div", { class: "scroll", role: "tabpanel" }, body);
    this.element.replaceChildren(this.heading(), this.controls(), this.scroll);
    this.element.dataset.layer = app.layer.number;
    if (same && scrollTop) this.scroll.scrollTop = scrollTop;
  }

  heading() {
    const { layer } = this.app;
    const activations = layer.activation.map((a) => a.op).filter((op) => op !== (layer.type || layer.op));
    const facts = [
      [`${layer.type || layer.op} ${layer.window}`.trim(), ...activations].join(", "),
      shapeText(layer.shape),
      `${counted(layer.size)} neuron${layer.size === 1 ? "" : "s"}`,
      layer.inEdges ? `${counted(layer.inEdges)} in-edges` : null,
      layer.parameters ? `${counted(layer.parameters)} parameters` : null,
    ];
    return h(
      "header",
      { class: "bar tall" },
      h("h2", { title: shown(layer.name, 1000) }, shown(layer.name)),
      h(
        "p",
        { class: "facts" },
        facts.filter(Boolean).map((fact) => h("span", {}, fact)),
      ),
    );
  }

  controls() {
    const { app } = this;
    const tab = ([key, label]) =>
      h("button", { role: "tab", "aria-selected": app.state.tab === key, onclick: () => app.go({ tab: key }) }, label);
    const order = h(
      "select",
      { "aria-label": "Order of channels", onchange: (event) => app.go({ order: event.target.value }) },
      ORDERS.map(([key, label]) => h("option", { value: key, selected: app.state.order === key }, label)),
    );
    const many = app.state.runs.length > 1;
    const differences = h(
      "label",
      { class: "check" },
      h("input", {
        type: "checkbox",
        checked: app.state.differences,
        onchange: (e) => app.go({ differences: e.target.checked }),
      }),
      "Differences",
    );
    return h(
      "div",
      { class: "bar controls" },
      h("div", { class: "tabs", role: "tablist" }, TABS.map(tab)),
      h("span", { class: "spring" }),
      many ? differences : null,
      app.state.tab === "maps" && tilesOf(app.layer).units > 1 ? order : null,
    );
  }

  body() {
    const { tab } = this.app.state;
    return tab === "maps" ? this.maps() : tab === "weights" ? weightFigures(this.app) : statistics(this.app);
  }

  // For each order a measure of the units; null where there is none.
  async measure(tiles, values) {
    const { layer, source, state, run } = this.app;
    if (state.order === "energy") return energies(tiles, values);
    if (state.order !== "norm") return null;
    const kernels = (await source.arrays(source.runs[run].model, layer.number)).find((array) => array.kernels);
    return kernels && kernels.shape[0] === tiles.units ? norms(kernels) : null;
  }

  async maps() {
    const { layer, source, state } = this.app;
    if (!layer.size) return h("p", { class: "empty" }, "This layer has no neurons.");
    const tiles = tilesOf(layer);
    const all = await Promise.all(state.runs.map((run) => source.values(run, layer.number)));
    const measure = await this.measure(tiles, all[0]);
    const order = ordered(tiles.units, measure);
    const units = (this.units = order.slice(0, AT_ONCE[tiles.layout] * this.more));
    const scale = scaleOf(all);
    const figures = all.map((values, k) => [source.runs[state.runs[k]].name, values, scale]);
    if (state.differences && all.length > 1) figures.push(...this.differences(all));
    const note =
      state.order === "norm" && !measure ? "This layer has no kernels: its channels are in their own order." : null;
    const width = this.width(figures.length);
    return h(
      "div",
      { class: "figures" },
      note ? h("p", { class: "empty" }, note) : null,
      this.photograph(tiles, all[0]),
      figures.map(([name, values, of]) => this.figure(tiles, units, name, values, of, width)),
      units.length < tiles.units ? this.showMore(units.length, tiles) : null,
    );
  }

  differences(all) {
    const { source, state } = this.app;
    const apart = all.slice(1).map((values) => Float64Array.from(values, (v, i) => v - all[0][i]));
    const scale = { ...scaleOf(apart), diverging: true };
    scale.low = -scale.high;
    const name = (k) => `${source.runs[state.runs[k]].name} − ${source.runs[state.runs[0]].name}`;
    return apart.map((values, k) => [name(k + 1), values, scale]);
  }

  width(figures) {
    const whole = (this.element.clientWidth || 600) - 48;
    return figures > 1 ? Math.max(220, Math.floor(whole / Math.min(figures, whole > 900 ? 3 : 2)) - 24) : whole;
  }

  figure(tiles, units, name, values, scale, width) {
    const { app } = this;
    const own = app.neuron !== null && app.source.layers.layerOf(app.neuron) === app.layer;
    const { canvas, says } = mosaic({
      layer: app.layer,
      tiles,
      units,
      values,
      scale,
      width,
      mask: own ? null : ((app.traced ?? app.field)?.get(app.layer.number) ?? null),
      framed: !app.traced,
      marked: own ? app.neuron - app.layer.first : null,
      choose: (position) => app.open(app.layer.first + position),
      caption: `${shown(app.layer.name)}, ${shown(name)}`,
    });
    return h("figure", {}, h("figcaption", {}, h("span", {}, shown(name)), scaleBar(scale)), canvas, says);
  }

  // An input of three channels as a picture, its values from the least to the greatest; as `activations` draws it.
  photograph(tiles, values) {
    const { layer, source } = this.app;
    if (layer.aggregation !== "input" || tiles.layout !== "grid" || tiles.units !== 3) return null;
    const bounds = values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
    const canvas = photo(tiles, values, bounds, source.meta.bgr);
    return h("figure", {}, h("figcaption", {}, h("span", {}, "As a photograph")), canvas);
  }

  showMore(count, tiles) {
    const more = () => {
      this.more *= 4;
      this.app.render();
    };
    return h(
      "p",
      { class: "more" },
      h("button", { onclick: more }, "Show more"),
      h("span", { class: "faint" }, `${counted(count)} of ${counted(tiles.units)} ${tiles.what}s`),
    );
  }
}
