"""A graph as a read-only NetworkX graph: what it shows is what the expanded graph has."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from importlib.metadata import entry_points
from typing import Any

import networkx as nx
import numpy as np
import pytest

from measured import SOURCES, network
from onnx2graphml.backend.functions import OWN
from onnx2graphml.backend.info import FUNCTIONS, get_info
from onnx2graphml.backend.interface import backend
from onnx2graphml.errors import Error
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.graph.parallel import parallel_edges
from synthetic import every_kind, graph_of, products

NETWORKS = list(SOURCES)
NEWER = {"get_node_attributes", "set_node_attributes"}
"""What NetworkX dispatches from 3.5 on."""

DISPATCHED = nx.utils.backends._registered_algorithms.keys()
sets_columns = pytest.mark.skipif(set() != NEWER - DISPATCHED, reason="NetworkX dispatches it from 3.5 on")


def graph_named(name: str) -> NeuronGraph:
    return products() if name == "products" else network(name)


def lazy(name: str) -> Any:
    return graph_named(name).to_networkx(as_view=True)


def expanded(name: str) -> Any:
    """With the edges' second attribute."""
    found = graph_named(name).to_networkx()
    for *_, data in found.edges(data=True):
        data["abs_weight"] = abs(data["weight"])
    return found


def edges(G: Any) -> list[Any]:
    return sorted((u, v, sorted(data.items())) for u, v, data in G.edges(data=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", [*NETWORKS, "products"])
def test_nodes_and_edges_are_those_of_the_expanded_graph(name: str) -> None:
    G, E = lazy(name), expanded(name)
    assert type(G).__mro__[2] is type(E)
    assert (G.is_directed(), G.is_multigraph(), G.graph) == (True, E.is_multigraph(), E.graph)
    assert (len(G), G.order(), G.number_of_edges(), G.size(), len(G.edges)) == (
        len(E),
        len(E),
        *[E.number_of_edges()] * 3,
    )
    assert list(G) == list(E)
    assert dict(G.nodes(data=True)) == dict(E.nodes(data=True))
    assert edges(G) == edges(E)
    assert sorted(G.in_edges) == sorted(E.in_edges)


@pytest.mark.parametrize("name", [*NETWORKS, "products"])
def test_one_node_is_that_of_the_expanded_graph(name: str) -> None:
    G, E = lazy(name), expanded(name)
    for n in np.linspace(0, len(E) - 1, 25).astype(int).tolist():
        assert G.nodes[n] == E.nodes[n]
        assert {v: dict(d) for v, d in G[n].items()} == {v: dict(d) for v, d in E[n].items()}
        assert {v: dict(d) for v, d in G.pred[n].items()} == {v: dict(d) for v, d in E.pred[n].items()}
        assert set(G.successors(n)) == set(E.successors(n))
        assert set(G.predecessors(n)) == set(E.predecessors(n))
        for v in E[n]:
            assert G.has_edge(n, v)
            assert G.get_edge_data(n, v) == E.get_edge_data(n, v)
            assert G.number_of_edges(n, v) == E.number_of_edges(n, v)
        assert not G.has_edge(n, 0)
        assert G.number_of_edges(n, 0) == 0


@pytest.mark.parametrize("weight", [None, "weight", "abs_weight"])
@pytest.mark.parametrize("name", NETWORKS)
def test_degrees(name: str, weight: str | None) -> None:
    G, E = lazy(name), expanded(name)
    few = list(range(0, len(E), max(1, len(E) // 7)))
    for direction in ("degree", "in_degree", "out_degree"):
        found, expected = getattr(lazy(name), direction), getattr(E, direction)
        alone = {n: found(n, weight=weight) for n in few}  # without those of the others
        assert alone == pytest.approx({n: expected(n, weight=weight) for n in few}, rel=1e-9, abs=1e-12)
        assert dict(found(few, weight=weight)) == pytest.approx(alone)
        every = getattr(G, direction)(weight=weight)
        assert dict(every) == pytest.approx(dict(expected(weight=weight)), rel=1e-9, abs=1e-12)
        assert dict(getattr(G, direction)(range(len(E)), weight=weight)) == dict(every)
        assert len(every) == len(E)
        np.testing.assert_array_equal(np.asarray(every), [d for _, d in every])
    assert G.size(weight) == pytest.approx(E.size(weight), rel=1e-9, abs=1e-9)
    assert nx.degree_histogram(G) == nx.degree_histogram(E)


def test_an_attribute_that_edges_do_not_have_is_refused() -> None:
    with pytest.raises(nx.NetworkXError, match="'weight' and 'abs_weight', not 'length'"):
        lazy("digits").degree(weight="length")
    with pytest.raises(nx.NetworkXError, match="'weight' and 'abs_weight', not 'abs'"):
        nx.pagerank(lazy("digits"), weight="abs")


@pytest.mark.slow
@pytest.mark.parametrize("attribute", ["layer", "index", "row", "bias", "activation", "no such"])
def test_one_attribute_of_all_nodes(attribute: str) -> None:
    G, E = lazy("digits"), expanded("digits")
    assert list(G.nodes(data=attribute, default=-1)) == list(E.nodes(data=attribute, default=-1))
    assert nx.get_node_attributes(G, attribute) == nx.get_node_attributes(E, attribute)
    assert nx.get_node_attributes(G, attribute, default=7) == nx.get_node_attributes(E, attribute, default=7)


def test_nodes_are_integers_from_zero() -> None:
    G = lazy("digits")
    assert 0 in G
    assert np.int64(3737) in G
    assert 5.0 in G  # as in a dictionary
    for other in (-1, 3738, 0.5, "0", None, (0,), [0]):
        assert other not in G
        with pytest.raises((KeyError, TypeError)):
            G.nodes[other]
        with pytest.raises((KeyError, TypeError, nx.NetworkXError)):
            G[other]
    assert list(G.nbunch_iter([3, 9999, 4])) == [3, 4]


def test_a_view_says_its_size_and_lists_nothing() -> None:
    G = lazy("digits")
    shown = [G.nodes, G.nodes(data="layer"), G.edges, G.in_edges, G.degree, G.adj, G.adj[64]]
    assert all(len(repr(v)) < 100 for v in shown)
    assert all("3,738" in repr(v) or "25,816" in repr(v) for v in shown[:-1])
    assert str(G) == "LazyDiGraph with 3738 nodes and 25816 edges"


CHANGES = {
    "add_node": (9999,),
    "add_nodes_from": ([9999],),
    "add_edge": (0, 1),
    "add_edges_from": ([(0, 1)],),
    "add_weighted_edges_from": ([(0, 1, 1.0)],),
    "remove_node": (0,),
    "remove_nodes_from": ([0],),
    "remove_edge": (0, 64),
    "remove_edges_from": ([(0, 64)],),
    "clear": (),
    "clear_edges": (),
    "update": ([(0, 1)],),
}


@pytest.mark.parametrize("method", CHANGES)
@pytest.mark.parametrize("name", ["digits", "parallel"])
def test_a_change_is_refused(name: str, method: str) -> None:
    with pytest.raises(nx.NetworkXError, match=r"can't be changed; G\.copy\(\) makes one that can"):
        getattr(lazy(name), method)(*CHANGES[method])


def test_no_change_vanishes() -> None:
    G = lazy("digits")
    with pytest.raises(nx.NetworkXError, match=r"G\.copy\(\)"):
        G.nodes[0]["x"] = 1
    with pytest.raises(nx.NetworkXError, match=r"G\.copy\(\)"):
        G[0][64]["weight"] = 1
    with pytest.raises(TypeError):
        G[0][65] = {}
    for _, data in G.nodes(data=True):
        with pytest.raises(nx.NetworkXError, match=r"G\.copy\(\)"):
            data["x"] = 1
        break
    for change in (
        lambda: nx.set_edge_attributes(G, 1, "x"),
        lambda: nx.add_path(G, [0, 1]),
        lambda: nx.relabel_nodes(G, {0: 1}, copy=False),
    ):
        with pytest.raises(nx.NetworkXError, match=r"G\.copy\(\)"):
            change()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "residual", "parallel"])
def test_a_copy_can_be_changed(name: str) -> None:
    G, E = lazy(name), expanded(name)
    H = G.copy()
    assert type(H) is type(E)
    assert edges(H) == edges(E)
    assert H.graph == E.graph
    H.add_edge("new", 0)
    assert "new" in H
    assert "new" not in G


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "residual", "parallel"])
def test_constructors_take_it(name: str) -> None:
    G, E = lazy(name), expanded(name)
    assert edges(type(E)(G)) == edges(E)
    assert edges(nx.Graph(G)) == edges(nx.Graph(E))
    assert edges(G.to_undirected()) == edges(E.to_undirected())
    assert edges(G.to_directed()) == edges(E)
    assert edges(nx.convert_node_labels_to_integers(G)) == edges(E)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["residual", "concat", "parallel"])
