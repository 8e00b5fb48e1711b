"""A path found again from distances: backwards, from neuron to neuron, by in-edges alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onnx2graphml.engine.semirings import Weight, weight_function
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.values import Array


def traced(graph: NeuronGraph, distances: Array, node: int, weight: Weight, starts: Callable[[int], bool]) -> list[int]:
    """A path to `node` along which distances differ by the edges' weights, from the first neuron at which one starts.

    Where no in-edge fits to the last bit, since sums of weights have been rounded, the nearest is taken.
    """
    function = weight_function(weight)
    path = [node]
    while not starts(node):
        edges = graph.in_edges(node)
        weights = np.ones(len(edges)) if function is None else function(edges.weight.astype(np.float64))
        with np.errstate(invalid="ignore"):
            off = np.abs(distances[edges.source] + weights - distances[node])
        node = int(edges.source[np.nanargmin(off)])
        path.append(node)
    return path[::-1]
