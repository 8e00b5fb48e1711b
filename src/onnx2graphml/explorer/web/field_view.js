// The receptive field: of each layer between a neuron and the inputs, the part from which a path leads to it.

import { scaleOf } from "./colours.js";
import { h } from "./dom.js";
import { mosaic } from "./mosaic.js";
import { counted, shown } from "./numbers.js";
import { paged } from "./paged.js";

const SHOWN = 8; // layers, at first

// The unit of a layer with the most reached neurons, and of these the one with the greatest energy.
function telling(tiles, mask, values) {
  let best = [0, -1, -1];
  for (let unit = 0; unit < Math.min(tiles.units, 256); unit++) {
    let [reached, energy] = [0, 0];
    for (let r = 0; r < tiles.rows; r++) {
      for (let c = 0; c < tiles.columns; c++) {
        const at = tiles.position(unit, r, c);
        reached += mask[at];
        if (mask[at] && Number.isFinite(values[at])) energy += values[at] * values[at];
      }
    }
    if (reached > best[1] || (reached === best[1] && energy > best[2])) best = [unit, reached, energy];
  }
  return best[0];
}

export async function fieldSection(app, field) {
  const { source, run, neuron } = app;
  const own = source.layers.layerOf(neuron).number;
  const numbers = [...field.keys()].filter((number) => number !== own).sort((a, b) => a - b);
  const title = h("h3", {}, "Receptive field");
  if (!numbers.length) return [title, h("p", { class: "empty" }, "It reads no other neuron.")];
  const inputs = numbers.filter((number) => source.layers.layers[number].aggregation === "input");
  const order = [...inputs, ...numbers.filter((number) => !inputs.includes(number)).reverse()];
  const list = h("div", { class: "fields" });
  const add = async (from, to) => {
    for (const number of order.slice(from, to))
      list.append(await thumbnail(app, source, run, number, field.get(number)));
  };
  const more = paged(order.length, SHOWN, 24, add, { label: "More layers" });
  await more.shown;
  return [title, list, more];
}

async function thumbnail(app, source, run, number, mask) {
  const layer = source.layers.layers[number];
  const values = await source.values(run, number);
  const tiles = app.tiles(layer);
  const reached = mask.reduce((n, bit) => n + bit, 0);
  const folded = tiles.layout === "fold" || tiles.layout === "stack";
  const units = folded
    ? Array.from({ length: Math.min(tiles.units, 256) }, (_, unit) => unit)
    : [telling(tiles, mask, values)];
  const small = { ...tiles, layout: folded ? tiles.layout : "map" };
  const { canvas } = mosaic({
    layer,
    tiles: small,
    units,
    values,
    scale: scaleOf([values]),
    mask,
    width: 84,
    caption: `Receptive field in ${shown(layer.name)}`,
  });
  return h(
    "button",
    {
      class: "thumbnail",
      title: shown(layer.name, 300),
      "data-layer": number,
      "data-reached": reached,
      onclick: () => app.go({ layer: number }),
    },
    canvas,
    h("span", {}, shown(layer.name, 16)),
    h("span", { class: "faint" }, `${counted(reached)} of ${counted(layer.size)}`),
  );
}
