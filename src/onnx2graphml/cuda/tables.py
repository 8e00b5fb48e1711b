"""A block as a product of matrices: a row for an output, a column for a place, the weights' taps between them.

Every place has the same taps. A place that lacks one, such as at a picture's edge, has no source there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from onnx2graphml.cuda.plan import LOOPS, Plan, joined, starts_of
from onnx2graphml.graph.axes import Ints, outer_sum

SIDE = 16  # threads of a group, in rows and in columns
EACH = 4  # outputs, and places, of a thread
WIDE = SIDE * EACH  # outputs, and places, of a group
DEEP = 16  # taps that a group has at hand
GROUPS = 512  # as many keep a large GPU busy
MOST = (1 << 16) - 1  # groups, by outputs and by batch and part: what a grid may have
NONE = -1  # no source


@dataclass(frozen=True, eq=False)
class Tables:
    """The reducing axes of a plan, by tap.

    Attributes:
        batch: the number of targets of the free axes between the outputs and those with one tap.
        places: the targets of one output and one of the batch.
        taps: of each reducing axis, the number of distinct ones.
        first, source: of each target and tap of an axis its source, or NONE; of axis k from `first[k]`, row by row.
        tap: the taps of a place, sums of one of each axis.
        column: those of each axis, by their place among the distinct ones; shape (3, len(tap)).
        taps_first: whether weights of neighbouring taps are nearer to each other than those of neighbouring outputs.
        parts: how many groups share out a target's taps.
    """

    batch: int
    places: int
    taps: Ints
    first: Ints
    source: Ints
    tap: Ints
    column: Ints
    taps_first: bool
    parts: int

    def indices(self) -> list[Ints]:
        """The arrays that the kernel takes, in its order."""
        return [self.taps, self.first, self.source, self.tap, self.column.ravel()]


def tables_of(plan: Plan) -> Tables | None:
    """The same block as a product of matrices, or None: few outputs or places, or places that have taps of their own.

    Example:
        >>> from onnx2graphml.cuda.plan import plan_of
        >>> from onnx2graphml.graph import axes as ax
        >>> from onnx2graphml.graph.blocks import EdgeBlock
        >>> axes = ax.spread(8).strided(0, 16, 4), ax.gather(4).strided(16, 0, 1), ax.same(16).strided(1, 1)
        >>> tables = tables_of(plan_of(EdgeBlock(axes, np.ones(32))))
        >>> tables.places, len(tables.tap)
        (16, 4)
    """
    sizes = plan.free.size[1:]
    batch = math.prod(int(n) for n in sizes[: len(sizes) - plan.alike])
    places = plan.targets // plan.outputs // batch
    if plan.outputs < EACH or places < SIDE or max(plan.outputs // WIDE, batch) >= MOST:
        return None
    found = [_table(*plan.reducing.part(k)[1:]) for k in range(LOOPS)]
    if any(f is None for f in found):
        return None
    tables = [f for f in found if f is not None]
    taps = [len(tap) for tap, _ in tables]
    tap = outer_sum([tap for tap, _ in tables])
    groups = -(-plan.outputs // WIDE) * -(-places // WIDE) * batch
    return Tables(
        batch=batch,
        places=places,
        taps=np.array(taps),
        first=starts_of([source.size for _, source in tables]),
        source=joined([source.ravel() for _, source in tables]),
        tap=tap,
        column=np.array(np.unravel_index(np.arange(len(tap)), taps)),
        taps_first=bool(_step(tap) < _step(plan.free.tap)),
        parts=max(1, min(GROUPS // groups, len(tap) // (4 * DEEP))),
    )


def _step(taps: Ints) -> int:
    """From the first tap to the second."""
    return abs(int(taps[1] - taps[0])) if len(taps) > 1 else 0


def _table(start: Ints, source: Ints, tap: Ints) -> tuple[Ints, Ints] | None:
    """The distinct taps of an axis and its sources by target and tap; None where most would be missing."""
    taps, column = np.unique(tap, return_inverse=True)
    entries = np.diff(start)
    row = np.repeat(np.arange(len(entries)), entries)
    if len(taps) > 2 * entries.max() or len(np.unique(row * len(taps) + column)) < len(source):
        return None
    table = np.full((len(entries), len(taps)), NONE)
    table[row, column] = source
    return taps, table
