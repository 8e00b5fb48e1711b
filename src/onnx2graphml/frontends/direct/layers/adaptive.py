"""`keras.layers`, pooling to a size: windows of two widths, of which Keras takes those that it needs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.windows import layout_of, sizes
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value

SIZE: dict[str, Any] = {"output_size": REQUIRED, "data_format": "channels_last"}


@layer("AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", takes=SIZE)
def AdaptiveAveragePooling(call: Call, x: Value) -> Value:
    """Means, so many along each axis."""
    return _adapted(call, x, "AveragePool")


@layer("AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D", takes=SIZE)
def AdaptiveMaxPooling(call: Call, x: Value) -> Value:
    """The greatest, so many along each axis."""
    return _adapted(call, x, "MaxPool")


def places(size: int, wanted: int) -> tuple[int, npt.NDArray[np.int32]]:
    """The width of the narrow windows, and which windows are taken: the narrow ones first, then those one wider.

    Example:
        >>> places(8, 3)
        (3, array([0, 8, 5], dtype=int32))
    """
    narrow, steps = math.ceil(size / wanted), np.arange(wanted + 1, dtype=np.float32)
    ends = steps * np.float32(size) / np.float32(wanted)  # in the type in which Keras rounds them
    starts, widths = np.floor(ends[:-1]), np.ceil(ends[1:]) - np.floor(ends[:-1])
    taken = starts + np.where(widths == narrow + 1, size - narrow + 1, 0)
    return narrow, taken.astype(np.int32)


def _adapted(call: Call, x: Value, op: str) -> Value:
    layout, wanted = layout_of(call), sizes(call["output_size"], x.rank - 2)
    require(not layout.first, "channels first, pooled to a size")
    require(x.dtype != np.float64 and (x.rank < 5 or x.dtype != np.float16), f"{x.dtype} pooled to a size")
    for k, number in enumerate(wanted):
        size = x.shape[k + 1]
        require(1 < number <= size, f"{size} places pooled to {number}")
        narrow, taken = places(size, number)
        row = x.rank == 3  # which is a picture of one line here
        front = layout.to_onnx(call, call.unsqueeze(x, [1]) if row else x)
        pooled = [_pooled(call, front, op, k + row, width) for width in (narrow, narrow + 1)]
        pooled = [call.squeeze(each, [2]) for each in pooled] if row else pooled
        both = layout.from_onnx(call, call.concat(pooled, k + 2))
        shape = (*x.shape[: k + 1], number, *x.shape[k + 2 :])
        x = call.node("Gather", both, call.array(taken), shape=shape, axis=k + 1)
    return x


def _pooled(call: Call, front: Value, op: str, spatial: int, width: int) -> Value:
    """Windows of a width along one axis, at every place."""
    window = [width if a == spatial else 1 for a in range(front.rank - 2)]
    shape = tuple(n - (width - 1 if a == spatial + 2 else 0) for a, n in enumerate(front.shape))
    return call.node(op, front, shape=shape, strides=[1] * len(window), kernel_shape=window)
