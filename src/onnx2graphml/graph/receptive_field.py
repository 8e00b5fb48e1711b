"""Which neurons of the network's inputs a neuron depends on, found without expanding an edge."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onnx2graphml.arguments import typed
from onnx2graphml.functions import parse_axes
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Layer, NeuronGraph

Mask = npt.NDArray[np.bool_]


@typed
def receptive_field(graph: NeuronGraph, neuron: int) -> dict[str, Mask]:
    """The neurons of each input layer from which a path leads to a neuron.

    Neurons that Softmax couples to it are counted in.

    Args:
        neuron: an id.

    Returns:
        By the input layers' names, arrays of bool in the layers' shapes. An input that is not reached is missing.

    Raises:
        Error: there is no such neuron.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> field = receptive_field(graph, graph.layer("conv1").first_id)
        >>> int(field["image"].sum())  # the corner of a padded 3x3 window
        4
    """
    fields = layer_fields(graph, neuron)
    inputs = [layer for layer in reversed(graph.layers) if layer.aggregation == "input" and layer.name in fields]
    return {layer.name: fields[layer.name].reshape(layer.shape) for layer in inputs}


def layer_fields(graph: NeuronGraph, neuron: int) -> dict[str, Mask]:
    """The same of every layer on the way: by name, flat; the neuron's own layer is among them.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> fields = layer_fields(graph, graph.layer("bn1").first_id)
        >>> {name: int(mask.sum()) for name, mask in fields.items()}
        {'bn1': 1, 'conv1': 1, 'image': 4}
    """
    start = graph.layer_of(neuron)
    reached = {start.name: np.zeros(start.neurons, bool)}
    reached[start.name][neuron - start.first_id] = True
    for layer in reversed(graph.layers):
        if layer.name not in reached:
            continue
        mask = reached[layer.name] = coupled(layer, reached[layer.name])
        for incoming in layer.incoming:
            size = graph.layer(incoming.source).neurons
            known = reached.setdefault(incoming.source, np.zeros(size, bool))
            known |= sources_of(incoming.block, mask, size)
    return reached


def coupled(layer: Layer, mask: Mask) -> Mask:
    """The neurons of a layer that its activation couples to those of a mask, both flat: along Softmax's axes."""
    for activation in layer.activation:
        if activation.couples:
            axes = parse_axes(dict(activation.parameters)["axis"])
            lines = mask.reshape(layer.shape).any(axis=axes, keepdims=True)
            mask = np.broadcast_to(lines, layer.shape).ravel()
    return mask


def sources_of(block: EdgeBlock, targets: Mask, size: int) -> Mask:
    """The source positions with an edge to any of the target positions.

    One axis after the other: the product of relations is the relation of products.

    Args:
        targets: flat, over the target layer's positions.
        size: the number of source positions.
    """
    out = np.zeros(size, bool)
    if block.count == 0:
        return out
    digits = [np.unique(a.target, return_inverse=True) for a in block.axes]
    grid = targets[ax.outer_sum([d for d, _ in digits])].reshape([len(d) for d, _ in digits])
    for position, (axis, (_, inverse)) in enumerate(zip(block.axes, digits, strict=True)):
        grid = _through(grid, position, axis, inverse)
    out[ax.outer_sum([ax.distinct(a.source) for a in block.axes])[grid.ravel()]] = True
    return out


def _through(grid: Mask, position: int, axis: Axis, target_digit: npt.NDArray[np.int64]) -> Mask:
    """The grid with one of its dimensions, over an axis's targets, replaced by one over its sources."""
    order = np.argsort(axis.source, kind="stable")
    _, starts = np.unique(axis.source[order], return_index=True)
    taken = grid.take(target_digit[order], axis=position)
    return np.asarray(np.logical_or.reduceat(taken, starts, axis=position))
