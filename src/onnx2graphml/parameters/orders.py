"""In which order a layer's outputs are shown: one order for all of the layer's arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.inference import activations as forward
from onnx2graphml.parameters.arrays import LayerArrays, TrainedArray
from onnx2graphml.parameters.statistics import output_norms, unit_rows

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]

ORDERS = ("index", "norm", "similarity", "activation")
"""As they are numbered; by the L2 norm of each one's weights, largest first; each beside one that is like it; by the
mean magnitude of what each comes to, largest first."""


@dataclass(frozen=True, eq=False)
class Order:
    """An order of a layer's outputs.

    Attributes:
        permutation: of the outputs' own numbers: the first is the one that is shown first.
        by: what they are ordered by; `index` where nothing else could be.
        array: the array whose outputs were looked at; empty for activations and indices.
    """

    permutation: Ints
    by: str
    array: str = ""


def order_of(of: LayerArrays, by: str, activations: Mapping[str, Array]) -> Order | None:
    """The order of a layer's outputs; None where no array has any.

    Args:
        of: the layer; its largest array with outputs decides.
        by: one of `ORDERS`.
        activations: by layer, the mean magnitude of each of its channels.

    Raises:
        Error: there is no such order.
    """
    if by not in ORDERS:
        raise Error(f"order is {by!r}; expected one of {', '.join(ORDERS)}")
    main = max((a for a in of.arrays if a.channels), key=lambda a: a.values.size, default=None)
    if main is None or main.channels is None:
        return None
    if by == "activation":
        means = activations.get(of.layer.name)
        if means is None or len(means) != main.channels:
            return Order(np.arange(main.channels), "index")
        return Order(descending(means), by)
    if by == "index":
        return Order(np.arange(main.channels), by)
    matrix = _matrix(main)
    return Order(descending(output_norms(matrix)) if by == "norm" else similar(matrix), by, main.name)


def _matrix(array: TrainedArray) -> Array:
    """A row for each output."""
    assert array.channels is not None
    return (array.values if array.kernels is None else array.kernels).reshape(array.channels, -1)


def descending(sizes: Array) -> Ints:
    """The largest first; among equals, in their own order.

    Example:
        >>> descending(np.array([1.0, 3.0, 3.0])).tolist()
        [1, 2, 0]
    """
    return np.argsort(-sizes, kind="stable")


def similar(matrix: Array) -> Ints:
    """A chain: it begins with the row of the largest norm, and goes on to the one with the largest cosine that is left.

    Example:
        >>> similar(np.array([[1.0, 0.0], [0.0, 2.0], [0.9, 0.1]])).tolist()
        [1, 2, 0]
    """
    units = unit_rows(matrix)
    whole = units @ units.T if units.shape[0] <= units.shape[1] else None  # no larger than the matrix itself
    left = np.ones(len(units), bool)
    chain = [int(output_norms(matrix).argmax())]
    for _ in range(len(units) - 1):
        last = chain[-1]
        left[last] = False
        cosines = units @ units[last] if whole is None else whole[last]
        chain.append(int(np.where(left, cosines, -np.inf).argmax()))
    return np.array(chain, np.int64)


def mean_activations(graph: NeuronGraph, layers: Sequence[Layer], feeds: Mapping[str, Array]) -> dict[str, Array]:
    """The mean magnitude of each channel or unit of each layer's value, for one input.

    Args:
        graph: with the model that it was made from.
        layers: those to ask for.
        feeds: an array for each of its inputs.

    Raises:
        ModelError: ONNX Runtime can't run the model.
    """
    values = forward.activations(graph, feeds, layers)
    return {layer.name: _channel_means(layer, values[layer.name]) for layer in layers}


def _channel_means(layer: Layer, value: Array) -> Array:
    axis = layer.spatial[0] if layer.spatial else len(layer.shape) - 1
    others = tuple(d for d in range(value.ndim) if d != axis)
    return np.asarray(np.abs(value.astype(np.float64)).mean(axis=others))
