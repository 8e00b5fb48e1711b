"""How well a given partition of the neurons cuts the network: modularity and normalised cut."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.engine.passes import in_sum, out_sum
from onnx2graphml.engine.semirings import Weight
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.values import Array, NodeValues, check_not_negative, known

Communities = NodeValues | npt.NDArray[Any] | Sequence[Collection[int]]
"""A label for every neuron, or the sets of neurons."""


def modularity(graph: NeuronGraph, communities: Communities, weight: Weight = None, resolution: float = 1) -> float:
    """The modularity of a partition, of a directed graph, as in NetworkX.

        Q = Σ over communities c of [ L_c / m - resolution · out_c · in_c / m² ]

    with L_c the weights inside c, in_c and out_c its neurons' strengths, and m the weights of all edges.

    Args:
        communities: a label for every neuron, as an array or `NodeValues`; or sets of neurons.
        weight: None or `abs_weight`; with signed weights m can be near zero, and they are refused.

    Raises:
        Error: not every neuron is in exactly one community, or weights are negative.

    Source: Newman, Networks: an introduction, 2011; Leicht and Newman, 2008; `networkx.community.modularity`.
    """
    check_not_negative(graph, weight, "modularity")
    labels, count = _labels(graph, communities)
    inside = _inside(graph, labels, count, weight)
    left, arrived = (_by_label(run(graph, np.ones(graph.neurons), weight=weight), labels, count)
                     for run in (out_sum, in_sum))  # fmt: skip
    m = left.sum()
    return float((inside / m - resolution * left * arrived / m**2).sum())


def normalized_cut(graph: NeuronGraph, communities: Communities, weight: Weight = "abs_weight") -> float:
    """The normalised cut of a partition: over all communities, the sum of their cut over their volume.

        n-cut = Σ over c of W(c, rest) / vol(c)

    Edges are taken without their direction; vol(c) is the sum of the strengths of c's neurons. From 0, for communities
    that nothing joins, to their number. Communities without any weight are left out.

    Source: Shi and Malik, Normalized cuts and image segmentation, 2000; Filan et al., Clusterability in neural
    networks, 2021 (they cluster channels; see docs/measures.md).
    """
    check_not_negative(graph, weight, "normalized_cut")
    labels, count = _labels(graph, communities)
    ones = np.ones(graph.neurons)
    volume = _by_label(out_sum(graph, ones, weight=weight) + in_sum(graph, ones, weight=weight), labels, count)
    cut = volume - 2 * _inside(graph, labels, count, weight)
    return float(np.divide(cut, volume, out=np.zeros(count), where=volume > 0).sum())


def _labels(graph: NeuronGraph, communities: Communities) -> tuple[Array, int]:
    """A number from 0 for every neuron's community, and how many there are."""
    if isinstance(communities, NodeValues):
        communities = communities.array
    if isinstance(communities, np.ndarray):
        if communities.shape != (graph.neurons,):
            raise Error(f"communities have shape {communities.shape}; expected ({graph.neurons},), a label a neuron")
        names, labels = np.unique(communities, return_inverse=True)
        return labels.reshape(-1), len(names)
    labels = np.full(graph.neurons, -1)
    for k, members in enumerate(communities):
        for node in members:
            if labels[known(graph, node)] >= 0:
                raise Error(f"neuron {node} is in two communities; expected each in exactly one")
            labels[node] = k
    if (labels < 0).any():
        raise Error(f"neuron {int((labels < 0).argmax())} is in no community; expected each in exactly one")
    return labels, len(communities)


def _inside(graph: NeuronGraph, labels: Array, count: int, weight: Weight) -> Array:
    """By community, the weights of the edges inside: one pass each, over the layers that it is in."""
    found = np.zeros(count)
    for k in range(count):
        own = labels == k
        found[k] = in_sum(graph, own.astype(np.float64), weight=weight)[own].sum()
    return found


def _by_label(values: Array, labels: Array, count: int) -> Array:
    return np.bincount(labels, values, count)
