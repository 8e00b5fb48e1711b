// Who answers for values and edges: the page itself, or a server. Both give the same answers, later.

import { Layers, Network } from "./network.js";
import { Pool, decoded } from "./pool.js";
import { trace } from "./trace.js";

const pick = (array, at) => Array.from(at, (i) => array[i]);

// A page that holds all arrays.
export class PageSource {
  constructor(meta, bytesOf) {
    this.meta = meta;
    this.layers = new Layers(meta.structure);
    this.pool = new Pool(meta.arrays, bytesOf);
    this.runs = meta.runs;
    this.models = meta.models;
    this.network = new Network(this.layers, meta.models, this.pool);
  }

  async values(run, layer) {
    return this.pool.get(this.runs[run].values[layer]);
  }

  // The edges of a neuron on one side, `in` or `out`, with the weights and the values at their other ends in each run.
  async edges(side, neuron, runs) {
    const from = (model) =>
      side === "in" ? this.network.inEdges(model, neuron) : this.network.outEdges(model, neuron);
    const edges = from(this.runs[runs[0]].model);
    const ends = side === "in" ? edges.source : edges.target;
    const weights = runs.map((run, k) => (k === 0 ? edges.weight : from(this.runs[run].model).weight));
    return { ...edges, weights, values: runs.map((run) => this.at(run, ends)) };
  }

  at(run, neurons) {
    let layer = null;
    let values = null;
    return Array.from(neurons, (neuron) => {
      if (!layer || neuron < layer.first || neuron >= layer.first + layer.size) {
        layer = this.layers.layerOf(neuron);
        values = this.pool.get(this.runs[run].values[layer.number]);
      }
      return values[neuron - layer.first];
    });
  }

  // The bias and the value of a neuron in each run.
  async neuron(neuron, runs) {
    return runs.map((run) => ({
      bias: this.network.bias(this.runs[run].model, neuron),
      value: this.at(run, [neuron])[0],
    }));
  }

  async field(neuron) {
    return this.network.receptiveField(neuron);
  }

  // A layer's trained arrays.
  async arrays(model, layer) {
    const { arrays } = this.models[model].layers[layer];
    return arrays.map((array) => ({ ...array, values: this.pool.get(array.values) }));
  }

  async trace(run, neuron, how) {
    const { model, values } = this.runs[run];
    const all = values.map((number) => this.pool.get(number));
    return trace(this.network, model, all, neuron, how, () => new Promise((done) => setTimeout(done)));
  }
}

// A message of the server: the length of a header as JSON, the header, and arrays each from a multiple of 8 on.
export function unpacked(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let offset = Math.ceil((4 + length) / 8) * 8;
  header.arrays = header.arrays.map(([kind, size]) => {
    const array = decoded(kind, new Uint8Array(buffer, offset, size));
    offset = Math.ceil((offset + size) / 8) * 8;
    return array;
  });
  return header;
}

// A page that asks the server that it came from.
export class ServerSource {
  constructor(meta, base) {
    this.meta = meta;
    this.base = base;
    this.layers = new Layers(meta.structure);
    this.runs = meta.runs;
    this.models = meta.models;
    this.known = new Map();
  }

  async ask(what, query) {
    const answer = await fetch(`${this.base}${what}?${new URLSearchParams(query)}`);
    if (!answer.ok)
      throw new Error(answer.status === 400 ? (await answer.json()).error : `the server answers ${answer.status}`);
    return unpacked(await answer.arrayBuffer());
  }

  // The same answer again for the same question; of large ones the last few are kept.
  once(what, query) {
    const key = `${what} ${JSON.stringify(query)}`;
    if (!this.known.has(key)) {
      if (this.known.size >= 64) this.known.delete(this.known.keys().next().value);
      this.known.set(key, this.ask(what, query));
    }
    return this.known.get(key);
  }

  async values(run, layer) {
    return (await this.once("values", { run, layer })).arrays[0];
  }

  async edges(side, neuron, runs) {
    const { arrays } = await this.once("edges", { side, neuron, runs: runs.join(".") });
    const [source, target, term, port, ...rest] = arrays;
    return {
      source,
      target,
      term,
      port: Array.from(port, (p) => (p < 0 ? null : p)),
      weight: rest[0],
      weights: rest.slice(0, runs.length),
      values: rest.slice(runs.length),
    };
  }

  async neuron(neuron, runs) {
    const { neurons } = await this.once("neuron", { neuron, runs: runs.join(".") });
    return neurons.map(({ bias, value }) => ({ bias: bias === null ? null : Number(bias), value: Number(value) }));
  }

  async field(neuron) {
    const { layers, arrays } = await this.once("field", { neuron });
    return new Map(layers.map((number, k) => [number, arrays[k]]));
  }

  async arrays(model, layer) {
    const { names, arrays } = await this.once("arrays", { model, layer });
    return names.map((array, k) => ({ ...array, values: arrays[k] }));
  }

  async trace(run, neuron, { keep, topK }) {
    const found = await this.once("trace", { run, neuron, keep: keep ?? "", top: topK ?? "" });
    const [source, target, weight, flow] = found.arrays;
    const score = this.layers.layers.map(() => null);
    found.scored.forEach((number, k) => (score[number] = found.arrays[4 + k]));
    return { source, target, weight, flow, steps: found.steps, score };
  }
}
