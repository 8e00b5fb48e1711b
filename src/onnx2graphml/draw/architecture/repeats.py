"""Repeats: parts of a network that stand several times in a row, each fed only by the one before it.

A layer that no edge leads past is a cut; the layers after one cut, up to the next, are a part. Two parts are alike if
their layers, one for one, have equal operators, shapes, types, activations and numbers, and equal connections. So what
repeats is found as in a text whose letters are parts. Weights may differ.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from onnx2graphml.graph.graph import NeuronGraph

LEAST = 2  # layers that a fold must save to be worth its frame


@dataclass(frozen=True)
class Fold:
    """A part of a network that stands several times in a row: the last layer of each copy feeds the next copy.

    Attributes:
        copies: the names of each copy's layers, in the graph's order; the first copy is drawn, for all.
    """

    copies: tuple[tuple[str, ...], ...]

    @property
    def drawn(self) -> tuple[str, ...]:
        """The layers that are drawn."""
        return self.copies[0]

    @property
    def saved(self) -> int:
        """The number of layers that are not drawn."""
        return len(self.drawn) * (len(self.copies) - 1)


def repeats(graph: NeuronGraph) -> tuple[Fold, ...]:
    """The repeats of a network, no two of which have a layer in common: the largest first found, then the rest.

    Example:
        >>> import onnx2graphml
        >>> repeats(onnx2graphml.load("fixtures/digits.onnx"))
        ()
    """
    position = {layer.name: p for p, layer in enumerate(graph.layers)}
    parts = _parts(graph, position)
    names = [layer.name for layer in graph.layers]
    known: dict[Hashable, int] = {}
    letters = [known.setdefault(_letter(graph, part, position), len(known)) for part in parts]

    def copies(run: _Run) -> tuple[tuple[str, ...], ...]:
        whole = [parts[p : p + run.period] for p in range(run.first, run.last, run.period)]
        return tuple(tuple(names[copy[0].start : copy[-1].stop]) for copy in whole)

    def told_by_names(run: _Run) -> int:
        return sum(_common(copy) for copy in copies(run))

    runs = _runs(letters, [len(part) for part in parts], 0, len(parts))
    return tuple(Fold(copies(max(run.shifts(), key=told_by_names))) for run in runs)


def _common(names: Sequence[str]) -> int:
    """The number of characters with which all names begin; framework's names say so where a block begins."""
    first, last = min(names), max(names)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))


def _parts(graph: NeuronGraph, position: Mapping[str, int]) -> list[range]:
    """Positions of layers, cut after each layer that no edge leads past."""
    furthest = list(range(len(graph.layers)))
    for p, layer in enumerate(graph.layers):
        for incoming in layer.incoming:
            furthest[position[incoming.source]] = p
    parts, start, reach = [], 0, 0
    for p in range(len(graph.layers)):
        if reach <= p:
            parts.append(range(start, p + 1))
            start = p + 1
        reach = max(reach, furthest[p])
    return parts


def _letter(graph: NeuronGraph, part: range, position: Mapping[str, int]) -> Hashable:
    """Equal for parts that are alike. An input or an output of the network is like no other layer."""
    letter = []
    for layer in (graph.layers[p] for p in part):
        joined = tuple((position[i.source] - part.start, i.port, i.block.count) for i in layer.incoming)
        own = layer.name if layer.aggregation == "input" or layer.name in graph.outputs else ""
        same = (layer.op, layer.shape, layer.aggregation, layer.activation, str(layer.dtype), layer.parameters)
        letter.append((own, *same, joined))
    return tuple(letter)


@dataclass(frozen=True)
class _Run:
    """Letters that repeat after `period`, `times` in all; as well from each of the next `slack` letters on."""

    first: int
    period: int = 1
    times: int = 1
    slack: int = 0
    saved: int = 0

    @property
    def last(self) -> int:
        return self.first + self.period * self.times

    def shifts(self) -> list[_Run]:
        """Where else the repeat might as well begin: its copies are then others, and as many."""
        return [dataclasses.replace(self, first=self.first + k) for k in range(self.slack + 1)]


def _runs(letters: Sequence[int], sizes: Sequence[int], low: int, high: int) -> list[_Run]:
    """Repeats within letters low … high-1, in order."""
    best = _largest(letters, sizes, low, high)
    if best.saved < LEAST:
        return []
    before = _runs(letters, sizes, low, best.first)
    return [*before, best, *_runs(letters, sizes, best.last + best.slack, high)]


def _largest(letters: Sequence[int], sizes: Sequence[int], low: int, high: int) -> _Run:
    """The repeat that saves most layers; of those the one of the shortest period, the earliest."""
    best = _Run(low)
    for period in range(1, (high - low) // 2 + 1):
        alike = 0
        for p in range(high - period - 1, low - 1, -1):  # backwards: alike is how far the letters repeat from here on
            alike = alike + 1 if letters[p] == letters[p + period] else 0
            if alike < period:
                continue
            saved = sum(sizes[p : p + period]) * (alike // period)
            if saved > best.saved or (saved == best.saved and period == best.period):
                best = _Run(p, period, alike // period + 1, alike % period, saved)
    return best
