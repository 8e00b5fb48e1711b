"""NetworkX's functions that have a method of their own: its parameters and errors, over this package's measures."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import networkx as nx
import numpy as np

from onnx2graphml import measures
from onnx2graphml.backend.measured import Measured, NoMethod
from onnx2graphml.errors import Error
from onnx2graphml.measures.dag import ancestors_mask, descendants_mask
from onnx2graphml.measures.values import NodeValues, check_not_negative

Node = Hashable
Values = Mapping[Any, Any]

OWN: dict[str, Callable[..., Any]] = {}
"""By the name that NetworkX's dispatcher has for it."""


def own(function: Callable[..., Any]) -> Callable[..., Any]:
    """Note a function as one with a method of its own. A mistake of the call is NetworkX's error."""

    def run(G: Measured, *args: Any, **kwargs: Any) -> Any:
        try:
            return function(G, *args, **kwargs)
        except Error as e:
            if G.is_converted:
                raise NoMethod(str(e)) from e
            raise nx.NetworkXError(str(e)) from e

    run.__doc__, run.__name__, run.__wrapped__ = function.__doc__, function.__name__, function  # type: ignore[attr-defined]
    OWN[function.__name__] = run
    return run


def _simple(G: Measured) -> None:
    """Parallel edges count once here, and as many in passes."""
    if G.is_multigraph():
        raise NoMethod("parallel edges")


def _only_here(G: Measured) -> None:
    """NetworkX watches its own graphs for changes while they are gone through."""
    if G.is_converted:
        raise NoMethod("a graph that may change")


# Whole graphs


@own
def is_directed_acyclic_graph(G: Measured) -> bool:
    """A network has no cycles."""
    return True


@own
def topological_generations(G: Measured) -> Iterator[list[Node]]:
    """By the longest path that leads to a node."""
    _only_here(G)
    generation = measures.topological_generations(G.measured).array
    order = np.argsort(generation, kind="stable")
    bounds = np.searchsorted(generation[order], np.arange(generation.max(initial=-1) + 2))
    return (G.nodes_of(order[a:b]) for a, b in itertools.pairwise(bounds))


@own
def topological_sort(G: Measured) -> Iterator[Node]:
    """In the order of ids."""
    _only_here(G)
    return iter(G.nodes_of(np.arange(len(G))))


@own
def weakly_connected_components(G: Measured) -> Iterator[set[Node]]:
    """By the smallest id in each."""
    labels = measures.weakly_connected_components(G.measured).array
    order = np.argsort(labels, kind="stable")
    bounds = np.flatnonzero(np.diff(labels[order], prepend=-1, append=-1))
    return (set(G.nodes_of(order[a:b])) for a, b in itertools.pairwise(bounds))


@own
def number_weakly_connected_components(G: Measured) -> int:
    """The number of different labels."""
    return measures.number_weakly_connected_components(G.measured)


@own
def is_weakly_connected(G: Measured) -> bool:
    """Whether there is one component."""
    if not len(G):
        raise nx.NetworkXPointlessConcept("Connectivity is undefined for the null graph.")
    return bool(number_weakly_connected_components(G) == 1)


@own
def degree_assortativity_coefficient(
    G: Measured, x: Any = "out", y: Any = "in", weight: Any = None, nodes: Any = None
) -> float:
    """Pearson's correlation of degrees over the edges."""
    if nodes is not None:
        raise NoMethod("of some nodes")
    return measures.degree_assortativity_coefficient(G.measured, x, y, G.weight(weight))


@own
def modularity(G: Measured, communities: Any, weight: Any = "weight", resolution: float = 1) -> float:
    """Of a given partition."""
    sets = [set(c) for c in communities]
    if sum(map(len, sets)) != len(G) or not all(node in G for c in sets for node in c):
        raise nx.community.quality.NotAPartition(G, sets)
    labels = np.full(len(G), -1)
    for label, nodes in enumerate(sets):
        labels[[G.id(node) for node in nodes]] = label
    if (labels < 0).any():
        raise nx.community.quality.NotAPartition(G, sets)
    return measures.modularity(G.measured, labels, G.weight(weight), resolution)


# Centralities


@own
def pagerank(
    G: Measured,
    alpha: float = 0.85,
    personalization: Values | None = None,
    max_iter: int = 100,
    tol: float = 1.0e-6,
    nstart: Values | None = None,
    weight: Any = "weight",
    dangling: Values | None = None,
) -> Values:
    """Exact, by one pass: nothing is iterated, so that `max_iter`, `tol` and `nstart` don't matter."""
    if max_iter < 1:
        raise NoMethod("no iteration is allowed")
    found = measures.pagerank(
        G.measured, alpha, _by_id(G, personalization), weight=G.weight(weight), dangling=_by_id(G, dangling)
    )
    return G.by_node(found)


def _by_id(G: Measured, values: Values | None) -> Any:
    if values is None or isinstance(values, NodeValues):
        return values
    return {G.id(node): value for node, value in values.items() if node in G}


