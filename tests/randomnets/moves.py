"""Values moved, repeated, left out or cast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from randomnets.arithmetic import broadcastable
from randomnets.builder import Builder, Shape, Tensor, Unfit
from randomnets.constants import constant, integers
from randomnets.ranges import cast, factored, of_rank
from randomnets.records import hidden
from randomnets.steps import step

EVERYTHING = (1 << 63) - 1  # an end that stands for the last position


def axis_of(b: Builder, x: Tensor, since: int = 11) -> tuple[int, int]:
    """An axis, and how it may be written: negative from an opset on."""
    axis = b.random.randrange(x.rank)
    return axis, axis - x.rank if b.opset >= since and b.chance(0.4) else axis


def given(b: Builder, name: str, values: Sequence[int], since: int) -> tuple[list[str], dict[str, Any]]:
    """Integers as an input from an opset on, as an attribute before."""
    return ([integers(b, values)], {}) if b.opset >= since else ([], {name: list(values)})


def moved(b: Builder, op: str, x: Tensor, shape: Sequence[int], *inputs: str, **attributes: Any) -> Tensor:
    """A node whose values are all among its input's."""
    return b.add(op, [x, *inputs], shape, x.low, x.high, **attributes)


EIGHT_BITS = {
    TensorProto.FLOAT8E4M3FN: 448.0,
    TensorProto.FLOAT8E4M3FNUZ: 240.0,
    TensorProto.FLOAT8E5M2: 57344.0,
    TensorProto.FLOAT8E5M2FNUZ: 57344.0,
}
"""The largest number of each type."""


@step("Identity")
def identity(b: Builder, x: Tensor) -> Tensor:
    return moved(b, "Identity", x, x.shape)


@step("Dropout")
def dropout(b: Builder, x: Tensor) -> Tensor:
    if b.opset < 12:
        return moved(b, "Dropout", x, x.shape, **({"ratio": 0.3} if b.chance(0.5) else {}))
    inputs = [constant(b, np.float32(0.3))] if b.chance(0.5) else []
    if inputs and b.chance(0.4):
        inputs.append(constant(b, np.bool_(False)))
    return moved(b, "Dropout", x, x.shape, *inputs, **b.default(seed=1))


@step("Cast")
def to_another_type(b: Builder, x: Tensor) -> Tensor:
    if b.opset >= 19 and x.dtype != np.float64 and b.chance(0.3):
        return through_8_bits(b, x)
    return cast(b, x, np.dtype(b.random.choice([np.float32, np.float64, np.float16])))


def through_8_bits(b: Builder, x: Tensor) -> Tensor:
    """The tensor in floats of 8 bits and back: what is too large becomes the largest, or infinite, or NaN."""
    kind = b.random.choice(list(EIGHT_BITS))
    saturates = b.chance(0.6)
    given = b.default(saturate=1) if saturates else {"saturate": 0}
    if not saturates and x.largest > EIGHT_BITS[kind] and not b.may_overflow(x.dtype):
        raise Unfit
    most = EIGHT_BITS[kind] if saturates or x.largest <= EIGHT_BITS[kind] else math.inf
    b.afford("Cast", [x.dtype], 2 * x.size, 2 * x.size)
    eight = hidden(b, "Cast", [x.name], to=kind, **given)
    low, high = (-most, most) if x.is_finite else (-math.inf, math.inf)
    found = b.take(Tensor("", x.shape, x.dtype, low, high))
    b.node("Cast", [eight], [found.name], to=1 if x.dtype == np.float32 else 10)
    return found


@step("CastLike", since=15)
def cast_like(b: Builder, x: Tensor) -> Tensor:
    dtype = np.dtype(b.random.choice([np.float32, np.float64, np.float16]))
    if x.largest > b.limit(dtype):
        raise Unfit
    like = [t for t in b.tensors if t.dtype == dtype]
    target = b.random.choice(like) if like and b.chance(0.4) else constant(b, np.zeros(2, dtype))
    return b.add("CastLike", [x, target], x.shape, x.low, x.high, dtype=dtype)


