"""Two checkpoints of one network: how far each array has moved. Arrays are the same if name and shape are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.parameters.arrays import LayerArrays, TrainedArray
from onnx2graphml.parameters.statistics import chunks

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Difference:
    """Between an array and the one of the other model: other - this, in float64.

    Attributes:
        l2: the norm of the difference.
        relative: that, divided by the norm of this array; infinite where this is all zeros and the other is not.
        cosine: of the two as vectors; None where one is all zeros.
        largest: the change of the largest magnitude, with its sign, and `index` where it is.
    """

    l2: float
    relative: float
    cosine: float | None
    largest: float
    index: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Matches:
    """What of two models belongs together.

    Attributes:
        other: the other model's arrays by name, those that this model has in the same shape.
        only_here, only_there: names and shapes of those that only one has; of another shape in both is in both.
    """

    other: dict[str, TrainedArray]
    only_here: dict[str, tuple[int, ...]]
    only_there: dict[str, tuple[int, ...]]


def matches(these: Sequence[LayerArrays], those: Sequence[LayerArrays]) -> Matches:
    """Arrays of the same name and shape, and those that have no such one."""
    here, there = ({a.name: a for of in found for a in of.arrays} for found in (these, those))
    both = {n for n in here if n in there and here[n].values.shape == there[n].values.shape}
    return Matches(
        {n: there[n] for n in here if n in both},
        {n: a.values.shape for n, a in here.items() if n not in both},
        {n: a.values.shape for n, a in there.items() if n not in both},
    )


def difference(this: Array, other: Array) -> Difference:
    """How far an array has moved.

    Args:
        this, other: of one shape, not empty.

    Example:
        >>> difference(np.array([3.0, 4.0]), np.array([4.0, -3.0])).cosine
        0.0
        >>> difference(np.array([3.0, 4.0]), np.array([3.0, 1.0])).relative
        0.6
    """
    squares = np.zeros(4)  # of the difference, this, the other, and their product
    largest, place, start = 0.0, 0, 0
    for a, b in zip(chunks(np.ascontiguousarray(this)), chunks(np.ascontiguousarray(other)), strict=True):
        moved = b - a
        squares += moved @ moved, a @ a, b @ b, a @ b
        k = int(np.abs(moved).argmax())
        if abs(moved[k]) > abs(largest):
            largest, place = float(moved[k]), start + k
        start += len(a)
    moved_l2, here, there = np.sqrt(squares[:3])
    relative = 0.0 if moved_l2 == 0 else float(moved_l2 / here) if here else float("inf")
    cosine = float(np.clip(squares[3] / here / there, -1, 1)) if here and there else None
    index = tuple(int(i) for i in np.unravel_index(place, this.shape))
    return Difference(float(moved_l2), relative, cosine, largest, index)
