"""`keras.layers`, preprocessing: what makes numbers of pictures fit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from onnx2graphml.frontends.direct.activations import clip
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value


@layer("Rescaling", takes={"scale": REQUIRED, "offset": 0.0}, whole=True)
def Rescaling(call: Call, x: Value) -> Value:
    """x · scale + offset."""
    require(all(np.array(call[each]).dtype.kind in "if" for each in ("scale", "offset")), "a scale of no numbers")
    require(np.any(np.array(call["scale"]) != 1), "a scale that changes nothing")
    scale, offset = (call.single(call[each], call.dtype) for each in ("scale", "offset"))
    return call.binary("Add", call.binary("Mul", x, scale), offset)


@layer("Normalization", takes={"axis": -1, "mean": None, "variance": None, "invert": False}, whole=True)
def Normalization(call: Call, x: Value) -> Value:
    """Shifted and scaled by the mean and the variance of data that it has seen, or was given."""
    axis = call["axis"]
    kept = sorted(x.axis(a) for a in ([] if axis is None else [axis] if isinstance(axis, int) else axis))
    across = tuple(n if a in kept else 1 for a, n in enumerate(x.shape))
    if call["mean"] is None:
        shape = tuple(x.shape[a] for a in kept)
        mean, variance, _ = call.kept({}, {"mean": shape, "variance": shape, "count": ()}, rounded=True)
        mean, variance = call.reshape(mean, across), call.reshape(variance, across)
    else:
        mean, variance = (call.array(_given(call[each], across, call.dtype)) for each in ("mean", "variance"))
    deviation = call.binary("Max", call.unary("Sqrt", variance), 1e-7)  # the least that Keras divides by
    if call["invert"]:
        return call.binary("Add", mean, call.binary("Mul", x, deviation))
    shifted = call.binary("Sub", x, mean)
    if deviation.size == 1:
        return call.binary("Mul", shifted, call.unary("Reciprocal", deviation))
    return call.binary("Div", shifted, deviation)


def _given(values: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Numbers from a configuration in the shape of what they belong to."""
    array = np.array(values, np.float32).astype(dtype)  # as Keras keeps them
    size = math.prod(shape)
    require(array.size == size or (array.size == 1 and size < 1 << 24), f"{array.size} numbers for {shape}")
    return np.array(np.broadcast_to(array if array.size == 1 else array.reshape(shape), shape))


@layer("AutoContrast", takes={"value_range": (0, 255)}, only={"data_format": "channels_last"}, whole=True)
def AutoContrast(call: Call, x: Value) -> Value:
    """Each channel of a picture stretched to the whole range of values; what has one value stays as it is."""
    require(x.rank == 4 and x.dtype == np.float32, f"a picture of {x.shape} in {x.dtype}")
    values = [float(n) for n in call["value_range"]]
    y = in_range(call, x, values, [0.0, 255.0])
    high, low = (call.reduce(op, y, [1, 2], True) for op in ("ReduceMax", "ReduceMin"))
    scale = call.binary("Div", 255.0, call.binary("Sub", high, low))
    y = call.binary("Add", call.binary("Mul", y, scale), call.binary("Mul", call.unary("Neg", low), scale))
    y = in_range(call, clip(call, y, 0.0, 255.0), [0.0, 255.0], values)
    return call.node("Where", call.unary("IsNaN", y, dtype=bool), x, y, shape=x.shape, dtype=x.dtype)


def in_range(call: Call, x: Value, old: list[float], new: list[float]) -> Value:
    """Values of one range in another one."""
    if old == new:
        return x
    low, high, start, end = (np.float32(n) for n in (*old, *new))
    require(low < high, f"values from {low} to {high}")
    factor = call.array(np.array(np.reciprocal(high - low) * (end - start)))  # rounded twice, as TensorFlow does
    return call.binary("Add", call.binary("Mul", call.binary("Sub", x, old[0]), factor), new[0])
