"""`keras.layers`, merging: several values of one shape, element by element, or one behind the other."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.normalization import unit_length
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
    """Their product."""
    return _merged(call, "Mul", values)


@layer("Maximum")
def Maximum(call: Call, values: Sequence[Value]) -> Value:
    """The greatest."""
    return _merged(call, "Max", values)


@layer("Minimum")
def Minimum(call: Call, values: Sequence[Value]) -> Value:
    """The least."""
    return _merged(call, "Min", values)


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


def _merged(call: Call, op: str, values: Sequence[Value]) -> Value:
    require(len({v.rank for v in values}) == 1, "values of different ranks")
    require(len({v.name for v in values}) == len(values) > 1, "a value with itself")
    return functools.reduce(functools.partial(call.binary, op), values)
