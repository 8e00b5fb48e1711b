"""Who is joined to whom, by degree."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from onnx2graphml.engine.passes import in_sum, out_sum
from onnx2graphml.engine.semirings import Weight
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.degrees import degree, in_degree, out_degree
from onnx2graphml.measures.values import Array, NodeValues

Direction = Literal["in", "out", "in+out"]


def degree_assortativity_coefficient(
    graph: NeuronGraph, x: Direction = "out", y: Direction = "in", weight: Weight = None
) -> float:
    """Pearson's correlation over all edges of a degree of the source, `x`, with a degree of the target, `y`.

    Args:
        x, y: `in` or `out`.
        weight: for degrees that are sums of weights; every edge counts once in any case, as in NetworkX.

    Returns:
        NaN where one of the two is the same at all edges.

    Source: Newman, Mixing patterns in networks, 2003; `networkx.degree_assortativity_coefficient`.

    Example:
        >>> import onnx2graphml
        >>> round(degree_assortativity_coefficient(onnx2graphml.load("fixtures/digits.onnx")), 12)
        -0.377994267233
    """
    starts, ends, m = _degrees(graph, "out", None), _degrees(graph, "in", None), max(graph.edges, 1)
    plain = {"in": ends, "out": starts, "in+out": starts + ends} if weight is None else {}
    sources, targets = (plain[d] if d in plain else _degrees(graph, d, weight) for d in (x, y))
    sources, targets = sources - (starts @ sources) / m, targets - (ends @ targets) / m
    together = out_sum(graph, targets) @ sources
    sizes = (starts @ sources**2) * (ends @ targets**2)
    return float(together / math.sqrt(sizes)) if sizes > 0 else math.nan


def average_neighbor_degree(
    graph: NeuronGraph, source: Direction = "out", target: Direction = "out", weight: Weight = None
) -> NodeValues:
    """The average degree of each neuron's neighbours; 0 where it has none.

    Args:
        source: who is a neighbour: at `out`-edges, `in`-edges, or both, `in+out`.
        target: which degree of theirs is averaged.
        weight: what neighbours are weighted by.

    Source: Barrat et al., The architecture of complex weighted networks, 2004; `networkx.average_neighbor_degree`.
    """
    degrees = _degrees(graph, target, None)
    sums = np.zeros(graph.neurons)
    if "out" in source:
        sums = sums + out_sum(graph, degrees, weight=weight)
    if "in" in source:
        sums = sums + in_sum(graph, degrees, weight=weight)
    own = _degrees(graph, source, weight)
    return NodeValues(graph, np.divide(sums, own, out=np.zeros(graph.neurons), where=own != 0))


def _degrees(graph: NeuronGraph, direction: Direction, weight: Weight) -> Array:
    kinds = {"in": in_degree, "out": out_degree, "in+out": degree}
    if direction not in kinds:
        raise Error(f"a degree is {direction!r}; expected 'in', 'out' or 'in+out'")
    return kinds[direction](graph, weight).array.astype(np.float64)
