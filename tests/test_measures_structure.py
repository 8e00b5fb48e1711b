"""Cores, dominators, communities, spectra and persistence against NetworkX, SciPy and published numbers."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest

import synthetic
from measured import SOURCES, as_networkx, network, simple
from onnx2graphml import measures
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph


def dense_network(*kernels: np.ndarray) -> NeuronGraph:
    """Dense layers with kernels (inputs, outputs)."""
    layers = [Layer("d0", "Input", (len(kernels[0]),), "input")]
    for k, kernel in enumerate(kernels, 1):
        block = synthetic.dense(*kernel.shape, kernel.ravel().astype(np.float64))
        layers.append(Layer(f"d{k}", "Gemm", kernel.shape[1:], incoming=(Incoming(f"d{k - 1}", block),)))
    return synthetic.graph_of(*layers)


each_network = pytest.mark.parametrize("name", SOURCES)


@each_network
def test_core_numbers(name: str):
    if as_networkx(name).is_multigraph():
        return  # NetworkX has no cores of multigraphs
    assert measures.core_number(network(name)) == nx.core_number(as_networkx(name))


def test_parallel_edges_count_each_in_a_core():
    assert set(measures.core_number(network("parallel")).values()) == {2}


@each_network
def test_immediate_dominators(name: str):
    graph, g = network(name), as_networkx(name)
    for start in sorted({0, graph.neurons // 2, graph.neurons - 1, *(x.first_id for x in graph.layers)}):
        expected = {n: d for n, d in nx.immediate_dominators(g, start).items() if n != start}
        assert measures.immediate_dominators(graph, start) == expected


# ---------------------------------------------------------------------------------------------- communities


@pytest.mark.parametrize("weight", [None, "abs_weight"])
@each_network
def test_modularity(name: str, weight: str | None):
    graph, g = network(name), as_networkx(name)
    labels = np.arange(graph.neurons) * 7 % 5
    sets = [{n for n in range(graph.neurons) if labels[n] == k} for k in np.unique(labels)]
    expected = nx.community.modularity(g, sets, weight=weight, resolution=0.7)
    for communities in (labels, sets, measures.NodeValues(graph, labels)):
        assert measures.modularity(graph, communities, weight, 0.7) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("weight", [None, "abs_weight"])
@each_network
def test_normalized_cut(name: str, weight: str | None):
    graph, g = network(name), simple(name, weight).to_undirected()
    labels = np.arange(graph.neurons) * 3 % 4
    sets = [{n for n in range(graph.neurons) if labels[n] == k} for k in range(4)]
    expected = sum(nx.cut_size(g, s, weight="weight") / v for s in sets if (v := nx.volume(g, s, weight="weight")) > 0)
    assert measures.normalized_cut(graph, labels, weight) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("communities", "message"),
    [
        (np.zeros(3), r"communities have shape \(3,\); expected \(3738,\), a label a neuron"),
        ([{0, 1}, {1}], "neuron 1 is in two communities; expected each in exactly one"),
        ([{0, 1}], "neuron 2 is in no community; expected each in exactly one"),
    ],
)
def test_partitions_that_are_none(communities: Any, message: str):
    for call in (measures.modularity, measures.normalized_cut):
        with pytest.raises(Error, match=message):
            call(network("digits"), communities)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([[[12, -1.3], [0, 7.4]], [[-8.9, 0.15], [0.23, -5.7]]], 0.09895),
        (
            [
                [[5.4, 0.03, 0, 0], [0, 0, -0.4, 5.5], [-12, 0, 4.8, -0.07], [0, 6.3, 0.001, 7]],
                [[-13.3, -0.4, 6, 0.1], [0.7, -8, 0, -5.8], [7.4, 0.3, -15, 0], [0, 0, 0, -12.3]],
            ],
            0.0372,
        ),
    ],
)
def test_published_normalized_cuts(layers: Any, expected: float):
    """From the tests of Filan et al., where every second neuron is in the other of two clusters."""
    graph = dense_network(*map(np.array, layers))
    labels = np.arange(graph.neurons) % 2
    assert measures.normalized_cut(graph, labels) == pytest.approx(expected, abs=1e-3)


def test_communities_of_signed_weights_are_refused():
    for call in (measures.modularity, measures.normalized_cut):
        with pytest.raises(Error, match=f"{call.__name__} needs weights that are not negative"):
            call(network("digits"), np.zeros(3738), "weight")