@own
def katz_centrality(
    G: Measured,
    alpha: float = 0.1,
    beta: Any = 1.0,
    max_iter: int = 1000,
    tol: float = 1.0e-6,
    nstart: Values | None = None,
    normalized: bool = True,
    weight: Any = None,
) -> Values:
    """Exact, by one pass, for every `alpha`."""
    _simple(G)
    if max_iter < 1:
        raise NoMethod("no iteration is allowed")
    return _katz(G, alpha, beta, normalized, weight)


@own
def katz_centrality_numpy(
    G: Measured, alpha: float = 0.1, beta: Any = 1.0, normalized: bool = True, weight: Any = None
) -> Values:
    """The same."""
    _simple(G)
    return _katz(G, alpha, beta, normalized, weight)


def _katz(G: Measured, alpha: float, beta: Any, normalized: bool, weight: Any) -> Values:
    if isinstance(beta, Mapping):
        if set(beta) != set(G):  # type: ignore[call-overload]
            raise nx.NetworkXError("beta dictionary must have a value for every node")
        beta = _by_id(G, beta)
    elif not isinstance(beta, int | float):
        raise nx.NetworkXError("beta must be a number")
    return G.by_node(measures.katz_centrality(G.measured, alpha, beta, normalized, G.weight(weight)))


@own
def degree_centrality(G: Measured) -> Values:
    """Degree / (n - 1)."""
    return G.by_node(measures.degree_centrality(G.measured))


@own
def in_degree_centrality(G: Measured) -> Values:
    """In-degree / (n - 1)."""
    return G.by_node(measures.in_degree_centrality(G.measured))


@own
def out_degree_centrality(G: Measured) -> Values:
    """Out-degree / (n - 1)."""
    return G.by_node(measures.out_degree_centrality(G.measured))


@own
def betweenness_centrality(
    G: Measured,
    k: int | None = None,
    normalized: bool = True,
    weight: Any = None,
    endpoints: bool = False,
    seed: Any = None,
) -> Values:
    """All nodes at once where layers make a chain; elsewhere from source to source, or from `k` of them."""
    _simple(G)
    if weight is not None or endpoints or (k is not None and G.is_converted):
        raise NoMethod("only by the number of edges, and without the ends of paths")
    return G.by_node(measures.betweenness_centrality(G.measured, k, normalized, seed))


@own
def closeness_centrality(G: Measured, u: Node = None, distance: Any = None, wf_improved: bool = True) -> Any:
    """By the number of edges; all nodes at once where layers make a chain."""
    if distance is not None:
        raise NoMethod("only by the number of edges")
    if u is None:
        return G.by_node(measures.closeness_centrality(G.measured, wf_improved))
    lengths = measures.single_target_shortest_path_length(G.measured, _found(G, u)).values()
    reached, total = len(lengths) - 1, sum(lengths)
    share = reached / (len(G) - 1) if wf_improved and len(G) > 1 else 1.0
    return reached / total * share if total else 0.0


@own
def harmonic_centrality(G: Measured, nbunch: Any = None, distance: Any = None, sources: Any = None) -> Values:
    """By the number of edges; all nodes at once where layers make a chain."""
    if nbunch is not None or distance is not None or sources is not None:
        raise NoMethod("only of all nodes, by the number of edges")
    return G.by_node(measures.harmonic_centrality(G.measured))


@own
def average_neighbor_degree(
    G: Measured, source: Any = "out", target: Any = "out", nodes: Any = None, weight: Any = None
) -> Values:
    """The average degree of each node's neighbours."""
    _simple(G)
    if nodes is not None:
        raise NoMethod("of some nodes")
    return G.by_node(measures.average_neighbor_degree(G.measured, source, target, G.weight(weight)))


@own
def core_number(G: Measured) -> Values:
    """Edges taken without their direction."""
    return G.by_node(measures.core_number(G.measured))


@own
def immediate_dominators(G: Measured, start: Node) -> Values:
    """The last node that all paths from `start` have in common."""
    if start not in G:
        raise nx.NetworkXError("start is not in G")
    found = measures.immediate_dominators(G.measured, G.id(start))
    nodes = np.fromiter(found, np.int64, len(found))
    parents: dict[Any, Any] = dict(zip(G.nodes_of(nodes), G.nodes_of(found.array[nodes]), strict=True))
    older = tuple(map(int, nx.__version__.split(".")[:2])) < (3, 6)
    return {start: start, **parents} if older else parents


# Paths


@own
def ancestors(G: Measured, source: Node) -> set[Node]:
    """All nodes with a path to `source`."""
    return _reached(G, source, ancestors_mask)


@own
def descendants(G: Measured, source: Node) -> set[Node]:
    """All nodes that a path from `source` leads to."""
    return _reached(G, source, descendants_mask)


def _reached(G: Measured, source: Node, mask: Callable[..., Any]) -> set[Node]:
    if source not in G:
        raise nx.NetworkXError(f"The node {source} is not in the graph.")
    return set(G.nodes_of(np.flatnonzero(mask(G.measured, G.id(source)))))


@own
def has_path(G: Measured, source: Node, target: Node) -> bool:
    """Whether `target` is a descendant."""
    return measures.has_path(G.measured, _found(G, source), _found(G, target, "Target"))


