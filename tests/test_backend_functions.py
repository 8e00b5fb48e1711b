"""NetworkX's functions on a graph that is not expanded, against the same functions of NetworkX on the expanded one."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import networkx as nx
import numpy as np
import pytest

from measured import SOURCES
from onnx2graphml.backend.functions import OWN
from onnx2graphml.backend.info import FUNCTIONS
from test_backend import DISPATCHED, expanded, lazy

EXACTLY = {"tol": 1e-15, "max_iter": 1000}  # of what NetworkX iterates

NETWORKS = [name for name in SOURCES if name not in ("parallel", "digits op")]


def plain(value: Any) -> Any:
    """A result for comparing."""
    if isinstance(value, Iterator):
        return [plain(v) for v in value]
    if isinstance(value, Mapping):
        return dict(value.items())
    return set(value) if isinstance(value, list) and isinstance(value[0], int) else value


def nodes(G: Any) -> list[int]:
    """An input, one in the middle, an output."""
    return [0, len(G) // 2, len(G) - 1]


CALLS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "pagerank": lambda G, exactly: nx.pagerank(G, weight="abs_weight", **exactly),
    "pagerank unweighted": lambda G, exactly: nx.pagerank(G, 0.5, weight=None, **exactly),
    "pagerank personalized": lambda G, exactly: nx.pagerank(
        G, personalization={0: 1, 3: 2.5}, weight="abs_weight", **exactly
    ),
    "pagerank dangling": lambda G, exactly: nx.pagerank(
        G, personalization={1: 2}, dangling={0: 1, 2: 3}, weight=None, **exactly
    ),
    "katz_centrality": lambda G, exactly: nx.katz_centrality(G, **exactly),
    "katz_centrality weighted": lambda G, exactly: nx.katz_centrality(
        G, 0.05, dict.fromkeys(G, 2.0), weight="weight", normalized=False, **exactly
    ),
    "katz_centrality_numpy": lambda G, _: nx.katz_centrality_numpy(G),
    "degree_centrality": lambda G, _: nx.degree_centrality(G),
    "in_degree_centrality": lambda G, _: nx.in_degree_centrality(G),
    "out_degree_centrality": lambda G, _: nx.out_degree_centrality(G),
    "density": lambda G, _: nx.density(G),
    "betweenness_centrality": lambda G, _: nx.betweenness_centrality(G),
    "betweenness_centrality k": lambda G, _: nx.betweenness_centrality(G, 5, normalized=False, seed=3),
    "closeness_centrality": lambda G, _: nx.closeness_centrality(G),
    "closeness_centrality u": lambda G, _: [nx.closeness_centrality(G, n, wf_improved=False) for n in nodes(G)],
    "harmonic_centrality": lambda G, _: nx.harmonic_centrality(G),
    "average_neighbor_degree": lambda G, _: nx.average_neighbor_degree(G, "in", "out", weight="abs_weight"),
    "core_number": lambda G, _: nx.core_number(G),
    "strongly_connected_components": lambda G, _: sorted(map(sorted, nx.strongly_connected_components(G))),
    "number_strongly_connected_components": lambda G, _: nx.number_strongly_connected_components(G),
    "is_strongly_connected": lambda G, _: nx.is_strongly_connected(G),
    "immediate_dominators": lambda G, _: nx.immediate_dominators(G, 0),
    "degree_assortativity_coefficient": lambda G, _: nx.degree_assortativity_coefficient(G),
    "modularity": lambda G, _: nx.community.modularity(G, [set(range(9)), set(range(9, len(G)))], "abs_weight"),
    "weakly_connected_components": lambda G, _: sorted(map(sorted, nx.weakly_connected_components(G))),
    "number_weakly_connected_components": lambda G, _: nx.number_weakly_connected_components(G),
    "is_weakly_connected": lambda G, _: nx.is_weakly_connected(G),
    "is_directed_acyclic_graph": lambda G, _: nx.is_directed_acyclic_graph(G),
    "topological_generations": lambda G, _: nx.topological_generations(G),
    "ancestors": lambda G, _: [nx.ancestors(G, n) for n in nodes(G)],
    "descendants": lambda G, _: [nx.descendants(G, n) for n in nodes(G)],
    "has_path": lambda G, _: [nx.has_path(G, u, v) for u in nodes(G) for v in nodes(G)],
    "single_source_shortest_path_length": lambda G, _: nx.single_source_shortest_path_length(G, 0, 3),
    "single_target_shortest_path_length": lambda G, _: dict(nx.single_target_shortest_path_length(G, len(G) - 1)),
    "single_source_dijkstra_path_length": lambda G, _: nx.single_source_dijkstra_path_length(
        G, 0, weight="abs_weight", cutoff=2
    ),
    "single_source_bellman_ford_path_length": lambda G, _: nx.single_source_bellman_ford_path_length(G, 0),
    "shortest_path_length": lambda G, _: nx.shortest_path_length(G, source=1),
    "shortest_path_length to": lambda G, _: dict(nx.shortest_path_length(G, target=len(G) - 1)),
    "dag_longest_path_length": lambda G, _: nx.dag_longest_path_length(G),
    "dag_longest_path_length by edges": lambda G, _: nx.dag_longest_path_length(G, weight=None),
}  # fmt: skip


PARALLEL = {
    "pagerank", "degree_centrality", "in_degree_centrality", "out_degree_centrality", "ancestors", "descendants",
    "has_path", "density", "topological_generations", "is_directed_acyclic_graph", "is_weakly_connected",
    "weakly_connected_components", "number_weakly_connected_components", "single_source_shortest_path_length",
}  # fmt: skip
"""What parallel edges don't change, or NetworkX counts one by one, too."""

