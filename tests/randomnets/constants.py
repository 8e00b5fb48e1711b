"""Constants: numbers of every kind, given as initializers, as Constant nodes or as what folds to a constant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import numpy_helper

from randomnets.builder import Array, Builder, Shape

KINDS = ("normal", "zeros", "negative", "repeated", "integers", "small", "large", "ones", "one by one")


def numbers(b: Builder, shape: Shape, dtype: Any, size: float = 1.0, largest: float = math.inf) -> Array:
    """Weights of a random kind, of about that size, none above `largest`."""
    random, kind = b.numpy(), b.random.choice(KINDS)
    values = random.standard_normal(shape)
    if kind == "zeros":
        values = np.where(random.random(shape) < 0.5, 0.0, values)
    elif kind == "negative":
        values = -np.abs(values)
    elif kind == "repeated":
        values = random.choice([-0.5, 0.25, 1.5], shape)
    elif kind == "integers":
        values = random.integers(-2, 3, shape)
    elif kind == "small":
        values = values * (1e-40 if b.chance(0.2) else 1e-6)
    elif kind == "large":
        values = values * 1e3
    elif kind == "ones":
        values = np.ones(shape)
    elif kind == "one by one":
        values = np.arange(math.prod(shape)).reshape(shape) % 7 / 7
    values = np.asarray(values * size, np.float64)
    top = float(np.abs(values).max(initial=0))
    if top > largest:
        values = values * (largest / top)
    return np.asarray(values, dtype)


def constant(b: Builder, values: Any) -> str:
    """The name of a constant of those values, however it is given."""
    array, way = np.asarray(values), b.random.randrange(20)
    if b.opset < 9 and array.dtype.kind != "f":
        way = max(way, 16) if way >= 14 else way  # a Constant is a float
    if way < 14 or not array.ndim or not array.size:
        return initializer(b, array)
    name = b.fresh("k")
    if way < 16:
        b.node("Constant", [], [name], value=numpy_helper.from_array(array, name))
    elif way == 16:
        b.node("Identity", [initializer(b, array)], [name])
    elif way == 17:
        order = list(range(array.ndim))[::-1]
        b.node("Transpose", [initializer(b, np.ascontiguousarray(array.T))], [name], perm=order)
    elif way == 18:
        shape = initializer(b, np.array(array.shape, np.int64))
        b.node("Reshape", [initializer(b, array.ravel()), shape], [name])
    else:
        half = -(-len(array.ravel()) // 2)
        parts = [initializer(b, part) for part in (array.ravel()[:half], array.ravel()[half:]) if part.size]
        flat, shape = b.fresh("k"), initializer(b, np.array(array.shape, np.int64))
        b.node("Concat", parts, [flat], axis=0)
        b.node("Reshape", [flat, shape], [name])
    return name


def initializer(b: Builder, array: Array) -> str:
    name = b.fresh("k")
    b.initializers[name] = array
    return name


def integers(b: Builder, values: Sequence[int]) -> str:
    """Axes, sizes and positions as an input."""
    return constant(b, np.array(values, np.int64))
