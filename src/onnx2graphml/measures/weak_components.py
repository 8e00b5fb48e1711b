"""Weakly connected components."""

from __future__ import annotations

import numpy as np

from onnx2graphml.engine.passes import backward, forward
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.values import NodeValues


def weakly_connected_components(graph: NeuronGraph) -> NodeValues:
    """For every neuron, the smallest id of all those that it is joined to, edges taken without their direction.

    The smallest ids are passed along the edges and against them until nothing changes, mostly twice.

    Example:
        >>> import onnx2graphml
        >>> components = weakly_connected_components(onnx2graphml.load("fixtures/digits.onnx"))
        >>> sorted(set(components.values()))
        [0]
    """
    smallest = np.arange(graph.neurons)
    while True:
        before = smallest
        smallest = backward(graph, forward(graph, smallest, semiring="least"), semiring="least")
        smallest = np.minimum(smallest, smallest[smallest])
        if np.array_equal(before, smallest):
            return NodeValues(graph, smallest)


def number_weakly_connected_components(graph: NeuronGraph) -> int:
    """How many weakly connected components there are, as in NetworkX."""
    components = weakly_connected_components(graph).array
    return int(np.count_nonzero(components == np.arange(graph.neurons)))