def test_views_show_what_they_do_of_the_expanded_graph(name: str) -> None:
    G, E = lazy(name), expanded(name)
    some = range(0, len(E), 2)
    for view in (
        lambda g: g.subgraph(some),
        lambda g: g.subgraph(some).subgraph(range(0, len(E), 4)),
        lambda g: g.edge_subgraph(list(E.edges)[::3]),
        lambda g: nx.subgraph_view(g, filter_node=lambda n: n % 3),
        lambda g: g.reverse(copy=False),
        lambda g: g.reverse(),
        nx.reverse_view,
        lambda g: g.copy(as_view=True),
        lambda g: g.to_undirected(as_view=True),
        lambda g: g.to_directed(as_view=True),
        nx.freeze,
    ):
        found, expected = view(G), view(E)
        assert set(found) == set(expected)
        assert edges(found) == edges(expected)
        assert dict(found.degree(weight="weight")) == pytest.approx(dict(expected.degree(weight="weight")), abs=1e-9)
        assert dict(found.nodes(data=True)) == dict(expected.nodes(data=True))


def test_what_is_made_of_its_class_is_networkxs_own() -> None:
    made = lazy("digits").__class__()
    made.add_edge(1, 2)
    assert isinstance(made, nx.DiGraph)
    assert list(made.edges) == [(1, 2)]
    assert nx.number_strongly_connected_components(made) == 2


