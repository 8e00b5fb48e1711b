"""`keras.layers`, reshaping: values that move, are left out, or stand several times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from onnx2graphml.frontends.direct.activations import clip
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.windows import layout_of, sizes, to_back
from onnx2graphml.frontends.direct.network import Padded
from onnx2graphml.frontends.direct.policies import BFLOAT16, FLOATS
from onnx2graphml.frontends.direct.rearranged import SEVERAL
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value
from onnx2graphml.frontends.scales import scaled

MOST = {FLOATS["float16"]: 65504.0, BFLOAT16: 3.3895313892515355e38}
"""The greatest number of a short type, which Keras clips a picture of another size to."""


@layer("Flatten", takes={"data_format": "channels_last"}, any_type=True)
def Flatten(call: Call, x: Value) -> Value:
    """All in one row."""
    if layout_of(call).first and x.rank > 2:
        x = call.transpose(x, to_back(x.rank))
    return call.reshape(x, (1, x.size))


@layer("Reshape", takes={"target_shape": REQUIRED}, any_type=True)
def Reshape(call: Call, x: Value) -> Value:
    """The same values in another shape; one size may be -1."""
    target = list(call["target_shape"])
    if -1 in target:
        known = math.prod(n for n in target if n != -1)
        target[target.index(-1)] = x.size // known
    require(min(target, default=1) > 0, f"the shape {target}")
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
    require(n > 0, f"{n} times")
    tiled = call.node("Tile", x, call.integers([1, n]), shape=(1, n * x.size))
    return call.reshape(tiled, (1, n, x.size))


@layer("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", takes={"padding": REQUIRED, "data_format": "channels_last"})
def ZeroPadding(call: Call, x: Value) -> Value:
    """Zeros around it."""
    before, after = _sides(call["padding"], x)
    require(any(before + after), "no zeros")
    first = layout_of(call).first
    around = [[0, 0, *side] if first else [0, *side, 0] for side in (before, after)]
    y = call.pad(x, *around)
    call.network.padded[y.name] = Padded(x, before, after, first)
    return y


@layer("Cropping1D", "Cropping2D", "Cropping3D", takes={"cropping": REQUIRED, "data_format": "channels_last"})
def Cropping(call: Call, x: Value) -> Value:
    """Less at both ends."""
    before, after = _sides(call["cropping"], x)
    require(any(before + after), "nothing cropped")
    return cut(call, x, before, [n - a for n, a in zip(layout_of(call).sizes(x), after, strict=True)])


@layer("UpSampling1D", takes={"size": REQUIRED}, any_type=True)
@layer("UpSampling3D", takes={"size": REQUIRED, "data_format": "channels_last"}, any_type=True)
def UpSampling(call: Call, x: Value) -> Value:
    """Each position several times."""
    return _repeated(call, x)


@layer("UpSampling2D", takes={"size": REQUIRED, "data_format": "channels_last", "interpolation": "nearest"})
def UpSampling2D(call: Call, x: Value) -> Value:
    """Each position several times, or with values between."""
    if call["interpolation"] == "nearest":
        return _repeated(call, x)
    times, old = sizes(call["size"], 2), layout_of(call).sizes(x)
    return resized(call, x, (old[0] * times[0], old[1] * times[1]), call["interpolation"])


@layer(
    "Resizing",
    takes={"height": REQUIRED, "width": REQUIRED, "interpolation": "bilinear", "data_format": "channels_last",
           "fill_mode": "constant", "fill_value": 0.0},
    only={"crop_to_aspect_ratio": False, "pad_to_aspect_ratio": False, "antialias": False},
    whole=True,
)  # fmt: skip
def Resizing(call: Call, x: Value) -> Value:
    """A picture of another size."""
    return resized(call, x, (call["height"], call["width"]), call["interpolation"])


@layer("CenterCrop", takes={"height": REQUIRED, "width": REQUIRED, "data_format": "channels_last"}, whole=True)
def CenterCrop(call: Call, x: Value) -> Value:
    """What is in the middle of a picture."""
    wanted, old = (call["height"], call["width"]), layout_of(call).sizes(x)
    require(x.rank == 4, f"a picture of {x.shape}")
    before = [(n - k) // 2 for n, k in zip(old, wanted, strict=True)]
    require(min(before) >= 0 and min(wanted) > 0 and wanted != old, "a picture no larger than its middle")
    return cut(call, x, before, [b + k for b, k in zip(before, wanted, strict=True)])


def cut(call: Call, x: Value, starts: Sequence[int], ends: Sequence[int]) -> Value:
    """What is between these places, along all axes but those of the batch and of the channels."""
    layout = layout_of(call)
    left = [end - start for start, end in zip(starts, ends, strict=True)]
    require(min(left) > 0, "nothing is left")
    inputs = (call.integers(each) for each in (starts, ends, layout.axes(x)))
    return call.node("Slice", x, *inputs, shape=layout.shape(left, layout.channels(x)))


def resized(call: Call, x: Value, size: tuple[int, int], interpolation: str) -> Value:
    """A picture of another size; its axes are moved as on the way through TensorFlow."""
    # by "bicubic", ONNX Runtime and TensorFlow differ where a size is no multiple
    require(interpolation == "bilinear", f"the interpolation {interpolation}")
    layout = layout_of(call)
    old = layout.sizes(x)
    require(x.rank == 4 and min(size) > 0 and size != old, f"a size {size}")
    require(x.dtype in MOST or x.dtype == np.float32, f"a picture of {x.dtype}")
    scales = np.array([1, 1, *(n / o for n, o in zip(size, old, strict=True))], np.float32)
    first = layout.to_onnx(call, call.long(x))
    shape = (1, layout.channels(x), *size)
    exact = scaled(old, size) == list(size)
    ends = [call.array(scales)] if exact else [None, call.integers(shape)]
    how: dict[str, Any] = {"mode": "linear", "coordinate_transformation_mode": "half_pixel", "nearest_mode": "floor"}
    made = call.node("Resize", first, None, *ends, shape=shape, **how)
    if x.dtype in MOST:
        made = call.cast(clip(call, made, -MOST[x.dtype], MOST[x.dtype]), x.dtype)
    return (
        layout.turned(call, x, made, SEVERAL)
        if layout.first
        else call.transpose(made, [0, 2, 3, 1], x.dtype not in MOST)
    )


def _sides(option: Any, x: Value) -> tuple[list[int], list[int]]:
    """What is before and what is after, for each spatial axis."""
    pairs = [option] if x.rank == 3 and all(isinstance(n, int) for n in option) else option
    require(len(pairs) == x.rank - 2 and all(len(p) == 2 and min(p) >= 0 for p in pairs), f"the sides {option}")
    return [p[0] for p in pairs], [p[1] for p in pairs]


def _repeated(call: Call, x: Value) -> Value:
    all_times = sizes(call["size"], x.rank - 2)
    require(max(all_times) > 1, "each position once")
    y = x
    for axis, times in zip(layout_of(call).axes(x), all_times, strict=True):
        if times == 1:
            continue
        tiles = [times if a == axis + 1 else 1 for a in range(x.rank + 1)]
        wide = call.unsqueeze(y, [axis + 1])
        shape = tuple(n * t for n, t in zip(wide.shape, tiles, strict=True))
        tiled = call.node("Tile", wide, call.integers(tiles), shape=shape)
        y = call.reshape(tiled, (*y.shape[:axis], y.shape[axis] * times, *y.shape[axis + 1 :]))
    return layout_of(call).turned(call, x, y, SEVERAL)
