"""Whether several edges join the same two neurons, as those of Div(x, x) do."""

from __future__ import annotations

import itertools

import numpy as np

from onnx2graphml.graph.axes import Ints
from onnx2graphml.graph.blocks import Side
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph

SIDES: tuple[Side, ...] = ("target", "source")


def parallel_edges(graph: NeuronGraph) -> Layer | None:
    """The first layer with two in-edges from the same neuron to the same neuron; None if there is none.

    Example:
        >>> import onnx2graphml
        >>> parallel_edges(onnx2graphml.load("fixtures/digits.onnx")) is None
        True
    """
    for layer in graph.layers:
        if any(incoming.block.has_repeats() for incoming in layer.incoming):
            return layer
        for one, other in itertools.combinations(layer.incoming, 2):
            if one.source == other.source and _share_a_pair(one, other, layer.neurons):
                return layer
    return None


def _share_a_pair(one: Incoming, other: Incoming, targets: int) -> bool:
    for side in SIDES:  # most often decided without expanding an edge
        if not len(np.intersect1d(one.block.covers(side), other.block.covers(side))):
            return False
    return len(np.intersect1d(_pairs(one, targets), _pairs(other, targets))) > 0


def _pairs(incoming: Incoming, targets: int) -> Ints:
    """Source and target of each edge as one number."""
    return np.concatenate([e.source * targets + e.target for e in incoming.block.expand()])
