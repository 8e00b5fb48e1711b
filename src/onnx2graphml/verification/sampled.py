"""A few neurons of a layer, each recomputed from its own in-edges: for networks too large to use every edge of."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping

import numpy as np

from onnx2graphml.functions import parse_axes
from onnx2graphml.graph.graph import Incoming, Layer
from onnx2graphml.verification.recompute import Progress, Recomputed, Values, combined, finished


def positions(layer: Layer, count: int, seed: int) -> list[int]:
    """The neurons to look at, `count` random ones or all that there are, in order.

    Example:
        >>> positions(Layer("x", "Relu", (4,)), 9, seed=0)
        [0, 1, 2, 3]
    """
    if layer.neurons <= count:
        return list(range(layer.neurons))
    chosen = np.random.default_rng(seed).choice(layer.neurons, count, replace=False)
    return sorted(int(p) for p in chosen)


def recompute_neuron(
    layer: Layer, position: int, values: Mapping[str, Values], progress: Progress | None = None
) -> tuple[Recomputed, int]:
    """A neuron's value and tolerance from the edges into it, each an array of one, and how many these are.

    Where the layer's activation couples neurons, as Softmax does, those that it is coupled to are recomputed, too.

    Args:
        layer: any but an input.
        position: row-major in the layer's shape.
        values: flat float64 values by layer name, of all layers that `layer.incoming` names.
        progress: called with the number of edges that have been used since the last call.
    """
    index = np.unravel_index(position, layer.shape)
    coupled = {a for f in layer.activation if f.couples for a in parse_axes(dict(f.parameters)["axis"])}
    coupled = {a % len(layer.shape) for a in coupled}
    spans = [range(n) if d in coupled else range(int(index[d]), int(index[d]) + 1) for d, n in enumerate(layer.shape)]
    shape = tuple(len(s) for s in spans)
    value, tolerance, edges = np.zeros(shape), np.zeros(shape), 0
    for place, where in zip(np.ndindex(shape), itertools.product(*spans), strict=True):
        one = single(layer, int(np.ravel_multi_index(where, layer.shape)) if where else 0)
        of_one, its = combined(one, values, progress or (lambda _: None))
        value[place], tolerance[place] = of_one.item(), its.item()
        edges += one.in_edges
    done: Recomputed = finished(layer.activation, value, tolerance, layer.dtype)
    own = tuple(int(i) if d in coupled else 0 for d, i in enumerate(index))
    flat = int(np.ravel_multi_index(own, shape)) if shape else 0
    own_part = slice(flat, flat + 1)
    return Recomputed(done.value[own_part], done.tolerance[own_part], done.at_edge[own_part]), edges


def single(layer: Layer, position: int) -> Layer:
    """A layer of one neuron of another."""
    bias = None if layer.bias is None else np.broadcast_to(layer.bias, layer.shape).reshape(-1)
    largest = 0.0 if layer.bias is None else float(np.abs(layer.bias).max(initial=0))
    return dataclasses.replace(
        layer,
        shape=(1,),
        bias=None if bias is None else bias[position : position + 1],
        bias_size=max(layer.bias_size, largest),
        incoming=tuple(
            Incoming(i.source, block, i.port)
            for i in layer.incoming
            for block in i.block.within(position, position + 1)
            if block.count
        ),
    )
