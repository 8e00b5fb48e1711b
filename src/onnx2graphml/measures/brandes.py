"""Shortest paths from many sources at once, level by level, and what depends on the neurons between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from onnx2graphml.engine.passes import positions
from onnx2graphml.engine.products import product
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.values import Array

VALUES = 1 << 22
"""How many distances are held at a time: sources times neurons."""
FAR = 1 << 30


@dataclass(frozen=True, eq=False)
class _Step:
    """A block, as one for several sources: their values lie one after the other."""

    source: slice
    target: slice
    block: EdgeBlock


@dataclass(frozen=True, eq=False)
class Search:
    """All shortest paths from some sources.

    Attributes:
        distance: by source and neuron, in edges; `FAR` where no path leads.
        paths: by source and neuron, the number of shortest paths.
        used: the levels that each block joins: its step, and the level of its sources.
    """

    distance: Array
    paths: Array
    used: list[tuple[_Step, int]]


def searches(graph: NeuronGraph, sources: Sequence[int]) -> Iterator[tuple[Sequence[int], Search]]:
    """The shortest paths from each source, as many sources at a time as memory allows."""
    together = max(1, min(len(sources), VALUES // max(1, graph.neurons)))
    for first in range(0, len(sources), together):
        chosen = sources[first : first + together]
        yield chosen, _search(graph, chosen)


def dependencies(graph: NeuronGraph, sources: Iterable[int]) -> Array:
    """For every neuron, the sum over all sources and all targets of the share of shortest paths that go through it."""
    total = np.zeros(graph.neurons)
    for chosen, search in searches(graph, list(sources)):
        delta = accumulated(search)
        delta[np.arange(len(chosen)), chosen] = 0
        total += delta.sum(0)
    return total


def _search(graph: NeuronGraph, sources: Sequence[int]) -> Search:
    distance = np.full((len(sources), graph.neurons), FAR, np.int64)
    distance[np.arange(len(sources)), sources] = 0
    paths = (distance == 0).astype(np.float64)
    at, used = positions(graph), []
    for layer in graph.layers:
        own = at[layer.name]
        steps = [_Step(at[i.source], own, _repeated(i.block, len(sources), i.source, graph, layer.neurons))
                 for i in layer.incoming]  # fmt: skip
        for step in steps:
            arrived = _through(step, distance[:, step.source], "least", False)
            distance[:, own] = np.minimum(distance[:, own], np.minimum(arrived, FAR - 1) + 1)
        for step in steps:
            for level in np.unique(distance[:, step.source]).tolist():
                reached = distance[:, own] == level + 1
                if level < FAR and reached.any():
                    used.append((step, level))
                    values = np.where(distance[:, step.source] == level, paths[:, step.source], 0)
                    paths[:, own] += np.where(reached, _through(step, values, "sum", False), 0)
    return Search(distance, paths, used)


def accumulated(search: Search) -> Array:
    """Brandes' dependencies: of each source on each neuron, from the last level to the first."""
    delta = np.zeros_like(search.paths)
    for step, level in reversed(search.used):
        paths, ends = search.paths[:, step.target], search.distance[:, step.target] == level + 1
        shares = np.divide(1 + delta[:, step.target], paths, out=np.zeros_like(paths), where=ends)
        starts = search.distance[:, step.source] == level
        back = _through(step, shares, "sum", True)
        delta[:, step.source] += np.where(starts, search.paths[:, step.source] * back, 0)
    return delta


def _repeated(block: EdgeBlock, times: int, source: str, graph: NeuronGraph, targets: int) -> EdgeBlock:
    """The block once for each source: one more axis."""
    copies = ax.same(times).strided(graph.layer(source).neurons, targets)
    return EdgeBlock((copies, *block.axes), block.weights)


def _through(step: _Step, values: Array, semiring: str, transpose: bool) -> Array:
    size = step.source if transpose else step.target
    neurons = size.stop - size.start
    return product(step.block, values.ravel(), len(values) * neurons, semiring, None, transpose).reshape(-1, neurons)
