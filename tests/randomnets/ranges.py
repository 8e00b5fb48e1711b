"""Tensors brought into a range, a rank or a type, by nodes that are part of the network as any others."""

from __future__ import annotations

import math

import numpy as np

from randomnets.builder import Builder, Shape, Tensor, Unfit
from randomnets.constants import constant, integers


def calm(b: Builder, x: Tensor, largest: float) -> Tensor:
    """The tensor, or a bounded function of it where it may be larger than that; as it is where the network is wild."""
    if x.largest <= largest or b.may_overflow(x.dtype):
        return x
    op = b.random.choice(["Tanh", "Sigmoid", "Softsign", "HardSigmoid", "Mul"])
    if op == "Mul" and math.isfinite(x.largest):
        factor = np.asarray(largest / x.largest / 2, x.dtype)
        if factor >= np.finfo(x.dtype).tiny:
            return b.add("Mul", [x, constant(b, factor)], x.shape, x.low * float(factor), x.high * float(factor))
    return b.add("Sigmoid" if op == "Mul" else op, [x], x.shape, -1.0 if op in ("Tanh", "Softsign") else 0.0, 1.0)


def finite(b: Builder, x: Tensor) -> Tensor:
    """The tensor; `Unfit` where it may hold infinity or NaN."""
    if not x.is_finite:
        raise Unfit
    return x


def infinite(b: Builder, x: Tensor) -> Tensor:
    """A function of the tensor that is infinite where it is not positive, for networks in which values may be."""
    x = b.add("Log", [b.add("Relu", [x], x.shape, 0.0, x.largest)], x.shape, -math.inf, math.inf)
    return b.add("Neg", [x], x.shape, -math.inf, math.inf) if b.chance(0.5) else x


def positive(b: Builder, x: Tensor) -> Tensor:
    """The tensor, or a function of it that stays away from 0: a zero's sign is no part of a graph."""
    if x.low >= 0.1:
        return x
    way = b.random.choice(["sigmoid", "abs", "exp"])
    if way == "sigmoid":
        low, high = 0.0, 1.0
        base = b.add("Sigmoid", [x], x.shape, low, high)
    elif way == "abs":
        low, high = 0.0, x.largest
        base = b.add("Abs", [x], x.shape, low, high)
    else:
        return b.add("Exp", [b.add("Tanh", [x], x.shape, -1, 1)], x.shape, 0.35, 2.75)
    return b.add("Add", [base, constant(b, np.asarray(0.5, x.dtype))], x.shape, low + 0.5, high + 0.5)


def factored(b: Builder, n: int, rank: int) -> Shape:
    """A shape of that rank that holds n values."""
    shape = []
    for _ in range(rank - 1):
        shape.append(b.random.choice([d for d in range(1, n + 1) if n % d == 0]))
        n //= shape[-1]
    shape.append(n)
    if b.chance(0.7) and rank > 1:
        shape.sort()
    return tuple(shape)


def of_rank(b: Builder, x: Tensor, least: int, most: int = 5) -> Tensor:
    """The tensor, reshaped where its rank is another."""
    if least <= x.rank <= most:
        return x
    rank = b.random.randint(least, min(most, least + 2))
    if least >= 2 and b.chance(0.8):
        shape: Shape = (1, *factored(b, x.size, rank - 1))
    else:
        shape = factored(b, x.size, rank)
    return b.add("Reshape", [x, integers(b, shape)], shape, x.low, x.high)


def cast(b: Builder, x: Tensor, dtype: np.dtype[np.generic]) -> Tensor:
    """The tensor in another type; `Unfit` where it could overflow."""
    if x.dtype == dtype:
        return x
    if x.largest > b.limit(dtype):
        raise Unfit
    kind = {"e": 10, "f": 1, "d": 11}[dtype.char]
    return b.add("Cast", [x], x.shape, x.low, x.high, dtype=dtype, to=kind)
