// Where a value comes from: attribution/relevance.py by the rule lrp-0, and attribution/trace.py, in the browser.
// A softmax at the end is left out; of a maximum or minimum, the chosen candidate takes all.

import { Block } from "./axes.js";

const CHOICES = { max: 1, min: -1 };

// A sentence for a layer that the rule is not defined for; null for any other.
export function refusal(layers, layer) {
  const plain = ["input", "constant", "sum", "max", "min"].includes(layer.aggregation);
  if (!plain) return `combines its in-edges by ${layer.aggregation}`;
  if (layer.hasTerms) return "multiplies computed tensors";
  const coupling = layer.activation.findIndex((a) => a.axes.length);
  if (coupling < 0) return null;
  const last = coupling === layer.activation.length - 1 && layer.outgoing.length === 0;
  return last ? null : `has a ${layer.activation[coupling].op} in the middle of the network`;
}

// For each neuron the first of its best candidates, as a block from each source.
function chosen(layer, blocks, values) {
  const sign = CHOICES[layer.aggregation];
  const best = new Float64Array(layer.size).fill(-Infinity);
  const from = new Int32Array(layer.size).fill(-1);
  const winner = new Int32Array(layer.size);
  const weight = new Float64Array(layer.size).fill(1);
  blocks.forEach((block, k) => {
    const x = values[layer.incoming[k].source];
    block.tiles((s, t, tap, inner) => {
      for (let i = 0; i < inner.source.length; i++) {
        const [source, target, w] = [s + inner.source[i], t + inner.target[i], block.weights[tap + inner.tap[i]]];
        const reached = sign * w * x[source];
        const level = reached === best[target] && from[target] === k && source < winner[target];
        if (reached > best[target] || level)
          [best[target], from[target], winner[target], weight[target]] = [reached, k, source, w];
      }
    });
  });
  return blocks.map((_, k) => {
    const target = [];
    for (let i = 0; i < layer.size; i++) if (from[i] === k) target.push(i);
    const axis = { source: target.map((i) => winner[i]), target, tap: target.map((_, i) => i), term: null };
    return new Block(
      [axis],
      target.map((i) => weight[i]),
    );
  });
}

// values: by layer number. Gives up with an Error whose message is a sentence.
export async function trace(
  network,
  model,
  values,
  target,
  { keep, topK, maxEdges = 20000 },
  breathe = async () => {},
) {
  const { layers } = network.layers;
  const own = network.layers.layerOf(target);
  values = [...values];
  const blocks = [];
  const totals = [];
  for (const layer of layers.slice(0, own.number + 1)) {
    const all = layer.incoming.map((_, k) => network.block(model, layer, k));
    layer.hasTerms = all.some((block) => block.hasTerms);
    const why = refusal(network.layers, layer);
    if (why) throw new Error(`layer ${layer.name} ${why}: no rule of attribution is defined for that`);
    blocks[layer.number] = layer.aggregation in CHOICES ? chosen(layer, all, values) : all;
    if (!all.length) continue;
    const total = network.biases(model, layer);
    blocks[layer.number].forEach((block, k) => block.apply(values[layer.incoming[k].source], total));
    totals[layer.number] = total;
    if (layer.activation.some((a) => a.axes.length)) values[layer.number] = total;
    await breathe();
  }
  const score = layers.map((layer) => (layer.number <= own.number ? new Float64Array(layer.size) : null));
  const share = [];
  score[own.number][target - own.first] = values[own.number][target - own.first];
  for (let number = own.number; number >= 0; number--) {
    const layer = layers[number];
    if (!blocks[number].length || !score[number].some((s) => s !== 0)) continue;
    share[number] = score[number].map((s, i) => (totals[number][i] === 0 ? 0 : s / totals[number][i]));
    blocks[number].forEach((block, k) => {
      const { source } = layer.incoming[k];
      const arrived = block.apply(share[number], new Float64Array(layers[source].size), true);
      for (let i = 0; i < arrived.length; i++) score[source][i] += values[source][i] * arrived[i];
    });
    await breathe();
  }
  return { score, ...strongest(network, blocks, values, share, target, { keep, topK, maxEdges }) };
}

// The edges that carry most, from the target back.
function strongest(network, blocks, values, share, target, { keep, topK, maxEdges }) {
  const { layers } = network.layers;
  const own = network.layers.layerOf(target);
  const inside = layers.map(() => new Set());
  inside[own.number].add(target - own.first);
  const edges = { source: [], target: [], weight: [], flow: [] };
  const steps = [];
  for (let number = own.number; number >= 0; number--) {
    const layer = layers[number];
    const flows = [];
    for (const position of [...inside[number]].sort((a, b) => a - b))
      flows.push(...into(layers, layer, blocks[number], values, share[number], position));
    if (!flows.length) continue;
    const kept = topK ? perTarget(flows, topK) : carrying(flows, keep);
    if (edges.source.length + kept.length > maxEdges) {
      throw new Error(
        `the trace has more than ${maxEdges.toLocaleString("en")} edges at layer ${layer.name}: keep a smaller part`,
      );
    }
    for (const e of kept) {
      inside[e.layer].add(e.source);
      edges.source.push(layers[e.layer].first + e.source);
      edges.target.push(layer.first + e.target);
      edges.weight.push(e.weight);
      edges.flow.push(e.flow);
    }
    const size = (list) => list.reduce((sum, e) => sum + Math.abs(e.flow), 0);
    steps.push({
      layer: number,
      neurons: inside[number].size,
      edges: kept.length,
      flow: size(flows),
      kept: size(kept),
    });
  }
  return { ...edges, steps };
}

function into(layers, layer, blocks, values, share, position) {
  const found = [];
  if (!share) return found;
  blocks.forEach((block, k) => {
    const { source } = layer.incoming[k];
    const e = block.select("target", position);
    for (let i = 0; i < e.source.length; i++) {
      const flow = share[position] * e.weight[i] * values[source][e.source[i]];
      if (flow !== 0) found.push({ layer: source, source: e.source[i], target: position, weight: e.weight[i], flow });
    }
  });
  return found;
}

const bySize = (flows) =>
  flows.map((_, i) => i).sort((a, b) => Math.abs(flows[b].flow) - Math.abs(flows[a].flow) || a - b);

// The fewest flows that carry a share of the absolute sum.
function carrying(flows, share) {
  const order = bySize(flows);
  const whole = order.reduce((sum, i) => sum + Math.abs(flows[i].flow), 0);
  let carried = 0;
  let n = 0;
  while (n < order.length && carried < share * whole * (1 - 1e-12)) carried += Math.abs(flows[order[n++]].flow);
  return order
    .slice(0, Math.max(n, 1))
    .sort((a, b) => a - b)
    .map((i) => flows[i]);
}

// The strongest flows into each target.
function perTarget(flows, most) {
  const counts = new Map();
  const kept = bySize(flows).filter((i) => {
    const n = (counts.get(flows[i].target) ?? 0) + 1;
    counts.set(flows[i].target, n);
    return n <= most;
  });
  return kept.sort((a, b) => a - b).map((i) => flows[i]);
}
