"""Values between positions: which positions take part, and with which weights.

Source: the ONNX operator GridSample.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.functions.record import Values, function, parse_axes

Ints = npt.NDArray[np.int64]
CUBIC = -0.75  # of GridSample; Resize has it as an attribute


@function(candidates=True, moved=(1, 2, 3), chooses=(0,))
def GridSample(X: Values, *grid: Values, shape: float | str, mode: str, padding_mode: str, align_corners: float) -> Any:
    """The value at a point of a picture whose positions are the terms; coordinates run from -1 to 1, the last first."""
    points = np.stack(grid[::-1], 1)
    total = np.zeros(len(X))
    for at, weight in neighbours(points, parse_axes(shape), mode, padding_mode, bool(align_corners)):
        there = at >= 0
        total += np.where(there, weight * X[np.arange(len(X)), np.where(there, at, 0)], 0)
    return total


def neighbours(
    points: Values, shape: Sequence[int], mode: str, padding_mode: str, align_corners: bool
) -> list[tuple[Ints, Values]]:
    """Flat positions around points, -1 where there is none, with their weights.

    Args:
        points: (n, dimensions), from -1 to 1 in the order of `shape`.
    """
    along = [_along(points[:, d], size, mode, padding_mode, align_corners) for d, size in enumerate(shape)]
    found = []
    for several in itertools.product(*along):
        flat, weight, inside = np.zeros(len(points), np.int64), np.ones(len(points)), np.ones(len(points), bool)
        for (at, own), size in zip(several, shape, strict=True):
            inside &= at >= 0
            flat, weight = flat * size + np.maximum(at, 0), weight * own
        found.append((np.where(inside, flat, -1), weight))
    return found


def _along(points: Values, size: int, mode: str, padding_mode: str, align_corners: bool) -> list[tuple[Ints, Values]]:
    """The same along one dimension."""
    low, high = (0.0, size - 1.0) if align_corners else (-0.5, size - 0.5)
    x = (points + 1) / 2 * (size - 1) if align_corners else ((points + 1) * size - 1) / 2
    outside = (x < low) | (x > high)
    if padding_mode == "border":
        x = np.where(outside, np.clip(x, 0, size - 1), x)
    elif padding_mode == "reflection":
        x = np.where(outside, reflected(x, low, high), x)
    if mode == "nearest":
        offsets, first, fraction = [0], np.rint(x), np.zeros(len(x))
    else:
        offsets = [-1, 0, 1, 2] if mode in ("cubic", "bicubic") else [0, 1]
        first, fraction = np.floor(x), x - np.floor(x)
    weights = cubic(fraction, CUBIC) if len(offsets) == 4 else [1 - fraction, fraction][: len(offsets)]
    found = []
    for offset, weight in zip(offsets, weights, strict=True):
        at = first + offset
        inside = (at >= 0) & (at <= size - 1)
        if padding_mode == "border":
            at, inside = np.clip(at, 0, size - 1), np.ones(len(x), bool)
        elif padding_mode == "reflection":
            at = np.where(inside, at, reflected(at, low, high))
            inside = np.ones(len(x), bool)
        found.append((np.where(inside, np.nan_to_num(at), -1).astype(np.int64), weight))
    return found


def reflected(x: Values, low: float, high: float) -> Values:
    """Positions outside of an interval, reflected at its ends as often as it takes."""
    span = high - low
    if span <= 0:
        return np.full_like(x, low)
    distance = np.where(x < low, low - x, np.where(x > high, x - high, 0.0))
    times, rest = np.floor(distance / span), np.mod(distance, span)
    even = np.mod(times, 2) == 0
    below, above = np.where(even, low + rest, high - rest), np.where(even, high - rest, low + rest)
    return np.where(x < low, below, np.where(x > high, above, x))


def cubic(fraction: Values, a: float) -> list[Values]:
    """The weights of the four positions around a point, from one before it on (Keys' interpolation)."""
    f = fraction
    return [
        ((a * (f + 1) - 5 * a) * (f + 1) + 8 * a) * (f + 1) - 4 * a,
        ((a + 2) * f - (a + 3)) * f * f + 1,
        ((a + 2) * (1 - f) - (a + 3)) * (1 - f) * (1 - f) + 1,
        ((a * (2 - f) - 5 * a) * (2 - f) + 8 * a) * (2 - f) - 4 * a,
    ]


def kernel(distance: Values, mode: str, a: float) -> Values:
    """The weight of a position at a distance, by linear or cubic interpolation."""
    d = np.abs(distance)
    if mode == "linear":
        return np.asarray(np.clip(1 - d, 0, 1))
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.asarray(np.where(d <= 1, near, np.where(d < 2, far, 0.0)))


def half_width(mode: str) -> int:
    """How far `kernel` reaches."""
    return {"linear": 1, "cubic": 2}[mode]