@step("Flatten")
def flatten(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, x, 1)
    axis = b.random.randint(0, x.rank)
    written = axis - x.rank if b.opset >= 11 and axis < x.rank and b.chance(0.4) else axis
    attributes = b.default(axis=1) if written == 1 else {"axis": written}
    return moved(b, "Flatten", x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])), **attributes)


@step("Reshape")
def reshape(b: Builder, x: Tensor) -> Tensor:
    """With 0 for a size that stays and -1 for one that follows."""
    shape = factored(b, x.size, b.random.randint(1, 5)) if x.size > 1 or b.chance(0.8) else ()
    attributes = b.default(allowzero=0) if b.opset >= 14 else {}
    if b.opset >= 14 and b.chance(0.1):
        attributes["allowzero"] = 1
    written = list(shape)
    if not attributes.get("allowzero"):
        written = [0 if i < x.rank and n == x.shape[i] and b.chance(0.3) else n for i, n in enumerate(shape)]
    if written and b.chance(0.4):
        written[b.random.randrange(len(written))] = -1
    return moved(b, "Reshape", x, shape, integers(b, written), **attributes)


@step("Squeeze")
def squeeze(b: Builder, x: Tensor) -> Tensor:
    ones = [d for d, n in enumerate(x.shape) if n == 1]
    if b.chance(0.3):
        return moved(b, "Squeeze", x, [n for n in x.shape if n != 1])
    gone = [d for d in ones if b.chance(0.6)] or ones[:1]
    if not gone:
        return unsqueeze(b, x)
    written = [d - x.rank if b.opset >= 11 and b.chance(0.4) else d for d in gone]
    inputs, attributes = given(b, "axes", written, 13)
    return moved(b, "Squeeze", x, [n for d, n in enumerate(x.shape) if d not in gone], *inputs, **attributes)


@step("Unsqueeze")
def unsqueeze(b: Builder, x: Tensor) -> Tensor:
    if x.rank >= 5:
        raise Unfit
    rank = b.random.randint(x.rank + 1, min(5, x.rank + 2))
    new = sorted(b.random.sample(range(rank), rank - x.rank))
    old = iter(x.shape)
    shape = [1 if d in new else next(old) for d in range(rank)]
    written = [d - rank if b.opset >= 11 and b.chance(0.4) else d for d in new]
    if b.opset >= 13:
        b.random.shuffle(written)
    inputs, attributes = given(b, "axes", written, 13)
    return moved(b, "Unsqueeze", x, shape, *inputs, **attributes)


@step("Transpose")
def transpose(b: Builder, x: Tensor) -> Tensor:
    if x.rank == 0 and b.opset < 13:
        return identity(b, x)  # ONNX infers no shape
    if b.chance(0.2):
        return moved(b, "Transpose", x, x.shape[::-1])
    order = list(range(x.rank))
    b.random.shuffle(order)
    return moved(b, "Transpose", x, [x.shape[d] for d in order], perm=order) if order else identity(b, x)


@step("Expand", since=8)
def expand(b: Builder, x: Tensor) -> Tensor:
    """Also to a shape that has less, or smaller, dimensions."""
    to = broadcastable(b, x.shape, False)
    return moved(b, "Expand", x, np.broadcast_shapes(x.shape, to), integers(b, to))


@step("Tile")
def tile(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, x, 1)
    times = [b.random.choice([1, 1, 2, 3]) for _ in x.shape]
    return moved(b, "Tile", x, [n * t for n, t in zip(x.shape, times, strict=True)], integers(b, times))


@step("Gather")
def gather(b: Builder, x: Tensor) -> Tensor:
    """Indices of rank 0 to 2, some of them twice, some negative."""
    x = of_rank(b, x, 1)
    axis, written = axis_of(b, x, since=7)
    rank, n = b.random.randint(0, 2 if x.rank < 5 else 1), x.shape[axis]
    indices: Shape = tuple(b.random.randint(1, 3) for _ in range(rank))
    least = -n if b.opset >= 11 else 0
    picked = [b.random.randint(least, n - 1) for _ in range(math.prod(indices))]
    at = np.array(picked).reshape(indices).astype(b.random.choice([np.int64, np.int32]))
    attributes = b.default(axis=0) if written == 0 else {"axis": written}
    return moved(b, "Gather", x, (*x.shape[:axis], *indices, *x.shape[axis + 1 :]), constant(b, at), **attributes)


