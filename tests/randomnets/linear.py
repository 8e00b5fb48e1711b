"""Matrix products with a constant on either side, and batch normalization."""

from __future__ import annotations

import math

import numpy as np

from randomnets.builder import Array, Builder, Shape, Tensor
from randomnets.constants import constant, numbers
from randomnets.ranges import calm, of_rank
from randomnets.steps import step


def factor(b: Builder, x: Tensor, shape: Shape, summed: int) -> tuple[Array, float]:
    """The weights of a product that sums over so many terms, and what the product comes to at most."""
    w = numbers(b, shape, x.dtype, 1 / math.sqrt(summed), b.limit(x.dtype) / max(x.largest, 1e-3) / summed)
    return w, float(np.abs(w).max(initial=0)) * summed * x.largest


@step("Gemm")
def gemm(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, calm(b, x, b.limit(x.dtype)), 2, 2)
    left, flipped, other_flipped = b.chance(0.8), b.chance(0.3), b.chance(0.4)  # x is A; it and the other are flipped
    rows, columns = x.shape[::-1] if flipped else x.shape
    kept, summed, new = (rows, columns, b.random.randint(1, 6)) if left else (columns, rows, b.random.randint(1, 6))
    w, largest = factor(b, x, (new, summed) if left == other_flipped else (summed, new), summed)
    shape = (kept, new) if left else (new, kept)
    trans = {"transA": int(flipped if left else other_flipped), "transB": int(other_flipped if left else flipped)}
    given: dict[str, float] = {n: v for n, v in trans.items() if v or b.chance(0.3)}
    alpha = b.random.choice([1.0, 1.0, 0.5, -1.5, 0.0])
    given |= {"alpha": alpha} if alpha != 1 else {}
    inputs: list[Tensor | str] = [x, constant(b, w)] if left else [constant(b, w), x]
    largest, edges = largest * abs(alpha), kept * new * summed
    if b.opset < 11 or b.chance(0.7):
        beta = b.random.choice([1.0, 1.0, 2.0, -0.25, 0.0])
        given |= {"beta": beta} if beta != 1 else {}
        added, size = _added(b, x, shape)
        inputs.append(added)
        largest, edges = largest + abs(beta) * size, edges + shape[0] * shape[1]
    return b.add("Gemm", inputs, shape, -largest, largest, edges=edges, **given)


def _added(b: Builder, x: Tensor, shape: Shape) -> tuple[Tensor | str, float]:
    """What a product has added: a tensor of the network that broadcasts to it, or a constant."""
    m, n = shape
    shapes = [(n,), (m, n), (1, n), (m, 1), (), (1,)]
    fitting = [t for t in b.tensors if t.shape in shapes and t.dtype == x.dtype and t.largest <= b.limit(x.dtype)]
    if fitting and b.chance(0.5):
        found = b.random.choice(fitting)
        return found, found.largest
    c = numbers(b, b.random.choice(shapes), x.dtype, largest=30)
    return constant(b, c), float(np.abs(c).max(initial=0))


@step("MatMul")
def matmul(b: Builder, x: Tensor) -> Tensor:
    """With leading axes on either side, vectors among them."""
    x = of_rank(b, calm(b, x, b.limit(x.dtype)), 1)
    left = b.chance(0.7)
    summed = x.shape[-1] if left or x.rank == 1 else x.shape[-2]
    batch = x.shape[:-2]
    if b.chance(0.3):
        batch = tuple(1 if b.chance(0.5) else n for n in batch)[b.random.randint(0, len(batch)) :]
        if len(batch) == x.rank - 2 < 3 and b.chance(0.3):
            batch = (b.random.randint(1, 2), *batch)
        inner: Shape = (b.random.randint(1, 5),)
    else:
        batch, inner = (), () if b.chance(0.2) else (b.random.randint(1, 5),)
    w_shape = (*batch, summed, *inner) if left else (*batch, *inner, summed)
    w, largest = factor(b, x, w_shape, summed)
    first, second = (x.shape, w_shape) if left else (w_shape, x.shape)
    shape = np.matmul(np.broadcast_to(0, first), np.broadcast_to(0, second)).shape
    name = constant(b, w)
    return b.add("MatMul", [x, name] if left else [name, x], shape, -largest, largest, edges=math.prod(shape) * summed)


@step("BatchNormalization")
def batch_normalization(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, of_rank(b, x, 2), b.limit(x.dtype) / 4)
    by_channel = b.opset >= 9 or b.chance(0.8)
    shape = x.shape[1:2] if by_channel else x.shape[1:]
    scale, shift, mean = (numbers(b, shape, x.dtype, largest=3) for _ in range(3))
    variance = np.asarray(b.numpy().random(shape) + b.random.choice([0.5, 0.05, 4.0]), x.dtype)
    epsilon = b.random.choice([1e-5, 1e-3, 0.1])
    given = {"epsilon": epsilon} if epsilon != 1e-5 else b.default(epsilon=epsilon)
    given |= b.default(momentum=0.9)
    if not by_channel or (b.opset < 9 and b.chance(0.3)):
        given["spatial"] = int(by_channel)
    if b.opset >= 14:
        given |= b.default(training_mode=0)
    names = [constant(b, v) for v in (scale, shift, mean, variance)]
    largest = (x.largest + 3) * float(np.abs(scale).max(initial=0) / np.sqrt(variance.min())) + 3
    return b.add("BatchNormalization", [x, *names], x.shape, -largest, largest, **given)
