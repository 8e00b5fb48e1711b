"""Operators that choose among candidates, reduce them, or are linear along an axis; all in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from randomnets.builder import Builder, Tensor, Unfit
from randomnets.constants import constant, integers, numbers
from randomnets.ranges import calm, factored, finite, of_rank
from randomnets.records import as_float, hidden, second, single
from randomnets.steps import STEPS, Step, step


def axis_of(b: Builder, x: Tensor) -> int:
    return b.random.randrange(x.rank)


def _extreme(op: str) -> Callable[[Builder, Tensor], Tensor]:
    def grow(b: Builder, x: Tensor) -> Tensor:
        x = single(b, x)
        others = [second(b, x) for _ in range(b.random.randint(0, 2))]
        size = max(x.largest, 1e5)
        return b.add(op, [x, *others], x.shape, -size, size, edges=3 * x.size)

    return grow


STEPS |= {op: Step(op, _extreme(op), 8) for op in ("Max", "Min", "Mean")}


def _norm(op: str, bound: float) -> Callable[[Builder, Tensor], Tensor]:
    def grow(b: Builder, x: Tensor) -> Tensor:
        x = calm(b, of_rank(b, single(b, x), 1), bound)
        if op == "ReduceLogSum":
            x = b.add("Abs", [x], x.shape, 0, x.largest)
            x = b.add("Add", [x, constant(b, np.float32(0.5))], x.shape, 0.5, x.high + 0.5)
        axis = axis_of(b, x)
        inputs, given = ([integers(b, [axis])], {}) if b.opset >= 18 else ([], {"axes": [axis]})
        shape = [1 if d == axis else n for d, n in enumerate(x.shape)]
        size = x.shape[axis] * max(x.largest, 1.0) ** 2 if op != "ReduceProd" else 1.0
        return b.add(op, [x, *inputs], shape, -size - 10, size + 10, edges=x.size, **given)

    return grow


NORMS = {"ReduceL1": 50.0, "ReduceL2": 50.0, "ReduceSumSquare": 50.0, "ReduceLogSum": 50.0, "ReduceLogSumExp": 5.0}
STEPS |= {op: Step(op, _norm(op, bound), 7) for op, bound in NORMS.items()} | {
    "ReduceProd": Step("ReduceProd", _norm("ReduceProd", 1.0), 7)
}


def _position(op: str) -> Callable[[Builder, Tensor], Tensor]:
    def grow(b: Builder, x: Tensor) -> Tensor:
        x = of_rank(b, single(b, x), 1)
        axis = axis_of(b, x)
        given: dict[str, Any] = {"select_last_index": 1} if b.opset >= 12 and b.chance(0.3) else {}
        shape = [1 if d == axis else n for d, n in enumerate(x.shape)]
        return as_float(b, hidden(b, op, [x.name], axis=axis, **given), shape, 0, x.shape[axis], x.size)

    return grow


STEPS |= {op: Step(op, _position(op), 8) for op in ("ArgMax", "ArgMin")}


@step("TopK", 11)
def top(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, single(b, x), 1)
    axis = axis_of(b, x)
    k = b.random.randint(1, x.shape[axis])
    shape = [k if d == axis else n for d, n in enumerate(x.shape)]
    size = int(np.prod(shape)) * x.shape[axis]
    b.afford("TopK", [x.dtype], 0 + int(np.prod(shape)), size)
    values = b.take(Tensor("", tuple(shape), x.dtype, x.low, x.high))
    where = b.fresh("h")
    b.node("TopK", [x.name, integers(b, [k])], [values.name, where], axis=axis, largest=b.random.randint(0, 1))
    return as_float(b, where, shape, 0, x.shape[axis], size) if b.chance(0.5) else values


@step("Hardmax", 13)
def hardmax(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, single(b, x), 1)
    axis = axis_of(b, x)
    return b.add("Hardmax", [x], x.shape, 0, 1, edges=x.size * x.shape[axis], axis=axis)


@step("CumSum", 11)
def cumsum(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, calm(b, single(b, x), 1000.0), 1)
    axis = axis_of(b, x)
    size = x.largest * x.shape[axis]
    given = {"exclusive": b.random.randint(0, 1), "reverse": b.random.randint(0, 1)}
    at = constant(b, np.asarray(axis, np.int64))
    return b.add("CumSum", [x, at], x.shape, -size, size, edges=x.size * x.shape[axis], **given)


@step("Trilu", 14)
def triangle(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, single(b, x), 2)
    k = constant(b, np.asarray(b.random.randint(-2, 2), np.int64))
    return b.add("Trilu", [x, k], x.shape, min(x.low, 0), max(x.high, 0), upper=b.random.randint(0, 1))


def picture(b: Builder, x: Tensor, *sizes: int) -> Tensor:
    """The tensor as (1, channels, rows, columns), whose sizes are multiples of the given ones."""
    x = single(b, x)
    if x.rank == 4 and x.shape[0] == 1 and not any(n % m for n, m in zip(x.shape[1:], sizes, strict=True)):
        return x
    rest, left = divmod(x.size, int(np.prod(sizes)))
    if left:
        raise Unfit
    more = factored(b, rest, 3)
    shape = (1, *(m * n for m, n in zip(sizes, more, strict=True)))
    return b.add("Reshape", [x, integers(b, shape)], shape, x.low, x.high)


@step("SpaceToDepth")
def space_to_depth(b: Builder, x: Tensor) -> Tensor:
    x = picture(b, x, 1, 2, 2)
    _, c, h, w = x.shape
    return b.add("SpaceToDepth", [x], (1, 4 * c, h // 2, w // 2), x.low, x.high, blocksize=2)


@step("DepthToSpace", 11)
def depth_to_space(b: Builder, x: Tensor) -> Tensor:
    x = picture(b, x, 4, 1, 1)
    _, c, h, w = x.shape
    mode = b.random.choice(["DCR", "CRD"])
    return b.add("DepthToSpace", [x], (1, c // 4, 2 * h, 2 * w), x.low, x.high, blocksize=2, mode=mode)


@step("Resize", 13)
def resize(b: Builder, x: Tensor) -> Tensor:
    x = finite(b, picture(b, x, 1, 1, 1))  # beside infinity, an interpolation by 0 is NaN to ONNX Runtime
    shape = (*x.shape[:2], *(b.random.randint(1, 8) for _ in range(2)))
    mode = b.random.choice(["nearest", "linear", "cubic"])
    way = b.random.choice(["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"])
    given: dict[str, Any] = {"mode": mode, "coordinate_transformation_mode": way}
    if mode == "nearest":
        given |= {"nearest_mode": b.random.choice(["floor", "ceil"]), "coordinate_transformation_mode": "asymmetric"}
    size = 3 * x.largest
    edges = 16 * int(np.prod(shape))
    return b.add("Resize", [x, "", "", integers(b, shape)], shape, -size, size, edges=edges, **given)


@step("GridSample", 16)
def sampled(b: Builder, x: Tensor) -> Tensor:
    x = picture(b, x, 1, 1, 1)
    points = numbers(b, (1, 2, 3, 2), x.dtype, largest=1)
    grid = (
        constant(b, points)
        if b.chance(0.6)
        else b.add("Add", [_shaped(b, x, points.shape), constant(b, points)], points.shape, -3, 3)
    )
    given = {
        "align_corners": b.random.randint(0, 1),
        "padding_mode": b.random.choice(["zeros", "border", "reflection"]),
    }
    shape, size = (1, x.shape[1], 2, 3), x.largest
    return b.add("GridSample", [x, grid], shape, -size, size, edges=6 * x.size + 12 * x.shape[1], **given)


def _shaped(b: Builder, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Any shape, by the sigmoid of a mean that is repeated."""
    mean = b.add("ReduceMean", [x], (1,) * x.rank, x.low, x.high, edges=x.size, keepdims=1)
    small = b.add("Sigmoid", [mean], mean.shape, 0, 1)
    return b.add("Expand", [small, integers(b, shape)], shape, 0, 1)


