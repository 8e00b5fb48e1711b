"""All the edges that one ONNX node makes from one tensor to its output, as a product of axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis, Ints

Floats = npt.NDArray[Any]
Side = Literal["source", "target"]

ONE = np.ones(1, np.float32)
INNER = 1 << 14  # entries of a tile's inner axis, which so stays in the processor's cache; one axis may be longer
TILE = 1 << 16  # edges of a tile


@dataclass(frozen=True, eq=False)
class Edges:
    """Expanded edges.

    Attributes:
        source: int64 positions, flat and row-major, in the source and the target tensor.
        target: int64 positions, flat and row-major, in the source and the target tensor.
        weight: float, in the type of the block's weights.
        term: int64; None where the edges have none.
        contribution: weight · value of the source; of a graph with an input, otherwise None.
        winner: int8, there: of a candidate whether it was chosen, 1 or 0; -1 of what is no candidate.
    """

    source: Ints
    target: Ints
    weight: Floats
    term: Ints | None = None
    contribution: Floats | None = None
    winner: npt.NDArray[np.int8] | None = None

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True, eq=False)
class EdgeBlock:
    """A Cartesian product of axes: one entry chosen from each axis is one edge.

        source = Σ axis.source
        target = Σ axis.target
        weight = weights[Σ axis.tap]
        term   = Σ axis.term

    Different choices of targets give different sums, and likewise for sources: an operator builds its axes from the
    digits of positions in its tensors.

    Attributes:
        axes: the factors; the first varies slowest where edges are put in order.
        weights: 1-D; several edges may share one.

    Example:
        A 3x3 kernel over a 4x4 picture, padded by 1:

        >>> side = ax.window(input=4, output=4, kernel=3, pad=1)
        >>> block = EdgeBlock((side.strided(4, 4, 3), side.strided(1, 1, 1)), np.ones(9, np.float32))
        >>> block.count
        100
    """

    axes: tuple[Axis, ...]
    weights: Floats = field(default_factory=lambda: ONE)

    def __post_init__(self) -> None:
        if self.weights.ndim != 1:
            raise ValueError(f"a block's weights must be one-dimensional, got shape {self.weights.shape}")
        if self.weights.dtype not in (np.float32, np.float64):
            raise ValueError(f"a block's weights must be float32 or float64, got {self.weights.dtype}")
        if self.count:  # compiled loops read where a tap points, whatever is there
            least, most = (sum(int(end(a.tap)) for a in self.axes) for end in (np.min, np.max))
            if not 0 <= least <= most < self.weights.size:
                raise ValueError(f"a block's taps run from {least} to {most}; it has {self.weights.size} weights")

    @property
    def count(self) -> int:
        """The number of edges, exact, without expanding them."""
        return math.prod(len(axis) for axis in self.axes)

    @property
    def is_selection(self) -> bool:
        """Whether every edge has the one weight 1: values are moved, not multiplied."""
        return self.weights.size == 1 and bool(self.weights[0] == 1)

    @property
    def has_terms(self) -> bool:
        """Whether its edges have terms: of a product that is summed up, or of candidates."""
        return any(axis.term is not None for axis in self.axes)

    @property
    def terms(self) -> int:
        """The number of terms that a target may have: they run from 0 to one less."""
        return 1 + sum(int(a.term.max(initial=0)) for a in self.axes if a.term is not None)

    def stored(self) -> Iterator[EdgeBlock]:
        """What the block is made of, in order: itself, unless its edges are somewhere else, such as in a file."""
        yield self

    def cut(self, limit: int) -> Iterator[EdgeBlock]:
        """The block as blocks of at most `limit` edges, in order; none if it has no edges."""
        if self.count <= limit:
            if self.count:
                yield self
            return
        axis = next(i for i, a in enumerate(self.axes) if len(a) > 1)  # the slowest: the order stays
        entries = len(self.axes[axis])
        whole = max(1, limit * entries // self.count)  # entries that a block may have
        for part in self.split(axis, -(-entries // whole)):
            yield from part.cut(limit)

    def into_terms(self, terms: int) -> EdgeBlock:
        """The block into a table of `terms` columns: its targets are then target · terms + term."""
        return self._part(
            tuple(
                Axis(a.source, a.target * terms if a.term is None else a.target * terms + a.term, a.tap)
                for a in self.axes
            )
        )

    def _part(self, axes: tuple[Axis, ...]) -> EdgeBlock:
        """Some of this block's edges: entries of its axes, which need no second check."""
        part = object.__new__(EdgeBlock)
        object.__setattr__(part, "axes", axes)
        object.__setattr__(part, "weights", self.weights)
        return part

    def offsets(self, side: Side) -> list[Ints]:
        """Per axis, its offsets on one side."""
        return [getattr(axis, side) for axis in self.axes]

    def arguments(self) -> tuple[Ints | Floats, ...]:
        """A tile, which has two axes, as the compiled loops take it."""
        outer, inner = self.axes
        arrays = (outer.source, outer.target, outer.tap, inner.source, inner.target, inner.tap)
        return (*map(np.ascontiguousarray, arrays), self.weights)

    def tiles(self, edges: int = TILE) -> Iterator[EdgeBlock]:
        """The block cut into blocks of two axes and at most `edges` edges, in order: what compiled loops work on."""
        if self.count == 0:
            return
        pieces, slow = self._fast_and_slow(edges)
        rows, step = math.prod(len(a) for a in slow), max(1, edges // sum(len(p) for p in pieces))
        for first in range(0, rows, step):
            outer = _entries(slow, first, min(first + step, rows))
            for inner in pieces:
                yield self._part((outer, inner))

    def _fast_and_slow(self, edges: int) -> tuple[list[Axis], list[Axis]]:
        """Inner axes to go through for each entry of the product of the others: one, or an overlong one in pieces."""
        single = [a for a in self.axes if len(a) == 1]  # they only move the block, wherever they stand
        axes = [a for a in self.axes if len(a) > 1]
        cut, inner = len(axes), 1
        while cut and inner * len(axes[cut - 1]) <= min(INNER, edges):
            cut -= 1
            inner *= len(axes[cut])
        if axes and inner == 1:
            *slow, last = axes
            return [last[k : k + edges] for k in range(0, len(last), edges)], [*single, *slow]
        return [ax.product(axes[cut:])], [*single, *axes[:cut]]

    def expand(self, edges: int = TILE) -> Iterator[Edges]:
        """The edges, in chunks of at most `edges`, always in the same order: that of the axes, the last fastest."""
        from onnx2graphml.graph import kernels

        terms = self.terms if self.has_terms else 0
        for tile in (self.into_terms(terms) if terms else self).tiles(edges):
            n = tile.count
            out = Edges(np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, self.weights.dtype))
            kernels.expand(*tile.arguments(), out.source, out.target, out.weight)
            yield Edges(out.source, *_split(out.target, terms, out.weight)) if terms else out

    def split(self, axis: int, parts: int) -> list[EdgeBlock]:
        """The block as at most `parts` blocks, cut along one axis; together they are the same edges.

        Cut along the first axis, they are also in the same order.
        """
        axis %= len(self.axes)
        n = len(self.axes[axis])
        bounds = [n * p // parts for p in range(parts + 1)]
        return [
            self._part((*self.axes[:axis], self.axes[axis][a:b], *self.axes[axis + 1 :]))
            for a, b in itertools.pairwise(bounds)
            if a < b
        ]

    def disjoint(self, parts: int) -> list[EdgeBlock]:
        """The block as at most `parts` blocks of which no two have a target in common; what threads may share out."""
        free = [k for k, a in enumerate(self.axes) if len(a) > 1 and ax.are_distinct(a.target)]
        return self.split(max(free, key=lambda k: len(self.axes[k])), parts) if free else [self]

    def select(self, side: Side, position: int) -> list[EdgeBlock]:
        """The edges that have `position` on one side, as blocks: in-edges with `side="target"`.

        Each axis keeps the entries of one digit of the position. No edge is expanded.
        """
        if self.count == 0:
            return []
        distinct = [ax.distinct(offsets) for offsets in self.offsets(side)]
        order = sorted(range(len(distinct)), key=lambda i: -int(distinct[i][-1]))  # long strides decide first
        found = []
        for digits in _digits([distinct[i] for i in order], position):
            axes = list(self.axes)
            for i, digit in zip(order, digits, strict=True):
                axes[i] = axes[i][getattr(axes[i], side) == digit]
            found.append(self._part(tuple(axes)))
        return found

    def within(self, first: int, last: int) -> list[EdgeBlock]:
        """The edges whose targets are first … last-1, as blocks whose targets count from `first`."""
        order = sorted(range(len(self.axes)), key=lambda i: -int(self.axes[i].target.max(initial=0)))
        spans = [(int(a.target.min()), int(a.target.max())) for a in (self.axes[i] for i in order) if len(a)]
        if len(spans) < len(order):
            return []
        moved = ax.shift(target=-first)
        return [
            self._part((moved, *(chosen[order.index(i)] for i in range(len(self.axes)))))
            for chosen in _between([self.axes[i] for i in order], spans, first, last)
        ]

    def has_repeats(self) -> bool:
        """Whether edges, told apart by their terms, join the same two positions."""
        if not self.has_terms:
            return False
        pairs = [np.stack([axis.source, axis.target]) for axis in self.axes]
        return any(len(np.unique(pair, axis=1).T) < len(pair.T) for pair in pairs)

    def degree(self, side: Side) -> int:
        """The greatest number of edges that any one position has on one side."""
        if self.count == 0:
            return 0
        return math.prod(int(np.unique(o, return_counts=True)[1].max()) for o in self.offsets(side))

    def covers(self, side: Side) -> Ints:
        """The distinct positions that have an edge on one side, in ascending order."""
        return np.sort(ax.outer_sum([ax.distinct(offsets) for offsets in self.offsets(side)]))

    def apply(self, x: Floats, size: int) -> Floats:
        """`y = W x`: the sum over in-edges of weight · x, in float64.

        Args:
            x: the source's values, flat.
            size: the number of target positions.
        """
        return _apply(self, x, size)

    def apply_transposed(self, y: Floats, size: int) -> Floats:
        """`x = Wᵀ y`: the sum over out-edges of weight · y, in float64; `size` is the number of source positions."""
        return _apply(self.flipped(), y, size)

    def flipped(self) -> EdgeBlock:
        """The block with source and target exchanged."""
        return EdgeBlock(tuple(axis.flipped() for axis in self.axes), self.weights)


def _apply(block: EdgeBlock, x: Floats, size: int) -> Floats:
    from onnx2graphml.graph import kernels

    values, total = np.ascontiguousarray(x, np.float64), np.zeros(size)
    for tile in block.tiles():
        kernels.add_products(*tile.arguments(), values, total)
    return total


def _entries(axes: Sequence[Axis], first: int, last: int) -> Axis:
    """Entries first … last-1 of the product of the axes."""
    if not axes:
        return ax.shift()
    index = np.unravel_index(np.arange(first, last), [len(a) for a in axes])
    return ax.summed([axis[i] for axis, i in zip(axes, index, strict=True)])


def _split(target: Ints, terms: int, weight: Floats) -> tuple[Ints, Floats, Ints]:
    """Target, weight and term of edges into a table of so many columns."""
    position, term = np.divmod(target, terms)
    return position, weight, term


def _between(axes: Sequence[Axis], spans: Sequence[tuple[int, int]], first: int, last: int) -> Iterator[list[Axis]]:
    """The entries of axes whose targets add up to first … last-1, as products; `spans` are the targets' ends."""
    least, most = sum(low for low, _ in spans), sum(high for _, high in spans)
    if first <= least and most < last:
        yield list(axes)
        return
    if most < first or last <= least:
        return
    head, *rest = axes
    low, high = least - spans[0][0], most - spans[0][1]
    inside = (head.target + low >= first) & (head.target + high < last)
    if inside.any():
        yield [head[inside], *rest]
    outside = (head.target + high < first) | (head.target + low >= last)
    for digit in ax.distinct(head.target[~inside & ~outside]).tolist():
        for others in _between(rest, spans[1:], first - digit, last - digit):
            yield [head[head.target == digit], *others]


def _digits(distinct: Sequence[Ints], position: int) -> Iterator[tuple[int, ...]]:
    """The ways to write `position` as a sum of one number from each ascending array."""
    if not distinct:
        if position == 0:
            yield ()
        return
    head, *rest = distinct
    least, most = sum(int(d[0]) for d in rest), sum(int(d[-1]) for d in rest)
    first, last = np.searchsorted(head, [position - most, position - least + 1])
    for digit in head[first:last].tolist():
        for others in _digits(rest, position - digit):
            yield (digit, *others)
