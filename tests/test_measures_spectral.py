"""Singular values and HITS against NumPy and NetworkX."""

from __future__ import annotations

import math
from typing import Any

import networkx as nx
import numpy as np
import pytest

import synthetic
from measured import SOURCES, network, simple
from onnx2graphml import measures
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.select import sample

each_network = pytest.mark.parametrize("name", SOURCES)
FUNCTIONS: dict[str | None, Any] = {None: lambda w: 1.0, "weight": float, "abs_weight": abs}


def matrix(graph: NeuronGraph, layer: str, weight: str | None) -> np.ndarray:
    """Sources of all layers in the rows, the layer's neurons in the columns."""
    own = graph.layer(layer)
    found = np.zeros((graph.neurons, own.neurons))
    for n in range(own.neurons):
        edges = graph.in_edges(own.first_id + n)
        np.add.at(found[:, n], edges.source, [FUNCTIONS[weight](w) for w in edges.weight])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("weight", FUNCTIONS)
@each_network
def test_singular_values(name: str, weight: str | None):
    graph = network(name)
    small = [x for x in graph.layers if x.in_edges and x.neurons < 120]
    for layer in small[:2]:
        expected = np.linalg.svd(matrix(graph, layer.name, weight), compute_uv=False)[:3]
        got = measures.singular_values(graph, layer.name, 3, weight)
        np.testing.assert_allclose(got[: len(expected)], expected, rtol=1e-8, atol=1e-6 * expected[0])


@pytest.mark.slow
def test_spectral_norms():
    graph = network("depthwise")
    norms = measures.spectral_norms(graph)
    assert list(norms) == [x.name for x in graph.layers if x.in_edges]
    for layer, norm in norms.items():
        assert norm == pytest.approx(np.linalg.norm(matrix(graph, layer, "weight"), 2), rel=1e-10)


def test_values_that_a_matrix_has_not():
    graph = synthetic.dense_graph(5, 2)
    assert measures.singular_values(graph, "y", 4)[2:] == [0.0, 0.0]


def test_a_layer_without_edges_has_no_matrix():
    with pytest.raises(Error, match="layer 'image' has no in-edges; expected one that computes something"):
        measures.singular_values(network("digits"), "image")


@pytest.mark.slow
def test_the_ramanujan_gap():
    graph = sample(network("residual"), 1500, seed=1)
    gaps = measures.ramanujan_gap(graph)
    for layer, gap in gaps.items():
        m = matrix(graph, layer, None)
        left, right = (d[d > 0].mean() for d in (m.sum(1), m.sum(0)))
        expected = math.sqrt(left - 1) + math.sqrt(right - 1) - np.linalg.svd(m, compute_uv=False)[1]
        assert gap == pytest.approx(expected, rel=1e-8, abs=1e-6)
    full = measures.ramanujan_gap(synthetic.dense_graph(6, 4))["y"]
    assert full == pytest.approx(math.sqrt(5) + math.sqrt(3), abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "weight"), [("digits", None), *((n, w) for n in ("residual", "concat") for w in FUNCTIONS)]
)
def test_hits(name: str, weight: str | None):
    graph, g = network(name), simple(name, weight)
    hubs, authorities = measures.hits(graph, weight, normalized=False)
    expected = nx.hits(g, tol=1e-14, max_iter=10_000, normalized=False)
    for got, theirs in zip((hubs, authorities), expected, strict=True):
        b = np.array([theirs[n] for n in range(graph.neurons)])
        a = got.array * np.sign(got.array @ b)
        np.testing.assert_allclose(a, b, atol=1e-7 * np.abs(b).max())
    if weight != "weight":
        assert sum(measures.hits(graph, weight)[0].values()) == pytest.approx(1)


def test_hits_of_a_chain_are_in_two_layers():
    graph = network("digits")
    hubs, authorities = measures.hits(graph, "abs_weight")
    assert sum(bool((a > 1e-12).any()) for a in hubs.by_layer().values()) == 1
    assert sum(bool((a > 1e-12).any()) for a in authorities.by_layer().values()) == 1
