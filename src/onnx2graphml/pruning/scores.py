"""How much an edge or a neuron counts, by a measure; and which of them may go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml import measures
from onnx2graphml.engine.passes import out_sum
from onnx2graphml.errors import Error
from onnx2graphml.graph.blocks import Edges
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.measures.edge_values import EdgeValues, scaled

Floats = npt.NDArray[np.float64]
Key = tuple[str, int]
"""A layer, and which of its sources."""
EdgeScores = Mapping[Key, Floats]


def may_go(graph: NeuronGraph, layer: Layer, incoming: Incoming) -> bool:
    """Whether edges may be left out: trained ones, of which a neuron adds up several."""
    block = incoming.block
    trained = layer.parameters > 0 or graph.model is None
    alike = block.weights.size == 1 or bool((block.weights == block.weights[0]).all())
    several = block.count > 0 and sum(i.block.degree("target") for i in layer.incoming) > 1
    return layer.aggregation == "sum" and trained and several and not alike and not block.has_terms


def edges_that_may_go(graph: NeuronGraph) -> Iterator[tuple[Key, Layer, Incoming]]:
    """The sources of layers whose edges may be left out."""
    for layer in graph.layers:
        for number, incoming in enumerate(layer.incoming):
            if may_go(graph, layer, incoming):
                yield (layer.name, number), layer, incoming


def _weight(graph: NeuronGraph, values: Floats | None) -> EdgeValues:
    ones = np.ones(graph.neurons)
    return scaled(graph, ones, ones, "abs_weight")


def _contribution(graph: NeuronGraph, values: Floats | None) -> EdgeValues:
    if values is None:
        raise Error("contributions are what inputs make of the edges: give inputs, such as inputs='images.npy'")
    return scaled(graph, values, np.ones(graph.neurons), "abs_weight")


def _pagerank(graph: NeuronGraph, values: Floats | None) -> EdgeValues:
    """An edge's part of what goes out of its source."""
    rank = measures.pagerank(graph, weight="abs_weight").array
    leaving = out_sum(graph, np.ones(graph.neurons), weight="abs_weight")
    each = np.divide(rank, leaving, out=np.zeros(graph.neurons), where=leaving > 0)
    return scaled(graph, each, np.ones(graph.neurons), "abs_weight")


SCORES: dict[str, Callable[[NeuronGraph, Floats | None], EdgeValues]] = {
    "weight": _weight,
    "synflow": lambda graph, values: measures.synflow(graph),
    "contribution": _contribution,
    "pagerank": _pagerank,
    "betweenness": lambda graph, values: measures.edge_betweenness_centrality(graph),
}
"""By name: of every edge, |weight|; SynFlow's score; the mean of |weight · value| over inputs; PageRank that goes along
it; betweenness."""


def edge_scores(graph: NeuronGraph, by: str, values: Floats | None = None) -> dict[Key, Floats]:
    """The score of every edge that may go, in the order in which its block expands.

    Args:
        by: a key of `SCORES`.
        values: the mean absolute value of each neuron over some inputs, by id.
    """
    found = measure(by)(graph, values)
    number: dict[str, int] = {}
    scores = {}
    wanted = {key for key, _, _ in edges_that_may_go(graph)}
    for b in found.blocks:
        key = b.target, number.setdefault(b.target, 0)
        number[b.target] += 1
        if key in wanted:
            chunks: list[Edges] = list(b.block.expand())
            scores[key] = np.concatenate([np.zeros(0), *(e.weight for e in chunks)])
    return scores


def neuron_scores(graph: NeuronGraph, by: str, values: Floats | None = None) -> Floats:
    """The score of every neuron: its rank or betweenness, or the sum over its edges: of weights and SynFlow those that
    come in, of contributions those that go out."""
    if by == "pagerank":
        return np.asarray(measures.pagerank(graph, weight="abs_weight").array, np.float64)
    if by == "betweenness":
        return np.asarray(measures.betweenness_centrality(graph).array, np.float64)
    total = np.zeros(graph.neurons)
    for b in measure(by)(graph, values).blocks:
        source, target = graph.layer(b.source), graph.layer(b.target)
        for e in b.block.expand():
            at: Any = e.source + source.first_id if by == "contribution" else e.target + target.first_id
            np.add.at(total, at, e.weight)
    return total


def measure(by: str) -> Callable[[NeuronGraph, Floats | None], EdgeValues]:
    """The measure of a name; `Error` lists those that there are."""
    if by not in SCORES:
        raise Error(f"got {by!r}; expected a measure to prune by: {', '.join(SCORES)}")
    return SCORES[by]
