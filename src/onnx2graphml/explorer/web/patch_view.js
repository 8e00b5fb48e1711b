// The patch that a neuron looks at: value, weight and contribution at each place, for the channels that do most.

import { cssColour, inkOn, scaleOf } from "./colours.js";
import { h, s } from "./dom.js";
import { number, shown } from "./numbers.js";
import { paged } from "./paged.js";

const FIRST = 2; // channels
const LARGEST = 15; // rows or columns of a patch that is drawn

// The cells of each unit of each source layer, those with the greatest contributions first.
function grouped(app, edges, found) {
  const groups = new Map();
  found.rows.forEach(({ edges: [e], value }) => {
    const layer = app.source.layers.layerOf(edges.source[e]);
    const tiles = app.tiles(layer);
    if (tiles.layout !== "grid" && tiles.layout !== "map" && tiles.layout !== "stack") return;
    const [unit, row, column] = tiles.place(edges.source[e] - layer.first);
    const key = `${layer.number} ${unit}`;
    if (!groups.has(key)) groups.set(key, { layer, unit, label: tiles.label(unit), cells: [], size: 0 });
    const group = groups.get(key);
    group.cells.push({
      row,
      column,
      neuron: edges.source[e],
      value: edges.values[0][e],
      weight: edges.weight[e],
      contribution: value,
    });
    group.size += Math.abs(value);
  });
  return [...groups.values()].sort((a, b) => b.size - a.size);
}

function extent(cells) {
  const ends = (key) =>
    cells.reduce(([low, high], cell) => [Math.min(low, cell[key]), Math.max(high, cell[key])], [Infinity, -Infinity]);
  const [top, bottom] = ends("row");
  const [left, right] = ends("column");
  return { top, left, rows: bottom - top + 1, columns: right - left + 1 };
}

export function patches(app, edges, found) {
  const groups = grouped(app, edges, found);
  if (!groups.length) return null;
  const boxes = groups.map((group) => extent(group.cells));
  const largest = boxes.reduce((n, box) => Math.max(n, box.rows, box.columns), 0);
  if (largest > LARGEST || largest === 1) return null;
  const all = groups.flatMap((group) => group.cells);
  const scales = Object.fromEntries(
    ["value", "weight", "contribution"].map((key) => [key, scaleOf([all.map((cell) => cell[key])])]),
  );
  const list = h("div", { class: "patches" });
  const add = (from, to) => {
    for (let g = from; g < to; g++) list.append(patch(app, groups[g], boxes[g], scales, found.kind));
  };
  const more = paged(groups.length, FIRST, 8, add, { label: "More channels", note: ", the strongest first" });
  return [list, more];
}

function patch(app, { layer, label, cells, size }, box, scales, kind) {
  const parts =
    kind === "choice"
      ? [["value", "value"]]
      : [
          ["value", "value"],
          ["weight", "weight"],
          ["contribution", "weight × value"],
        ];
  return h(
    "div",
    { class: "patch" },
    h(
      "p",
      { class: "faint" },
      `${shown(layer.name, 30)}${label ? `, ${app.tiles(layer).what} ${label}` : ""}; |sum| ${number(size, 4)}`,
    ),
    h(
      "div",
      { class: "grids" },
      parts.map(([key, name], k) => [
        k ? h("span", { class: "sign", "aria-hidden": true }, k === 1 ? "×" : "=") : null,
        h("figure", {}, grid(app, cells, box, key, scales[key]), h("figcaption", {}, name)),
      ]),
    ),
  );
}

// Six signs at most.
function short(value) {
  const text = number(value, 2);
  return text.length > 6 ? number(value, 1).replace(/^(−?)0\.000(\d)$/, "$1$2e-4") : text;
}

function grid(app, cells, { top, left, rows, columns }, key, scale) {
  const most = Math.max(rows, columns);
  const room = ((app.neuronView.element.clientWidth || 400) - 92) / 3; // of each of three grids with signs between
  const cell = Math.floor(Math.min(most <= 3 ? 38 : 100, Math.max(5, room / columns)));
  const svg = s("svg", {
    width: columns * cell,
    height: rows * cell,
    role: "img",
    "aria-label": `${key}s of the patch`,
  });
  for (const one of cells) {
    const [x, y] = [(one.column - left) * cell, (one.row - top) * cell];
    const group = s(
      "g",
      { class: "cell", onclick: () => app.walkTo(one.neuron) },
      s("title", {}, `${key} ${number(one[key], 6)}`),
    );
    group.append(s("rect", { x, y, width: cell - 1, height: cell - 1, fill: cssColour(one[key], scale) }));
    if (cell >= 26)
      group.append(
        s(
          "text",
          { x: x + (cell - 1) / 2, y: y + cell / 2 + 3, "text-anchor": "middle", fill: inkOn(one[key], scale) },
          short(one[key]),
        ),
      );
    svg.append(group);
  }
  return svg;
}
