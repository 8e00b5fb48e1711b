"""NetworkX's functions of paths that have a method of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np

from onnx2graphml import measures
from onnx2graphml.backend.measured import Measured, NoMethod
from onnx2graphml.backend.own import Node, Values, id_of, own
from onnx2graphml.measures.dag import ancestors_mask, descendants_mask
from onnx2graphml.measures.values import NodeValues, check_not_negative


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
    return measures.has_path(G.measured, id_of(G, source), id_of(G, target, "Target"))


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
    ends = id_of(G, source), id_of(G, target, "Target")
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
    id = id_of(G, node, "Source" if direction == "from" else "Target")
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
