"""Which measures there are by name, and which of them are taken by default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from onnx2graphml import measures
from onnx2graphml.errors import Error, did_you_mean
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.values import NodeValues

WEIGHTS = {"none": None, "abs": "abs_weight", "signed": "weight"}
"""What edges weigh, and the engine's word for it."""
OF_INPUT = {"none": None, "abs": "abs_contribution", "signed": "contribution"}
"""The same in a graph with an input."""


@dataclass(frozen=True)
class Measure:
    """A measure of neurons.

    Attributes:
        of: makes it from a graph and the engine's word for a weight.
        weighted: whether it depends on weights.
        about: what it is, in a few words.
    """

    of: Callable[[NeuronGraph, str | None], NodeValues]
    weighted: bool
    about: str


MEASURES = {
    "in_degree": Measure(lambda g, _: measures.in_degree(g), False, "number of in-edges"),
    "out_degree": Measure(lambda g, _: measures.out_degree(g), False, "number of out-edges"),
    "in_strength": Measure(measures.in_degree, True, "sum of the in-edges' weights"),
    "out_strength": Measure(measures.out_degree, True, "sum of the out-edges' weights"),
    "pagerank": Measure(lambda g, w: measures.pagerank(g, weight=w), True, "PageRank, alpha 0.85"),
    "katz_centrality": Measure(
        lambda g, w: measures.katz_centrality(g, weight=w), True, "Katz centrality, alpha 0.1"
    ),
    "betweenness_centrality": Measure(
        lambda g, _: measures.betweenness_centrality(g), False, "share of shortest paths, by number of edges"
    ),
    "closeness_centrality": Measure(
        lambda g, _: measures.closeness_centrality(g), False, "inverse mean distance from what leads to it"
    ),
    "harmonic_centrality": Measure(
        lambda g, _: measures.harmonic_centrality(g), False, "sum of inverse distances from what leads to it"
    ),
    "core_number": Measure(lambda g, _: measures.core_number(g), False, "largest k of a k-core that has it"),
    "average_neighbor_degree": Measure(
        lambda g, w: measures.average_neighbor_degree(g, weight=w), True, "mean out-degree of its successors"
    ),
}  # fmt: skip
"""By name, which is NetworkX's where NetworkX has it."""

DEFAULT = (
    "in_degree", "out_degree", "in_strength", "out_strength", "pagerank", "katz_centrality", "betweenness_centrality",
)  # fmt: skip
"""Under a minute for VGG16; what a network is too large for is left out, and told."""


def chosen(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """Names of measures: those given, as a list or separated by commas; the default ones if None.

    Raises:
        Error: there is no measure of that name.

    Example:
        >>> chosen("pagerank,in_degree")
        ('pagerank', 'in_degree')
    """
    if names is None:
        return DEFAULT
    found = tuple(names.split(",") if isinstance(names, str) else names)
    for name in found:
        if name not in MEASURES:
            raise Error(f"no measure is named {name!r}{did_you_mean(name, MEASURES)}; there are {', '.join(MEASURES)}")
    if len(set(found)) < len(found) or not found:
        raise Error(f"measures are {', '.join(found)!r}; expected each once, and at least one")
    return found


def weight_of(name: str, has_input: bool = False) -> str | None:
    """The engine's word for `none`, `abs` or `signed`: of weights, or of contributions in a graph with an input."""
    if name not in WEIGHTS:
        raise Error(f"weight is {name!r}; expected {', '.join(WEIGHTS)}")
    return (OF_INPUT if has_input else WEIGHTS)[name]
