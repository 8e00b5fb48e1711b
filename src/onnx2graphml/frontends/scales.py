"""Sizes of pictures, as ONNX finds them by scales."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def scaled(old: Sequence[int], wanted: Sequence[int]) -> list[int]:
    """What ONNX makes of sizes by the scales, in single precision, from these to those: mostly those.

    Example:
        >>> scaled([6, 5], [4, 7])
        [4, 6]
    """
    return [math.floor(o * float(np.float32(n / o))) for o, n in zip(old, wanted, strict=True)]
