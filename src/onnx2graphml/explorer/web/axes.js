// Edge blocks, as graph/axes.py and graph/blocks.py have them: a block is a product of axes, and never expanded whole.
// An axis is {source, target, tap, term}: arrays of integers of one length; term is null where there are none.

// The distinct numbers of an array, ascending, and the entries that have each.
function digitsOf(offsets) {
  const n = offsets.length;
  let ascending = true;
  for (let i = 1; i < n && ascending; i++) ascending = offsets[i - 1] <= offsets[i];
  let order = null;
  if (!ascending) {
    order = Uint32Array.from({ length: n }, (_, i) => i);
    order.sort((a, b) => offsets[a] - offsets[b] || a - b);
  }
  const at = (i) => (order ? order[i] : i);
  const values = [];
  const starts = [];
  for (let i = 0; i < n; i++) {
    if (i === 0 || offsets[at(i)] !== offsets[at(i - 1)]) {
      values.push(offsets[at(i)]);
      starts.push(i);
    }
  }
  starts.push(n);
  return { values: Float64Array.from(values), starts, at };
}

function lowerBound(values, least) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Entries of an axis, in order.
function entriesOf(axis, entries) {
  const pick = (side) => (side === null ? null : Float64Array.from(entries, (e) => side[e]));
  return { source: pick(axis.source), target: pick(axis.target), tap: pick(axis.tap), term: pick(axis.term) };
}

// All combinations of one entry from each axis, as one axis; the first varies slowest.
function productOf(axes) {
  const sum = (side) => {
    let total = new Float64Array(1);
    for (const axis of axes) {
      const part = axis[side] ?? new Float64Array(axis.source.length);
      const next = new Float64Array(total.length * part.length);
      let i = 0;
      for (let a = 0; a < total.length; a++) for (let b = 0; b < part.length; b++) next[i++] = total[a] + part[b];
      total = next;
    }
    return total;
  };
  const term = axes.some((axis) => axis.term !== null) ? sum("term") : null;
  return { source: sum("source"), target: sum("target"), tap: sum("tap"), term };
}

const INNER = 1 << 14;

export class Block {
  constructor(axes, weights) {
    this.axes = axes;
    this.weights = weights;
    this.count = axes.reduce((n, axis) => n * axis.source.length, 1);
    this.hasTerms = axes.some((axis) => axis.term !== null);
    this.known = {};
  }

  digits(side) {
    this.known[side] ??= this.axes.map((axis) => digitsOf(axis[side]));
    return this.known[side];
  }

  // The edges of one position, as {source, target, weight, term}; in the order of EdgeBlock.select.
  select(side, position) {
    const found = { source: [], target: [], weight: [], term: this.hasTerms ? [] : null };
    if (this.count === 0) return found;
    const digits = this.digits(side);
    const most = (d) => d.values[d.values.length - 1];
    const order = digits.map((_, i) => i).sort((a, b) => most(digits[b]) - most(digits[a]) || a - b);
    for (const chosen of writings(
      order.map((i) => digits[i].values),
      0,
      position,
    )) {
      const axes = [...this.axes];
      order.forEach((i, k) => {
        const { starts, at } = digits[i];
        const entries = [];
        for (let e = starts[chosen[k]]; e < starts[chosen[k] + 1]; e++) entries.push(at(e));
        axes[i] = entriesOf(
          axes[i],
          entries.sort((a, b) => a - b),
        );
      });
      const edges = productOf(axes);
      for (let e = 0; e < edges.source.length; e++) {
        found.source.push(edges.source[e]);
        found.target.push(edges.target[e]);
        found.weight.push(this.weights[edges.tap[e]]);
        if (found.term) found.term.push(edges.term === null ? 0 : edges.term[e]);
      }
    }
    return found;
  }

  // Call `visit(outer, inner)`, two axes whose product is a part of the block; together all of it, in order.
  tiles(visit) {
    if (this.count === 0) return;
    let cut = this.axes.length;
    let size = 1;
    while (cut > 0 && (size === 1 || size * this.axes[cut - 1].source.length <= INNER)) {
      cut -= 1;
      size *= this.axes[cut].source.length;
    }
    const inner = productOf(this.axes.slice(cut));
    const slow = this.axes.slice(0, cut);
    walkProduct(slow, 0, 0, 0, 0, (s, t, k) => visit(s, t, k, inner));
  }

