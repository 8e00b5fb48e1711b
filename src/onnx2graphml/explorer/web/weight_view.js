// A layer's trained arrays: kernels, matrices, vectors.

import { scaleOf } from "./colours.js";
import { h } from "./dom.js";
import { mosaic } from "./mosaic.js";
import { counted, shown } from "./numbers.js";
import { scaleBar } from "./scale_bar.js";
import { norms, ordered } from "./tiles.js";

const KERNELS = 256; // that are drawn at most
const SIDE = 512; // of a matrix

export async function weightFigures(app) {
  const { layer, source, state } = app;
  const models = [...new Set(state.runs.map((run) => source.runs[run].model))];
  const all = await Promise.all(models.map((model) => source.arrays(model, layer.number)));
  if (!all[0].length) return h("p", { class: "empty" }, "This layer has no trained arrays.");
  const width = Math.max(240, app.layerView.width(1));
  return h(
    "div",
    { class: "figures stacked" },
    all[0].map((array, k) => {
      const same = all.map((arrays) => arrays[k].values);
      const figures = models.map((model, m) => [
        models.length > 1 ? source.models[model].name : "",
        same[m],
        scaleOf(same),
      ]);
      if (models.length > 1 && state.differences) figures.push(difference(source, models, same));
      return figures.map(([name, values, scale]) => figure(app, { ...array, values }, name, scale, width));
    }),
  );
}

function difference(source, models, same) {
  const apart = Float64Array.from(same[1], (v, i) => v - same[0][i]);
  const most = scaleOf([apart]).high;
  return [
    `${source.models[models[1]].name} − ${source.models[models[0]].name}`,
    apart,
    { low: -most, high: most, diverging: true },
  ];
}

function figure(app, array, name, scale, width) {
  const { tiles, units, note } = arranged(array);
  const { canvas } = mosaic({
    layer: app.layer,
    tiles,
    units,
    values: array.values,
    scale,
    width,
    caption: array.text,
  });
  const title = [shown(array.name), name ? shown(name) : null].filter(Boolean).join(" · ");
  return h(
    "figure",
    {},
    h("figcaption", {}, h("span", {}, title), scaleBar(scale)),
    h("p", { class: "faint" }, [array.text, note].filter(Boolean).join("; ")),
    canvas,
  );
}

// Kernels of rows and columns one beside the other, the largest norms first where there are too many; other arrays as a
// matrix or a line.
function arranged({ shape, values, kernels }) {
  if (kernels && shape.length >= 3) return kernelTiles(shape, values);
  const rows = shape.length > 1 ? shape[0] : 1;
  const columns = values.length / Math.max(rows, 1);
  if (rows === 1) {
    const tiles = {
      units: columns,
      rows: 1,
      columns: 1,
      layout: "fold",
      label: String,
      position: (unit) => unit,
      place: (p) => [p, 0, 0],
    };
    return { tiles, units: ordered(Math.min(columns, 4096)), note: columns > 4096 ? "the first 4,096" : "" };
  }
  const [r, c] = [Math.min(rows, SIDE), Math.min(columns, SIDE)];
  const tiles = { units: 1, rows: r, columns: c, layout: "map", position: (_, row, column) => row * columns + column };
  return { tiles, units: [0], note: r < rows || c < columns ? `the first ${counted(r)} × ${counted(c)}` : "" };
}

function kernelTiles(shape, values) {
  const [outs, ins] = shape;
  const [rows, columns] =
    shape.length === 3 ? [1, shape[2]] : [shape[2], shape.slice(3).reduce((n, size) => n * size, 1)];
  const area = rows * columns;
  const tiles = {
    units: outs * ins,
    rows,
    columns,
    layout: "grid",
    position: (unit, row, column) => unit * area + row * columns + column,
    label: (unit) => (ins === 1 ? `${unit}` : `${unit % ins}→${Math.floor(unit / ins)}`),
  };
  if (tiles.units <= KERNELS) return { tiles, units: ordered(tiles.units), note: "" };
  const units = ordered(tiles.units, norms({ shape: [tiles.units], values })).slice(0, KERNELS);
  return { tiles, units, note: `the ${counted(KERNELS)} of the largest norm of ${counted(tiles.units)}, as in→out` };
}
