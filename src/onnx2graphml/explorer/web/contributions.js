// What each in-edge of a neuron does to its value, by the way the layer combines its in-edges.

// {kind, rows, total, bias}: rows are {edges, parts, value}: the edges that act together, their products weight × value,
// and what these come to; for a maximum or minimum `winner` is the number of the chosen row.
export function contributions(layer, edges, values, weights, bias) {
  const products = edges.source.length ? Array.from(edges.source, (_, e) => weights[e] * values[e]) : [];
  const single = products.map((value, e) => ({ edges: [e], value }));
  if (layer.aggregation === "sum") {
    const rows = byTerm(edges, products);
    const total = rows.reduce((sum, row) => sum + row.value, bias ?? 0);
    return { kind: rows.some((row) => row.edges.length > 1) ? "terms" : "sum", rows, total };
  }
  if (layer.aggregation === "product") {
    return { kind: "product", rows: single, total: products.reduce((all, value) => all * value, bias ?? 1) };
  }
  if (layer.aggregation === "max" || layer.aggregation === "min") return chosen(layer.aggregation, edges, single, bias);
  return { kind: "function", rows: single, total: null };
}

// Edges that share a term are multiplied.
function byTerm(edges, products) {
  const rows = [];
  const known = new Map();
  products.forEach((value, e) => {
    const term = Number(edges.term[e]);
    if (term >= 0 && known.has(term)) {
      const row = known.get(term);
      row.edges.push(e);
      row.value *= value;
    } else {
      rows.push({ edges: [e], value, term });
      if (term >= 0) known.set(term, rows[rows.length - 1]);
    }
  });
  return rows;
}

// Of equal candidates the first source is chosen, as ONNX has it.
function chosen(aggregation, edges, rows, bias) {
  const sign = aggregation === "max" ? 1 : -1;
  let winner = null;
  rows.forEach((row, k) => {
    const before = winner === null ? -Infinity : sign * rows[winner].value;
    const level = sign * row.value === before && edges.source[row.edges[0]] < edges.source[rows[winner].edges[0]];
    if (sign * row.value > before || level) winner = k;
  });
  const best = winner === null ? -Infinity * sign : rows[winner].value;
  const total = bias === null ? best : sign * Math.max(sign * best, sign * bias);
  return { kind: "choice", rows, total, winner };
}

// The rows with the greatest sizes first; the winner before all.
export function bySize({ rows, winner }) {
  const first = winner ?? -1;
  const sizes = Float64Array.from(rows, ({ value }) => (Number.isNaN(value) ? Infinity : Math.abs(value)));
  return rows.map((_, k) => k).sort((a, b) => (b === first) - (a === first) || sizes[b] - sizes[a] || a - b);
}
