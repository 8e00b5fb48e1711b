"""How large a graph's ONNX file will be, before any of it is made."""

from __future__ import annotations

from onnx2graphml.export.tables import BYTES, DENSE
from onnx2graphml.graph.graph import Layer, NeuronGraph

FLOAT = 4  # bytes
NODE = 200  # bytes of a layer's operators and their names
PER_SECOND = 24_000_000  # bytes that are made in a second of processor time, as for VGG16


def estimated_bytes(graph: NeuronGraph) -> int:
    """The size of the file, mostly right within a quarter; nothing is expanded.

    A layer between pictures is taken for windows, one from most neurons to most others for a matrix. Edges that turn
    out to be neither are 8 bytes each.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> round(estimated_bytes(graph) / graph.to_onnx().ByteSize(), 1)
        1.0
    """
    return sum(NODE + _bias(layer) + _edges(graph, layer) for layer in graph.layers)


def _bias(layer: Layer) -> int:
    """Of a picture a number for each channel, where that is all that there is."""
    if layer.bias is None:
        return 0
    entries = 1
    for size, step in zip(layer.bias.shape, layer.bias.strides, strict=True):
        entries *= int(size) if step else 1
    return FLOAT * entries


def _edges(graph: NeuronGraph, layer: Layer) -> int:
    blocks: dict[str, list[int]] = {}
    found = 0
    for i in layer.incoming:
        source, several = graph.layer(i.source), sum(len(axis) > 1 for axis in i.block.axes) > 1
        if i.port is None and several and source.spatial and layer.spatial:
            blocks.setdefault(i.source, []).append(id(i.block.weights))
            found += 0 if blocks[i.source].count(id(i.block.weights)) > 1 else FLOAT * i.block.weights.size
        elif i.port is None and layer.neurons * source.neurons <= DENSE * i.block.count > layer.neurons:
            found += FLOAT * layer.neurons * source.neurons
        elif i.block.count > layer.neurons or not i.block.is_selection:
            found += BYTES * i.block.count
        else:
            found += FLOAT * i.block.count
    return found
