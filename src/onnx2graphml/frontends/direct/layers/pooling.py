"""`keras.layers`, pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnx2graphml.frontends.direct.activations import select
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.windows import layout_of, outputs, paddings, sizes
from onnx2graphml.frontends.direct.policies import written
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value

WINDOW: dict[str, Any] = {
    "pool_size": REQUIRED, "strides": None, "padding": "valid", "data_format": "channels_last"
}  # fmt: skip
ALL: dict[str, Any] = {"data_format": "channels_last", "keepdims": False}


@layer("AveragePooling1D", "AveragePooling2D", "AveragePooling3D", takes=WINDOW)
def AveragePooling(call: Call, x: Value) -> Value:
    """The mean of each window; padding does not count."""
    return _pooled(call, x, "AveragePool")


@layer("MaxPooling1D", "MaxPooling2D", "MaxPooling3D", takes=WINDOW)
def MaxPooling(call: Call, x: Value) -> Value:
    """The greatest of each window."""
    return _pooled(call, x, "MaxPool")


@layer("GlobalAveragePooling1D", takes=ALL)
def GlobalAveragePooling1D(call: Call, x: Value, mask: Value | None = None) -> Value:
    """The mean of each channel, over the steps that count."""
    if mask is None:
        return _pooled_whole(call, x, "ReduceMean")
    require(call["data_format"] == "channels_last", "channels first")
    wide = call.unsqueeze(mask, [2])
    kept = select(call, wide, x, 0.0)
    total, number = (call.reduce("ReduceSum", v, [1], call["keepdims"]) for v in (kept, call.cast(wide, call.dtype)))
    return call.binary("Div", total, number)


@layer("GlobalAveragePooling2D", "GlobalAveragePooling3D", takes=ALL)
def GlobalAveragePooling(call: Call, x: Value) -> Value:
    """The mean of each channel."""
    return _pooled_whole(call, x, "ReduceMean")


@layer("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", takes=ALL)
def GlobalMaxPooling(call: Call, x: Value) -> Value:
    """The greatest of each channel."""
    return _pooled_whole(call, x, "ReduceMax")


def _pooled(call: Call, x: Value, op: str) -> Value:
    layout = layout_of(call)
    require(x.rank < 5 or written(x.dtype) == np.float32, f"volumes of {x.dtype}, which TensorFlow does not pool")
    require(x.rank > 3 or not call.again, "steps that one layer pools again, which TensorFlow keeps as a row")
    rank = x.rank - 2
    window = sizes(call["pool_size"], rank)
    strides = window if call["strides"] is None else sizes(call["strides"], rank)
    one = (1,) * rank
    pads = paddings(call["padding"], layout.sizes(x), window, strides, one)
    y = call.node(
        op,
        layout.to_onnx(call, x),
        shape=(1, layout.channels(x), *outputs(layout.sizes(x), window, strides, one, pads)),
        strides=list(strides),
        kernel_shape=list(window),
        pads=[*pads[0], *pads[1]],
    )
    return layout.turned(call, x, layout.from_onnx(call, y))


def _pooled_whole(call: Call, x: Value, op: str) -> Value:
    return call.reduce(op, x, layout_of(call).axes(x), call["keepdims"])
