// The part of the graph that is on the screen, as GraphML: a neuron, its edges, and what was traced of it.

import { indexOf } from "./network.js";

const NODE = [
  ["layer", "string"],
  ["op", "string"],
  ["index", "string"],
  ["value", "double"],
];
const EDGE = [
  ["weight", "double"],
  ["flow", "double"],
  ["port", "int"],
  ["term", "int"],
];
// XML 1.0 has no control characters, and no lone halves of a pair.
export const FORBIDDEN = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

const escaped = (text) =>
  String(text)
    .replace(FORBIDDEN, (c) => `\\u{${c.codePointAt(0).toString(16)}}`)
    .replace(/[&<>"\t\n\r]/g, (c) => `&#${c.codePointAt(0)};`);

// Numbers as XML Schema has them.
const plain = (value) => (value === Infinity ? "INF" : value === -Infinity ? "-INF" : String(value));

const data = (pairs) =>
  pairs
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => `<data key="${key}">${escaped(typeof value === "number" ? plain(value) : value)}</data>`)
    .join("");

// edges: lists of {source, target, weight} with more columns; value: from an id to a number.
export function graphml(layers, neuron, edges, value) {
  const nodes = new Set([neuron]);
  const lines = [];
  const known = new Set();
  for (const part of edges) {
    for (let e = 0; e < part.source.length; e++) {
      const [source, target] = [part.source[e], part.target[e]];
      const port = part.port?.[e] ?? null;
      const term = part.term && part.term[e] >= 0 ? Number(part.term[e]) : null;
      const key = `${source} ${target} ${port ?? ""} ${term ?? ""}`;
      if (known.has(key)) continue;
      known.add(key);
      nodes.add(source).add(target);
      const flow = part.flow ? part.flow[e] : null;
      lines.push(
        `<edge source="n${source}" target="n${target}">${data([
          ["weight", part.weight[e]],
          ["flow", flow],
          ["port", port],
          ["term", term],
        ])}</edge>`,
      );
    }
  }
  const node = (id) => {
    const layer = layers.layerOf(id);
    const index = indexOf(id - layer.first, layer.shape).join(",");
    return `<node id="n${id}">${data([
      ["layer", layer.name],
      ["op", layer.op],
      ["index", index],
      ["value", value(id)],
    ])}</node>`;
  };
  const keys = [...NODE.map((k) => ["node", ...k]), ...EDGE.map((k) => ["edge", ...k])];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
    ...keys.map(([of, name, type]) => `<key id="${name}" for="${of}" attr.name="${name}" attr.type="${type}"/>`),
    '<graph edgedefault="directed">',
    ...[...nodes].sort((a, b) => a - b).map(node),
    ...lines,
    "</graph>",
    "</graphml>",
    "",
  ].join("\n");
}
