"""A measure's result: a number for every neuron."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.engine.passes import positions
from onnx2graphml.engine.semirings import Weight, weight_function
from onnx2graphml.errors import Error
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import NeuronGraph

Array = npt.NDArray[Any]
PerNode = Mapping[int, float] | npt.ArrayLike


class NodeValues(Mapping[int, Any]):
    """A number for every neuron, by id, over one array. It reads like the dict that NetworkX returns.

    Numbers come out as Python's: int, float or bool.

    Attributes:
        graph: whose neurons they are.
        array: the numbers by id, flat; where `present` is given, what stands at the other neurons has no meaning.
        present: for which neurons there is a number, as an array of bool; None where for all.

    Example:
        >>> import onnx2graphml
        >>> from onnx2graphml import measures
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> degrees = measures.in_degree(graph)
        >>> degrees[graph.neuron("conv1", (0, 0, 0))]
        4
        >>> degrees.by_layer()["digit"].tolist()
        [48, 48, 48, 48, 48, 48, 48, 48, 48, 48]
        >>> max(degrees, key=degrees.get) == graph.neuron("conv2", (0, 0, 0))
        True
    """

    def __init__(self, graph: NeuronGraph, array: Array, present: npt.NDArray[np.bool_] | None = None) -> None:
        self.graph, self.array = graph, array
        self.present = None if present is None or present.all() else present

    def __getitem__(self, node: int) -> Any:
        if node not in self:
            raise KeyError(node)
        value = self.array[node]
        return value.item() if isinstance(value, np.generic) else value

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.array)) if self.present is None else np.flatnonzero(self.present).tolist())

    def __len__(self) -> int:
        return len(self.array) if self.present is None else int(np.count_nonzero(self.present))

    def __contains__(self, node: object) -> bool:
        if not isinstance(node, (int, np.integer)) or isinstance(node, bool) or not 0 <= node < len(self.array):
            return False
        return self.present is None or bool(self.present[node])

    def values(self) -> Any:
        """The numbers, as a list of Python numbers."""
        return (self.array if self.present is None else self.array[self.present]).tolist()

    def items(self) -> Any:
        """Pairs of id and number."""
        return zip(self, self.values(), strict=True)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        array = self.array if self.present is None else np.where(self.present, self.array, np.nan)
        return np.array(array, dtype) if copy else np.asarray(array, dtype)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, NodeValues) and self.present is None and other.present is None:
            return np.array_equal(self.array, other.array)
        return isinstance(other, Mapping) and dict(self.items()) == dict(other.items())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        few = ", ".join(f"{node}: {self[node]!r}" for node, _ in zip(self, range(3), strict=False))
        return f"NodeValues({{{few}{', ...' if len(self) > 3 else ''}}}, {len(self):,} neurons)"

    def by_layer(self) -> dict[str, Array]:
        """The numbers of each layer, in its shape; NaN at neurons that have none."""
        array = np.asarray(self)
        at = positions(self.graph)
        return {layer.name: array[at[layer.name]].reshape(layer.shape) for layer in self.graph.layers}


def array_of(graph: NeuronGraph, values: PerNode, what: str) -> npt.NDArray[np.float64]:
    """A number for every neuron as float64: from an array, or from a mapping, in which missing neurons have 0."""
    if isinstance(values, NodeValues) and values.present is None:
        values = values.array
    if isinstance(values, Mapping):
        array = np.zeros(graph.neurons)
        for node, value in values.items():
            array[known(graph, node)] = value
        return array
    array = np.asarray(values, np.float64)
    if array.shape != (graph.neurons,):
        raise Error(f"{what} has shape {array.shape}; expected ({graph.neurons},), one number for each neuron")
    return array


def known(graph: NeuronGraph, node: Any) -> int:
    """A neuron's id, after it was made sure that the graph has it."""
    if not isinstance(node, (int, np.integer)) or isinstance(node, bool):
        raise Error(f"{node!r} is not the id of a neuron; expected a number from 0 to {graph.neurons - 1}")
    graph.layer_of(int(node))
    return int(node)


def one_at(graph: NeuronGraph, nodes: Any, dtype: Any = bool) -> Array:
    """An array of zeros with a one at a neuron, or at each of several."""
    start = np.zeros(graph.neurons, dtype)
    for node in nodes if isinstance(nodes, (list, tuple, set, frozenset, range, np.ndarray)) else [nodes]:
        start[known(graph, node)] = 1
    return start


def check_not_negative(graph: NeuronGraph, weight: Weight, measure: str) -> None:
    """Refuse negative weights where a measure has no meaning with them."""
    if weight == "abs_contribution":
        return
    if weight == "contribution":
        raise Error(f"{measure} needs weights that are not negative: use weight='abs_contribution'")
    function = weight_function(weight)
    if function is None:
        return
    for layer in graph.layers:
        for incoming in layer.incoming:
            least = _least(incoming.block, function) if incoming.block.count else 0.0
            if not least >= 0:
                raise Error(
                    f"{measure} needs weights that are not negative; layer {layer.name!r} has {least:g}: "
                    f"use weight='abs_weight' or weight=None"
                )


def _least(block: EdgeBlock, function: Any) -> float:
    least = float(function(block.weights[:1])[0])
    for first in range(0, block.weights.size, 1 << 24):
        least = min(least, float(function(block.weights[first : first + (1 << 24)]).min()))
    if least < 0:  # perhaps of an edge that was left out
        least = float(function(block.weights[ax.outer_sum([ax.distinct(t.tap) for t in block.axes])]).min())
    return least