@pytest.mark.parametrize("name", ["digits", "parallel"])
def test_pickled_and_copied(name: str) -> None:
    G = lazy(name)
    G.set_column("rank", range(len(G)))
    for other in (pickle.loads(pickle.dumps(G)), copy.deepcopy(G), pickle.loads(pickle.dumps(G.reverse(copy=False)))):
        assert type(other) is type(G)
        assert dict(other.nodes(data=True)) == dict(G.nodes(data=True))
    other = pickle.loads(pickle.dumps(G.reverse(copy=False)))
    assert sorted(other.edges) == sorted((v, u, *key) for u, v, *key in G.edges)


@sets_columns
def test_a_column_of_all_nodes() -> None:
    G = lazy("residual")
    ranks = nx.pagerank(G, weight=None)
    nx.set_node_attributes(G, ranks, "pagerank")
    nx.set_node_attributes(G, {n: n // 2 for n in G}, "half")
    nx.set_node_attributes(G, 1.5, "same")
    assert G.nodes[7]["pagerank"] == ranks[7]
    assert (G.nodes[7]["half"], G.nodes[7]["same"]) == (3, 1.5)
    assert dict(G.nodes(data="pagerank")) == dict(ranks)
    assert nx.get_node_attributes(G, "pagerank") == ranks
    assert G.copy().nodes[7] == G.nodes[7] == dict(G.nodes(data=True))[7]
    assert set(G.neuron_graph.columns) == {"pagerank", "half", "same"}
    assert not network("residual").columns


def test_a_column_without_networkx() -> None:
    G = lazy("residual")
    G.set_column("half", {n: n // 2 for n in G})
    G.set_column("rank", nx.pagerank(G, weight=None))
    assert G.nodes[7]["half"] == 3
    assert dict(G.nodes(data="rank")) == dict(nx.pagerank(G, weight=None))
    with pytest.raises(
        nx.NetworkXError, match=r"'x' has a value for 1 nodes; .* each of its [0-9]+ nodes; G\.copy\(\)"
    ):
        G.set_column("x", {0: 1})


@sets_columns
def test_a_column_that_is_none_is_refused() -> None:
    G = lazy("residual")
    with pytest.raises(
        nx.NetworkXError, match=r"'x' has a value for 1 nodes; .* each of its [0-9]+ nodes; G\.copy\(\)"
    ):
        nx.set_node_attributes(G, {0: 1.0}, "x")
    with pytest.raises(nx.NetworkXError, match="takes whole columns"):
        nx.set_node_attributes(G, {0: {"x": 1}})
    with pytest.raises(nx.NetworkXError, match=r"has shape .* expected"):
        nx.set_node_attributes(G, [1.0, 2.0], "rank")
    with pytest.raises(nx.NetworkXError, match="a column is named 'layer'"):
        nx.set_node_attributes(G, 1.0, "layer")


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("bias", np.zeros(3), "a column is named 'bias'; expected letters"),
        ("Id", np.zeros(3), "a column is named 'Id'"),
        ("page rank", np.zeros(3), "a column is named 'page rank'"),
        ("rank", np.zeros(3), r"column 'rank' has shape \(3,\) and type float64; expected \([0-9]+,\)"),
        ("rank", ["a"], "column 'rank' has shape"),
    ],
)
def test_a_column_is_checked(name: str, values: Any, message: str) -> None:
    with pytest.raises(Error, match=message):
        every_kind().with_column(name, values)


def test_networkx_finds_the_backend() -> None:
    """By the entry points of the package as it is installed."""
    assert entry_points(group="networkx.backends")["onnx2graphml"].load() is backend
    assert entry_points(group="networkx.backend_info")["onnx2graphml"].load() is get_info
    assert nx.config.backends.onnx2graphml.max_edges == get_info()["default_config"]["max_edges"]


def test_what_is_declared_is_what_there_is() -> None:
    assert sorted(FUNCTIONS) == sorted(OWN)
    assert FUNCTIONS.keys() - NEWER <= DISPATCHED


def test_without_entry_points_the_view_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nx.config, "backends", nx.utils.Config())
    with pytest.raises(Error, match=r"does not know the backend 'onnx2graphml'; it needs NetworkX 3\.4 or newer"):
        lazy("digits")


@pytest.mark.slow
def test_importing_networkx_loads_nothing_heavy() -> None:
    program = "import networkx, sys; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert "onnx2graphml" in loaded
    assert not {"onnx", "numba", "onnxruntime", "tensorflow", "torch"} & set(loaded)


def test_edges_that_their_terms_tell_apart_are_parallel() -> None:
    """In a square each value stands twice in the same sum."""
    axis = Axis(np.array([0, 0, 1]), np.array([0, 0, 0]), np.zeros(3, np.int64), np.array([0, 1, 2]))
    x = Layer("x", "Input", (2,), "input")
    graph = graph_of(x, Layer("y", "MatMul", (1,), incoming=(Incoming("x", EdgeBlock((axis,))),)))
    found = parallel_edges(graph)
    assert found is not None
    assert found.name == "y"
    G, E = graph.to_networkx(as_view=True), graph.to_networkx()
    assert G.is_multigraph()
    assert E.is_multigraph()
    assert [d["term"] for d in G[0][2].values()] == [d["term"] for d in E[0][2].values()] == [0, 1]
    assert parallel_edges(products()) is None
