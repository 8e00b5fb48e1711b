"""All the edges that one ONNX node makes from one tensor to its output, as a product of axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onnx2graphml import axes as ax
from onnx2graphml.axes import Axis, Ints

Floats = npt.NDArray[Any]
Side = Literal["source", "target"]

ONE = np.ones(1, np.float32)
INNER = 1 << 14  # entries of a tile's inner axis: its three arrays stay in the processor's cache
TILE = 1 << 16  # edges of a tile


@dataclass(frozen=True, eq=False)
class Edges:
    """Expanded edges.

    Attributes:
        source, target: int64 positions, flat and row-major, in the source and the target tensor.
        weight: float, in the type of the block's weights.
    """

    source: Ints
    target: Ints
    weight: Floats

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True, eq=False)
class EdgeBlock:
    """A Cartesian product of axes: one entry chosen from each axis is one edge.

        source = Σ axis.source
        target = Σ axis.target
        weight = weights[Σ axis.tap]

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

    @property
    def count(self) -> int:
        """The number of edges, exact, without expanding them."""
        return math.prod(len(axis) for axis in self.axes)

    @property
    def is_selection(self) -> bool:
        """Whether every edge has the one weight 1: values are moved, not multiplied."""
        return self.weights.size == 1 and self.weights[0] == 1

    def offsets(self, side: Side) -> list[Ints]:
        """Per axis, its offsets on one side."""
        return [getattr(axis, side) for axis in self.axes]

    def tiles(self, edges: int = TILE) -> Iterator[EdgeBlock]:
        """The block cut into blocks of two axes and at most `edges` edges, in order: what compiled loops work on."""
        if self.count == 0:
            return
        cut = len(self.axes)
        inner = 1
        while cut and inner * len(self.axes[cut - 1]) <= min(INNER, edges):
            cut -= 1
            inner *= len(self.axes[cut])
        if cut and inner == 1:  # the last axis alone is too long
            yield from self._slices_of_last_axis(edges)
            return
        fast, slow = ax.product(self.axes[cut:]), self.axes[:cut]
        rows, step = math.prod(len(a) for a in slow), max(1, edges // inner)
        for first in range(0, rows, step):
            yield EdgeBlock((_entries(slow, first, min(first + step, rows)), fast), self.weights)

    def _slices_of_last_axis(self, edges: int) -> Iterator[EdgeBlock]:
        *slow, last = self.axes
        for row in range(math.prod(len(a) for a in slow)):
            one = _entries(slow, row, row + 1)
            for first in range(0, len(last), edges):
                yield EdgeBlock((one, last[first : first + edges]), self.weights)

    def expand(self, edges: int = TILE) -> Iterator[Edges]:
        """The edges, in chunks of at most `edges`, always in the same order: that of the axes, the last fastest."""
        from onnx2graphml import kernels

        for tile in self.tiles(edges):
            outer, inner = tile.axes
            n = tile.count
            out = Edges(np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, self.weights.dtype))
            kernels.expand(
                outer.source, outer.target, outer.tap, inner.source, inner.target, inner.tap,
                self.weights, out.source, out.target, out.weight,
            )  # fmt: skip
            yield out

    def split(self, axis: int, parts: int) -> list[EdgeBlock]:
        """The block as at most `parts` blocks, cut along one axis; together, in order, they are the same edges."""
        n = len(self.axes[axis])
        bounds = [n * p // parts for p in range(parts + 1)]
        return [
            EdgeBlock((*self.axes[:axis], self.axes[axis][a:b], *self.axes[axis + 1 :]), self.weights)
            for a, b in itertools.pairwise(bounds)
            if a < b
        ]

    def select(self, side: Side, position: int) -> list[EdgeBlock]:
        """The edges that have `position` on one side, as blocks: in-edges with `side="target"`.

        Each axis keeps the entries of one digit of the position. No edge is expanded.
        """
        if self.count == 0:
            return []
        distinct = [np.unique(offsets) for offsets in self.offsets(side)]
        order = sorted(range(len(distinct)), key=lambda i: -int(distinct[i][-1]))  # long strides decide first
        found = []
        for digits in _digits([distinct[i] for i in order], position):
            axes = list(self.axes)
            for i, digit in zip(order, digits, strict=True):
                axes[i] = axes[i][getattr(axes[i], side) == digit]
            found.append(EdgeBlock(tuple(axes), self.weights))
        return found

    def degree(self, side: Side) -> int:
        """The greatest number of edges that any one position has on one side."""
        if self.count == 0:
            return 0
        return math.prod(int(np.unique(o, return_counts=True)[1].max()) for o in self.offsets(side))

    def covers(self, side: Side) -> Ints:
        """The distinct positions that have an edge on one side, in ascending order."""
        return np.sort(ax.outer_sum([np.unique(offsets) for offsets in self.offsets(side)]))

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
    from onnx2graphml import kernels

    values, total = np.ascontiguousarray(x, np.float64), np.zeros(size)
    for e in block.expand():
        kernels.add_products(e.source, e.target, e.weight, values, total)
    return total


def _entries(axes: Sequence[Axis], first: int, last: int) -> Axis:
    """Entries first … last-1 of the product of the axes."""
    if not axes:
        return ax.shift()
    index = np.unravel_index(np.arange(first, last), [len(a) for a in axes])
    chosen = [axis[i] for axis, i in zip(axes, index, strict=True)]
    return Axis(*(sum(getattr(c, side) for c in chosen) for side in ("source", "target", "tap")))


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
