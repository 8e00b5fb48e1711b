"""Cores: what is left when neurons of few neighbours are taken away again and again."""

from __future__ import annotations

import numpy as np

from onnx2graphml.engine.passes import in_sum, out_sum
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.degrees import degree
from onnx2graphml.measures.values import NodeValues


def core_number(graph: NeuronGraph) -> NodeValues:
    """For every neuron, the largest k for which it is in the k-core; edges are taken without their direction.

    The k-core is the largest part of the network in which every neuron has at least k edges. Neurons are taken away
    many at a time; a round costs as much as the layers next to them have neurons.

    Source: Seidman, Network structure and minimum degree, 1983; `networkx.core_number`.

    Example:
        >>> import onnx2graphml
        >>> cores = core_number(onnx2graphml.load("fixtures/digits.onnx"))
        >>> max(cores.values())
        48
    """
    left = degree(graph).array
    core, alive, k = np.zeros(graph.neurons, np.int64), np.ones(graph.neurons, bool), 0
    while alive.any():
        k = max(k, int(left[alive].min()))
        leaving = alive & (left <= k)
        core[leaving] = k
        alive &= ~leaving
        taken = leaving.astype(np.int64)
        left = left - in_sum(graph, taken) - out_sum(graph, taken)
    return NodeValues(graph, core)