def _found(G: Measured, node: Node, what: str = "Source") -> int:
    if node not in G:
        raise nx.NodeNotFound(f"{what} {node} is not in G")
    return G.id(node)


@own
def shortest_path(
    G: Measured, source: Node = None, target: Node = None, weight: Any = None, method: str = "dijkstra"
) -> list[Node]:
    """From one node to another."""
    if source is None or target is None or method not in ("dijkstra", "bellman-ford"):
        raise NoMethod("only from one node to another")
    return _path(G, source, target, weight, method)


@own
def bidirectional_shortest_path(G: Measured, source: Node, target: Node) -> list[Node]:
    """The path with the fewest edges."""
    return _path(G, source, target, None, "bellman-ford")


@own
def dijkstra_path(G: Measured, source: Node, target: Node, weight: Any = "weight") -> list[Node]:
    """The shortest path; no weight may be negative."""
    return _path(G, source, target, weight, "dijkstra")


@own
def bellman_ford_path(G: Measured, source: Node, target: Node, weight: Any = "weight") -> list[Node]:
    """The shortest path; weights may be negative."""
    return _path(G, source, target, weight, "bellman-ford")


def _path(G: Measured, source: Node, target: Node, weight: Any, method: str) -> list[Node]:
    length = _length(G, weight, method)
    return G.nodes_of(np.array(measures.shortest_path(G.measured, *_ends(G, source, target), length)))


def _ends(G: Measured, source: Node, target: Node) -> tuple[int, int]:
    """The ids of two nodes with a path between them."""
    ends = _found(G, source), _found(G, target, "Target")
    if not measures.has_path(G.measured, *ends):
        raise nx.NetworkXNoPath(f"No path between {source} and {target}.")
    return ends


def _length(G: Measured, weight: Any, method: str) -> Any:
    """The weight by which paths are measured."""
    if callable(weight):
        raise NoMethod("a function of an edge")
    found = G.weight(weight)
    if method == "dijkstra":
        check_not_negative(G.measured, found, "Dijkstra's method ('bellman-ford' does not)")
    return found


@own
def shortest_path_length(
    G: Measured, source: Node = None, target: Node = None, weight: Any = None, method: str = "dijkstra"
) -> Any:
    """From one node to another, from one to all, or from all to one."""
    if (source is None and target is None) or method not in ("dijkstra", "bellman-ford"):
        raise NoMethod("between all pairs")
    if source is None:
        return _lengths(G, target, weight, method, "to")
    if target is None:
        return _lengths(G, source, weight, method, "from")
    return _one_length(G, source, target, weight, method)


@own
def dijkstra_path_length(G: Measured, source: Node, target: Node, weight: Any = "weight") -> Any:
    """The length of the shortest path; no weight may be negative."""
    return _one_length(G, source, target, weight, "dijkstra")


@own
def bellman_ford_path_length(G: Measured, source: Node, target: Node, weight: Any = "weight") -> Any:
    """The length of the shortest path; weights may be negative."""
    return _one_length(G, source, target, weight, "bellman-ford")


def _one_length(G: Measured, source: Node, target: Node, weight: Any, method: str) -> Any:
    length = _length(G, weight, method)
    return measures.shortest_path_length(G.measured, *_ends(G, source, target), length)


@own
def single_source_shortest_path_length(G: Measured, source: Node, cutoff: float | None = None) -> Values:
    """Numbers of edges."""
    return _lengths(G, source, None, "bellman-ford", "from", cutoff)


@own
def single_target_shortest_path_length(G: Measured, target: Node, cutoff: float | None = None) -> Values:
    """Numbers of edges."""
    return _lengths(G, target, None, "bellman-ford", "to", cutoff)


@own
def single_source_dijkstra_path_length(
    G: Measured, source: Node, cutoff: float | None = None, weight: Any = "weight"
) -> Values:
    """Sums of weights, none of which may be negative."""
    return _lengths(G, source, weight, "dijkstra", "from", cutoff)


@own
def single_source_bellman_ford_path_length(G: Measured, source: Node, weight: Any = "weight") -> Values:
    """Sums of weights."""
    return _lengths(G, source, weight, "bellman-ford", "from")


def _lengths(G: Measured, node: Node, weight: Any, method: str, direction: Any, cutoff: float | None = None) -> Values:
    id = _found(G, node, "Source" if direction == "from" else "Target")
    found = measures.distances(G.measured, id, _length(G, weight, method), direction)
    if cutoff is not None:
        near = found.array <= cutoff
        found = NodeValues(found.graph, found.array, near if found.present is None else near & found.present)
    return G.by_node(found)


@own
def dag_longest_path_length(G: Measured, weight: Any = "weight", default_weight: int = 1) -> float:
    """The length of the longest path."""
    return measures.dag_longest_path_length(G.measured, G.weight(weight))


@own
def dag_longest_path(
    G: Measured, weight: Any = "weight", default_weight: int = 1, topo_order: Any = None
) -> list[Node]:
    """The longest path."""
    if not len(G):
        return []
    return G.nodes_of(np.array(measures.dag_longest_path(G.measured, G.weight(weight))))
