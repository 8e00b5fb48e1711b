"""Arithmetic of tensors and constants, broadcast either way; a tensor with itself among them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from randomnets.builder import Builder, Shape, Tensor, Unfit
from randomnets.constants import constant, numbers
from randomnets.ranges import calm, positive
from randomnets.steps import STEPS, Step, step

Bounds = tuple[float, float]


def broadcastable(b: Builder, shape: Shape, one_way: bool) -> Shape:
    """A shape that broadcasts with another, and may broaden it."""
    found = tuple(1 if b.chance(0.3) else n for n in shape)
    found = found[b.random.randint(0, len(found)) :] if b.chance(0.4) else found
    if not one_way:
        found = tuple(b.random.randint(2, 3) if m == n == 1 and b.chance(0.2) else m for m, n in _aligned(found, shape))
        if len(shape) < 5 and b.chance(0.1):
            found = (b.random.randint(1, 2), *(1,) * (len(shape) - len(found)), *found)
    return found


def _aligned(small: Shape, large: Shape) -> list[tuple[int, int]]:
    return list(zip(small, large[len(large) - len(small) :], strict=True))


def fits(one: Shape, other: Shape, one_way: bool) -> bool:
    """Whether two shapes broadcast; `one_way`: to the first."""
    try:
        return np.broadcast_shapes(one, other) == one or not one_way
    except ValueError:
        return False


def partner(b: Builder, x: Tensor, one_way: bool = False) -> Tensor | None:
    """A tensor of the network that broadcasts with x, which may be x itself; None if a constant is to be taken."""
    if b.chance(0.4):
        return None
    found = [t for t in b.tensors if t.dtype == x.dtype and fits(x.shape, t.shape, one_way)]
    if b.chance(0.15):
        return x
    return b.random.choice(found[-6:]) if found else None


def _bounds(op: str, x: Bounds, y: Bounds, least: float) -> Bounds:
    """Of the result; `least` is how near to 0 a divisor may be."""
    if op == "Div":
        size = max(map(abs, x)) / least if least else np.inf
        return -size, size
    corners = {
        "Add": [x[0] + y[0], x[1] + y[1]],
        "Sub": [x[0] - y[1], x[1] - y[0]],
        "Mul": [p * q for p in x for q in y],
    }[op]
    return (min(corners), max(corners)) if np.isfinite(corners).all() else (-np.inf, np.inf)


def _grow(op: str) -> Callable[[Builder, Tensor], Tensor]:
    def grow(b: Builder, x: Tensor) -> Tensor:
        other = partner(b, x)
        if other is None:
            return _with_constant(b, op, calm(b, x, b.limit(x.dtype)))
        x, other = (calm(b, t, b.limit(x.dtype) ** 0.5) for t in (x, other))
        other = positive(b, other) if op == "Div" else other
        found = np.broadcast_shapes(x.shape, other.shape)
        bounds = _bounds(op, (x.low, x.high), (other.low, other.high), max(other.low, 0.0))
        return b.add(op, [x, other], found, *bounds, edges=2 * int(np.prod(found)))

    return grow


def _with_constant(b: Builder, op: str, x: Tensor) -> Tensor:
    """On either side; a divisor may have zeros, and the quotients be infinite."""
    values = numbers(b, broadcastable(b, x.shape, False), x.dtype, largest=100)
    if op == "Div" and not b.chance(0.1):
        values = np.where(np.abs(values) < 0.05, np.asarray(0.05, x.dtype), values)
    limits = (float(values.min()), float(values.max()))
    shape = np.broadcast_shapes(x.shape, values.shape)
    if b.chance(0.6):
        bounds = _bounds(op, (x.low, x.high), limits, float(np.abs(values).min()))
        return b.add(op, [x, constant(b, values)], shape, *bounds)
    x = positive(b, x) if op == "Div" else x
    return b.add(op, [constant(b, values), x], shape, *_bounds(op, limits, (x.low, x.high), max(x.low, 0.0)))


STEPS |= {op: Step(op, _grow(op), 7) for op in ("Add", "Sub", "Mul", "Div")}


@step("Sum")
def total(b: Builder, x: Tensor) -> Tensor:
    """Of one to four tensors and constants; before opset 8 they are not broadcast."""
    inputs: list[Tensor | str] = [calm(b, x, b.limit(x.dtype) / 4)]
    shape, largest = x.shape, inputs[0].largest  # type: ignore[union-attr]
    for _ in range(b.random.randint(0, 3)):
        other = partner(b, x)
        if other is not None and fits(shape, other.shape, b.opset < 8) and (b.opset >= 8 or other.shape == shape):
            other = calm(b, other, b.limit(x.dtype) / 4)
            inputs.append(other)
            shape, largest = np.broadcast_shapes(shape, other.shape), largest + other.largest
        else:
            values = numbers(b, x.shape if b.opset < 8 else broadcastable(b, x.shape, True), x.dtype, largest=100)
            inputs.append(constant(b, values))
            largest += float(np.abs(values).max(initial=0))
    b.random.shuffle(inputs)
    return b.add("Sum", inputs, shape, -largest, largest, edges=int(np.prod(shape)) * len(inputs))


@step("Pow")
def power(b: Builder, x: Tensor) -> Tensor:
    """Small integers as exponents of anything, others of what is positive; constant bases, too."""
    way = b.random.choice(["integer", "fraction", "array", "tensor", "base"])
    if way == "integer":
        x = calm(b, x, 10.0)
        exponent = b.random.choice([0.0, 1.0, 2.0, 3.0])
        kind = b.random.choice([x.dtype, np.int64, np.int32] if b.opset >= 12 else [x.dtype])
        shape = (1,) * b.random.randint(0, x.rank)
        return b.add("Pow", [x, constant(b, np.full(shape, exponent, kind))], x.shape, -1000.0, 1000.0)
    x = calm(b, x, 3.0)
    if way == "base":
        base = np.abs(numbers(b, broadcastable(b, x.shape, b.opset < 8), x.dtype, largest=2)) + x.dtype.type(0.5)
        shape = np.broadcast_shapes(base.shape, x.shape)
        if shape != base.shape and b.opset < 8:
            raise Unfit
        return b.add("Pow", [constant(b, base), x], shape, 0.0, 20.0)
    x = positive(b, x)
    if way == "tensor" and (y := partner(b, x)) is not None:
        y = calm(b, y, 1.0)
        return b.add("Pow", [x, y], np.broadcast_shapes(x.shape, y.shape), 0.0, 20.0, edges=4 * x.size)
    if way == "array":
        values = numbers(b, broadcastable(b, x.shape, False), x.dtype, largest=2)
        return b.add("Pow", [x, constant(b, values)], np.broadcast_shapes(x.shape, values.shape), 0.0, 100.0)
    exponent = b.random.choice([0.5, -1.0, 1.5, -0.5, -2.0])
    return b.add("Pow", [x, constant(b, np.asarray(exponent, x.dtype))], x.shape, 0.0, 100.0)


@step("PRelu")
def prelu(b: Builder, x: Tensor) -> Tensor:
    """A slope for all, for each channel, for each value, or a computed one."""
    x = calm(b, x, b.limit(x.dtype) ** 0.5)
    slope = partner(b, x, one_way=True) if b.chance(0.3) else None
    if slope is not None:
        slope = calm(b, slope, 10.0)
        size = x.largest * max(slope.largest, 1)
        return b.add("PRelu", [x, slope], x.shape, -size, size, edges=2 * x.size)
    values = numbers(b, broadcastable(b, x.shape, True), x.dtype, largest=5)
    size = x.largest * 5
    return b.add("PRelu", [x, constant(b, values)], x.shape, -size, size, edges=2 * x.size)
