"""NetworkX's functions of single nodes that have a method of their own: a number for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np

from onnx2graphml import measures
from onnx2graphml.backend.measured import Measured, NoMethod
from onnx2graphml.backend.own import Node, Values, id_of, own, refuse_parallel
from onnx2graphml.measures.values import NodeValues


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
    refuse_parallel(G)
    if max_iter < 1:
        raise NoMethod("no iteration is allowed")
    return _katz(G, alpha, beta, normalized, weight)


@own
def katz_centrality_numpy(
    G: Measured, alpha: float = 0.1, beta: Any = 1.0, normalized: bool = True, weight: Any = None
) -> Values:
    """The same."""
    refuse_parallel(G)
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
def hits(
    G: Measured, max_iter: int = 100, tol: float = 1.0e-8, nstart: Values | None = None, normalized: bool = True
) -> tuple[Values, Values]:
    """By the layers' singular vectors; where the largest value occurs more than once, one of many."""
    if max_iter < 1:
        raise NoMethod("no iteration is allowed")
    hubs, authorities = measures.hits(G.measured, G.weight("weight"), normalized)
    return G.by_node(hubs), G.by_node(authorities)


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
    refuse_parallel(G)
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
    lengths = measures.single_target_shortest_path_length(G.measured, id_of(G, u)).values()
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
    refuse_parallel(G)
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
