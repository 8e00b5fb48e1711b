"""Closeness and harmonic centrality: how near all those are from which a neuron can be reached."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from onnx2graphml.engine.passes import backward
from onnx2graphml.errors import TooLargeError
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.betweenness import MOST_SOURCES
from onnx2graphml.measures.brandes import FAR, searches
from onnx2graphml.measures.chains import chain_of
from onnx2graphml.measures.dimensions import NotAChain
from onnx2graphml.measures.relations import product
from onnx2graphml.measures.values import Array, NodeValues


def closeness_centrality(graph: NeuronGraph, wf_improved: bool = True) -> NodeValues:
    """Closeness by in-edges, as in NetworkX: the number of neurons that reach a neuron over the sum of their distances.

    With `wf_improved` that is multiplied by their share of all other neurons, (r - 1) / (n - 1). A neuron that none
    reaches has 0. Exact for all neurons of a chain, however many; with branches from source to source.

    Raises:
        TooLargeError: there are branches and more than 20,000 neurons.

    Source: Wasserman and Faust, Social network analysis, 1994; `networkx.closeness_centrality`.
    """
    reached, distances, n = np.zeros(graph.neurons), np.zeros(graph.neurons), graph.neurons
    for neurons, number, distance in _reaching(graph, "closeness"):
        reached[neurons] += number
        distances[neurons] += distance * number
    found = np.divide(reached, distances, out=np.zeros(n), where=distances > 0)
    return NodeValues(graph, found * reached / (n - 1) if wf_improved and n > 1 else found)


def harmonic_centrality(graph: NeuronGraph) -> NodeValues:
    """The sum over all neurons that reach a neuron of one over their distance, as in NetworkX; otherwise as closeness.

    Source: Boldi and Vigna, Axioms for centrality, 2014; `networkx.harmonic_centrality`.
    """
    found = np.zeros(graph.neurons)
    for neurons, number, distance in _reaching(graph, "harmonic centrality"):
        found[neurons] += number / distance
    return NodeValues(graph, found)


def eccentricity(graph: NeuronGraph) -> NodeValues:
    """By neuron, how far the farthest neuron is to which it leads, in edges of a shortest path; 0 where there is none.

    NetworkX has none of a directed graph without cycles: not every neuron leads to every other. Exact for all neurons
    of a chain, where it is one pass; with branches from source to source.

    Raises:
        TooLargeError: there are branches and more than 20,000 neurons.

    Example:
        >>> import onnx2graphml
        >>> far = eccentricity(onnx2graphml.load("fixtures/digits.onnx"))
        >>> far[0], far[3737]
        (9, 0)
    """
    found = np.zeros(graph.neurons, np.int64)
    if _is_chain(graph):
        found = backward(graph, found, semiring="max").astype(np.int64)
        return NodeValues(graph, found)
    _refuse_many(graph, "eccentricity", "it has branches")
    for sources, search in searches(graph, range(graph.neurons)):
        found[list(sources)] = np.where(search.distance < FAR, search.distance, 0).max(1)
    return NodeValues(graph, found)


def _is_chain(graph: NeuronGraph) -> bool:
    """Whether all edges into a layer come from the one before it: all paths between two neurons have one length."""
    pairs = itertools.pairwise(graph.layers)
    return not graph.layers[0].incoming and all({i.source for i in y.incoming} <= {x.name} for x, y in pairs)


def _refuse_many(graph: NeuronGraph, measure: str, reason: object) -> None:
    if graph.neurons > MOST_SOURCES:
        raise TooLargeError(
            f"{measure} of {graph.neurons:,} neurons is found only in a chain of layers, and {reason}; "
            f"choose a sub-network or a quotient"
        )


def _reaching(graph: NeuronGraph, measure: str) -> Iterator[tuple[slice, Array, int]]:
    """Neurons, how many others have a given distance to each of them, and that distance."""
    try:
        chain = chain_of(graph)
    except NotAChain as reason:
        _refuse_many(graph, measure, reason)
        yield from _by_search(graph, range(graph.neurons))
        return
    for k, layer in enumerate(graph.layers):
        own = chain.own(k)
        for i in range(k):
            parts = {t: t.between[i, k].joined(0) for t in chain.tracks}
            others = np.prod([float(np.ravel(part)[0]) for t, part in parts.items() if t not in own])
            number = np.broadcast_to(others * product([parts[t] for t in own]), chain.radices[k])
            yield slice(layer.first_id, layer.first_id + layer.neurons), number.ravel(), k - i


def _by_search(graph: NeuronGraph, sources: Sequence[int]) -> Iterator[tuple[slice, Array, int]]:
    everyone = slice(0, graph.neurons)
    for _, search in searches(graph, sources):
        for distance in np.unique(search.distance).tolist():
            if 0 < distance < FAR:
                yield everyone, (search.distance == distance).sum(0).astype(np.float64), distance
