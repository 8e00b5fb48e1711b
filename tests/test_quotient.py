"""Quotients against sums over every edge, and against NetworkX's own."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest

from measured import SOURCES, network
from onnx2graphml.errors import Error, TooLargeError
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.quotient import quotient
from synthetic import products

NETWORKS = [*SOURCES, "products"]


def graph_of(name: str) -> NeuronGraph:
    return products() if name == "products" else network(name)


def by_every_edge(graph: NeuronGraph, label: Any) -> dict[tuple[Any, Any], list[float]]:
    found: dict[tuple[Any, Any], list[float]] = {}
    for u, v, w in graph.weighted_edges():
        sums = found.setdefault((label(u), label(v)), [0, 0.0, 0.0])
        sums[0] += 1
        sums[1] += w
        sums[2] += abs(w)
    return found


def sums(g: nx.DiGraph) -> dict[tuple[Any, Any], list[float]]:
    return {(u, v): [d["count"], d["weight"], d["abs_weight"]] for u, v, d in g.edges(data=True)}


def check(found: dict[Any, list[float]], expected: dict[Any, list[float]]) -> None:
    assert found.keys() == expected.keys()
    assert {e: n for e, (n, *_) in found.items()} == {e: n for e, (n, *_) in expected.items()}
    for edge, (_, *reals) in expected.items():
        assert found[edge][1:] == pytest.approx(reals, rel=1e-9, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_by_layer(name: str) -> None:
    graph = graph_of(name)
    g = graph.quotient("layer")
    check(sums(g), by_every_edge(graph, lambda n: graph.layer_of(n).name))
    assert list(g) == [layer.name for layer in graph.layers]
    assert [n for _, n in g.nodes(data="neurons")] == [layer.neurons for layer in graph.layers]


def channel(graph: NeuronGraph, neuron: int) -> str:
    layer, index = graph.layer_of(neuron), graph.index_of(neuron)
    return f"{layer.name}[{(index[layer.spatial[0]] if layer.spatial else index[-1]) if layer.shape else 0}]"


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_by_channel(name: str) -> None:
    graph = graph_of(name)
    g = graph.quotient("channel")
    check(sums(g), by_every_edge(graph, lambda n: channel(graph, n)))
    assert sum(n for _, n in g.nodes(data="neurons")) == graph.neurons


LABELS = {
    "at random": lambda graph: np.random.default_rng(0).integers(0, 7, graph.neurons),
    "in blocks": lambda graph: np.arange(graph.neurons) // 37,
    "each its own": lambda graph: np.arange(graph.neurons),
    "all the same": lambda graph: np.zeros(graph.neurons, int),
    "rows": lambda graph: np.array([(graph.index_of(n) or (0,))[0] for n in range(graph.neurons)]),
}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("name", ["residual", "concat", "depthwise", "every kind", "parallel", "products", "random 0"])
def test_by_labels(name: str, labels: str) -> None:
    graph = graph_of(name)
    of = LABELS[labels](graph).tolist()
    expected = by_every_edge(graph, lambda n: of[n])
    check(sums(graph.quotient(of)), expected)
    check(sums(graph.quotient(dict(enumerate(of)))), expected)


def test_labels_may_be_text() -> None:
    graph = network("residual")
    of = ["early" if n < 100 else "late" for n in range(graph.neurons)]
    assert set(graph.quotient(of).edges) == {("early", "early"), ("early", "late"), ("late", "late")}


def test_is_networkxs_quotient_graph() -> None:
    graph = network("depthwise")
    full = nx.DiGraph()
    full.add_nodes_from(range(graph.neurons))
    full.add_weighted_edges_from(graph.weighted_edges())
    of = LABELS["at random"](graph)
    theirs = nx.quotient_graph(full, [set(np.flatnonzero(of == k).tolist()) for k in range(7)], relabel=True)
    ours = graph.quotient(of)
    for u, v, weight in theirs.edges(data="weight"):
        both = [ours.edges[e]["weight"] for e in ((u, v), (v, u)) if e in ours.edges]
        assert sum(both) == pytest.approx(weight)  # NetworkX takes the edges of both directions together
    assert {(u, v) for u, v in ours.edges if u != v} == set(theirs.edges)  # NetworkX leaves out edges within


def test_networkx_runs_on_it() -> None:
    g = network("digits").quotient("channel")
    found = nx.community.louvain_communities(g.to_undirected(), weight="abs_weight", seed=0)
    assert set().union(*found) == set(g)


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("row", "by is 'row'; expected 'layer', 'channel' or a label for every neuron"),
        ([1, 2], r"the labels have shape \(2,\); expected \([0-9]+,\)"),
        ({0: 1}, "there are labels for 1 neurons; expected one for each of"),
    ],
)
def test_what_is_no_labelling_is_refused(by: Any, message: str) -> None:
    with pytest.raises(Error, match=message):
        network("residual").quotient(by)


def test_too_large_a_quotient_is_refused() -> None:
    with pytest.raises(TooLargeError, match=r"more than max_edges=100 edges, with those into layer '"):
        quotient(network("residual"), "channel", max_edges=100)
