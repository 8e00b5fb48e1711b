"""PageRank and HITS."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from onnx2graphml.engine.passes import check_terms, forward, out_sum, positions
from onnx2graphml.engine.semirings import Weight
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.measures.lanczos import LayerMatrix
from onnx2graphml.measures.values import Array, NodeValues, PerNode, array_of, check_not_negative


def pagerank(
    graph: NeuronGraph,
    alpha: float = 0.85,
    personalization: PerNode | None = None,
    weight: Weight = None,
    dangling: PerNode | None = None,
) -> NodeValues:
    """PageRank, as in NetworkX, but exact: the network has no cycles, so that one pass in topological order solves it.

    The rank r is the solution of `r = alpha (P'r + m d) + (1 - alpha) p`, with P the weights of each neuron's out-edges
    divided by their sum, m the rank of the neurons without out-edges, d where it goes on, and p where walks start.

    Args:
        alpha: the share of rank that goes along edges, from 0 to below 1.
        personalization: p, in any scale; uniform where it is None.
        weight: None (each edge alike) or `abs_weight`. NetworkX's own default is the signed weight, which gives numbers
            without a meaning.
        dangling: d, in any scale; p where it is None.

    Raises:
        Error: weights are negative, `alpha` is out of range, or a distribution is negative or sums to zero.

    Source: Page, Brin, Motwani and Winograd, The PageRank citation ranking, 1999; `networkx.pagerank`.

    Example:
        >>> import onnx2graphml
        >>> ranks = pagerank(onnx2graphml.load("fixtures/digits.onnx"))
        >>> round(sum(ranks.values()), 12)
        1.0
    """
    if not 0 <= alpha < 1:
        raise Error(f"alpha is {alpha}; expected a number from 0 to below 1")
    check_not_negative(graph, weight, "pagerank")
    start = np.full(graph.neurons, 1 / max(graph.neurons, 1))
    if personalization is not None:
        start = _distribution(graph, personalization, "personalization")
    out = out_sum(graph, np.ones(graph.neurons), weight=weight)
    ends = out == 0
    scale = np.divide(alpha, out, out=np.zeros(graph.neurons), where=~ends)
    rank = forward(graph, start, weight=weight, source_scale=scale)
    if dangling is not None:
        again = _distribution(graph, dangling, "dangling")
        back = forward(graph, again, weight=weight, source_scale=scale)
        lost, returned = rank[ends].sum(), back[ends].sum()
        rank = (1 - alpha) * rank + alpha * (1 - alpha) * lost / (1 - alpha * returned) * back
    return NodeValues(graph, rank / rank.sum() if graph.neurons else rank)


def _distribution(graph: NeuronGraph, values: PerNode, what: str) -> Array:
    array = array_of(graph, values, what)
    if (array < 0).any() or not array.sum() > 0:
        raise Error(f"{what} has a negative number or sums to {array.sum():g}; expected a distribution over neurons")
    return np.asarray(array / array.sum())


def hits(graph: NeuronGraph, weight: Weight = "weight", normalized: bool = True) -> tuple[NodeValues, NodeValues]:
    """Hubs and authorities: the largest pair of singular vectors of the adjacency matrix, as in NetworkX.

    Layers that share no source have singular vectors of their own, and only the largest counts: in a chain all hubs are
    in one layer and all authorities in the next, and all other neurons have 0. Where two are equally large, the result
    is one of many.

    Args:
        weight: `weight` (signed, NetworkX's default), None, `abs_weight`, or a function of the weights.
        normalized: divide by the sums, which with signed weights can be near zero.

    Source: Kleinberg, Authoritative sources in a hyperlinked environment, 1999; `networkx.hits`.
    """
    best, authorities, at = 0.0, np.zeros(graph.neurons), positions(graph)
    for layers in _with_common_sources(graph):
        for layer in layers:
            check_terms(layer, weight)
        ((value, vector),) = LayerMatrix.of(graph, layers, weight).largest(1)
        if value > best:
            best, authorities = value, np.zeros(graph.neurons)
            authorities[np.concatenate([np.arange(graph.neurons)[at[x.name]] for x in layers])] = vector
    hubs = out_sum(graph, authorities, weight=weight)
    if normalized:
        hubs, authorities = (x / (x.sum() or 1.0) for x in (hubs, authorities))
    return NodeValues(graph, hubs), NodeValues(graph, authorities)


def _with_common_sources(graph: NeuronGraph) -> Iterator[list[Layer]]:
    """Groups of layers: those that have edges from the same layer, or are joined to each other by others that do."""
    groups: list[tuple[set[str], list[Layer]]] = []
    for layer in graph.layers:
        sources = {i.source for i in layer.incoming}
        if sources:
            shared = [g for g in groups if g[0] & sources]
            groups = [g for g in groups if not g[0] & sources]
            groups.append((sources.union(*(g[0] for g in shared)), [x for g in shared for x in g[1]] + [layer]))
    return (layers for _, layers in groups)
