// Where a neuron's value comes from: the edges that carry most of it, layer by layer, back to the inputs.

import { scaleOf } from "./colours.js";
import { h } from "./dom.js";
import { mosaic } from "./mosaic.js";
import { counted, number, shown } from "./numbers.js";
import { scaleBar } from "./scale_bar.js";
import { ordered } from "./tiles.js";

const KEPT = [
  ["3", "the 3 strongest edges of each neuron"],
  ["10", "the 10 strongest edges of each neuron"],
  ["0.5", "half of each layer's flow"],
  ["0.8", "80 % of each layer's flow"],
  ["0.95", "95 % of each layer's flow"],
];
const STRONGEST = 4; // neurons of each layer

export const howMuch = (text) => (text.includes(".") ? { keep: Number(text) } : { topK: Number(text) });

export async function traceSection(app, section, view) {
  const { trace } = app.state;
  const choice = h(
    "select",
    { "aria-label": "How much of it is kept", onchange: (event) => app.go({ trace: event.target.value || null }) },
    h("option", { value: "" }, "not traced"),
    KEPT.map(([key, label]) => h("option", { value: key, selected: trace === key }, label)),
  );
  const title = h("h3", {}, "Where does this come from?");
  section.replaceChildren(
    title,
    h(
      "p",
      {},
      trace
        ? choice
        : h("button", { class: "strong", onclick: () => app.go({ trace: "3" }) }, "Trace it back to the input"),
    ),
  );
  if (!trace) return;
  const wait = h("p", { class: "faint" }, "Tracing …");
  section.append(wait);
  try {
    const found = await app.source.trace(app.run, app.neuron, howMuch(trace));
    if (!app.isCurrent()) return;
    view.graph.trace = found;
    const showing = app.showTrace(found);
    wait.replaceWith(...(await told(app, found)));
    section.dataset.edges = found.source.length;
    await showing;
  } catch (problem) {
    wait.replaceWith(h("p", { class: "empty" }, `Not possible: ${shown(problem.message, 300)}.`));
  }
}

async function told(app, found) {
  const { layers } = app.source.layers;
  const inputs = layers.filter((layer) => layer.aggregation === "input" && found.score[layer.number]);
  const pictures = inputs.map((layer) => relevance(app, layer, found.score[layer.number]));
  const rows = found.steps.map((step) => {
    const share = step.flow ? step.kept / step.flow : 1;
    return h(
      "tr",
      {},
      h("td", {}, shown(layers[step.layer].name, 24)),
      h("td", {}, counted(step.neurons)),
      h("td", {}, counted(step.edges)),
      h("td", {}, `${(100 * share).toFixed(1)} %`),
    );
  });
  const head = h(
    "thead",
    {},
    h(
      "tr",
      {},
      ["into layer", "neurons", "edges", "kept"].map((text) => h("th", { scope: "col" }, text)),
    ),
  );
  return [
    ...pictures,
    h("p", { class: "faint" }, "Each neuron's value is shared out among its in-edges by weight × value (LRP-0)."),
    h("table", { class: "numbers" }, head, h("tbody", {}, rows)),
    h("h4", {}, "The strongest on the way"),
    h("div", { class: "bars" }, strongest(app, found)),
  ];
}

function relevance(app, layer, score) {
  const tiles = app.tiles(layer);
  const scale = { ...scaleOf([score]), diverging: true };
  scale.low = -scale.high;
  const units = ordered(Math.min(tiles.units, tiles.layout === "grid" ? 8 : 256));
  const { canvas, says } = mosaic({
    layer,
    tiles,
    units,
    values: score,
    scale,
    width: 320,
    choose: (position) => app.walkTo(layer.first + position),
    caption: `Relevance of ${shown(layer.name)}`,
  });
  return h(
    "figure",
    {},
    h("figcaption", {}, h("span", {}, `Relevance of ${shown(layer.name, 30)}`), scaleBar(scale)),
    canvas,
    says,
  );
}

// Of each layer that the trace runs through, the neurons that carry most.
function strongest(app, found) {
  const carried = new Map();
  Array.from(found.source).forEach((source, e) => carried.set(source, (carried.get(source) ?? 0) + found.flow[e]));
  const byLayer = new Map();
  for (const [neuron, flow] of carried) {
    const { number } = app.source.layers.layerOf(neuron);
    byLayer.set(number, [...(byLayer.get(number) ?? []), [neuron, flow]]);
  }
  return [...byLayer.keys()]
    .sort((a, b) => b - a)
    .flatMap((layer) => {
      const list = byLayer
        .get(layer)
        .sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]) || a[0] - b[0])
        .slice(0, STRONGEST);
      const most = Math.abs(list[0][1]) || 1;
      return list.map(([neuron, flow]) =>
        h(
          "div",
          {},
          app.link(neuron),
          h("i", { class: flow < 0 ? "negative" : null, style: { width: `${(100 * Math.abs(flow)) / most}%` } }),
          h("span", {}, number(flow, 4)),
        ),
      );
    });
}
