"""NetworkX's own graphs as blocks, and NetworkX's own tests on them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from onnx2graphml.backend.convert import ConvertedGraph, from_networkx
from onnx2graphml.backend.interface import backend

SUITE = Path(__file__).parents[1] / "tools" / "networkx_suite.py"


def drawn(seed: int, cls: Any = nx.DiGraph) -> Any:
    """A random acyclic graph whose nodes are not in a topological order."""
    order = [f"v{(7 * i) % 23}" for i in range(23)]
    g = cls()
    g.add_nodes_from(sorted(order))
    random = nx.gnp_random_graph(23, 0.2, seed=seed, directed=True)
    g.add_edges_from((order[u], order[v], {"cost": (u * v) % 5 - 1}) for u, v in random.edges if u < v)
    return g


def weights(graph: ConvertedGraph) -> dict[tuple[Any, Any], list[float]]:
    found: dict[tuple[Any, Any], list[float]] = {}
    for u, v, w in graph.neuron_graph.weighted_edges():
        found.setdefault((graph.labels[u], graph.labels[v]), []).append(w)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_edges_and_their_attribute_are_kept(seed: int) -> None:
    g = drawn(seed)
    found = from_networkx(g, edge_attrs={"cost": 1})
    assert weights(found) == {(u, v): [float(c)] for u, v, c in g.edges(data="cost")}
    assert weights(from_networkx(g, edge_attrs={"no such": 2.5})) == {e: [2.5] for e in g.edges}
    assert weights(from_networkx(g)) == {e: [1.0] for e in g.edges}
    assert sorted(found.labels) == sorted(g)
    assert backend.convert_to_nx(found) is g


def test_parallel_edges_are_kept() -> None:
    g = nx.MultiDiGraph([("a", "b", {"cost": 1}), ("a", "b", {"cost": 2}), ("b", "c", {"cost": 3})])
    found = from_networkx(g, edge_attrs={"cost": 1})
    assert found.is_multigraph()
    assert {e: sorted(w) for e, w in weights(found).items()} == {("a", "b"): [1.0, 2.0], ("b", "c"): [3.0]}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Note. conversions to backend graphs:UserWarning")
@pytest.mark.parametrize("seed", range(5))
def test_a_function_with_the_backend_named(seed: int) -> None:
    g = drawn(seed)
    for call in (
        lambda **by: nx.pagerank(g, weight=None, **({"tol": 1e-15, "max_iter": 1000} if not by else {}), **by),
        lambda **by: nx.betweenness_centrality(g, **by),
        lambda **by: nx.core_number(g, **by),
        lambda **by: nx.dag_longest_path_length(g, weight="cost", **by),
        lambda **by: dict(nx.single_source_bellman_ford_path_length(g, "v0", weight="cost", **by)),
        lambda **by: dict(nx.immediate_dominators(g, "v0", **by)),
        lambda **by: nx.descendants(g, "v0", **by),
        lambda **by: sorted(map(sorted, nx.weakly_connected_components(g, **by))),
    ):
        found, expected = call(backend="onnx2graphml"), call()
        assert found == (pytest.approx(expected) if isinstance(expected, dict | float) else expected)
        if isinstance(expected, dict):
            assert type(found) is dict


@pytest.mark.parametrize(
    ("graph", "wanted", "message"),
    [
        (nx.Graph([(1, 2)]), {}, "only directed graphs are converted"),
        (nx.DiGraph([(1, 2), (2, 1)]), {}, "only acyclic graphs are converted"),
        (nx.DiGraph([(1, 1)]), {}, "only acyclic graphs are converted"),
        (nx.DiGraph([(1, 2)]), {"preserve_edge_attrs": True}, "only one attribute of edges is converted"),
        (nx.DiGraph([(1, 2)]), {"edge_attrs": {"a": 1, "b": 1}}, "only one attribute of edges is converted"),
        (nx.DiGraph([(1, 2)]), {"edge_attrs": {"a": Decimal(1)}}, "only numbers are converted"),
        (nx.DiGraph([(1, 2)]), {"edge_attrs": {"a": True}}, "only numbers are converted"),
        (nx.DiGraph([(1, 2)]), {"edge_attrs": {"a": float("inf")}}, "only finite float64 is converted"),
        (nx.DiGraph([(1, 2)]), {"edge_attrs": {"a": 2**60}}, "only finite float64 is converted"),
    ],
)
def test_what_is_not_converted_is_left_to_networkx(graph: Any, wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(NotImplementedError, match=message):
        from_networkx(graph, **wanted)


def test_a_priority_takes_what_has_a_method_and_leaves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nx.config.backend_priority, "algos", ["onnx2graphml"])
    g = drawn(0)
    assert nx.descendants(g, "v0") == nx.descendants(g, "v0", backend="networkx")
    assert nx.number_strongly_connected_components(g) == 23
    cyclic = nx.cycle_graph(5, create_using=nx.DiGraph)
    assert sum(nx.pagerank(cyclic).values()) == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.parametrize("modules", [("algorithms/tests/test_dag.py", "algorithms/tests/test_dominance.py")])
def test_networkxs_own_tests_pass(modules: tuple[str, ...]) -> None:
    """A few of them; `tools/networkx_suite.py` runs all that call a function of the backend."""
    paths = [str(Path(nx.__file__).parent / m) for m in modules]
    done = subprocess.run([sys.executable, str(SUITE), *paths], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stdout[-2000:]
    counted = re.search(r"'passed': (\d+)\}; (\d+) tests ran on methods of the backend", done.stdout)
    assert counted is not None
    assert int(counted[1]) > 60
    assert int(counted[2]) > 25
