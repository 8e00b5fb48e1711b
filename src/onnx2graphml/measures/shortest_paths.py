"""Shortest paths from one neuron or to one: by the number of edges, or by weights."""

from __future__ import annotations

from typing import Literal

import numpy as np

from onnx2graphml.engine.passes import backward, forward
from onnx2graphml.engine.semirings import Weight
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.tracing import traced
from onnx2graphml.measures.values import NodeValues, known


def distances(
    graph: NeuronGraph, node: int, weight: Weight = None, direction: Literal["from", "to"] = "from"
) -> NodeValues:
    """The length of the shortest path from one neuron to every one that it leads to; or `to` it from every one.

    A network has no cycles, so that negative weights are allowed: one pass finds what Bellman-Ford iterates for.

    Args:
        weight: None (each edge has length 1), `weight` (signed), `abs_weight`, or a function of the weights.

    Returns:
        Neurons without a path are missing, as in NetworkX. Integers where edges have length 1.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> distances(graph, 0)[graph.neuron("digit", (3,))]
        9
    """
    start = np.full(graph.neurons, np.inf)
    start[known(graph, node)] = 0
    run = {"from": forward, "to": backward}[direction]
    found = run(graph, start, semiring="min", weight=weight)
    present = np.isfinite(found)
    return NodeValues(graph, np.where(present, found, 0).astype(np.int64) if weight is None else found, present)


def single_source_shortest_path_length(graph: NeuronGraph, source: int) -> NodeValues:
    """The number of edges of the shortest path from a neuron to every one that it leads to, as in NetworkX."""
    return distances(graph, source)


def single_target_shortest_path_length(graph: NeuronGraph, target: int) -> NodeValues:
    """The number of edges of the shortest path to a neuron from every one that leads to it, as in NetworkX."""
    return distances(graph, target, direction="to")


def shortest_path_length(graph: NeuronGraph, source: int, target: int, weight: Weight = None) -> float:
    """The length of the shortest path between two neurons.

    Raises:
        Error: there is no path.
    """
    found = distances(graph, source, weight)
    if known(graph, target) not in found:
        raise Error(f"no path leads from neuron {source} to neuron {target}")
    length: float = found[target]
    return length


def shortest_path(graph: NeuronGraph, source: int, target: int, weight: Weight = None) -> list[int]:
    """The neurons of a shortest path, in order; of several the one that is found first.

    Raises:
        Error: there is no path.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> [graph.layer_of(n).name for n in shortest_path(graph, graph.neuron("flatten", (0,)), 3737)]
        ['flatten', 'dense1', 'digit']
    """
    found = distances(graph, source, weight)
    if known(graph, target) not in found:
        raise Error(f"no path leads from neuron {source} to neuron {target}")
    lengths = np.where(found.present, found.array, np.inf) if found.present is not None else found.array
    return traced(graph, lengths, int(target), weight, lambda node: node == source)
