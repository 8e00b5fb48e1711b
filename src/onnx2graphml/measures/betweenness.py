"""Betweenness: exact for all neurons of a chain at once; from source to source where there are branches."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np

from onnx2graphml.errors import TooLargeError
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.brandes import dependencies
from onnx2graphml.measures.chains import Chain, chain_of
from onnx2graphml.measures.dimensions import NotAChain
from onnx2graphml.measures.relations import product, through
from onnx2graphml.measures.values import Array, NodeValues

MOST_SOURCES = 20_000
"""Of a network with branches; each takes a pass forward and one back."""


def betweenness_centrality(
    graph: NeuronGraph, k: int | None = None, normalized: bool = True, seed: int | random.Random | None = None
) -> NodeValues:
    """The sum over all pairs of other neurons of the share of their shortest paths that go through a neuron.

    Shortest by the number of edges. In a chain of layers it is found for all neurons at once, whatever their number.
    With branches, paths from one source after the other are followed, as Brandes does.

    Args:
        k: with branches, that many sources, drawn at random, in the place of all; as NetworkX, scaled up.
        normalized: divide by the number of pairs of other neurons, (n - 1) (n - 2).
        seed: for `k`; the sources are those that NetworkX draws with it.

    Raises:
        TooLargeError: there are branches, more than 20,000 neurons, and no `k`.

    Source: Brandes, A faster algorithm for betweenness centrality, 2001; `networkx.betweenness_centrality`.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> between = betweenness_centrality(graph, normalized=False)
        >>> round(between[graph.neuron("avgpool", (0, 0, 0))], 9)
        8660.347645148
    """
    n = graph.neurons
    try:
        chain = chain_of(graph) if k is None else None
    except NotAChain as reason:
        if n > MOST_SOURCES:
            raise TooLargeError(
                f"the betweenness of all {n:,} neurons is found only in a chain of layers, and {reason}; "
                f"pass k= for that many random sources"
            ) from None
        chain = None
    if chain is not None:
        found = np.concatenate([_of_layer(chain, j).ravel() for j in range(len(graph.layers))])
        return NodeValues(graph, found * _scale(n, n - 1, normalized))
    chosen = (
        range(n)
        if k is None
        else (seed if isinstance(seed, random.Random) else random.Random(seed)).sample(range(n), k)
    )
    found = dependencies(graph, chosen) * _scale(n, n - 1 if k is None else k, normalized)
    if k is not None:  # of the pairs that start at a source, none can have it in between
        found[list(chosen)] *= k / (k - 1) if k > 1 else np.nan
    return NodeValues(graph, found)


def _scale(n: int, sources: int, normalized: bool) -> float:
    if n < 3:
        return 1.0
    return 1 / (sources * (n - 2)) if normalized else (n - 1) / sources


def _of_layer(chain: Chain, j: int) -> Array:
    """The sums of one layer, in its dimensions: over all pairs of a layer before it and one after it."""
    own = chain.own(j)
    total = np.zeros([1] * len(own))
    for i, k in _pairs(j, len(chain.radices)):
        parts = {t: through(t.between[i, j], t.between[j, k], t.between[i, k]) for t in chain.tracks}
        others = np.prod([float(np.ravel(part)[0]) for t, part in parts.items() if t not in own])
        total = total + others * product([parts[t] for t in own])
    return np.broadcast_to(total, chain.radices[j])


def _pairs(j: int, layers: int) -> Iterator[tuple[int, int]]:
    return ((i, k) for i in range(j) for k in range(j + 1, layers))
