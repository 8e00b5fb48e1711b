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


@function()
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
def BitShift(x: Values, y: Values, *, direction: str) -> Any:
    """By a negative number, or by more bits than there are, all of them are shifted out."""
    factor = np.exp2(np.where(y < 0, 64, y))
    return x * factor if direction == "LEFT" else np.floor(x / factor)


def _bitwise(operation: Callable[..., Any], x: Values, y: Values) -> Any:
    return operation(x.astype(np.int64), y.astype(np.int64))
