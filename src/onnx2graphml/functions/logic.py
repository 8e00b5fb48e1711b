"""Comparisons, logic and bits: true is 1, false is 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from onnx2graphml.functions.record import Values, function


@function()
def Equal(x: Values, y: Values) -> Any:
    return x == y


@function()
def Less(x: Values, y: Values) -> Any:
    return x < y


@function()
def LessOrEqual(x: Values, y: Values) -> Any:
    return x <= y


@function()
def Greater(x: Values, y: Values) -> Any:
    return x > y


@function()
def GreaterOrEqual(x: Values, y: Values) -> Any:
    return x >= y


@function()
def Not(x: Values) -> Any:
    return x == 0


@function()
def And(x: Values, y: Values) -> Any:
    return (x != 0) & (y != 0)


@function()
def Or(x: Values, y: Values) -> Any:
    return (x != 0) | (y != 0)


@function()
def Xor(x: Values, y: Values) -> Any:
    return (x != 0) ^ (y != 0)


@function()
def IsNaN(x: Values) -> Any:
    return np.isnan(x)


@function()
def IsInf(x: Values, *, detect_negative: int = 1, detect_positive: int = 1) -> Any:
    return (bool(detect_positive) & (x == np.inf)) | (bool(detect_negative) & (x == -np.inf))


@function(chooses=(1, 2))
def Where(condition: Values, x: Values, y: Values) -> Any:
    return np.where(condition != 0, x, y)


@function()
def BitwiseNot(x: Values) -> Any:
    """Of an unsigned type the result is negative here; it wraps around as any other."""
    return -x - 1


@function()
def BitwiseAnd(x: Values, y: Values) -> Any:
    return _bitwise(np.bitwise_and, x, y)


@function()
def BitwiseOr(x: Values, y: Values) -> Any:
    return _bitwise(np.bitwise_or, x, y)


@function()
def BitwiseXor(x: Values, y: Values) -> Any:
    return _bitwise(np.bitwise_xor, x, y)


@function()
def BitShift(x: Values, y: Values, *, direction: str, bits: float) -> Any:
    """Of numbers of so many bits; by a negative number, or by more than these, all are shifted out."""
    by = np.where((y < 0) | (y >= bits), bits, y)
    if direction == "RIGHT":
        return np.floor(x / np.exp2(by))
    if bits > 32:
        return np.where(by == bits, 0, x * np.exp2(by))
    kept = x.astype(np.int64).astype(np.uint64) << np.minimum(by, 63).astype(np.uint64)
    return np.where(by == bits, 0, (kept & np.uint64(2 ** int(bits) - 1)).astype(np.float64))


def _bitwise(operation: Callable[..., Any], x: Values, y: Values) -> Any:
    return operation(x.astype(np.int64), y.astype(np.int64))