SLOW = {"betweenness_centrality", "closeness_centrality", "harmonic_centrality", "katz_centrality_numpy"}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("call", CALLS)
def test_is_what_networkx_finds(call: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nx.config.backends.onnx2graphml, "max_edges", 0)  # so that nothing can be expanded
    G, E = lazy(name), expanded(name)
    if "dangling" in call and not (E.out_degree(0) and E.out_degree(1)):
        pytest.skip("its first neurons lead nowhere")
    if call == "betweenness_centrality k" and nx.__version__.startswith("3.4"):
        pytest.skip("NetworkX scales it up from 3.5 on")
    if E.is_multigraph() and call.split()[0] not in PARALLEL:
        pytest.skip("parallel edges are refused")
    if call in SLOW and len(E) > 1500:
        pytest.skip("NetworkX takes minutes")
    try:
        expected = plain(CALLS[call](E, EXACTLY))
    except nx.PowerIterationFailedConvergence:
        pytest.skip("NetworkX's iteration does not converge")
    found = plain(CALLS[call](G, {}))
    if isinstance(expected, float) and not math.isfinite(expected):
        assert not math.isfinite(found)  # nothing by nothing, or what rounding leaves of it
    elif isinstance(expected, dict | float):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)
    else:
        assert found == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", ["residual", "concat"])  # the largest singular value occurs once there