@step("LpPool", 18)
def lp_pool(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, picture(b, x, 1, 1, 1), 50.0)
    if min(x.shape[2:]) < 2:
        raise Unfit
    shape = (*x.shape[:2], x.shape[2] - 1, x.shape[3] - 1)
    given = {"kernel_shape": [2, 2], "p": b.random.choice([1, 2, 3])}
    return b.add("LpPool", [x], shape, 0, 5 * x.largest, edges=4 * int(np.prod(shape)), **given)


@step("GlobalLpPool")
def global_lp_pool(b: Builder, x: Tensor) -> Tensor:
    if b.opset >= 22:  # for which ONNX Runtime has no kernel
        raise Unfit
    x = calm(b, picture(b, x, 1, 1, 1), 50.0)
    return b.add("GlobalLpPool", [x], (*x.shape[:2], 1, 1), 0, x.size * x.largest, edges=x.size, p=2)


@step("Einsum", 12)
def einsum(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, calm(b, single(b, x), 10.0), 2, 2)
    n, m = x.shape
    other = x.name if b.chance(0.5) else constant(b, numbers(b, (n, m), x.dtype, largest=3))
    equation, shape = b.random.choice([("ij,kj->ik", (n, n)), ("ij,ij->i", (n,)), ("ij,ik->jk", (m, m))])
    size = 100 * max(n, m)
    return b.add("Einsum", [x, other], shape, -size, size, edges=2 * int(np.prod(shape)) * max(n, m), equation=equation)


