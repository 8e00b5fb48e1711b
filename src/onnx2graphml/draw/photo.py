"""An input of three channels as a photograph, whatever its values were scaled to."""

from __future__ import annotations

import numpy as np

from onnx2graphml.draw.page import Pixels
from onnx2graphml.errors import Error
from onnx2graphml.model import Array

COLOURS = ("rgb", "bgr", "channels")
"""How a three-channel input is shown: as red, green, blue; as blue, green, red; or channel by channel."""

CAFFE = (103.939, 116.779, 123.68)
"""The means of blue, green and red that Keras's VGG and ResNet50 take from their input."""


def check_colours(colours: str) -> None:
    """`Error` unless it is one of `COLOURS`."""
    if colours not in COLOURS:
        raise Error(f"colours is {colours!r}; expected {', '.join(COLOURS)}")


def photo(channels: Array, colours: str = "rgb") -> Pixels:
    """Three channels as pixels: the least of all values is dark, the greatest is bright; what is not finite is black.

    Args:
        channels: shape (3, rows, columns).
        colours: `rgb`, or `bgr`: then caffe's means are added first, if some value is negative.

    Returns:
        Shape (rows, columns, 3), uint8.

    Example:
        >>> photo(np.array([[[0.0]], [[0.5]], [[1.0]]])).tolist()
        [[[0, 127, 255]]]
        >>> photo(np.array([[[0.0]], [[0.5]], [[1.0]]]), "bgr").tolist()
        [[[255, 127, 0]]]
    """
    values = channels.astype(np.float64)
    finite = np.isfinite(values)
    if colours == "bgr":
        if (values[finite] < 0).any():
            values = values + np.array(CAFFE)[:, None, None]
        values, finite = values[::-1], finite[::-1]
    low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 1.0)
    with np.errstate(invalid="ignore"):
        share = (values - low) / ((high - low) or 1.0)
    shown = np.where(finite, share, 0.0).transpose(1, 2, 0)
    return np.asarray((255 * shown).astype(np.uint8))
