"""`keras.layers`, merging: several values of one shape, element by element, or one behind the other."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from onnx2graphml.frontends.direct.activations import select
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.normalization import unit_length
from onnx2graphml.frontends.direct.masks import any_of, either
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value


@layer("Add")
def Add(call: Call, values: Sequence[Value]) -> Value:
    """Their sum."""
    return _merged(call, "Add", values)


@layer("Average")
def Average(call: Call, values: Sequence[Value]) -> Value:
    """Their mean."""
    total = _merged(call, "Add", values)
    return call.binary("Mul", total, call.inverse(len(values), total))


@layer("Multiply")
def Multiply(call: Call, values: Sequence[Value]) -> Value:
    """Their product; what a mask hides is 1, and 0 where all of them hide it."""
    wide = _wide_masks(call, values)
    shown = [x if mask is None else select(call, mask, x, 1.0) for x, mask in zip(values, wide, strict=True)]
    y = _merged(call, "Mul", shown)
    either = _either(call, wide)
    if either is None:
        return y
    y = select(call, either, y, 0.0)
    call.network.masks[y.name] = call.later(lambda: any_of(call, either, False))
    return y


@layer("Maximum")
def Maximum(call: Call, values: Sequence[Value]) -> Value:
    """The greatest of those that no mask hides."""
    return _extreme(call, "Max", values)


@layer("Minimum")
def Minimum(call: Call, values: Sequence[Value]) -> Value:
    """The least of those that no mask hides."""
    return _extreme(call, "Min", values)


@layer("Subtract")
def Subtract(call: Call, values: Sequence[Value]) -> Value:
    """The first less the second."""
    require(len(values) == 2, "a difference of more than two")
    return _merged(call, "Sub", values)


@layer("Concatenate", takes={"axis": -1})
def Concatenate(call: Call, values: Sequence[Value]) -> Value:
    """One behind the other along an axis."""
    axis = values[0].axis(call["axis"])
    rest = {(*v.shape[:axis], *v.shape[axis + 1 :]) for v in values}
    require(axis > 0 and len(rest) == 1 and len(values) > 1, "values of different shapes")
    return call.concat(values, axis)


@layer("Dot", takes={"axes": REQUIRED, "normalize": False})
def Dot(call: Call, values: Sequence[Value]) -> Value:
    """Products along an axis of either, summed up."""
    require(len(values) == 2 and len({v.rank for v in values}) == 1 and values[0].rank in (2, 3), "a product")
    given = call["axes"]
    axes = [given, given] if isinstance(given, int) else list(given)
    found = [v.axis(a) for v, a in zip(values, axes, strict=True)]
    require(0 not in found, "a product of batches")
    if call["normalize"]:
        values = [unit_length(call, v, [a], 1e7) for v, a in zip(values, found, strict=True)]
    x, y = values
    if x.rank == 2:
        return call.squeeze(call.matmul(call.unsqueeze(x, [1]), call.unsqueeze(y, [2])), [1])
    x = x if found[0] == 2 else call.transpose(x, [0, 2, 1])
    y = y if found[1] == 1 else call.transpose(y, [0, 2, 1])
    return call.matmul(x, y)


def _extreme(call: Call, op: str, values: Sequence[Value]) -> Value:
    wide = _wide_masks(call, values)
    if not any(wide):
        return _merged(call, op, values)
    _require_alike(values)
    y, shown = values[0], wide[0]
    for x, mask in zip(values[1:], wide[1:], strict=True):
        x = x if mask is None else select(call, mask, x, y)
        y = y if shown is None else select(call, shown, y, x)
        shown = _either(call, [shown, mask])
        y = call.binary(op, y, x)
    if shown is not None:
        call.network.masks[y.name] = call.later(lambda: any_of(call, shown, False))
    return y


def _wide_masks(call: Call, values: Sequence[Value]) -> list[Value | None]:
    """For each value whether each of its elements counts; None where it has no mask."""
    masks = [call.network.masks.get(x.name) for x in values]
    return [None if mask is None else _wide(call, mask.value, x) for x, mask in zip(values, masks, strict=True)]


def _wide(call: Call, mask: Value, x: Value) -> Value:
    mask = call.unsqueeze(mask, [mask.rank])
    require(mask.rank == x.rank and x.shape[-1] > 1, f"a mask of {mask.shape}")
    return call.node("Expand", mask, call.integers(x.shape), shape=x.shape)


def _either(call: Call, masks: Sequence[Value | None]) -> Value | None:
    """Where one of several masks is true; None unless all values have one."""
    found = [mask for mask in masks if mask is not None]
    return functools.reduce(functools.partial(either, call), found) if len(found) == len(masks) else None


def _merged(call: Call, op: str, values: Sequence[Value]) -> Value:
    _require_alike(values)
    joined = call.keras_sum if op == "Add" else functools.partial(call.binary, op)
    return functools.reduce(joined, values)


def _require_alike(values: Sequence[Value]) -> None:
    require(len({v.rank for v in values}) == 1, "values of different ranks")
    require(len({v.name for v in values}) == len(values) > 1, "a value with itself")