@step("OneHot", 11)
def one_hot(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, calm(b, single(b, x), 3.0), 1, 3)
    at = hidden(b, "Cast", [x.name], to=7)
    b.afford("OneHot", [x.dtype], x.size, x.size)
    ends = constant(b, np.array([0.25, 2], np.float32))
    tensors = [at, constant(b, np.asarray(4, np.int64)), ends]
    found = b.take(Tensor("", (*x.shape, 4), x.dtype, 0.25, 2))
    b.afford("OneHot", [x.dtype], 4 * x.size, 4 * x.size)
    b.node("OneHot", tensors, [found.name], axis=-1)
    return found


@step("GatherElements", 13)
def gather_elements(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, single(b, x), 1)
    axis = axis_of(b, x)
    at = hidden(b, "ArgMax", [x.name], axis=axis)
    b.afford("ArgMax", [x.dtype], x.size // x.shape[axis], x.size)
    shape = [1 if d == axis else n for d, n in enumerate(x.shape)]
    return b.add("GatherElements", [x, at], shape, x.low, x.high, edges=2 * x.size, axis=axis)


@step("ScatterElements", 18)
def scatter_elements(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, calm(b, single(b, x), 1000.0), 1)
    axis = axis_of(b, x)
    at = hidden(b, "ArgMin", [x.name], axis=axis)
    shape = [1 if d == axis else n for d, n in enumerate(x.shape)]
    updates = constant(b, numbers(b, shape, x.dtype, largest=3))
    b.afford("ArgMin", [x.dtype], x.size, 3 * x.size)
    how = b.random.choice(["none", "add", "mul", "max", "min"])
    size = 4 * x.largest + 10
    return b.add("ScatterElements", [x, at, updates], x.shape, -size, size, edges=3 * x.size, axis=axis, reduction=how)


@step("GatherND", 12)
def gather_nd(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, single(b, x), 2)
    rows = [[b.random.randrange(n) for n in x.shape[:2]] for _ in range(3)]
    return b.add("GatherND", [x, constant(b, np.array(rows, np.int64))], (3, *x.shape[2:]), x.low, x.high)


@step("ScatterND", 18)
def scatter_nd(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, calm(b, single(b, x), 1000.0), 2)
    rows = constant(b, np.array([[b.random.randrange(x.shape[0])] for _ in range(2)], np.int64))
    updates = constant(b, numbers(b, (2, *x.shape[1:]), x.dtype, largest=3))
    how = b.random.choice(["none", "add", "max"])
    if how == "none":
        rows = constant(b, np.array([[b.random.randrange(x.shape[0])]], np.int64))
        updates = constant(b, numbers(b, (1, *x.shape[1:]), x.dtype, largest=3))
    size = x.largest + 10
    return b.add("ScatterND", [x, rows, updates], x.shape, -size, size, edges=5 * x.size * x.shape[0], reduction=how)


@step("QuantizeLinear", 13)
def quantize(b: Builder, x: Tensor) -> Tensor:
    return _quantized(b, x)


@step("DequantizeLinear", 13)
def dequantize(b: Builder, x: Tensor) -> Tensor:
    return _quantized(b, x)


def _quantized(b: Builder, x: Tensor) -> Tensor:
    """There and back; a tie of roundings is as likely as any."""
    x = calm(b, single(b, x), 20.0)
    scale, zero = constant(b, np.float32(0.125)), constant(b, b.random.choice([np.int8(3), np.uint8(120)]))
    b.afford("QuantizeLinear", [x.dtype], x.size, x.size)
    short = hidden(b, "QuantizeLinear", [x.name, scale, zero])
    found = b.take(Tensor("", x.shape, x.dtype, -40, 40))
    b.afford("DequantizeLinear", [x.dtype], x.size, x.size)
    b.node("DequantizeLinear", [short, scale, zero], [found.name])
    return found


@step("Det", 11)
def det(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, single(b, x), 5.0)
    if x.size % 4:
        raise Unfit
    x = b.add("Reshape", [x, integers(b, (x.size // 4, 2, 2))], (x.size // 4, 2, 2), x.low, x.high)
    return b.add("Det", [x], x.shape[:-2], -1000, 1000, edges=x.size)


@step("ReverseSequence", 10)
def reverse_sequence(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, single(b, x), 2)
    lengths = [b.random.randint(1, x.shape[0]) for _ in range(x.shape[1])]
    return b.add("ReverseSequence", [x, integers(b, lengths)], x.shape, x.low, x.high, time_axis=0, batch_axis=1)
