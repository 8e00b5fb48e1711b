"""A block as a kernel goes through it: a thread has a target, and goes through its in-edges.

Targets that differ in the weights of their in-edges alone, such as a convolution's channels, share a thread.

Axes of two kinds are told apart. In a *free* axis every entry has a target of its own, so that the target decides the
entry. In a *reducing* axis several entries have the same target: a range of entries, once they are put in order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis, Ints
from onnx2graphml.graph.blocks import EdgeBlock

SUM, PRODUCT, MAX, MIN, MAX_PLUS, MIN_PLUS = range(6)
"""What a neuron makes of its in-edges: Σ w·x, Π w·x, the greatest and the least w·x, the greatest and the least w+x."""

LOOPS = 3  # of the kernel: reducing axes beyond these are multiplied out
THREADS = 1 << 17  # as many keep a large GPU busy
TILE = 4  # targets of a thread, of those that share their sources
FEWEST = 64  # in-edges of a thread, where targets are shared out among several


@dataclass(frozen=True, eq=False)
class Axes:
    """Axes one behind the other.

    Attributes:
        size: of each axis, its distinct targets.
        target: the distinct targets, ascending; of axis k from `first[k]`.
        start: of a target, the first of its entries; of axis k from `first[k] + k`, as each has one more.
        source, tap: of the entries, in the order of their targets; of axis k from `entry[k]`.
    """

    size: Ints
    first: Ints
    target: Ints
    start: Ints
    entry: Ints
    source: Ints
    tap: Ints


@dataclass(frozen=True, eq=False)
class Plan:
    """What a kernel is called with.

    Attributes:
        free, reducing: the axes; the last varies fastest, the reducing ones faster than all free ones.
        targets: how many there are.
        tiles: groups of up to `TILE` targets along the first free axis, if all its entries have one source; otherwise
            as many as targets.
        degree: the greatest number of in-edges of one target.
        parts: how many threads share out a target's in-edges.
    """

    free: Axes
    reducing: Axes
    targets: int
    tiles: int
    degree: int
    parts: int

    def indices(self) -> list[Ints]:
        """The arrays of integers that a kernel is called with, in its order."""
        free, reducing = self.free, self.reducing
        return [
            free.size, free.first, free.source, free.tap,
            reducing.size, reducing.first, reducing.start, reducing.entry, reducing.source, reducing.tap,
        ]  # fmt: skip

    def positions(self) -> Ints:
        """The targets' positions, in the order in which threads have them."""
        axes = [x.target[a : a + n] for x in (self.free, self.reducing) for a, n in zip(x.first, x.size, strict=True)]
        return ax.outer_sum(axes)


def plan_of(block: EdgeBlock) -> Plan:
    """How to go through a block that has edges and no terms.

    Example:
        >>> block = EdgeBlock((ax.spread(4).strided(0, 1, 1), ax.gather(9).strided(1, 0, 4)), np.ones(36))
        >>> plan = plan_of(block)
        >>> plan.targets, plan.tiles, plan.degree
        (4, 1, 9)
    """
    free = sorted((a for a in block.axes if _is_free(a)), key=_shares_sources, reverse=True) or [ax.shift()]
    reducing = sorted((a for a in block.axes if not _is_free(a)), key=len, reverse=True)
    while len(reducing) > LOOPS:
        reducing = sorted([*reducing[:-2], ax.product(reducing[-2:])], key=len, reverse=True)
    reducing = [*reducing, *[ax.shift()] * (LOOPS - len(reducing))]
    both = _axes(free), _axes(reducing)
    targets = math.prod(int(n) for x in both for n in x.size)
    outputs = _shares_sources(free[0])
    tiles = targets // outputs * -(-outputs // TILE)
    entries = [int(np.unique(a.target, return_counts=True)[1].max()) for a in reducing]
    degree = math.prod(entries)
    parts = min(max(1, THREADS // tiles), max(1, degree // FEWEST), entries[0])
    return Plan(*both, targets, tiles, degree, parts)


def _is_free(axis: Axis) -> bool:
    return len(np.unique(axis.target)) == len(axis)


def _shares_sources(axis: Axis) -> int:
    """The number of an axis's entries, if all of them have one source; 1 otherwise."""
    return len(axis) if len(np.unique(axis.source)) == 1 else 1


def _axes(axes: Sequence[Axis]) -> Axes:
    ordered = [np.argsort(a.target, kind="stable") for a in axes]
    distinct = [np.unique(a.target[o], return_index=True) for a, o in zip(axes, ordered, strict=True)]
    starts = [np.append(first, len(a)) for (_, first), a in zip(distinct, axes, strict=True)]
    return Axes(
        size=np.array([len(target) for target, _ in distinct], np.int64),
        first=_offsets([len(target) for target, _ in distinct]),
        target=_joined([target for target, _ in distinct]),
        start=_joined(starts),
        entry=_offsets([len(a) for a in axes]),
        source=_joined([a.source[o] for a, o in zip(axes, ordered, strict=True)]),
        tap=_joined([a.tap[o] for a, o in zip(axes, ordered, strict=True)]),
    )


def _offsets(lengths: Sequence[int]) -> Ints:
    return np.cumsum([0, *lengths], dtype=np.int64)[:-1]


def _joined(parts: Sequence[npt.NDArray[np.int64]]) -> Ints:
    return np.concatenate([*parts, np.zeros(0, np.int64)]).astype(np.int64)
