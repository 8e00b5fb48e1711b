// A graph of neurons, as graph/graph.py has it: layers, ids, and the edges of one neuron.

import { Block } from "./axes.js";

export const sizeOf = (shape) => shape.reduce((n, size) => n * size, 1);

export function stridesOf(shape) {
  const strides = new Array(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

export function indexOf(position, shape) {
  return stridesOf(shape).map((step, axis) => Math.floor(position / step) % shape[axis]);
}

// What is known of the layers, whoever answers for their edges.
export class Layers {
  constructor(structure) {
    Object.assign(this, structure);
    this.layers.forEach((layer, number) => {
      layer.number = number;
      layer.size = sizeOf(layer.shape);
      layer.outgoing = [];
    });
    for (const layer of this.layers) {
      for (const source of new Set(layer.incoming.map((i) => i.source)))
        this.layers[source].outgoing.push(layer.number);
    }
    this.byName = new Map(this.layers.map((layer) => [layer.name, layer]));
  }

  layerOf(neuron) {
    let low = 0;
    let high = this.layers.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.layers[middle].first <= neuron) low = middle;
      else high = middle - 1;
    }
    return this.layers[low];
  }

  index(neuron) {
    const layer = this.layerOf(neuron);
    return indexOf(neuron - layer.first, layer.shape);
  }

  // The id at a position in a layer's shape; null where there is none.
  neuron(layer, index) {
    const fits = index.length === layer.shape.length && index.every((i, axis) => i >= 0 && i < layer.shape[axis]);
    return fits ? index.reduce((sum, i, axis) => sum + i * stridesOf(layer.shape)[axis], layer.first) : null;
  }

  // `conv2 0,1,5`, `conv2:0,1,5` or `n1234` as an id; null where it is none.
  parse(text) {
    const id = /^n(\d+)$/.exec(text.trim());
    if (id && Number(id[1]) < this.neurons) return Number(id[1]);
    const address = /^([\s\S]*?)[\s:]+\[?\(?(\d+(?:\s*,\s*\d+)*),?\)?\]?\s*$/.exec(text);
    if (!address) return this.byName.get(text)?.size === 1 ? this.byName.get(text).first : null;
    const layer = this.byName.get(address[1]) ?? this.byName.get(address[1].trim());
    return layer ? this.neuron(layer, address[2].split(",").map(Number)) : null;
  }
}

// A value of an array that is stored without the axes along which it does not change.
export function broadcastAt(array, shape, index) {
  const offset = shape.length - index.length;
  return array[
    stridesOf(shape).reduce((sum, step, axis) => sum + (shape[axis] > 1 ? step * index[axis - offset] : 0), 0)
  ];
}

// The layers with their edges: axes and weights from a pool.
export class Network {
  constructor(layers, models, pool) {
    this.layers = layers;
    this.models = models;
    this.pool = pool;
    this.blocks = new Map();
  }

  block(model, layer, k) {
    const key = `${model} ${layer.number} ${k}`;
    if (!this.blocks.has(key)) {
      const axes = layer.incoming[k].axes.map((sides) => {
        const [source, target, tap, term] = sides.map((side) => this.pool.ints(side));
        return { source, target, tap, term: term ?? null };
      });
      this.blocks.set(key, new Block(axes, this.pool.get(this.models[model].layers[layer.number].weights[k])));
    }
    return this.blocks.get(key);
  }

  bias(model, neuron) {
    const layer = this.layers.layerOf(neuron);
    const { bias } = this.models[model].layers[layer.number];
    return bias ? broadcastAt(this.pool.get(bias.values), bias.shape, this.layers.index(neuron)) : null;
  }

  biases(model, layer) {
    const { bias } = this.models[model].layers[layer.number];
    const out = new Float64Array(layer.size);
    if (!bias) return out;
    const values = this.pool.get(bias.values);
    if (values.length === layer.size) return Float64Array.from(values);
    for (let i = 0; i < layer.size; i++) out[i] = broadcastAt(values, bias.shape, indexOf(i, layer.shape));
    return out;
  }

  inEdges(model, neuron) {
    const layer = this.layers.layerOf(neuron);
    const parts = layer.incoming.map((incoming, k) => ({
      edges: this.block(model, layer, k).select("target", neuron - layer.first),
      port: incoming.port,
      source: this.layers.layers[incoming.source].first,
      target: layer.first,
    }));
    return joined(parts);
  }

  outEdges(model, neuron) {
    const layer = this.layers.layerOf(neuron);
    const parts = layer.outgoing.flatMap((number) => {
      const target = this.layers.layers[number];
      return target.incoming.flatMap((incoming, k) => {
        if (incoming.source !== layer.number) return [];
        const edges = this.block(model, target, k).select("source", neuron - layer.first);
        return [{ edges, port: incoming.port, source: layer.first, target: target.first }];
      });
    });
    return joined(parts);
  }

  // By layer number, from the neuron's own back to the inputs, which of its neurons a path leads from to this one.
  receptiveField(neuron) {
    const start = this.layers.layerOf(neuron);
    const reached = new Map([[start.number, new Uint8Array(start.size)]]);
    reached.get(start.number)[neuron - start.first] = 1;
    for (let number = start.number; number >= 0; number--) {
      if (!reached.has(number)) continue;
      const layer = this.layers.layers[number];
      const mask = layer.activation.reduce((found, a) => coupled(layer.shape, a.axes, found), reached.get(number));
      reached.set(number, mask);
      layer.incoming.forEach((incoming, k) => {
        const { size } = this.layers.layers[incoming.source];
        const found = this.block(0, layer, k).sourcesOf(mask, size);
        const known = reached.get(incoming.source);
        if (known) for (let i = 0; i < size; i++) known[i] |= found[i];
        else reached.set(incoming.source, found);
      });
    }
    return reached;
  }
}

// The positions that share all indices with one of a mask but those along some axes.
function coupled(shape, axes, mask) {
  const strides = stridesOf(shape);
  return axes.reduce((found, axis) => {
    const out = new Uint8Array(found.length);
    const [step, size] = [strides[axis], shape[axis]];
    for (let i = 0; i < found.length; i++) {
      if (!found[i]) continue;
      const first = i - (Math.floor(i / step) % size) * step;
      for (let k = 0; k < size; k++) out[first + k * step] = 1;
    }
    return out;
  }, mask);
}

function joined(parts) {
  const out = { source: [], target: [], weight: [], term: [], port: [] };
  for (const { edges, port, source, target } of parts) {
    for (let e = 0; e < edges.source.length; e++) {
      out.source.push(source + edges.source[e]);
      out.target.push(target + edges.target[e]);
      out.weight.push(edges.weight[e]);
      out.term.push(edges.term ? edges.term[e] : -1);
      out.port.push(port);
    }
  }
  return out;
}
