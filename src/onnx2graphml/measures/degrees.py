"""Degrees and strengths: what NetworkX calls weighted degrees."""

from __future__ import annotations

import numpy as np

from onnx2graphml.engine.passes import in_sum, out_sum
from onnx2graphml.engine.semirings import Weight
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.values import NodeValues


def in_degree(graph: NeuronGraph, weight: Weight = None) -> NodeValues:
    """The number of in-edges of every neuron, or the sum of their weights.

    Parallel edges, of the ports of one function, count each. Without weights exact integers.

    Args:
        weight: None, or `weight` (signed), `abs_weight`, `squared_weight`, or a function of the weights.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> sum(in_degree(graph).values()) == graph.edges
        True
    """
    return NodeValues(graph, in_sum(graph, _ones(graph), weight=weight))


def out_degree(graph: NeuronGraph, weight: Weight = None) -> NodeValues:
    """The number of out-edges of every neuron, or the sum of their weights; otherwise as `in_degree`."""
    return NodeValues(graph, out_sum(graph, _ones(graph), weight=weight))


def degree(graph: NeuronGraph, weight: Weight = None) -> NodeValues:
    """In-degree and out-degree together."""
    return NodeValues(graph, in_degree(graph, weight).array + out_degree(graph, weight).array)


def in_degree_centrality(graph: NeuronGraph) -> NodeValues:
    """The share of all other neurons from which a neuron has an in-edge: in-degree / (n - 1), as in NetworkX."""
    return _share(in_degree(graph))


def out_degree_centrality(graph: NeuronGraph) -> NodeValues:
    """Out-degree / (n - 1)."""
    return _share(out_degree(graph))


def degree_centrality(graph: NeuronGraph) -> NodeValues:
    """Degree / (n - 1)."""
    return _share(degree(graph))


def degree_histogram(graph: NeuronGraph) -> list[int]:
    """How many neurons have degree 0, 1, 2, ..."""
    counts: list[int] = np.bincount(degree(graph).array).tolist()
    return counts


def density(graph: NeuronGraph) -> float:
    """Edges over the number of ordered pairs of neurons, m / (n (n - 1)); 0 for fewer than two neurons."""
    n = graph.neurons
    return graph.edges / (n * (n - 1)) if n > 1 and graph.edges else 0.0


def _ones(graph: NeuronGraph) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.ones(graph.neurons, np.int64)


def _share(degrees: NodeValues) -> NodeValues:
    n = len(degrees)
    scale = 1.0 / (n - 1) if n > 1 else 1.0
    return NodeValues(degrees.graph, degrees.array * scale if n > 1 else np.ones(n))
