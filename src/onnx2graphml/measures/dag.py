"""What NetworkX has of directed acyclic graphs: ancestors, descendants, generations, longest paths."""

from __future__ import annotations

import numpy as np

from onnx2graphml.engine.passes import backward, forward
from onnx2graphml.engine.semirings import Weight
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.tracing import traced
from onnx2graphml.measures.values import Array, NodeValues, known, one_at


def descendants_mask(graph: NeuronGraph, source: int) -> Array:
    """Which neurons a path leads to, as an array of bool by id; the source itself is not among them."""
    start = one_at(graph, source)
    return forward(graph, start, semiring="any") & ~start


def ancestors_mask(graph: NeuronGraph, source: int) -> Array:
    """From which neurons a path leads to one, as an array of bool by id; the neuron itself is not among them."""
    start = one_at(graph, source)
    return backward(graph, start, semiring="any") & ~start


def descendants(graph: NeuronGraph, source: int) -> set[int]:
    """The neurons that a path leads to, as in NetworkX.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> len(descendants(graph, graph.neuron("dense1", (0,))))
        10
    """
    return set(np.flatnonzero(descendants_mask(graph, source)).tolist())


def ancestors(graph: NeuronGraph, source: int) -> set[int]:
    """The neurons from which a path leads to one, as in NetworkX."""
    return set(np.flatnonzero(ancestors_mask(graph, source)).tolist())


def has_path(graph: NeuronGraph, source: int, target: int) -> bool:
    """Whether a path leads from one neuron to another; every neuron has one to itself."""
    return known(graph, source) == known(graph, target) or bool(descendants_mask(graph, source)[target])


def topological_generations(graph: NeuronGraph) -> NodeValues:
    """For every neuron, the number of its generation: the longest way to it from a neuron without in-edges, in edges.

    NetworkX yields the generations one after the other, as lists.
    """
    longest = forward(graph, np.zeros(graph.neurons), semiring="max")
    return NodeValues(graph, longest.astype(np.int64))


def dag_longest_path_length(graph: NeuronGraph, weight: Weight = "weight") -> float:
    """The length of the longest path by the sum of its weights; with `weight=None`, by the number of its edges.

    As in NetworkX a path may begin anywhere, and the length is never negative: a single neuron is a path.

    Args:
        weight: `weight` (signed), None, `abs_weight`, or a function of the weights.
    """
    return float(longest_distances(graph, weight).array.max(initial=0))


def longest_distances(graph: NeuronGraph, weight: Weight = "weight") -> NodeValues:
    """For every neuron, the length of the longest path that ends there."""
    return NodeValues(graph, forward(graph, np.zeros(graph.neurons), semiring="max", weight=weight))


def dag_longest_path(graph: NeuronGraph, weight: Weight = "weight") -> list[int]:
    """The neurons of a longest path, in order; of several the one that is found first."""
    distances = longest_distances(graph, weight).array
    return traced(graph, distances, int(distances.argmax()), weight, lambda node: bool(distances[node] == 0))
