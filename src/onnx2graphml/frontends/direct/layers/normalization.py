"""`keras.layers`, normalization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.registry import layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Shape, Value

BATCH: dict[str, Any] = {"axis": -1, "momentum": 0.99, "epsilon": 1e-3, "center": True, "scale": True}


@layer(
    "BatchNormalization",
    takes=BATCH | {"synchronized": False},
    only={"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99},
)
def BatchNormalization(call: Call, x: Value, mask: Value | None = None) -> Value:
    """Scaled and shifted by the statistics of training, computed as TensorFlow does; a mask matters in training."""
    axis = x.axis(call["axis"])
    shape = (x.shape[axis],)
    scale = ["gamma"] if call["scale"] else []
    center = ["beta"] if call["center"] else []
    trained = dict.fromkeys([*scale, *center], shape)
    x, own = call.long(x), x.dtype
    found = call.kept(trained, {"moving_mean": shape, "moving_variance": shape}, x.dtype)
    across = shape if axis == x.rank - 1 else tuple(n if a == axis else 1 for a, n in enumerate(x.shape))
    values = dict(zip([*trained, "mean", "variance"], (call.reshape(v, across) for v in found), strict=True))
    factor = call.unary("Sqrt", call.binary("Add", values["variance"], call["epsilon"]))
    factor = call.unary("Reciprocal", factor)
    factor = call.binary("Mul", factor, values["gamma"]) if scale else factor
    scaled = call.binary("Mul", x, factor)
    if not center:
        shift = call.binary("Mul", call.unary("Neg", values["mean"]), factor)
    else:
        shift = call.binary("Sub", values["beta"], call.binary("Mul", values["mean"], factor))
    return call.cast(call.binary("Add", scaled, shift), own)


@layer(
    "LayerNormalization",
    takes={"axis": -1, "epsilon": 1e-3, "center": True, "scale": True},
    only={"rms_scaling": False},
    casts=False,
)
def LayerNormalization(call: Call, x: Value) -> Value:
    """By the mean and the variance of each position."""
    axes = _axes(call, x)
    require(any(x.shape[a] > 1 for a in axes), "the mean of one number")
    trained = {name: tuple(x.shape[a] for a in axes) for name, use in _both(call) if use}
    across = tuple(n if a in axes else 1 for a, n in enumerate(x.shape))
    x, own = call.long(x), x.dtype
    found = _across(call, trained, across, x)
    return call.cast(call.cast(_normalized(call, x, axes, found), own), call.dtype)


@layer("GroupNormalization", takes={"groups": 32, "axis": -1, "epsilon": 1e-3, "center": True, "scale": True},
       casts=False)  # fmt: skip
def GroupNormalization(call: Call, x: Value) -> Value:
    """By the mean and the variance of each group of channels."""
    axis, channels = x.axis(call["axis"]), x.shape[x.axis(call["axis"])]
    require(x.rank > 2 and axis > 0 and call["axis"] >= -1, f"groups of the axis {call['axis']}")
    groups = channels if call["groups"] == -1 else call["groups"]
    require(0 < groups <= channels and channels % groups == 0, f"{groups} groups of {channels}")
    inner = (groups, channels // groups)
    require(any(n > 1 for a, n in enumerate(x.shape) if a != axis) or groups < channels, "the mean of one number")
    trained = {name: (channels,) for name, use in _both(call) if use}
    shape = (*x.shape[:axis], *inner, *x.shape[axis + 1 :])
    across = tuple(n if a in (axis, axis + 1) else 1 for a, n in enumerate(shape))
    split = call.long(call.reshape(x, shape))
    found = _across(call, trained, across, split)
    y = _normalized(call, split, [a for a in range(1, x.rank + 1) if a != axis], found)
    return call.cast(call.reshape(call.cast(y, x.dtype), x.shape), call.dtype)


@layer("RMSNormalization", takes={"axis": -1, "epsilon": 1e-6})
def RMSNormalization(call: Call, x: Value) -> Value:
    """By the root of the mean square."""
    axes = _axes(call, x)
    require(axes == [x.rank - 1], f"the axes {axes}")
    x, own = call.long(x), x.dtype
    (scale,) = call.weights(scale=(x.shape[-1],))
    scale = call.cast(scale, x.dtype)
    square = call.mean(call.binary("Mul", x, x), axes)
    root = call.unary("Reciprocal", call.unary("Sqrt", call.binary("Add", square, call["epsilon"])))
    return call.cast(call.binary("Mul", call.binary("Mul", x, root), scale), own)


@layer("UnitNormalization", takes={"axis": -1})
def UnitNormalization(call: Call, x: Value) -> Value:
    """By the length of each vector."""
    return unit_length(call, x, _axes(call, x))


def unit_length(call: Call, x: Value, axes: list[int], most: float = 1e12) -> Value:
    """Vectors of length 1; of very short ones, no more than so many times as long."""
    square = call.reduce("ReduceSum", call.binary("Mul", x, x), axes, True)
    inverse = call.unary("Reciprocal", call.unary("Sqrt", square))
    return call.binary("Mul", x, call.binary("Min", inverse, most))


def _across(call: Call, shapes: Mapping[str, Shape], across: Shape, x: Value) -> dict[str, Value]:
    """Trained factors and shifts in a value's type, along some of its axes."""
    return {name: call.reshape(v, across) for name, v in zip(shapes, call.kept(shapes, {}, x.dtype), strict=True)}


def _both(call: Call) -> list[tuple[str, bool]]:
    return [("gamma", call["scale"]), ("beta", call["center"])]


def _axes(call: Call, x: Value) -> list[int]:
    """The axes that are normalized."""
    axis = call["axis"]
    axes = sorted(x.axis(a) for a in ([axis] if isinstance(axis, int) else axis))
    require(axes and axes[0] > 0, f"the axes {axis}")
    call.network.in_order.append(x.name)
    return axes


def _normalized(call: Call, x: Value, axes: list[int], trained: dict[str, Value]) -> Value:
    """Less the mean, by the deviation; then scaled and shifted."""
    mean = call.mean(x, axes)
    away = call.binary("Sub", x, mean)
    variance = call.mean(call.binary("Mul", away, away), axes)
    factor = call.unary("Sqrt", call.binary("Add", variance, call["epsilon"]))
    factor = call.unary("Reciprocal", factor)
    factor = call.binary("Mul", factor, trained["gamma"]) if "gamma" in trained else factor
    shift = call.binary("Mul", call.unary("Neg", mean), factor)
    shift = call.binary("Add", shift, trained["beta"]) if "beta" in trained else shift
    return call.binary("Add", call.binary("Mul", x, factor), shift)
