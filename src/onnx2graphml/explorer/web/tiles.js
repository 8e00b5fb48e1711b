// How a layer's axes are shown, as recording/views.py says: units, each a map of rows and columns, in a layout.

import { indexOf, sizeOf, stridesOf } from "./network.js";

// {units, rows, columns, layout, position(unit, row, column), unitOf(position)}: layout is `grid`, `stack`, `fold` or `map`.
export function tilesOf(layer) {
  const { form, order } = layer.view;
  if (form === "vector" || layer.shape.length === 0) {
    const self = (unit) => unit;
    return {
      units: layer.size,
      rows: 1,
      columns: 1,
      layout: "fold",
      position: self,
      place: (p) => [p, 0, 0],
      what: "unit",
      label: String,
    };
  }
  const strides = stridesOf(layer.shape);
  const lead = order.slice(0, form === "lines" ? -1 : -2);
  const [rowAxis, columnAxis] = form === "lines" ? [null, order[order.length - 1]] : order.slice(-2);
  const leadShape = lead.map((axis) => layer.shape[axis]);
  const leadStrides = stridesOf(leadShape);
  const units = sizeOf(leadShape);
  const offsets = Float64Array.from({ length: units }, (_, unit) =>
    indexOf(unit, leadShape).reduce((sum, i, k) => sum + i * strides[lead[k]], 0),
  );
  const rowStep = rowAxis === null ? 0 : strides[rowAxis];
  return {
    units,
    rows: rowAxis === null ? 1 : layer.shape[rowAxis],
    columns: layer.shape[columnAxis],
    layout: form === "lines" ? "stack" : units === 1 ? "map" : "grid",
    what: layer.view.what,
    position: (unit, row, column) => offsets[unit] + row * rowStep + column * strides[columnAxis],
    place: (position) => {
      const index = indexOf(position, layer.shape);
      const unit = lead.reduce((sum, axis, k) => sum + index[axis] * leadStrides[k], 0);
      return [unit, rowAxis === null ? 0 : index[rowAxis], index[columnAxis]];
    },
    label: (unit) => indexOf(unit, leadShape).join(","),
  };
}

// The sum of squares of each unit.
export function energies(tiles, values) {
  return Float64Array.from({ length: tiles.units }, (_, unit) => {
    let sum = 0;
    for (let r = 0; r < tiles.rows; r++) {
      for (let c = 0; c < tiles.columns; c++) {
        const value = values[tiles.position(unit, r, c)];
        if (Number.isFinite(value)) sum += value * value;
      }
    }
    return sum;
  });
}

// The L2 norm of the weights of each output of kernels of shape (out, in, ...).
export function norms({ shape, values }) {
  const each = values.length / shape[0];
  return Float64Array.from({ length: shape[0] }, (_, out) => {
    let sum = 0;
    for (let i = out * each; i < (out + 1) * each; i++) sum += values[i] * values[i];
    return Math.sqrt(sum);
  });
}

// Units with the largest measure first; without one, as they are.
export function ordered(units, measure) {
  const order = Array.from({ length: units }, (_, unit) => unit);
  return measure ? order.sort((a, b) => measure[b] - measure[a] || a - b) : order;
}
