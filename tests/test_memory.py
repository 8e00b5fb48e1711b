"""Graphs in other libraries' memory: each has the neurons, edges, weights and attributes that NetworkX's graph has."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import networkx as nx
import numpy as np
import pytest

from onnx2graphml import load
from onnx2graphml.errors import MissingExtraError, TooLargeError, UnsupportedError
from onnx2graphml.graph.graph import NeuronGraph
from small import FIXTURES, model, node, weights

Edge = tuple[int, int, float]

PARALLEL = model([node("Div", "x x", "y")], {"x": [1, 3]})
TERMS = model([node("MatMul", "a b", "y")], {"a": [2, 3], "b": [3, 2]})
CONSTANTS = model([node("Gemm", "x w b", "y")], {"x": [1, 3]}, {"w": weights(3, 2), "b": weights(2, seed=1)})

GRAPHS = {
    "digits": lambda: load(FIXTURES / "digits.onnx"),
    "residual": lambda: load(FIXTURES / "residual.onnx", detail="op"),
    "gemm": lambda: load(CONSTANTS),
}
WITH_PARALLEL = {**GRAPHS, "ports": lambda: load(PARALLEL), "terms": lambda: load(TERMS)}


def expected(graph: NeuronGraph) -> Counter[Edge]:
    return Counter(graph.weighted_edges())


def counted(source: Any, target: Any, weight: Any) -> Counter[Edge]:
    return Counter(
        zip(np.asarray(source).tolist(), np.asarray(target).tolist(), np.asarray(weight).tolist(), strict=True)
    )


@pytest.mark.parametrize("name", WITH_PARALLEL)
def test_igraph(name: str) -> None:
    graph = WITH_PARALLEL[name]()
    g = graph.to_igraph()
    assert g.is_directed()
    assert g.vcount() == graph.neurons
    source, target = np.array(g.get_edgelist()).T
    assert counted(source, target, g.es["weight"]) == expected(graph)
    theirs = graph.to_networkx()
    for vertex in list(g.vs)[:: max(1, graph.neurons // 50)]:
        known = {name: value for name, value in vertex.attributes().items() if value is not None}
        assert known == theirs.nodes[vertex.index]
    for attribute in ("port", "term"):
        told = nx.get_edge_attributes(theirs, attribute)
        assert (attribute in g.es.attributes()) == bool(told)
        if told:
            assert sorted(g.es[attribute]) == sorted(told.values())
    assert g["detail"] == graph.detail


@pytest.mark.slow
@pytest.mark.parametrize("name", GRAPHS)
def test_networkit(name: str) -> None:
    graph = GRAPHS[name]()
    g = graph.to_networkit()
    assert (g.numberOfNodes(), g.numberOfEdges(), g.isDirected()) == (graph.neurons, graph.edges, True)
    assert counted(*zip(*g.iterEdgesWeights(), strict=True)) == expected(graph)


def test_networkit_has_no_parallel_edges() -> None:
    with pytest.raises(UnsupportedError, match="layer 'the_y' has several edges between the same two neurons"):
        load(PARALLEL).to_networkit()


@pytest.mark.parametrize("name", WITH_PARALLEL)
def test_scipy(name: str) -> None:
    graph = WITH_PARALLEL[name]()
    found: Counter[Edge] = Counter()
    for (source, target), matrix in graph.to_scipy().items():
        assert matrix.shape == (graph.layer(source).neurons, graph.layer(target).neurons)
        row, column = matrix.coords
        found += counted(row + graph.layer(source).first_id, column + graph.layer(target).first_id, matrix.data)
    assert found == expected(graph)


def test_a_dense_layer_is_its_matrix() -> None:
    graph = GRAPHS["gemm"]()
    np.testing.assert_array_equal(graph.to_scipy()["x", "the_y"].toarray(), weights(3, 2))


@pytest.mark.parametrize("name", WITH_PARALLEL)
def test_arrow_and_polars(name: str) -> None:
    graph = WITH_PARALLEL[name]()
    nodes, edges = graph.to_arrow()
    assert counted(*(edges[c].to_numpy() for c in ("src", "dst", "weight"))) == expected(graph)
    assert nodes["id"].to_pylist() == list(range(graph.neurons))
    assert nodes["layer"].to_pylist() == [layer.name for layer in graph.layers for _ in range(layer.neurons)]
    frames = graph.to_polars()
    assert frames.edges.rows() == [tuple(row.values()) for row in edges.to_pylist()]
    assert frames.nodes.columns == nodes.column_names


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_PARALLEL)
def test_pyg(name: str) -> None:
    graph = WITH_PARALLEL[name]()
    data = graph.to_pyg()
    assert data.validate(raise_on_error=True)
    assert data.num_nodes == graph.neurons
    assert counted(*data.edge_index.numpy(), data.edge_weight.numpy()) == expected(graph)
    theirs = graph.to_networkx()
    assert [data.layer_names[i] for i in data.layer.tolist()] == [theirs.nodes[n]["layer"] for n in sorted(theirs)]
    assert data.bias.tolist() == [theirs.nodes[n].get("bias", 0) for n in sorted(theirs)]
    assert ("edge_port" in data) == (name in ("ports", "terms"))
    assert ("edge_term" in data) == (name == "terms")


WAYS = ["to_igraph", "to_networkit", "to_scipy", "to_arrow", "to_polars", "to_pyg"]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_what_is_too_large_is_refused_with_its_size(way: str) -> None:
    graph = GRAPHS["digits"]()
    with pytest.raises(TooLargeError, match=r"25,816 edges, which would take about 0\.0 GB in .*max_edges is 1,000"):
        getattr(graph, way)(max_edges=1000)


@pytest.mark.parametrize(
    ("way", "package"),
    [
        ("to_igraph", "igraph"), ("to_networkit", "networkit"), ("to_scipy", "scipy.sparse"), ("to_polars", "polars"),
        pytest.param("to_pyg", "torch_geometric.data", marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(way: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = GRAPHS["gemm"]()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"onnx2graphml\[graphs\]"):
        getattr(graph, way)()


def test_a_lost_edge_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = GRAPHS["gemm"]()
    source, target = np.array(graph.to_igraph().get_edgelist()).T
    assert counted(source[1:], target[1:], np.ones(len(source) - 1)) != expected(graph)