@pytest.mark.parametrize("normalized", [True, False])
def test_hits(name: str, normalized: bool) -> None:
    theirs = nx.hits(expanded(name), 10_000, 1e-14, normalized=normalized)
    for got, expected in zip(nx.hits(lazy(name), normalized=normalized), theirs, strict=True):
        a, b = (np.array([x[n] for n in expected]) for x in (got, expected))
        np.testing.assert_allclose(a * (1 if normalized else np.sign(a @ b)), b, atol=1e-7 * np.abs(b).max())


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_shortest_paths(name: str) -> None:
    G, E = lazy(name), expanded(name)
    if E.is_multigraph():
        pytest.skip("an edge is not one by its ends")
    source = next(n for n in E if E.out_degree(n))
    reached = sorted(nx.descendants(E, source))
    for target in (reached[0], reached[len(reached) // 2], reached[-1]):
        for weight, length in (
            (None, lambda *ends: nx.shortest_path_length(E, *ends)),
            ("abs_weight", lambda *ends: nx.dijkstra_path_length(E, *ends, weight="abs_weight")),
            ("weight", lambda *ends: nx.bellman_ford_path_length(E, *ends)),
        ):
            method = "bellman-ford" if weight == "weight" else "dijkstra"
            path = nx.shortest_path(G, source, target, weight, method)
            assert (path[0], path[-1]) == (source, target)
            total = sum(1 if weight is None else E[u][v][weight] for u, v in itertools.pairwise(path))
            assert total == pytest.approx(length(source, target), abs=1e-9)
            assert nx.shortest_path_length(G, source, target, weight, method) == pytest.approx(total, abs=1e-9)
        assert nx.is_path(E, nx.bidirectional_shortest_path(G, source, target))
        assert nx.is_path(E, nx.dijkstra_path(G, source, target, "abs_weight"))
        assert nx.is_path(E, nx.bellman_ford_path(G, source, target))
        assert nx.dijkstra_path_length(G, source, target, "abs_weight") == pytest.approx(
            nx.dijkstra_path_length(E, source, target, "abs_weight")
        )
        assert nx.bellman_ford_path_length(G, source, target) == pytest.approx(
            nx.bellman_ford_path_length(E, source, target)
        )


@pytest.mark.parametrize("name", NETWORKS)
def test_orders_and_longest_paths(name: str) -> None:
    G, E = lazy(name), expanded(name)
    place = {n: k for k, n in enumerate(nx.topological_sort(G))}
    assert len(place) == len(E)
    assert all(place[u] < place[v] for u, v, *_ in E.edges)
    if E.is_multigraph():
        return
    path = nx.dag_longest_path(G)
    assert sum(E[u][v]["weight"] for u, v in itertools.pairwise(path)) == pytest.approx(nx.dag_longest_path_length(E))


@pytest.mark.parametrize("turn", [lambda g: g.reverse(copy=False), nx.reverse_view], ids=["reverse", "reverse_view"])
@pytest.mark.parametrize("name", ["residual", "concat", "random 1"])
def test_edges_the_other_way_round(name: str, turn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nx.config.backends.onnx2graphml, "max_edges", 0)
    G, E = turn(lazy(name)), expanded(name).reverse()
    for call in ("pagerank", "katz_centrality", "topological_generations", "dag_longest_path_length", "ancestors"):
        expected = plain(CALLS[call](E, EXACTLY if call[:4] in ("page", "katz") else {}))
        found = plain(CALLS[call](G, {}))
        assert found == (pytest.approx(expected, abs=1e-9) if isinstance(expected, dict | float) else expected)
    path = nx.shortest_path(G, len(E) - 1, 0) if nx.has_path(E, len(E) - 1, 0) else nx.dag_longest_path(G)
    assert nx.is_path(E, path)
    assert all(place in G for place in path)


def test_a_view_of_all_nodes_is_the_graph_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nx.config.backends.onnx2graphml, "max_edges", 0)
    G = lazy("digits")
    for view in (G.copy(as_view=True), G.to_directed(as_view=True), nx.reverse_view(nx.reverse_view(G))):
        assert nx.pagerank(view, weight=None) == nx.pagerank(G, weight=None)


def test_negative_weights_are_refused_where_they_have_no_meaning() -> None:
    G = lazy("digits")
    with pytest.raises(nx.NetworkXError, match=r"weights that are not negative.*use weight='abs_weight'"):
        nx.pagerank(G)
    for call in (
        lambda: nx.dijkstra_path(G, 0, 3737),
        lambda: nx.shortest_path_length(G, 0, 3737, "weight"),
        lambda: nx.single_source_dijkstra_path_length(G, 0),
    ):
        with pytest.raises(nx.NetworkXError, match=r"Dijkstra's method .* needs weights that are not negative"):
            call()


def test_errors_are_networkxs() -> None:
    G = lazy("digits")
    with pytest.raises(nx.NodeNotFound, match="Source -1 is not in G"):
        nx.has_path(G, -1, 0)
    with pytest.raises(nx.NodeNotFound, match="Target x is not in G"):
        nx.shortest_path(G, 0, "x")
    with pytest.raises(nx.NetworkXNoPath, match="No path between 3737 and 0"):
        nx.shortest_path(G, 3737, 0)
    with pytest.raises(nx.NetworkXNoPath, match="No path between 3737 and 0"):
        nx.shortest_path_length(G, 3737, 0)
    with pytest.raises(nx.NetworkXError, match="The node 9999 is not in the graph"):
        nx.descendants(G, 9999)
    with pytest.raises(nx.NetworkXError, match="beta dictionary must have a value for every node"):
        nx.katz_centrality(G, beta={0: 1})
    with pytest.raises(nx.NetworkXError, match="beta must be a number"):
        nx.katz_centrality(G, beta="1")
    with pytest.raises(nx.NetworkXError, match="alpha is 2; expected a number from 0 to below 1"):
        nx.pagerank(G, 2, weight=None)


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() & DISPATCHED))
def test_parameters_are_networkxs(name: str) -> None:
    """By place and by name, with the same defaults, so that a call means the same."""
    own = inspect.signature(OWN[name]).parameters
    theirs = dict(inspect.signature(nx.utils.backends._registered_algorithms[name].orig_func).parameters)
    assert [(p.name, p.default) for p in own.values()] == [(p.name, p.default) for p in theirs.values()]