@step("Slice")
def slice_(b: Builder, x: Tensor) -> Tensor:
    """Some axes, forwards and backwards, with ends that lie outside."""
    x = of_rank(b, x, 1)
    axes = sorted(b.random.sample(range(x.rank), b.random.randint(1, min(x.rank, 2))))
    shape, starts, ends, steps = list(x.shape), [], [], []
    for axis in axes:
        n = x.shape[axis]
        step_ = b.random.choice([1, 1, 2, 3, -1, -2]) if b.opset >= 10 else 1
        first, last = sorted((b.random.randrange(n), b.random.randrange(n)))
        shape[axis] = len(range(first, last + 1, abs(step_)))
        first, last = (first, last + 1) if step_ > 0 else (last, first - 1)
        starts.append(first - n if b.chance(0.3) and first < n else first)
        ends.append(_end(b, last, n, step_))
        steps.append(step_)
    written = [a - x.rank if b.opset >= 10 and b.chance(0.3) else a for a in axes]
    leave_axes = axes == list(range(len(axes))) and b.chance(0.5)
    if b.opset < 10:
        attributes = {"starts": starts, "ends": ends} | ({} if leave_axes else {"axes": written})
        return moved(b, "Slice", x, shape, **attributes)
    names = [integers(b, v) for v in (starts, ends)]
    plain = set(steps) == {1} and b.chance(0.5)
    if not (leave_axes and plain):
        names.append("" if leave_axes else integers(b, written))
    return moved(b, "Slice", x, shape, *names, *([] if plain else [integers(b, steps)]))


def _end(b: Builder, last: int, n: int, step_: int) -> int:
    """One of the ways to write where a slice stops."""
    if step_ < 0:
        return b.random.choice([-n - 1, -EVERYTHING, -n - 7]) if last < 0 else b.random.choice([last, last - n])
    if last == n:
        return b.random.choice([n, n + 5, EVERYTHING])
    return b.random.choice([last, last - n])


@step("Pad")
def pad(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, x, 1)
    modes = ["constant", "constant", "reflect", "edge", *(["wrap"] if b.opset >= 19 else [])]
    mode = b.random.choice(modes)
    least = {"constant": lambda n: -min(n - 1, 1) // 2 if n > 2 else 0}.get(mode, lambda n: 0)
    most = {"reflect": lambda n: min(n - 1, 2), "wrap": lambda n: min(n, 2)}.get(mode, lambda n: 2)
    begin, end = ([b.random.randint(least(n), most(n)) if b.chance(0.6) else 0 for n in x.shape] for _ in range(2))
    shape = [n + p + q for n, p, q in zip(x.shape, begin, end, strict=True)]
    if min(shape) < 1:
        raise Unfit
    value = b.random.choice([0.0, 1.0, -2.5]) if mode == "constant" else 0.0
    low, high = min(x.low, value), max(x.high, value)
    attributes: dict[str, Any] = b.default(mode=mode) if mode == "constant" else {"mode": mode}
    if b.opset < 11:
        attributes |= {"pads": begin + end} | ({"value": value} if value else b.default(value=0.0))
        return b.add("Pad", [x], shape, low, high, **attributes)
    axes = [d for d, p in enumerate(zip(begin, end, strict=True)) if any(p)]
    b.random.shuffle(axes)
    some = b.opset >= 18 and bool(axes) and b.chance(0.5)
    axes = axes if some else list(range(x.rank))
    names = [integers(b, [side[d] for side in (begin, end) for d in axes])]
    names.append(constant(b, np.asarray(value, x.dtype)) if value or b.chance(0.3) else "")
    names.append(integers(b, [d - x.rank if b.chance(0.4) else d for d in axes]) if some else "")
    while not names[-1]:
        names.pop()
    return b.add("Pad", [x, *names], shape, low, high, **attributes)
