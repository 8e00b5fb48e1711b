"""Every layer's trained arrays: explained, in a chosen order of outputs, measured, and set against another model's."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.select import layer_names
from onnx2graphml.inference.inputs import resolve
from onnx2graphml.parameters.arrays import LayerArrays, TrainedArray, layer_arrays, unread
from onnx2graphml.parameters.differences import Matches, difference, matches
from onnx2graphml.parameters.found import ArrayWeights, LayerWeights, Weights
from onnx2graphml.parameters.orders import ORDERS, Order, mean_activations, order_of
from onnx2graphml.parameters.statistics import statistics

Array = npt.NDArray[Any]


def measure(
    graph: NeuronGraph,
    *,
    layers: str | Sequence[str] | None = None,
    order: str = "index",
    feeds: Mapping[str, Array] | None = None,
    against: NeuronGraph | None = None,
) -> Weights:
    """Name, explain and measure every layer's trained arrays.

    Args:
        graph: with the model that it was made from.
        layers: names, or a text as `subnetwork` takes it; all by default.
        order: of each layer's outputs: `index`, `norm` (L2, largest first, ties by index), `similarity` or
            `activation`.
        feeds: for `activation`, an array for each input, in its shape; by default random ones.
        against: a second checkpoint: the differences are other - this.

    Raises:
        Error: the graph has no model, there is no such layer or order, or the two models have no array in common.

    Example:
        >>> import onnx2graphml
        >>> found = measure(onnx2graphml.load("fixtures/digits.onnx"), layers="conv1", order="norm")
        >>> [array.array.name for array in found.layers[0].arrays]
        ['conv1/kernel', 'conv1/bias']
    """
    if order not in ORDERS:
        raise Error(f"order is {order!r}; expected one of {', '.join(ORDERS)}")
    every = layer_arrays(graph)
    shown = _chosen(graph, every, layers)
    pairs = None if against is None else matches(every, layer_arrays(against))
    if pairs is not None and against is not None and not pairs.other:
        raise Error(
            f"no array of {graph.model_name} has the name and shape of one in {against.model_name}: nothing to compare"
        )
    means = _activations(graph, shown, feeds) if order == "activation" else {}
    return Weights(
        graph.model_name,
        tuple(_measured(x, order_of(x, order, means), pairs) for x in shown),
        order,
        len(every),
        unread(graph, every),
        pairs,
        "" if against is None else against.model_name,
    )


def _chosen(
    graph: NeuronGraph, every: Sequence[LayerArrays], layers: str | Sequence[str] | None
) -> Sequence[LayerArrays]:
    if layers is None:
        return every
    names = layer_names(graph, layers) if isinstance(layers, str) else [graph.layer(name).name for name in layers]
    return [of for of in every if of.layer.name in set(names)]


def _activations(
    graph: NeuronGraph, layers: Sequence[LayerArrays], feeds: Mapping[str, Array] | None
) -> dict[str, Array]:
    given = resolve(graph) if feeds is None else feeds
    return mean_activations(graph, [x.layer for x in layers if x.arrays], given)


def _measured(of: LayerArrays, order: Order | None, pairs: Matches | None) -> LayerWeights:
    arrays = []
    for array in of.arrays:
        entry = ArrayWeights(array, statistics(array.values, array.kernels))
        other = pairs.other.get(array.name) if pairs is not None and array.values.size else None
        if other is not None:
            entry = dataclasses.replace(entry, difference=difference(array.values, other.values))
        arrays.append(entry)
    return LayerWeights(of, order, tuple(arrays))


def moved(array: TrainedArray, pairs: Matches) -> TrainedArray:
    """The array with the other model's values less its own, in its type or float32.

    Example:
        >>> import onnx2graphml
        >>> graphs = [onnx2graphml.load("fixtures/digits.onnx") for _ in range(2)]
        >>> found = measure(graphs[0], against=graphs[1])
        >>> moved(found.array("conv1/bias").array, found.matches).values.any()
        np.False_
    """
    kind = np.result_type(array.values, np.float32)
    return dataclasses.replace(array, values=np.subtract(pairs.other[array.name].values, array.values, dtype=kind))
