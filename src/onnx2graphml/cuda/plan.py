"""A block as a kernel goes through it: a target has a number, whose digits tell its in-edges.

Axes of two kinds are told apart. In a *free* axis every entry has a target of its own, so that the target decides the
entry. In a *reducing* axis several entries have the same target: a range of entries, once they are put in order.

The free axes whose entries all have one source are joined to one, the first: along it, targets read the same sources
with other weights, such as the channels of a convolution. Those whose entries all have one weight come last: along
them, targets read other sources with the same weights, such as the rows of a matrix that is multiplied by weights.
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

LOOPS = 3  # of the kernels: reducing axes beyond these are multiplied out
THREADS = 1 << 17  # as many keep a large GPU busy
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

    def part(self, k: int) -> tuple[Ints, Ints, Ints, Ints]:
        """Of axis k: its distinct targets, the starts of their entries, the entries' sources and taps."""
        first, size = int(self.first[k]), int(self.size[k])
        start = self.start[first + k : first + k + size + 1]
        entries = slice(int(self.entry[k]), int(self.entry[k] + start[-1]))
        return self.target[first : first + size], start, self.source[entries], self.tap[entries]


@dataclass(frozen=True, eq=False)
class Plan:
    """What a kernel is called with.

    Attributes:
        free, reducing: the axes; the last varies fastest, the reducing ones faster than all free ones.
        outputs: the number of entries of the first free axis, if all have one source; 1 otherwise.
        alike: the number of free axes, the last ones, whose entries all have one tap.
        targets: how many there are.
        degree: the greatest number of in-edges of one target.
        parts: how many threads share out a target's in-edges, where each has one target.
    """

    free: Axes
    reducing: Axes
    outputs: int
    alike: int
    targets: int
    degree: int
    parts: int

    def indices(self) -> list[Ints]:
        """The arrays that all kernels take first, in their order."""
        free, reducing = self.free, self.reducing
        return [
            *(free.size, free.first, free.target, free.source, free.tap),
            *(reducing.size, reducing.first, reducing.target),
        ]

    def entries(self) -> list[Ints]:
        """The arrays that kernels take next which go through the entries of the reducing axes."""
        reducing = self.reducing
        return [reducing.start, reducing.entry, reducing.source, reducing.tap]


def plan_of(block: EdgeBlock) -> Plan:
    """How to go through a block that has edges and no terms.

    Example:
        >>> block = EdgeBlock((ax.spread(4).strided(0, 1, 1), ax.gather(9).strided(1, 0, 4)), np.ones(36))
        >>> plan = plan_of(block)
        >>> plan.targets, plan.outputs, plan.degree
        (4, 4, 9)
    """
    free, outputs, alike = _ordered([a for a in block.axes if _is_free(a)])
    reducing = sorted((a for a in block.axes if not _is_free(a)), key=len, reverse=True)
    while len(reducing) > LOOPS:
        reducing = sorted([*reducing[:-2], ax.product(reducing[-2:])], key=len, reverse=True)
    reducing = [*reducing, *[ax.shift()] * (LOOPS - len(reducing))]
    both = _axes(free), _axes(reducing)
    targets = math.prod(int(n) for x in both for n in x.size)
    entries = [int(np.unique(a.target, return_counts=True)[1].max()) for a in reducing]
    degree = math.prod(entries)
    parts = min(max(1, THREADS // targets), max(1, degree // FEWEST), entries[0])
    return Plan(*both, outputs, alike, targets, degree, parts)


def _ordered(free: Sequence[Axis]) -> tuple[list[Axis], int, int]:
    """The free axes in order, the number of outputs, and how many of the last ones have one tap."""
    shared = [a for a in free if len(a) > 1 and _is_one(a.source)]
    others = [a for a in free if not (len(a) > 1 and _is_one(a.source))]
    alike = [a for a in others if _is_one(a.tap)]
    first = ax.product(shared) if shared else ax.shift()
    return [first, *(a for a in others if not _is_one(a.tap)), *alike], len(first), len(alike)


def _is_free(axis: Axis) -> bool:
    return len(np.unique(axis.target)) == len(axis)


def _is_one(positions: Ints) -> bool:
    return bool(positions.min() == positions.max())


def _axes(axes: Sequence[Axis]) -> Axes:
    ordered = [np.argsort(a.target, kind="stable") for a in axes]
    distinct = [np.unique(a.target[o], return_index=True) for a, o in zip(axes, ordered, strict=True)]
    starts = [np.append(first, len(a)) for (_, first), a in zip(distinct, axes, strict=True)]
    return Axes(
        size=np.array([len(target) for target, _ in distinct], np.int64),
        first=starts_of([len(target) for target, _ in distinct]),
        target=joined([target for target, _ in distinct]),
        start=joined(starts),
        entry=starts_of([len(a) for a in axes]),
        source=joined([a.source[o] for a, o in zip(axes, ordered, strict=True)]),
        tap=joined([a.tap[o] for a, o in zip(axes, ordered, strict=True)]),
    )


def packed(arrays: Sequence[Ints]) -> Ints:
    """Arrays one behind the other: one transfer. Before them, where each of them begins, and where the last one ends.

    Example:
        >>> packed([np.array([7, 8]), np.array([9])]).tolist()
        [3, 5, 6, 7, 8, 9]
    """
    bounds = len(arrays) + 1 + np.cumsum([0, *map(len, arrays)])
    return np.concatenate([bounds, *arrays])


def starts_of(lengths: Sequence[int]) -> Ints:
    return np.cumsum([0, *lengths], dtype=np.int64)[:-1]


def joined(parts: Sequence[npt.NDArray[np.int64]]) -> Ints:
    return np.concatenate([*parts, np.zeros(0, np.int64)]).astype(np.int64)