FALLBACKS: dict[str, Callable[[Any], Any]] = {
    "shortest paths to all": lambda G: nx.shortest_path(G, 0),
    "a function of edges": lambda G: nx.shortest_path_length(
        G, 0, max(nx.descendants(G, 0)), lambda u, v, d: abs(d["weight"])
    ),
    "reciprocity": lambda G: nx.overall_reciprocity(G),
    "transitive reduction": lambda G: sorted(nx.transitive_reduction(G).edges),
    "a subgraph": lambda G: nx.pagerank(G.subgraph(range(0, len(G), 2)), weight=None),
    "of several graphs": lambda G: sorted(nx.compose_all([G, G]).edges),
    "isomorphic": lambda G: nx.faster_could_be_isomorphic(G, G),
    "matrix": lambda G: nx.to_scipy_sparse_array(G).toarray().tolist(),
}


@pytest.mark.parametrize("call", FALLBACKS)
@pytest.mark.parametrize("name", ["residual", "depthwise"])
def test_what_has_no_method_is_networkxs_on_the_expanded_graph(call: str, name: str) -> None:
    assert FALLBACKS[call](lazy(name)) == FALLBACKS[call](expanded(name))


def test_a_graph_is_expanded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from onnx2graphml.backend import interface

    made, expand = [], interface.expanded
    monkeypatch.setattr(interface, "expanded", lambda graph: made.append(graph) or expand(graph))
    G = lazy("concat")
    for _ in range(3):
        nx.overall_reciprocity(G)
    assert len(made) == 1
    G.set_column("one", 1.0)
    assert nx.attribute_assortativity_coefficient(G, "one") is not None  # the column is in what was expanded
    assert len(made) == 2


def test_parallel_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nx.config.backends.onnx2graphml, "max_edges", 0)
    G, E = lazy("parallel"), expanded("parallel")
    for call in ("pagerank", "pagerank unweighted", "degree_centrality", "density", "descendants", "ancestors"):
        expected = plain(CALLS[call](E, EXACTLY if call.startswith("page") else {}))
        assert plain(CALLS[call](G, {})) == (pytest.approx(expected) if isinstance(expected, dict) else expected)
    assert nx.dag_longest_path_length(G) == nx.dag_longest_path_length(E)
    np.testing.assert_array_equal(sorted(nx.topological_sort(G)), sorted(E))
