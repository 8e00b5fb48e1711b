"""What a graph of 40,000,000,000 edges does with all of NetworkX: work, or refuse before it gathers anything."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from typing import Any

import networkx as nx
import numpy as np
import pytest

from onnx2graphml.backend.functions import OWN
from onnx2graphml.errors import TooLargeError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer
from synthetic import graph_of

SIDE = 200_000
EDGES = SIDE * SIDE
SOON = 20.0  # seconds of a busy machine; all edges would take hours


@pytest.fixture(scope="module")
def large() -> Any:
    """Two layers, each neuron of the first joined to each of the second, all with the same weight."""
    every = (ax.relation(np.arange(SIDE), 0), ax.relation(0, np.arange(SIDE)))
    block = EdgeBlock(every, np.ones(1, np.float32))
    graph = graph_of(
        Layer("x", "Input", (SIDE,), "input"), Layer("y", "Gemm", (SIDE,), incoming=(Incoming("x", block),))
    )
    return graph.to_networkx(as_view=True)


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < SOON


@pytest.mark.slow
def test_what_is_read_from_the_blocks(large: Any) -> None:
    assert (len(large), large.number_of_edges(), large.size("weight")) == (2 * SIDE, EDGES, EDGES)
    assert large.degree[0] == large.in_degree[SIDE] == SIDE
    assert large.has_edge(0, SIDE)
    assert len(large[0]) == SIDE
    assert nx.density(large) == EDGES / (2 * SIDE * (2 * SIDE - 1))
    assert nx.degree_histogram(large)[SIDE] == 2 * SIDE
    assert nx.pagerank(large)[SIDE] == pytest.approx(1.85 / (2 * SIDE) / (1 + 0.85 / 2))
    assert nx.shortest_path(large, 5, SIDE + 7) == [5, SIDE + 7]
    assert len(nx.descendants(large, 3)) == SIDE
    assert nx.is_directed_acyclic_graph(large)
    assert nx.is_path(large, [3, SIDE + 3])
    assert "400,000 nodes" in repr(large.nodes)
    assert sum(1 for _ in large.nodes(data="layer")) == 2 * SIDE
    part = large.subgraph([0, 1, SIDE])
    assert sorted(part.edges) == [(0, SIDE), (1, SIDE)]
    assert nx.number_strongly_connected_components(part) == 3


def one_graph() -> list[str]:
    """The names of all functions that are dispatched, take one graph and nothing else, and have no method here."""
    found = []
    for name, function in nx.utils.backends._registered_algorithms.items():
        required = [
            p
            for p in inspect.signature(function.orig_func).parameters.values()
            if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        if name not in OWN and function.graphs and len(required) == 1 and not function.list_graphs:
            found.append(name)
    return found


@pytest.mark.parametrize("name", one_graph())
def test_a_function_without_a_method_refuses(name: str, large: Any) -> None:
    """At once, and by its name; NetworkX itself refuses first what is not for directed graphs."""
    function = nx.utils.backends._registered_algorithms[name]
    with pytest.raises((TooLargeError, nx.NetworkXError, nx.NetworkXNotImplemented)) as raised:
        next(iter(function(large)))  # what it yields, it yields late
    if raised.type is TooLargeError:
        assert f"nx.{name} has no method for graphs that are not expanded: the graph has 40,000,000,000" in str(
            raised.value
        )
        assert "more than nx.config.backends.onnx2graphml.max_edges = 2,000,000; " in str(raised.value)


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "write_graphml": (lambda G: nx.write_graphml(G, "/dev/null"), r"o2g\.write\(graph, path\)"),
    "write_gexf": (lambda G: nx.write_gexf(G, "/dev/null"), r"o2g\.write\(graph, path\)"),
    "write_gml": (lambda G: nx.write_gml(G, "/dev/null"), r"o2g\.write\(graph, path\)"),
    "write_edgelist": (lambda G: nx.write_edgelist(G, "/dev/null"), r"o2g\.write\(graph, path\)"),
    "write_adjlist": (lambda G: nx.write_adjlist(G, "/dev/null"), r"o2g\.write\(graph, path\)"),
    "write_pajek": (lambda G: nx.write_pajek(G, "/dev/null"), r"o2g\.write\(graph, path\)"),
    "node_link_data": (nx.node_link_data, r"o2g\.write\(graph, path\)"),
    "cytoscape_data": (nx.cytoscape_data, r"o2g\.write\(graph, path\)"),
    "all edges": (lambda G: list(G.edges), "this goes through all edges"),
    "all in-edges": (lambda G: list(G.in_edges(data=True)), "this goes through all edges"),
    "all nodes' data": (lambda G: list(G.nodes(data=True)), r"400,000 dictionaries.*G\.nodes\(data='layer'\)"),
    "adjacency": (lambda G: list(G.adjacency()), "this goes through all edges"),
    "adj": (lambda G: dict(G.adj), "this goes through all edges"),
    "adj.items": (lambda G: list(G.adj.items()), "this goes through all edges"),
    "values": (lambda G: list(G._pred.values()), "this goes through all edges"),
    "one after the other": (lambda G: [len(G[n]) for n in G], "this goes through all edges"),
    "copy": (lambda G: G.copy(), "a copy has all edges"),
    "reverse": (lambda G: G.reverse(), "a copy has all edges"),
    "to_undirected": (lambda G: G.to_undirected(as_view=True), "an undirected graph gathers all neighbours"),
    "all pairs": (nx.all_pairs_shortest_path_length, r"ask for one source, as nx\.single_source_shortest_path_length"),
    "eigenvectors": (nx.eigenvector_centrality, r"nx\.katz_centrality does"),
    "communities": (nx.community.greedy_modularity_communities, r"graph\.quotient\('channel'\)"),
    "layout": (nx.spring_layout, "nx.to_scipy_sparse_array has no method"),
    "a view with a filter": (
        lambda G: nx.overall_reciprocity(nx.subgraph_view(G, filter_node=lambda n: n % 2)),
        "nx.overall_reciprocity has no method",
    ),
    "a large subgraph": (
        lambda G: nx.pagerank(G.subgraph(range(0, 2 * SIDE, 2))),
        "nx.pagerank has no method",
    ),
    "a reversed view": (
        lambda G: nx.overall_reciprocity(nx.reverse_view(G)),
        "nx.overall_reciprocity has no method",
    ),
    "paths to all": (lambda G: nx.shortest_path(G, 0), "nx.shortest_path has no method"),
    "edge attributes": (lambda G: nx.get_edge_attributes(G, "weight"), "has no method|goes through all edges"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("call", REFUSED)
def test_what_would_gather_all_edges_refuses(call: str, large: Any) -> None:
    function, message = REFUSED[call]
    with pytest.raises(TooLargeError, match=message):
        function(large)


def test_a_constructor_refuses_in_networkxs_words(large: Any) -> None:
    with pytest.raises(nx.NetworkXError, match="Input is not a correct NetworkX graph") as raised:
        nx.DiGraph(large)
    assert isinstance(raised.value.__cause__, TooLargeError)


def test_the_limit_can_be_raised(large: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    part = large.neuron_graph.to_networkx(as_view=True)
    monkeypatch.setattr(nx.config.backends.onnx2graphml, "max_edges", EDGES - 1)
    with pytest.raises(
        TooLargeError, match=r"more than nx\.config\.backends\.onnx2graphml\.max_edges = 39,999,999,999"
    ):
        nx.overall_reciprocity(part)
