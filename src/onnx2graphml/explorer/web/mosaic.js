// Maps on a canvas: units side by side, with their numbers; a cursor for mouse and keyboard.

import { colourOf } from "./colours.js";
import { h } from "./dom.js";
import { counted, indexText, number, shown } from "./numbers.js";
import { indexOf } from "./network.js";

const LABEL = 13;
const GAP = 8;
const BETWEEN = { grid: GAP, stack: 0, fold: 1, map: 0 };

// Where each unit of an order stands: sizes of cells in CSS pixels.
export function layout(tiles, units, width) {
  const n = units.length;
  const gap = BETWEEN[tiles.layout];
  const few = tiles.layout === "fold" && n <= 16; // in one row, with numbers
  const label = tiles.layout === "grid" || few ? LABEL : 0;
  const large = Math.max(92, Math.min(200, Math.floor(width / n) - GAP));
  const wanted = {
    grid: n <= 4 ? large : Math.min(92, Math.floor(width / 3) - GAP),
    stack: width,
    fold: few ? Math.min(44, Math.floor(width / n) - 1) : n <= 64 ? 34 : 16,
    map: Math.min(width, 460),
  }[tiles.layout];
  const longest = tiles.layout === "stack" ? tiles.columns : Math.max(tiles.rows, tiles.columns);
  const fits = Math.min(wanted, width) / longest;
  const cell =
    fits >= 1 ? Math.min(Math.floor(fits), tiles.layout === "grid" || tiles.layout === "fold" ? 99 : 28) : fits;
  const [w, tall] = [
    cell * tiles.columns,
    tiles.layout === "stack" ? Math.max(2, Math.min(cell, 14)) : cell * tiles.rows,
  ];
  const most = Math.max(1, Math.floor((width + gap) / (w + gap)));
  const square = Math.ceil(Math.sqrt(n));
  const across = { grid: most, stack: 1, fold: Math.min(most, Math.max(square, Math.min(n, 16))), map: 1 }[
    tiles.layout
  ];
  const down = Math.ceil(n / across);
  const [cellHigh, high] = [tall / tiles.rows, tall + label];
  return {
    cell,
    cellHigh,
    w,
    tall,
    label,
    across,
    width: Math.max(1, Math.min(n, across) * (w + gap) - gap),
    height: Math.max(1, down * (high + gap) - gap),
    corner: (k) => [(k % across) * (w + gap), Math.floor(k / across) * (high + gap) + label],
    hit: (x, y) => {
      const [column, row] = [Math.floor(x / (w + gap)), Math.floor(y / (high + gap))];
      const [inX, inY] = [x - column * (w + gap), y - row * (high + gap) - label];
      const k = row * across + column;
      const inside = column >= 0 && column < across && k < n && inX >= 0 && inX < w && inY >= 0 && inY < tall;
      return inside
        ? [k, Math.min(tiles.rows - 1, Math.floor(inY / cellHigh)), Math.min(tiles.columns - 1, Math.floor(inX / cell))]
        : null;
    },
  };
}

// One unit as an image of a pixel a cell; what is outside of a mask is faded.
function unitImage(tiles, unit, values, scale, mask) {
  const image = new ImageData(tiles.columns, tiles.rows);
  let at = 0;
  for (let r = 0; r < tiles.rows; r++) {
    for (let c = 0; c < tiles.columns; c++) {
      const position = tiles.position(unit, r, c);
      const colour = colourOf(values[position], scale);
      for (let k = 0; k < 3; k++) image.data[at + k] = colour[k];
      image.data[at + 3] = mask && !mask[position] ? 70 : 255;
      at += 4;
    }
  }
  return image;
}

function paint(canvas, { tiles, units, values, scale, mask, framed, marked, place }) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(place.width * ratio);
  canvas.height = Math.round(place.height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const small = document.createElement("canvas");
  small.width = tiles.columns;
  small.height = tiles.rows;
  const smallContext = small.getContext("2d");
  context.imageSmoothingEnabled = place.cell < 1;
  units.forEach((unit, k) => {
    const [x, y] = place.corner(k);
    smallContext.putImageData(unitImage(tiles, unit, values, scale, mask), 0, 0);
    context.drawImage(small, x, y, place.w, place.tall);
    if (place.label) {
      context.fillStyle = style.color;
      context.font = `10px ${style.fontFamily}`;
      context.fillText(tiles.label(unit), x, y - 3.5, place.w);
    }
    if (mask && framed) outline(context, tiles, unit, mask, place, x, y, style.getPropertyValue("--accent"));
  });
  if (marked !== null) {
    const [unit, row, column] = tiles.place(marked);
    const k = units.indexOf(unit);
    if (k >= 0) frame(context, place, place.corner(k), row, column, 1, 1, style.getPropertyValue("--mark"));
  }
}

