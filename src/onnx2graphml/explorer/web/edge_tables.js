// The edges of a neuron as tables: what each one adds to its value, and where its value goes.

import { bySize } from "./contributions.js";
import { h } from "./dom.js";
import { counted, number, shown } from "./numbers.js";
import { paged } from "./paged.js";
import { patches } from "./patch_view.js";

const FIRST = 12; // rows
const TITLES = { sum: "In-edges", choice: "Candidates", product: "Factors", terms: "Terms", function: "Values" };

// about: bias and value of the neuron, found: its contributions; of each run that is shown.
export function inEdges(app, layer, edges, about, found) {
  const { kind, rows } = found[0];
  const edgesIn = counted(edges.source.length);
  return h(
    "section",
    { class: "in" },
    h(
      "h3",
      {},
      TITLES[kind],
      h(
        "span",
        { class: "faint" },
        kind === "terms" ? `${counted(rows.length)} products of ${edgesIn} edges` : edgesIn,
      ),
    ),
    kind === "sum" || kind === "choice" ? patches(app, edges, found[0]) : null,
    table(app, layer, edges, about, found),
  );
}

function table(app, layer, edges, about, found) {
  const order = bySize(found[0]);
  if (found[0].kind === "function") order.sort((a, b) => edges.port[a] - edges.port[b]); // rows are edges here
  const body = h("tbody", {});
  const more = paged(order.length, FIRST, 100, (from, to) => {
    for (const k of order.slice(from, to)) body.append(...rowsOf(app, layer, edges, found, k));
  });
  const own = [...(apart(app) ? ["weight"] : []), "value", found[0].kind === "terms" ? "product" : "weight × value"];
  const head = [
    layer.ports.length ? "input" : null,
    "source",
    apart(app) ? null : "weight",
    ...found.flatMap(() => own),
  ];
  return [
    h(
      "div",
      { class: found.length > 1 ? "wide" : null },
      h(
        "table",
        { class: "numbers edges" },
        header(head.filter(Boolean), names(app, layer)),
        body,
        foot(app, layer, about, found),
      ),
    ),
    more,
  ];
}

// Whether weights differ from run to run: they are of several checkpoints.
const apart = ({ source, state }) => new Set(state.runs.map((run) => source.runs[run].model)).size > 1;

// How many columns stand before those of the runs.
const before = (app, layer) => (layer.ports.length ? 1 : 0) + (apart(app) ? 1 : 2);

// Which input each pair of columns is of, where there are several.
function names(app, layer) {
  const { runs } = app.state;
  if (runs.length < 2) return null;
  const cells = runs.map((run) =>
    h("th", { scope: "colgroup", colspan: apart(app) ? 3 : 2 }, shown(app.source.runs[run].name, 24)),
  );
  return h("tr", {}, h("th", { colspan: before(app, layer) }), cells);
}

const header = (columns, above = null) =>
  h(
    "thead",
    {},
    above,
    h(
      "tr",
      {},
      columns.map((text) => h("th", { scope: "col" }, text)),
    ),
  );

// The edges that act together; what those of a term come to stands at the last of them.
function rowsOf(app, layer, edges, found, k) {
  const row = found[0].rows[k];
  const won = found[0].winner === k;
  return row.edges.map((e, i) => {
    const last = row.edges.length > 1 && i === row.edges.length - 1;
    const shows = row.edges.length === 1 || last;
    const cells = found.flatMap((each, j) => [
      apart(app) ? h("td", {}, number(edges.weights[j][e])) : null,
      h("td", {}, number(edges.values[j][e])),
      h(
        "td",
        { class: last ? "product" : null, "data-contribution": shows ? each.rows[k].value : null },
        shows ? number(each.rows[k].value) : "",
      ),
    ]);
    const kind = [won ? "winner" : null, last ? "last" : null].filter(Boolean).join(" ");
    return h(
      "tr",
      { class: kind || null, "data-source": edges.source[e], "data-weight": edges.weight[e] },
      layer.ports.length ? h("td", {}, shown(layer.ports[Math.min(edges.port[e] ?? 0, layer.ports.length - 1)])) : null,
      h("td", {}, app.link(edges.source[e]), won ? h("span", { class: "badge" }, "chosen") : null),
      apart(app) ? null : h("td", {}, number(edges.weight[e])),
      cells,
    );
  });
}

// Below the edges: the bias, the sum, and what the activation makes of it.
function foot(app, layer, about, found) {
  if (found[0].total === null) return null;
  const line = (name, cells, kind) =>
    h(
      "tr",
      { class: kind },
      h("th", { scope: "row", colspan: before(app, layer) }, name),
      cells.map((cell) => [h("td", { colspan: apart(app) ? 2 : 1 }), h("td", {}, cell)]),
    );
  const isSum = layer.aggregation === "sum";
  const activated = `after ${layer.activation.map((a) => a.op).join(", ")}`;
  return h(
    "tfoot",
    {},
    isSum && about[0].bias !== null
      ? line(
          "bias",
          about.map((one) => number(one.bias)),
        )
      : null,
    line(
      isSum ? "sum" : layer.aggregation,
      found.map((each) => number(each.total, 6)),
      "total",
    ),
    layer.activation.length
      ? line(
          activated,
          about.map((one) => number(one.value, 6)),
          "total",
        )
      : null,
  );
}

// The children of the section.
export function outEdges(app, out) {
  const title = h("h3", {}, "Out-edges", h("span", { class: "faint" }, counted(out.target.length)));
  if (!out.target.length)
    return [title, h("p", { class: "empty" }, "No edge leads out: this is an output of the network.")];
  const size = (e) => Math.abs(out.weight[e]);
  const order = Array.from(out.target, (_, e) => e).sort((a, b) => size(b) - size(a) || a - b);
  const body = h("tbody", {});
  const more = paged(order.length, FIRST, 100, (from, to) => {
    for (const e of order.slice(from, to)) {
      const cells = [app.link(out.target[e]), number(out.weight[e]), number(out.values[0][e])];
      body.append(
        h(
          "tr",
          { "data-target": out.target[e] },
          cells.map((cell) => h("td", {}, cell)),
        ),
      );
    }
  });
  return [title, h("table", { class: "numbers edges" }, header(["target", "weight", "its value"]), body), more];
}
