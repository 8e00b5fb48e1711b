"""Betweenness of edges: of a chain as blocks with other weights, with branches from source to source."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onnx2graphml.errors import TooLargeError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis, Ints
from onnx2graphml.graph.blocks import EdgeBlock, Edges
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.measures.brandes import Search, accumulated, searches
from onnx2graphml.measures.chains import Chain, Factor, Track, chain_of
from onnx2graphml.measures.dimensions import NotAChain
from onnx2graphml.measures.edge_values import EdgesBetween, EdgeValues
from onnx2graphml.measures.relations import Along, Relation, across, product
from onnx2graphml.measures.values import Array

MOST_EDGES = 2_000_000
"""Of a network with branches, whose edges are held one by one."""
NOTHING = Factor(None, None, Relation(1, 1))  # a track that has not begun, or has ended


def edge_betweenness_centrality(
    graph: NeuronGraph, k: int | None = None, normalized: bool = True, seed: int | None = None
) -> EdgeValues:
    """The sum over all pairs of neurons of the share of their shortest paths that go along an edge.

    Shortest by the number of edges. In a chain the values are again edge blocks, so that none is stored; with branches,
    edges are held one by one, and paths from one source after the other are followed.

    Args:
        k: with branches, that many sources, drawn at random, in the place of all.
        normalized: divide by the number of pairs of neurons, n (n - 1).
        seed: for `k`; the sources are those that NetworkX draws with it.

    Raises:
        TooLargeError: there are branches, and more than 2 million edges.

    Source: Brandes, On variants of shortest-path betweenness centrality, 2008;
    `networkx.edge_betweenness_centrality`.

    Example:
        >>> import onnx2graphml
        >>> between = edge_betweenness_centrality(onnx2graphml.load("fixtures/digits.onnx"), normalized=False)
        >>> round(max(value for _, value in between.items()), 6)
        8719.347645
    """
    n = graph.neurons
    try:
        chain = chain_of(graph) if k is None else None
    except NotAChain as reason:
        if graph.edges > MOST_EDGES:
            raise TooLargeError(
                f"the betweenness of {graph.edges:,} edges is found only in a chain of layers, and {reason}; "
                f"choose a sub-network or a quotient"
            ) from None
        chain = None
    sources = range(n) if k is None else random.Random(seed).sample(range(n), k)
    scale = (1 / (len(sources) * (n - 1)) if normalized else n / len(sources)) if n > 1 else 1.0
    if chain is not None:
        return EdgeValues(graph, tuple(_of_step(graph, chain, j, scale) for j in range(len(chain.steps))))
    return EdgeValues(graph, tuple(_by_search(graph, sources, scale)))


# ------------------------------------------------------------------------------------------------- in chains


def _of_step(graph: NeuronGraph, chain: Chain, j: int, scale: float) -> EdgesBetween:
    """The values of the edges between two layers: over all pairs of a layer up to the first and one from the second.

    A value for each combination of places that tracks join, but for those whose values are alike.
    """
    layer = graph.layers[j + 1]
    factors = dict(chain.steps[j])
    joined = [(t, *_pairs(f), f.axis) for t, f in ((t, factors.get(t, NOTHING)) for t in chain.tracks)]
    total = np.zeros([1] * len(joined))
    for i in range(j + 1):
        for k in range(j + 1, len(graph.layers)):
            total = total + product([_along(t, at, i, j, k) for t, at, _, _ in joined])
    block = layer.incoming[0].block
    taps: list[Ints] = [np.zeros(len(axis), np.int64) for axis in block.axes]
    for (_, _, entries, axis), size, stride in zip(joined, total.shape, ax.strides(total.shape), strict=True):
        if axis is not None and size > 1:
            taps[axis] += entries * stride
    axes = tuple(dataclasses.replace(a, tap=tap) for a, tap in zip(block.axes, taps, strict=True))
    return EdgesBetween(layer.incoming[0].source, layer.name, EdgeBlock(axes, total.ravel() * scale), None)


def _pairs(factor: Factor) -> tuple[tuple[Ints, Ints], Ints]:
    """The distinct pairs of places that a factor joins, and which of them each entry of its axis is."""
    source, target = np.broadcast_arrays(*map(np.asarray, factor.places))
    size = int(target.max(initial=0)) + 1
    codes, entries = np.unique(source.ravel() * size + target.ravel(), return_inverse=True)
    return (codes // size, codes % size), entries.reshape(-1)


def _along(track: Track, at: tuple[Ints, Ints], i: int, j: int, k: int) -> Along:
    between = track.between
    return across(between[i, j], between[j + 1, k], between[i, k], *at)


# --------------------------------------------------------------------------------------------- with branches


@dataclass(frozen=True, eq=False)
class _Listed:
    """The edges from one layer to another, one by one, with what has been added to each."""

    incoming: Incoming
    target: Layer
    edges: Edges
    values: Array

    @staticmethod
    def of(incoming: Incoming, target: Layer) -> _Listed:
        """All edges, with zeros."""
        parts = list(incoming.block.expand())
        columns = [np.concatenate([getattr(e, side) for e in parts] or [np.empty(0, np.int64)])
                   for side in ("source", "target")]  # fmt: skip
        source, end = columns
        return _Listed(incoming, target, Edges(source, end, np.empty(0)), np.zeros(len(source)))

    def block(self, scale: float) -> EdgeBlock:
        """The edges with their values."""
        places = np.arange(len(self.values))
        return EdgeBlock((Axis(self.edges.source, self.edges.target, places),), self.values * scale)


def _by_search(graph: NeuronGraph, sources: range | list[int], scale: float) -> list[EdgesBetween]:
    listed = [_Listed.of(i, layer) for layer in graph.layers for i in layer.incoming]
    for _, search in searches(graph, sources):
        _add_flows(graph, search, listed)
    return [EdgesBetween(x.incoming.source, x.target.name, x.block(scale), x.incoming.port) for x in listed]


def _add_flows(graph: NeuronGraph, search: Search, listed: Sequence[_Listed]) -> None:
    """Add to every edge what its sources' shortest paths bring: paths to it, over paths beyond, times what follows."""
    delta = accumulated(search)
    for x in listed:
        u = x.edges.source + graph.layer(x.incoming.source).first_id
        v = x.edges.target + x.target.first_id
        on_way = search.distance[:, u] + 1 == search.distance[:, v]
        paths = search.paths[:, v]
        shares = np.divide(search.paths[:, u] * (1 + delta[:, v]), paths, out=np.zeros_like(paths), where=paths > 0)
        np.add(x.values, np.where(on_way, shares, 0).sum(0), out=x.values)
