"""A graph as JSON for the page: its layers, the axes of their edges, and numbers of arrays in a pool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from onnx2graphml.explorer.pool import Array, Pool
from onnx2graphml.functions import find, parse_axes
from onnx2graphml.graph.axes import Axis, Ints
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.graph.layer_kinds import Kind, layer_kinds
from onnx2graphml.graph.neurons import BASIC, Activation
from onnx2graphml.parameters.arrays import LayerArrays, layer_arrays
from onnx2graphml.recording.views import view_of

Json = dict[str, Any]


def structure(graph: NeuronGraph, pool: Pool | None) -> Json:
    """The layers and how they are joined, without weights.

    Args:
        pool: takes the axes; None leaves them out, for a page that asks a server.

    Example:
        >>> import onnx2graphml
        >>> found = structure(onnx2graphml.load("fixtures/digits.onnx"), Pool())
        >>> found["layers"][1]["incoming"][0]["axes"][0]
        [[0, 0, 16], [0, 1, 16], [0, 9, 16]]
    """
    number = {layer.name: k for k, layer in enumerate(graph.layers)}
    kinds = layer_kinds(graph)
    channels_last = graph.model is not None and graph.model.channels_last
    return {
        "name": graph.model_name,
        "detail": graph.detail,
        "thinned": graph.thinned,
        "neurons": graph.neurons,
        "edges": graph.edges,
        "parameters": graph.parameters,
        "outputs": [number[name] for name in graph.outputs],
        "layers": [_layer(layer, kinds[layer.name], number, pool, channels_last) for layer in graph.layers],
    }


def _layer(layer: Layer, kind: Kind, number: dict[str, int], pool: Pool | None, channels_last: bool) -> Json:
    view = view_of(layer, channels_last)
    return {
        "name": layer.name,
        "op": layer.op,
        "type": kind.type,
        "window": kind.window,
        "shape": layer.shape,
        "spatial": layer.spatial,
        "first": layer.first_id,
        "aggregation": layer.aggregation,
        "ports": [] if layer.aggregation in BASIC else find(layer.aggregation).inputs,
        "activation": [_activation(a) for a in layer.activation],
        "dtype": str(layer.dtype),
        "parameters": layer.parameters,
        "inEdges": layer.in_edges,
        "view": {"form": view.form, "order": view.order, "leading": len(view.leading), "what": view.what},
        "incoming": [_incoming(i, number, pool) for i in layer.incoming],
    }


def _activation(activation: Activation) -> Json:
    axes = parse_axes(dict(activation.parameters)["axis"]) if activation.couples else ()
    return {"op": activation.op, "text": str(activation), "axes": axes, "parameters": dict(activation.parameters)}


def _incoming(incoming: Incoming, number: dict[str, int], pool: Pool | None) -> Json:
    found: Json = {"source": number[incoming.source], "port": incoming.port, "count": incoming.block.count}
    if pool is not None:
        found["axes"] = [_axis(axis, pool) for axis in incoming.block.axes]
    return found


def _axis(axis: Axis, pool: Pool) -> list[Any]:
    sides = [axis.source, axis.target, axis.tap, *([] if axis.term is None else [axis.term])]
    return [_ints(side, pool) for side in sides]


def _ints(values: Ints, pool: Pool) -> list[int] | int:
    """An arithmetic sequence as [first, step, length], anything else as the number of an array."""
    n = len(values)
    first, step = (int(values[0]) if n else 0), (int(values[1] - values[0]) if n > 1 else 0)
    if n and np.array_equal(values, first + step * np.arange(n)):
        return [first, step, n]
    return pool.add(values)


def weights(graph: NeuronGraph, pool: Pool | None) -> list[Json]:
    """By layer, the bias, the weights of each in-coming block, and the trained arrays; numbers of arrays in the pool.

    Args:
        pool: None leaves out all values, for a page that asks a server.
    """
    arrays: Sequence[LayerArrays | None] = layer_arrays(graph) if graph.model else [None] * len(graph.layers)
    return [
        {
            "bias": _bias(layer, pool) if pool else None,
            "weights": [pool.add(i.block.weights) for i in layer.incoming] if pool else [],
            "arrays": [] if of is None else trained(of, pool),
        }
        for layer, of in zip(graph.layers, arrays, strict=True)
    ]


def _bias(layer: Layer, pool: Pool) -> Json | None:
    if layer.bias is None:
        return None
    compact = compacted(np.broadcast_to(layer.bias, layer.shape))
    return {"shape": compact.shape, "values": pool.add(compact)}


def compacted(values: Array) -> Array:
    """The array with each axis along which it does not change cut to length 1.

    Example:
        >>> compacted(np.broadcast_to(np.arange(3), (4, 3))).shape
        (1, 3)
    """
    for axis in range(values.ndim):
        first = values.take([0], axis) if values.shape[axis] else values
        if values.shape[axis] > 1 and np.array_equal(np.broadcast_to(first, values.shape), values, equal_nan=True):
            values = first
    return values


def trained(of: LayerArrays, pool: Pool | None) -> list[Json]:
    """A layer's trained arrays: in words, and as (out, in, rows ...) where they are kernels."""
    found = []
    for array in of.arrays:
        kernels = array.kernels
        values = array.values if kernels is None else kernels
        found.append(
            {
                "name": array.name,
                "text": array.text,
                "role": array.role,
                "kernels": kernels is not None,
                "shape": values.shape,
                "values": pool.add(values) if pool else None,
            }
        )
    return found