  // y = W x, or with `transposed` x = Wᵀ y, in float64.
  apply(x, out, transposed = false) {
    const { weights } = this;
    this.tiles((s, t, k, { source, target, tap }) => {
      const n = source.length;
      if (transposed) for (let i = 0; i < n; i++) out[s + source[i]] += weights[k + tap[i]] * x[t + target[i]];
      else for (let i = 0; i < n; i++) out[t + target[i]] += weights[k + tap[i]] * x[s + source[i]];
    });
    return out;
  }

  // The source positions with an edge to any target position of a mask; one axis after the other.
  sourcesOf(targets, size) {
    const out = new Uint8Array(size);
    if (this.count === 0) return out;
    const into = this.digits("target");
    const from = this.digits("source");
    let grid = new Uint8Array(into.reduce((n, d) => n * d.values.length, 1));
    gathered(
      into.map((d) => d.values),
      targets,
      grid,
    );
    let inner = grid.length;
    let outer = 1;
    this.axes.forEach((axis, i) => {
      const [rows, columns] = [into[i].values.length, from[i].values.length];
      inner /= rows;
      if (!isSame(axis, into[i], from[i])) grid = through(grid, outer, inner, axis, into[i], from[i]);
      outer *= columns;
    });
    scattered(
      from.map((d) => d.values),
      grid,
      out,
    );
    return out;
  }
}

function walkProduct(axes, level, s, t, k, visit) {
  if (level === axes.length) {
    visit(s, t, k);
    return;
  }
  const { source, target, tap } = axes[level];
  for (let e = 0; e < source.length; e++) walkProduct(axes, level + 1, s + source[e], t + target[e], k + tap[e], visit);
}

// The bits of a mask at all sums of one number from each array, the last array fastest.
function gathered(arrays, mask, out, level = 0, sum = 0, first = 0) {
  const values = arrays[level] ?? [0];
  let at = first;
  if (level >= arrays.length - 1) for (let i = 0; i < values.length; i++) out[at++] = mask[sum + values[i]];
  else for (let i = 0; i < values.length; i++) at = gathered(arrays, mask, out, level + 1, sum + values[i], at);
  return at;
}

// The reverse: bits into a mask, at those sums.
function scattered(arrays, bits, mask, level = 0, sum = 0, first = 0) {
  const values = arrays[level] ?? [0];
  let at = first;
  if (level >= arrays.length - 1) for (let i = 0; i < values.length; i++) mask[sum + values[i]] |= bits[at++];
  else for (let i = 0; i < values.length; i++) at = scattered(arrays, bits, mask, level + 1, sum + values[i], at);
  return at;
}

// Whether an axis joins each target's digit to the source's digit of the same number.
function isSame(axis, into, from) {
  const n = axis.source.length;
  if (into.values.length !== n || from.values.length !== n) return false;
  for (let d = 0; d < n; d++) if (into.at(d) !== from.at(d)) return false;
  return true;
}

// The ways to write a position as a sum of one number from each ascending array, as places in the arrays.
function* writings(distinct, level, position) {
  if (level === distinct.length) {
    if (position === 0) yield [];
    return;
  }
  let least = 0;
  let most = 0;
  for (let i = level + 1; i < distinct.length; i++) {
    least += distinct[i][0];
    most += distinct[i][distinct[i].length - 1];
  }
  const head = distinct[level];
  for (let at = lowerBound(head, position - most); at < head.length && head[at] <= position - least; at++) {
    for (const others of writings(distinct, level + 1, position - head[at])) yield [at, ...others];
  }
}

// For each entry of an axis, the number of its digit.
function digitNumbers(axis, digits) {
  const numbers = new Uint32Array(axis.source.length);
  for (let d = 0; d < digits.values.length; d++) {
    for (let e = digits.starts[d]; e < digits.starts[d + 1]; e++) numbers[digits.at(e)] = d;
  }
  return numbers;
}

// A grid of shape (outer, targets, inner) as one of shape (outer, sources, inner).
function through(grid, outer, inner, axis, into, from) {
  const [rows, columns] = [into.values.length, from.values.length];
  const [target, source] = [digitNumbers(axis, into), digitNumbers(axis, from)];
  const out = new Uint8Array(outer * columns * inner);
  for (let o = 0; o < outer; o++) {
    for (let e = 0; e < target.length; e++) {
      const read = (o * rows + target[e]) * inner;
      const write = (o * columns + source[e]) * inner;
      for (let i = 0; i < inner; i++) out[write + i] |= grid[read + i];
    }
  }
  return out;
}
