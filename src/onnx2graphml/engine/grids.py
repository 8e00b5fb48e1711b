"""One side of a block as a grid: a dimension for every axis, a place for every digit of a position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Ints
from onnx2graphml.graph.blocks import EdgeBlock, Side

Floats = npt.NDArray[Any]


def distinct(offsets: Ints) -> tuple[Ints, Ints]:
    """The distinct offsets in ascending order, and where among them each offset is."""
    if len(offsets) == 1 or (np.diff(offsets) > 0).all():
        return offsets, np.arange(len(offsets))
    values, place = np.unique(offsets, return_inverse=True)
    return values, place.reshape(-1)


def step(values: Ints) -> int | None:
    """The difference of an arithmetic progression; 0 for a single number, None where it is none."""
    if len(values) < 2:
        return 0
    difference = int(values[1] - values[0])
    return difference if (np.diff(values) == difference).all() else None


def as_slice(index: Ints) -> slice | Ints:
    """Indices as a slice, where they are evenly spaced and ascending."""
    by = 1 if len(index) == 1 else step(index)
    if not len(index) or by is None or by < 1:
        return index
    return slice(int(index[0]), int(index[-1]) + 1, by)


@dataclass(frozen=True, eq=False)
class Grid:
    """The positions on one side of a block.

    Attributes:
        digits: per axis, its distinct offsets, ascending.
        places: per axis, for every entry, which of the digits it has.
    """

    digits: tuple[Ints, ...]
    places: tuple[Ints, ...]

    @staticmethod
    def of(block: EdgeBlock, side: Side) -> Grid:
        """The grid of a block's sources or targets."""
        pairs = [distinct(offsets) for offsets in block.offsets(side)]
        return Grid(tuple(d for d, _ in pairs), tuple(p for _, p in pairs))

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of digits along each axis."""
        return tuple(len(d) for d in self.digits)

    def view(self, flat: Floats) -> Floats | None:
        """The values of a flat array on the grid, in place; None where the positions are not evenly spaced."""
        steps = [step(d) for d in self.digits]
        if any(s is None for s in steps):
            return None
        first = sum(int(d[0]) for d in self.digits)
        strides = [int(s or 0) * flat.itemsize for s in steps]
        return np.lib.stride_tricks.as_strided(flat[first:], self.shape, strides, writeable=flat.flags.writeable)

    def index(self) -> Ints:
        """The positions, flat, in the grid's order."""
        return ax.outer_sum(self.digits)

    def taken(self, flat: Floats) -> Floats:
        """The values of a flat array on the grid; a view where that is possible."""
        view = self.view(flat)
        return flat[self.index()].reshape(self.shape) if view is None else view

    def add(self, add: Any, values: Floats, flat: Floats) -> None:
        """Add values that can be broadcast to the grid to those of a flat array."""
        view = self.view(flat)
        if view is not None:
            add(view, values, out=view)
        else:
            index = self.index()
            flat[index] = add(flat[index], np.broadcast_to(values, self.shape).ravel())


def along(loop: Any, grid: Floats, dimension: int, source: Ints, target: Ints, size: int, zero: Any) -> Floats:
    """The grid with one dimension carried through a relation: from `source` to `target` places, of which are `size`."""
    shape = grid.shape
    outer, inner = int(np.prod(shape[:dimension])), int(np.prod(shape[dimension + 1 :]))
    out = np.full((outer, size, inner), zero, grid.dtype)
    loop(source, target, np.ascontiguousarray(grid).reshape(outer, shape[dimension], inner), out)
    return out.reshape(*shape[:dimension], size, *shape[dimension + 1 :])


def one_to_one(source: Ints, target: Ints, tap: Ints) -> list[tuple[int, slice | Ints, slice | Ints]]:
    """A relation cut into parts of one tap, in each of which no place occurs twice: tap, source and target places."""
    found = []
    for value in np.unique(tap).tolist():
        left = np.flatnonzero(tap == value)
        while len(left):
            chosen = _matching(source[left], target[left])
            own = left[chosen]
            found.append((value, as_slice(source[own]), as_slice(target[own])))
            left = np.delete(left, chosen)
    return found


def _matching(source: Ints, target: Ints) -> Ints:
    """Entries of which no two share a source or a target: of each target its first, and of those of each source."""
    first = np.sort(np.unique(target, return_index=True)[1])
    return np.sort(first[np.unique(source[first], return_index=True)[1]])
