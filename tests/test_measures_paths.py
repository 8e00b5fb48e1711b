"""Sums over all paths, against sums that are made one neuron at a time from single edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import synthetic
from measured import SOURCES, as_networkx, network
from onnx2graphml import measures
from onnx2graphml.errors import Error
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph

each_network = pytest.mark.parametrize("name", SOURCES)


def ends(graph: NeuronGraph) -> tuple[set[int], set[int]]:
    first = {n for x in graph.layers if x.aggregation == "input" for n in range(x.first_id, x.first_id + x.neurons)}
    last = {n for x in map(graph.layer, graph.outputs) for n in range(x.first_id, x.first_id + x.neurons)}
    return first, last


def counted(graph: NeuronGraph) -> list[int]:
    """Paths from the inputs to every neuron, by Python's integers, edge by edge."""
    first, _ = ends(graph)
    counts = [int(n in first) for n in range(graph.neurons)]
    for u, v, _ in sorted(graph.weighted_edges(), key=lambda e: e[1]):
        counts[v] += counts[u]
    return counts


@each_network
def test_the_number_of_paths(name: str):
    graph = network(name)
    counts = counted(graph)
    assert measures.path_counts(graph) == dict(enumerate(counts))
    assert measures.number_of_paths(graph) == sum(counts[n] for n in ends(graph)[1])


@each_network
def test_paths_to_the_outputs_are_those_from_the_inputs(name: str):
    graph = network(name)
    behind = measures.path_counts(graph, "to")
    assert sum(behind[n] for n in ends(graph)[0]) == measures.number_of_paths(graph)
    some = [0, graph.neurons // 2]
    assert measures.number_of_paths(graph, some, graph.neurons - 1) == sum(
        measures.path_counts(graph, "from", n)[graph.neurons - 1] for n in some
    )


def test_paths_of_digits():
    assert measures.number_of_paths(network("digits")) == 280_350_720


def deep(layers: int, width: int) -> NeuronGraph:
    block = EdgeBlock((ax.gather(width).strided(1, 0), ax.spread(width).strided(0, 1)))
    dense = [Layer(f"d{k}", "Gemm", (width,), incoming=(Incoming(f"d{k - 1}", block),)) for k in range(1, layers)]
    return synthetic.graph_of(Layer("d0", "Input", (width,), "input"), *dense)


@pytest.mark.slow
def test_numbers_of_paths_that_no_float_can_hold():
    graph = deep(60, 7)
    assert measures.number_of_paths(graph) == 7**60
    counts = measures.path_counts(graph)
    assert counts[graph.neurons - 1] == 7**59
    assert type(counts[0]) is int
    assert counts.by_layer()["d30"].tolist() == [7**30] * 7
    assert measures.path_counts(graph, "to")[0] == 7**59
    assert measures.number_of_paths(graph, 0, 7 * 59) == 7**58


# ----------------------------------------------------------------------------------------- norms and SynFlow


@pytest.mark.parametrize("order", [1, 2, 4])
@each_network
def test_path_norms(name: str, order: float):
    graph = network(name)
    first, last = ends(graph)
    for biases in (False, True):
        sums = np.array([float(n in first) for n in range(graph.neurons)])
        if biases:
            for layer in graph.layers:
                if layer.bias is not None and layer.aggregation == "sum":
                    flat = np.broadcast_to(layer.bias, layer.shape).ravel().astype(float)
                    sums[layer.first_id : layer.first_id + layer.neurons] += np.abs(flat) ** order
        for u, v, w in sorted(graph.weighted_edges(), key=lambda e: e[1]):
            sums[v] += abs(w) ** order * sums[u]
        expected = sum(sums[n] for n in last) ** (1 / order)
        assert measures.path_norm(graph, order, biases) == pytest.approx(expected, rel=1e-9)


def test_an_order_that_is_none():
    with pytest.raises(Error, match="order is 0; expected a positive number"):
        measures.path_norm(network("digits"), 0)


@each_network
def test_synflow(name: str):
    graph = network(name)
    scores = measures.synflow(graph)
    first, last = ends(graph)
    ahead = np.array([float(n in first) for n in range(graph.neurons)])
    behind = np.array([float(n in last) for n in range(graph.neurons)])
    edges = list(graph.weighted_edges())
    for u, v, w in sorted(edges, key=lambda e: e[1]):
        ahead[v] += abs(w) * ahead[u]
    for u, v, w in sorted(edges, key=lambda e: -e[0]):
        behind[u] += abs(w) * behind[v]
    got = list(scores.items())
    assert [e for e, _ in got] == [(u, v) for u, v, _ in edges]
    np.testing.assert_allclose([s for _, s in got], [ahead[u] * abs(w) * behind[v] for u, v, w in edges], rtol=1e-9)
    assert len(scores) == graph.edges


def test_synflow_keeps_its_sum_from_layer_to_layer():
    """The law that gives the method its name: digits is a chain."""
    graph = network("digits")
    sums = list(measures.synflow(graph).by_layer().values())
    assert len(sums) == len(graph.layers) - 1
    np.testing.assert_allclose(sums, measures.path_norm(graph, 1, biases=False), rtol=1e-12)


def test_synflow_of_branches_adds_up():
    graph = network("residual")
    by_layer = measures.synflow(graph).by_layer()
    names = [layer.name for layer in graph.layers]
    assert by_layer[names[-1]] == pytest.approx(measures.path_norm(graph, 1, biases=False), rel=1e-12)


def test_the_value_of_an_edge():
    scores = measures.synflow(network("digits"))
    for (u, v), score in list(scores.items())[::5000]:
        assert scores[u, v] == pytest.approx(score, rel=1e-12)
    with pytest.raises(KeyError):
        scores[0, 3737]


# ------------------------------------------------------------------------------------------------ strengths


@pytest.mark.parametrize("weight", ["weight", "abs_weight"])
@each_network
def test_strengths(name: str, weight: Any):
    graph, g = network(name), as_networkx(name)
    expected = np.zeros(graph.neurons)
    for n in range(graph.neurons):
        arrived = [w for _, _, w in g.in_edges(n, data=weight)] or [1.0]
        left = [w for _, _, w in g.out_edges(n, data=weight)] or [1.0]
        layer = graph.layer_of(n)
        bias = 0.0
        if layer.bias is not None and layer.aggregation == "sum":
            bias = float(np.broadcast_to(layer.bias, layer.shape).ravel()[n - layer.first_id])
        expected[n] = sum(arrived) + sum(left) + (bias if weight == "weight" else abs(bias))
    got = measures.neuron_strength(graph, weight)
    np.testing.assert_allclose(got.array, expected, rtol=1e-9, atol=1e-9)
    spread = {x.name: expected[x.first_id : x.first_id + x.neurons].std() for x in graph.layers}
    assert measures.layer_fluctuation(graph, weight) == pytest.approx(spread, rel=1e-9, abs=1e-9)