function frame(context, place, [x, y], row, column, rows, columns, colour) {
  const box = [x + column * place.cell, y + row * place.cellHigh, columns * place.cell, rows * place.cellHigh];
  context.lineWidth = 3.5;
  context.strokeStyle = "rgba(255,255,255,.9)";
  context.strokeRect(...box);
  context.lineWidth = 2;
  context.strokeStyle = colour;
  context.strokeRect(...box);
}

// A frame around the part of a unit that a mask covers.
function outline(context, tiles, unit, mask, place, x, y, colour) {
  const [rows, columns] = [[], []];
  for (let r = 0; r < tiles.rows; r++) {
    for (let c = 0; c < tiles.columns; c++) {
      if (mask[tiles.position(unit, r, c)]) {
        rows.push(r);
        columns.push(c);
      }
    }
  }
  if (!rows.length || (tiles.rows === 1 && tiles.columns === 1)) return;
  const least = (list) => list.reduce((a, b) => Math.min(a, b));
  const most = (list) => list.reduce((a, b) => Math.max(a, b));
  const [top, left] = [least(rows), least(columns)];
  context.lineWidth = 1.5;
  context.strokeStyle = colour;
  const size = [(most(columns) - left + 1) * place.cell, (most(rows) - top + 1) * place.cellHigh];
  context.strokeRect(x + left * place.cell, y + top * place.cellHigh, ...size);
}

// Three units as red, green and blue.
export function photo(tiles, values, [low, high], bgr) {
  const side = Math.max(tiles.rows, tiles.columns);
  const size = 220 / side;
  const canvas = h("canvas", { class: "mosaic", role: "img", "aria-label": "the input as a photograph" });
  [canvas.width, canvas.height] = [tiles.columns, tiles.rows];
  Object.assign(canvas.style, { width: `${tiles.columns * size}px`, height: `${tiles.rows * size}px` });
  const image = new ImageData(tiles.columns, tiles.rows);
  for (let r = 0, at = 0; r < tiles.rows; r++) {
    for (let c = 0; c < tiles.columns; c++, at += 4) {
      for (let k = 0; k < 3; k++) {
        const value = values[tiles.position(bgr ? 2 - k : k, r, c)];
        image.data[at + k] = (255 * (value - low)) / (high - low || 1);
      }
      image.data[at + 3] = 255;
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// The element: a canvas, and a line that says what is under the cursor.
export function mosaic({
  layer,
  tiles,
  units,
  values,
  scale,
  mask = null,
  framed = true,
  marked = null,
  width,
  choose,
  caption,
}) {
  const place = layout(tiles, units, width);
  const canvas = h("canvas", {
    class: "mosaic",
    tabindex: choose ? 0 : null,
    role: choose ? "application" : "img",
    "aria-label":
      `${caption}. ${counted(units.length)} of ${counted(tiles.units)} maps of ${tiles.rows} × ${tiles.columns}.` +
      (choose ? " Arrow keys move, Enter opens the neuron." : ""),
    style: { width: `${place.width}px`, height: `${place.height}px` },
  });
  const says = h("p", { class: "says", role: "status" });
  let cursor = [0, 0, 0];
  const repaint = (at = marked) => paint(canvas, { tiles, units, values, scale, mask, framed, marked: at, place });
  const tell = ([k, row, column]) => {
    const position = tiles.position(units[k], row, column);
    says.textContent = `${shown(layer.name, 30)} [${indexText(indexOf(position, layer.shape))}] = ${number(values[position], 6)}`;
    return position;
  };
  const move = (dx, dy) => {
    const [x, y] = place.corner(cursor[0]);
    const across = x + (cursor[2] + 0.5) * place.cell + dx * (place.cell || 1);
    const down = y + (cursor[1] + 0.5) * place.cellHigh + dy * place.cellHigh;
    const gap = GAP + LABEL;
    const found = place.hit(across, down) ?? place.hit(across + dx * gap, down + dy * gap);
    if (!found) return;
    cursor = found;
    repaint(tell(cursor));
  };
  if (choose) {
    canvas.addEventListener("mousemove", (event) => {
      const found = place.hit(event.offsetX, event.offsetY);
      if (found) tell(found);
      else says.textContent = "";
    });
    canvas.addEventListener("click", (event) => {
      const found = place.hit(event.offsetX, event.offsetY);
      if (found) choose(tell(found));
    });
    canvas.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (way) move(...way);
      else if (event.key === "Enter" || event.key === " ") choose(tell(cursor));
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    canvas.addEventListener("focus", () => {
      if (marked !== null && units.includes(tiles.place(marked)[0])) {
        const [unit, row, column] = tiles.place(marked);
        cursor = [units.indexOf(unit), row, column];
      }
    });
  }
  requestAnimationFrame(() => repaint());
  return { canvas, says };
}
