"""Colours for numbers: limits that are true for everything drawn with them, and a colour for each value.

What is >= 0 goes from dark to light from 0 on; what has both signs goes from blue over white, which is 0, to red.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import MissingExtraError
from onnx2graphml.model import Array

NOT_FINITE = (255, 0, 255)
"""The colour of NaN and of infinities, which neither map of colours has."""

SHADES = 256


@dataclass(frozen=True)
class Scale:
    """Limits of colours, true for all that is drawn with it.

    Attributes:
        low, high: the values at the ends of the colours; equal where all values are zero.
        diverging: whether the colours part at zero, which then lies in the middle.
    """

    low: float
    high: float
    diverging: bool

    @property
    def colormap(self) -> str:
        """The name that Matplotlib knows the colours by."""
        return "RdBu_r" if self.diverging else "viridis"


def scale_of(arrays: Iterable[Array]) -> Scale:
    """The scale of some arrays together: from 0 if no value is negative, otherwise symmetric about 0.

    Args:
        arrays: of any shapes; NaN and infinities don't count.

    Example:
        >>> scale_of([np.array([0.5, 2.0]), np.array([1.0, np.inf])])
        Scale(low=0.0, high=2.0, diverging=False)
        >>> scale_of([np.array([-3.0, 2.0])])
        Scale(low=-3.0, high=3.0, diverging=True)
    """
    low = high = 0.0
    for array in arrays:
        least, most = limits(array)
        if least <= most:
            low, high = min(low, least), max(high, most)
    if low >= 0:
        return Scale(0.0, high, False)
    most = max(-low, high)
    return Scale(-most, most, True)


def limits(array: Array) -> tuple[float, float]:
    """The least and the greatest finite value; (inf, -inf) where there is none.

    Example:
        >>> limits(np.array([3, np.nan, -1.5]))
        (-1.5, 3.0)
    """
    values = np.ma.compressed(array) if np.ma.isMaskedArray(array) else np.asarray(array)
    if values.size == 0:
        return math.inf, -math.inf
    least, most = float(values.min()), float(values.max())
    if not (math.isfinite(least) and math.isfinite(most)):
        values = values[np.isfinite(values)]
        return (float(values.min()), float(values.max())) if values.size else (math.inf, -math.inf)
    return least, most


def shares(values: Array, low: Array | float, high: Array | float) -> npt.NDArray[np.float64]:
    """Where values lie between two limits: 0 at the lower, 1 at the upper one, or where the limits are equal 0.

    Without overflow, also where the limits are the greatest numbers there are. NaN and infinities give any number.
    """
    low, high = (np.asarray(x, np.float64) for x in (low, high))
    half = high / 2 - low / 2
    wide = np.maximum(half, np.finfo(np.float64).tiny)
    with np.errstate(all="ignore"):
        share = (np.asarray(values, np.float64) / 2 - low / 2) / wide
    return np.where(half > 0, np.nan_to_num(share.clip(0, 1)), 0.0)


def painted(image: Array, scale: Scale) -> npt.NDArray[np.uint8]:
    """The colours of values, as shape (*image.shape, 4): red, green, blue and opacity, 0 to 255.

    Masked values, which are gaps, are transparent; NaN and infinities have the colour `NOT_FINITE`.

    Raises:
        MissingExtraError: Matplotlib is not installed.

    Example:
        >>> painted(np.array([0.0, 1.0, np.nan]), Scale(0.0, 1.0, False)).tolist()
        [[68, 1, 84, 255], [253, 231, 36, 255], [255, 0, 255, 255]]
    """
    return coloured(image, shares(np.ma.getdata(image), scale.low, scale.high), scale.diverging)


def coloured(image: Array, share: npt.NDArray[np.float64], diverging: bool) -> npt.NDArray[np.uint8]:
    """The same where the values' places between their limits are known already."""
    data = np.ma.getdata(image)
    shade = np.minimum((share * SHADES).astype(np.int16), SHADES - 1)
    out = _table(Scale(0.0, 1.0, diverging).colormap)[shade]
    if not np.isfinite(data).all():
        out[~np.isfinite(data)] = (*NOT_FINITE, 255)
    out[np.ma.getmaskarray(image)] = (255, 255, 255, 0)
    return out


@cache
def _table(colormap: str) -> npt.NDArray[np.uint8]:
    """The shades of a map, from its lower to its upper end."""
    try:
        import matplotlib as mpl
    except ImportError:
        raise MissingExtraError("matplotlib", "plot") from None
    table: npt.NDArray[np.uint8] = mpl.colormaps[colormap].resampled(SHADES)(np.arange(SHADES), bytes=True)
    return table
