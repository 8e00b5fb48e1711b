"""How large a graph's ONNX file will be, before any of it is made."""

from __future__ import annotations

from dataclasses import dataclass

from onnx2graphml.export.tables import BYTES, DENSE
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.model.uniform import stored

FLOAT = 4  # bytes
NODE = 200  # bytes of a layer's operators and their names


@dataclass(frozen=True)
class Amounts:
    """What a model will be made of.

    Attributes:
        layers, neurons: their numbers.
        biases: the numbers that are stored for them.
        window: weights of windows.
        matrix: entries of matrices.
        selected: edges that only choose or scale neurons.
        single: edges that are written one by one.
    """

    layers: int = 0
    neurons: int = 0
    biases: int = 0
    window: int = 0
    matrix: int = 0
    selected: int = 0
    single: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def bytes(self) -> int:
        """The size of the file."""
        return (
            NODE * self.layers + FLOAT * (self.biases + self.window + self.matrix + self.selected) + BYTES * self.single
        )


def amounts(graph: NeuronGraph) -> Amounts:
    """Of a graph; nothing is expanded.

    A layer between pictures is taken for windows, one from most neurons to most others for a matrix.

    Example:
        >>> import onnx2graphml
        >>> amounts(onnx2graphml.load("fixtures/digits.onnx")).matrix
        5088
    """
    return sum((_amounts(graph, layer) for layer in graph.layers), Amounts())


def estimated_bytes(graph: NeuronGraph) -> int:
    """The size of the file, mostly right within a quarter.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> round(estimated_bytes(graph) / graph.to_onnx().ByteSize(), 1)
        1.0
    """
    return amounts(graph).bytes


def _amounts(graph: NeuronGraph, layer: Layer) -> Amounts:
    blocks: dict[str, list[int]] = {}
    found = Amounts(1, layer.neurons, _biases(layer))
    for i in layer.incoming:
        source, several = graph.layer(i.source), sum(len(axis) > 1 for axis in i.block.axes) > 1
        if i.port is None and several and source.spatial and layer.spatial:
            blocks.setdefault(i.source, []).append(id(i.block.weights))
            is_new = blocks[i.source].count(id(i.block.weights)) == 1
            found += Amounts(window=i.block.weights.size if is_new else 0)
        elif i.port is None and layer.neurons * source.neurons <= DENSE * i.block.count > layer.neurons:
            found += Amounts(matrix=layer.neurons * source.neurons)
        elif i.block.count > layer.neurons or not i.block.is_selection:
            found += Amounts(single=i.block.count)
        else:
            found += Amounts(selected=i.block.count)
    return found


def _biases(layer: Layer) -> int:
    """Of a picture a number for each channel, where that is all that there is."""
    return 0 if layer.bias is None else stored(layer.bias).size
