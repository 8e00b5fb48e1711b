"""`keras.layers`, reshaping: values that move, are left out, or stand several times."""

from __future__ import annotations

import math
from typing import Any

from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.windows import sizes
from onnx2graphml.frontends.direct.network import Padded
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value


@layer("Flatten", takes={"data_format": "channels_last"}, any_type=True)
def Flatten(call: Call, x: Value) -> Value:
    """All in one row."""
    require(call["data_format"] == "channels_last", "channels first")
    return call.reshape(x, (1, x.size))


@layer("Reshape", takes={"target_shape": REQUIRED}, any_type=True)
def Reshape(call: Call, x: Value) -> Value:
    """The same values in another shape; one size may be -1."""
    target = list(call["target_shape"])
    if -1 in target:
        known = math.prod(n for n in target if n != -1)
        target[target.index(-1)] = x.size // known
    return call.reshape(x, (1, *target))


@layer("Permute", takes={"dims": REQUIRED}, any_type=True)
def Permute(call: Call, x: Value) -> Value:
    """Axes in another order, counted from 1."""
    require(sorted(call["dims"]) == list(range(1, x.rank)), f"the order {call['dims']}")
    return call.transpose(x, [0, *call["dims"]])


@layer("RepeatVector", takes={"n": REQUIRED}, any_type=True)
def RepeatVector(call: Call, x: Value) -> Value:
    """A vector so many times."""
    require(x.rank == 2, f"RepeatVector of {x.shape}")
    n = call["n"]
    tiled = call.node("Tile", x, call.integers([1, n]), shape=(1, n * x.size))
    return call.reshape(tiled, (1, n, x.size))


@layer("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", takes={"padding": REQUIRED, "data_format": "channels_last"})
def ZeroPadding(call: Call, x: Value) -> Value:
    """Zeros around it."""
    before, after = _sides(call["padding"], x, call)
    y = call.pad(x, [0, *before, 0], [0, *after, 0])
    call.network.padded[y.name] = Padded(x, before, after)
    return y


@layer("Cropping1D", "Cropping2D", "Cropping3D", takes={"cropping": REQUIRED, "data_format": "channels_last"})
def Cropping(call: Call, x: Value) -> Value:
    """Less at both ends."""
    before, after = _sides(call["cropping"], x, call)
    axes = range(1, x.rank - 1)
    ends = [n - a for n, a in zip(x.shape[1:-1], after, strict=True)]
    shape = [end - start for start, end in zip(before, ends, strict=True)]
    require(min(shape) > 0, "nothing is left")
    inputs = (call.integers(each) for each in (before, ends, axes))
    return call.node("Slice", x, *inputs, shape=(1, *shape, x.shape[-1]))


@layer("UpSampling1D", takes={"size": REQUIRED}, any_type=True)
@layer("UpSampling3D", takes={"size": REQUIRED, "data_format": "channels_last"}, any_type=True)
def UpSampling(call: Call, x: Value) -> Value:
    """Each position several times."""
    return _repeated(call, x)


@layer("UpSampling2D", takes={"size": REQUIRED, "data_format": "channels_last", "interpolation": "nearest"})
def UpSampling2D(call: Call, x: Value) -> Value:
    """Each position several times."""
    require(call["interpolation"] == "nearest", "a picture made larger with values between")
    return _repeated(call, x)


def _sides(option: Any, x: Value, call: Call) -> tuple[list[int], list[int]]:
    """What is before and what is after, for each spatial axis."""
    require(call.options.get("data_format", "channels_last") in ("channels_last", None), "channels first")
    pairs = [option] if x.rank == 3 and all(isinstance(n, int) for n in option) else option
    require(len(pairs) == x.rank - 2 and all(len(p) == 2 and min(p) >= 0 for p in pairs), f"the sides {option}")
    return [p[0] for p in pairs], [p[1] for p in pairs]


def _repeated(call: Call, x: Value) -> Value:
    require(call.options.get("data_format", "channels_last") == "channels_last", "channels first")
    for axis, times in enumerate(sizes(call["size"], x.rank - 2), start=1):
        if times == 1:
            continue
        tiles = [times if a == axis + 1 else 1 for a in range(x.rank + 1)]
        wide = call.unsqueeze(x, [axis + 1])
        shape = tuple(n * t for n, t in zip(wide.shape, tiles, strict=True))
        tiled = call.node("Tile", wide, call.integers(tiles), shape=shape)
        x = call.reshape(tiled, (*x.shape[:axis], x.shape[axis] * times, *x.shape[axis + 1 :]))
    return x
