"""The in-edges of many positions at once, without those of the others."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from onnx2graphml.graph.axes import Axis, Ints
from onnx2graphml.graph.blocks import EdgeBlock, Edges

AT_ONCE = 1 << 20  # edges of a chunk


def edges_into(block: EdgeBlock, targets: npt.ArrayLike) -> Iterator[Edges]:
    """The edges into some positions, in chunks; terms are left out.

    Where each position is a sum of one offset of every axis in one way only, as in a kernel's windows, the digits of
    all positions are found at once. Otherwise it is asked for one position after the other.

    Example:
        >>> from onnx2graphml.graph import axes as ax
        >>> side = ax.window(input=4, output=4, kernel=3, pad=1)
        >>> block = EdgeBlock((side.strided(4, 4, 3), side.strided(1, 1, 1)), np.ones(9, np.float32))
        >>> sum(len(e) for e in edges_into(block, [0, 5]))
        13
    """
    positions = np.unique(np.asarray(targets, np.int64))
    axes = sorted((a for a in block.axes if len(a)), key=lambda a: -int(a.target.max()))
    if len(axes) < len(block.axes) or not len(positions):
        return
    if not axes:  # one edge, from 0 to 0
        yield from block.expand() if positions[0] == 0 else ()
        return
    offsets = [np.unique(a.target) for a in axes]
    if not _is_unique(offsets):
        for position in positions.tolist():
            for part in block.select("target", position):
                yield from part.expand()
        return
    known, digits = _digits(offsets, positions)
    yield from _grouped(axes, [d[known] for d in digits], block.weights)


def _is_unique(offsets: list[Ints]) -> bool:
    """Whether a sum of one offset of each tells which they were: each one's gaps are wider than all that follow."""
    spans = [int(o[-1] - o[0]) for o in offsets]
    return all(len(o) == 1 or int(np.diff(o).min()) > sum(spans[k + 1 :]) for k, o in enumerate(offsets))


def _digits(offsets: list[Ints], positions: Ints) -> tuple[npt.NDArray[np.bool_], list[Ints]]:
    """Which positions are such sums, and of each which offset of each axis."""
    rest, found = positions.copy(), []
    for k, own in enumerate(offsets):
        least = sum(int(o[0]) for o in offsets[k + 1 :])
        digit = np.searchsorted(own, rest - least, side="right") - 1
        found.append(np.maximum(digit, 0))
        rest = rest - own[found[-1]]
    return rest == 0, found


def _grouped(axes: list[Axis], digits: list[Ints], weights: npt.NDArray[np.floating]) -> Iterator[Edges]:
    """The edges of positions that have as many entries of each axis, together: such arrays have a shape."""
    entries = [np.argsort(a.target, kind="stable") for a in axes]
    starts = [np.searchsorted(a.target[e], np.unique(a.target)) for a, e in zip(axes, entries, strict=True)]
    counts = [np.diff([*s, len(a)]) for s, a in zip(starts, axes, strict=True)]
    each = np.stack([c[d] for c, d in zip(counts, digits, strict=True)])
    shapes, group = np.unique(each, axis=1, return_inverse=True)
    for number, shape in enumerate(shapes.T.tolist()):
        members = np.flatnonzero(group.ravel() == number)
        step = max(1, AT_ONCE // int(np.prod(shape)))
        for first in range(0, len(members), step):
            some = members[first : first + step]
            chosen = [
                a[e[(s[d[some]][:, None] + np.arange(n)).ravel()]]
                for a, e, s, d, n in zip(axes, entries, starts, digits, shape, strict=True)
            ]
            yield _product(chosen, len(some), shape, weights)


def _product(chosen: list[Axis], rows: int, shape: list[int], weights: npt.NDArray[np.floating]) -> Edges:
    """Every combination of the entries of each row."""

    def summed(name: str) -> Ints:
        parts = [
            getattr(a, name).reshape(rows, *(n if k == own else 1 for k, n in enumerate(shape)))
            for own, a in enumerate(chosen)
        ]
        return np.asarray(functools.reduce(np.add, parts)).ravel()

    return Edges(summed("source"), summed("target"), weights[summed("tap")])
