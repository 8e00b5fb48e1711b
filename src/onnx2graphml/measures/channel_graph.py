"""The graph of channels, as Filan et al. have it: joined by the L1 norms of kernels, each weight counted once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onnx2graphml.engine.passes import check_terms
from onnx2graphml.engine.products import product
from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.measures.values import Array


@dataclass(frozen=True, eq=False)
class ChannelGraph:
    """Channels, and how strongly they are joined.

    Attributes:
        labels: by layer, the number of every neuron's channel, flat; of a layer that only hands values on, that of the
            layer before. Where a layer has no channels, every neuron is one.
        count: of all channels.
        weights: by pair of channel numbers that weights join, (source, target), the sum of their absolute values.
    """

    labels: dict[str, Array]
    count: int
    weights: dict[tuple[int, int], Array]

    def matrix_blocks(self) -> list[tuple[int, int, Array]]:
        """The first source, the first target and the sums of each layer."""
        return [(source, target, sums) for (source, target), sums in self.weights.items()]


def channel_graph(graph: NeuronGraph, shuffle: np.random.Generator | None = None) -> ChannelGraph:
    """The channels of all layers that have trained weights.

    Args:
        shuffle: permutes the weights of each layer among themselves; a layer's structure stays.

    Raises:
        UnsupportedError: a layer without weights of its own joins several channels, as an addition does.
    """
    labels: dict[str, Array] = {}
    count, weights = 0, {}
    for layer in graph.layers:
        check_terms(layer, "weight")
        handed = _handed_on(graph, layer, labels)
        if handed is not None:
            labels[layer.name] = handed
            continue
        own = _channels(layer)
        labels[layer.name] = own + count
        for i in layer.incoming:
            source = labels[i.source]
            first, last = int(source.min()), int(source.max()) + 1
            weights[first, count] = _sums(i, source - first, own, (last - first, int(own.max()) + 1), shuffle)
        count += int(own.max()) + 1
    return ChannelGraph(labels, count, weights)


def _channels(layer: Layer) -> Array:
    """Every neuron's channel within its layer."""
    if not layer.spatial:
        return np.arange(layer.neurons)
    return np.asarray(np.indices(layer.shape)[layer.spatial[0]].ravel())


def _handed_on(graph: NeuronGraph, layer: Layer, labels: dict[str, Array]) -> Array | None:
    """The channel that every neuron has all its in-edges from; None for a layer with weights, or an input."""
    if not layer.incoming or layer.parameters:
        return None
    most = sum(int(x.max()) + 1 for x in labels.values()) + 1
    least, greatest = np.full(layer.neurons, most), np.full(layer.neurons, -1)
    for i in layer.incoming:
        least = np.minimum(least, product(i.block, labels[i.source], layer.neurons, "least"))
        greatest = np.maximum(greatest, product(i.block, labels[i.source], layer.neurons, "greatest"))
    if (least == greatest).all():
        return np.asarray(least)
    if any(np.ptp(i.block.weights) > 0 for i in layer.incoming if i.block.count):
        return None
    raise UnsupportedError(
        f"layer {layer.name!r} joins several channels without weights of its own; "
        f"clusterability is defined where only weights join channels"
    )


def _sums(
    incoming: Incoming, source: Array, target: Array, shape: tuple[int, int], shuffle: np.random.Generator | None
) -> Array:
    """By source and target channel, the sum of the absolute values of the weights that join them."""
    weights = np.abs(incoming.block.weights)
    once = EdgeBlock(
        tuple(map(_once, incoming.block.axes)), weights if shuffle is None else shuffle.permutation(weights)
    )
    sums = np.zeros(shape[0] * shape[1])
    for e in once.expand(1 << 20):
        sums += np.bincount(source[e.source] * shape[1] + target[e.target], e.weight, len(sums))
    return sums.reshape(shape)


def _once(axis: Axis) -> Axis:
    """The first entry of each tap; of an axis that no weight depends on, the first."""
    return axis[np.sort(np.unique(axis.tap, return_index=True)[1])]
