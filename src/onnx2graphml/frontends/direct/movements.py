"""Functions of `keras.ops` that move numbers and compute none: axes, shapes and parts of Keras tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.operations import require_floats
from onnx2graphml.frontends.direct.registry import REQUIRED, operation
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value


@operation("Transpose", module="numpy", takes={"axes": None})
def Transpose(call: Call, x: Value) -> Value:
    """Axes in another order."""
    order = [x.axis(a) for a in call["axes"] or range(x.rank)[::-1]]
    require(sorted(order) == list(range(x.rank)) and order[0] == 0, f"the order {order}")
    return call.transpose(x, order)


@operation("Reshape", module="numpy", takes={"newshape": REQUIRED})
def Reshape(call: Call, x: Value) -> Value:
    """The same values in another shape; one size may be -1."""
    shape = list(call["newshape"])
    require(all(isinstance(n, int) for n in shape), f"the shape {shape}")
    if -1 in shape:
        shape[shape.index(-1)] = x.size // math.prod(n for n in shape if n != -1)
    require(shape[0] == 1 and tuple(shape) != x.shape, f"the shape {shape}")
    return call.reshape(x, tuple(shape))


@operation("ExpandDims", module="numpy", takes={"axis": REQUIRED})
def ExpandDims(call: Call, x: Value) -> Value:
    """One axis more, of size 1."""
    axis = call["axis"]
    require(isinstance(axis, int) and -x.rank <= axis <= x.rank and axis % (x.rank + 1) > 0, f"the axis {axis}")
    return call.unsqueeze(x, [axis % (x.rank + 1)])


@operation("Squeeze", module="numpy", takes={"axis": REQUIRED})
def Squeeze(call: Call, x: Value) -> Value:
    """Without an axis of size 1."""
    axis = x.axis(call["axis"])
    require(axis > 0 and x.shape[axis] == 1, f"the axis {axis} of {x.shape}")
    return call.squeeze(x, [axis])


@operation("Concatenate", module="numpy", takes={"axis": -1})
def Concatenate(call: Call, xs: Sequence[Value]) -> Value:
    """One behind the other."""
    if any(x.dtype != bool for x in xs):
        require_floats(*xs)
    axis = xs[0].axis(call["axis"])
    require(len(xs) > 1, "one value alone")
    require(axis > 0 and len({(*x.shape[:axis], *x.shape[axis + 1 :]) for x in xs}) == 1, "different shapes")
    return call.concat(xs, axis)


@operation("Stack", module="numpy", takes={"axis": 0})
def Stack(call: Call, x: Sequence[Value]) -> Value:
    """One behind the other, along an axis of their own."""
    require_floats(*x)
    axis = call["axis"]
    require(0 < axis <= x[0].rank and len({v.shape for v in x}) == 1, f"a stack along {axis}")
    return call.concat([call.unsqueeze(v, [axis]) for v in x], axis)


@operation("Split", module="numpy", takes={"indices_or_sections": REQUIRED, "axis": 0})
def Split(call: Call, x: Value) -> list[Value]:
    """In so many equal parts."""
    require_floats(x)
    parts, axis = call["indices_or_sections"], x.axis(call["axis"])
    require(isinstance(parts, int) and parts > 1 and axis > 0, f"parts {parts}")
    return call.split(x, parts, axis)


@operation("Pad", module="numpy", takes={"pad_width": REQUIRED}, only={"mode": "constant"})
def Pad(call: Call, x: Value) -> Value:
    """Zeros around it."""
    require_floats(x)
    pairs = call["pad_width"]
    known = isinstance(pairs, list) and len(pairs) == x.rank and all(isinstance(p, list) and len(p) == 2 for p in pairs)
    require(known and pairs[0] == [0, 0] and all(min(p) >= 0 for p in pairs) and x.rank < 4, f"the sides {pairs}")
    return call.pad(x, [p[0] for p in pairs], [p[1] for p in pairs])


@operation("GetItem", module="numpy")
def GetItem(call: Call, x: Value, key: Any) -> Value:
    """A part of each axis, or one place on it."""
    keys = list(key) if isinstance(key, list | tuple) else [key]
    require(len(keys) <= x.rank and keys[0] == slice(None), f"the part {key}")
    require(any(each != slice(None) for each in keys), "all of a value")
    dropped = []
    for axis, each in enumerate(keys):
        if isinstance(each, int) and not isinstance(each, bool):
            place = each % x.shape[axis]
            require(-x.shape[axis] <= each < x.shape[axis], f"the place {each}")
            x = call.slice(x, axis, place, place + 1)
            dropped.append(axis)
            continue
        require(isinstance(each, slice), f"the part {each}")
        if each != slice(None):
            start, stop, step = each.indices(x.shape[axis])
            require(step == 1 and start < stop and stop - start < x.shape[axis], f"the part {each}")
            x = call.slice(x, axis, start, stop)
    return call.squeeze(x, dropped) if dropped else x
