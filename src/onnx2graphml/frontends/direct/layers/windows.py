"""Where the windows of convolutions and pools lie: sizes and paddings, before any array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onnx2graphml.frontends.direct.uncovered import require

Sizes = tuple[int, ...]


def sizes(value: Any, rank: int) -> Sizes:
    """An option for every spatial axis: one number, or one for each.

    Example:
        >>> sizes(2, 3), sizes([3, 1], 2)
        ((2, 2, 2), (3, 1))
    """
    found = (value,) * rank if isinstance(value, int) else tuple(value)
    require(len(found) == rank and all(isinstance(n, int) and n > 0 for n in found), f"the sizes {value}")
    return found


def paddings(
    padding: str, shape: Sequence[int], window: Sizes, strides: Sizes, dilations: Sizes
) -> tuple[list[int], list[int]]:
    """How much is put before and after each axis.

    Example:
        >>> paddings("same", (5, 6), (3, 3), (2, 2), (1, 1))
        ([1, 0], [1, 1])
    """
    if padding == "valid":
        return [0] * len(shape), [0] * len(shape)
    require(padding == "same", f"the padding {padding}")
    before, after = [], []
    for n, k, s, d in zip(shape, window, strides, dilations, strict=True):
        missing = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        before.append(missing // 2)
        after.append(missing - missing // 2)
    return before, after


def outputs(
    shape: Sequence[int], window: Sizes, strides: Sizes, dilations: Sizes, pads: tuple[list[int], list[int]]
) -> Sizes:
    """How many windows there are along each axis.

    Example:
        >>> outputs((5, 6), (3, 3), (2, 2), (1, 1), ([1, 0], [1, 1]))
        (3, 3)
    """
    found = tuple(
        (n + b + a - (k - 1) * d - 1) // s + 1
        for n, k, s, d, b, a in zip(shape, window, strides, dilations, *pads, strict=True)
    )
    require(min(found) > 0, "a window larger than what it slides over")
    return found


def to_front(rank: int) -> list[int]:
    """The order of axes that has the channels, which are last, after the batch."""
    return [0, rank - 1, *range(1, rank - 1)]


def to_back(rank: int) -> list[int]:
    """The order of axes that has the channels, which are after the batch, last."""
    return [0, *range(2, rank), 1]
