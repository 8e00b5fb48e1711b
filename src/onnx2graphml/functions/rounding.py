"""Functions that round, clip or convert."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from onnx2graphml.functions.record import Values, function

EXACT = float(1 << 53)


@function()
def Ceil(x: Values) -> Any:
    return np.ceil(x)


@function()
def Floor(x: Values) -> Any:
    return np.floor(x)


@function()
def Round(x: Values) -> Any:
    """To the nearest integer; halves to the even one."""
    return np.rint(x)


@function()
def Sign(x: Values) -> Any:
    return np.sign(x)


@function(chooses=(0, 1, 2))
def Clip(x: Values, min: Any = None, max: Any = None) -> Any:
    least, most = -math.inf if min is None else min, math.inf if max is None else max
    return np.minimum(np.maximum(x, least), most)


def dtype_of(name: str) -> np.dtype[Any]:
    """A type by its name, ONNX's small types among them."""
    return np.dtype(getattr(ml_dtypes, name, name))


@function()
def Cast(x: Values, *, to: str, saturate: float = 1, round_mode: str = "up") -> Any:
    """To a type that can't hold every value: integers, truncated and wrapped around, truth values, short floats."""
    dtype = dtype_of(to)
    if dtype == np.bool_:
        return np.asarray(x != 0, np.float64)
    if is_integer(dtype):
        return wrapped(np.trunc(x), dtype)
    if dtype.name == "float8_e8m0fnu":
        return _power_of_two(x, round_mode)
    return _short(x, dtype, bool(saturate))


@function()
def BitCast(x: Values, *, of: str, to: str) -> Any:
    return x.astype(dtype_of(of)).view(dtype_of(to)).astype(np.float64)


@function()
def QuantizeLinear(x: Values, scale: Any, zero_point: Any = 0.0, *, to: str, saturate: float = 1) -> Any:
    """x / scale + zero_point, rounded to the nearest, halves to even; what the type can't hold becomes its limit.

    Source: the ONNX operator QuantizeLinear, whose division is one of float32 numbers.
    """
    quotient = np.asarray(np.asarray(x, np.float32) / np.asarray(scale, np.float32), np.float64)
    dtype = dtype_of(to)
    if is_integer(dtype):
        least, most = integer_range(dtype)
        return np.clip(np.rint(quotient) + zero_point, least, most)
    return _short(quotient + zero_point, dtype, bool(saturate))


def is_integer(dtype: np.dtype[Any]) -> bool:
    """Whether it is a type of integers, ONNX's with 2 and 4 bits among them."""
    return dtype.kind in "iu" or dtype.name in ("int2", "int4", "uint2", "uint4")


@function()
def DequantizeLinear(x: Values, scale: Values, zero_point: Any = 0.0) -> Any:
    """Of a scale that the network computes; a constant one is a weight."""
    return (x - zero_point) * scale


def is_exact(dtype: np.dtype[Any]) -> bool:
    """Whether it is a type of integers or truth values, in which nothing is rounded."""
    return dtype == np.bool_ or is_integer(dtype)


def is_number(dtype: np.dtype[Any]) -> bool:
    """Whether its values can be neurons: truth values, integers, floats of any length; not complex ones, nor text."""
    return dtype.kind in "biuf" or hasattr(ml_dtypes, dtype.name)


def integer_range(dtype: np.dtype[Any]) -> tuple[int, int]:
    """The least and the greatest number of a type of integers."""
    about: Any = ml_dtypes.iinfo(dtype)  # type: ignore[no-untyped-call]
    return int(about.min), int(about.max)


def about_floats(dtype: np.dtype[Any]) -> Any:
    """What NumPy's finfo tells of a type of floats, ONNX's short ones among them."""
    return ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]


def wrapped(x: Values, dtype: np.dtype[Any]) -> Values:
    """Integers as a type holds them: modulo 2 to the power of its bits."""
    least, most = integer_range(dtype)
    if most >= EXACT:
        return x
    inside = (x >= least) & (x <= most)
    return x if inside.all() else np.where(inside | ~np.isfinite(x), x, np.mod(x - least, most - least + 1.0) + least)


def _power_of_two(x: Values, round_mode: str) -> Values:
    """To the numbers of float8_e8m0, which are powers of two."""
    rounded = {"up": np.ceil, "down": np.floor, "nearest": np.rint}[round_mode](np.log2(np.abs(x)))
    return np.where(np.isnan(x), x, np.exp2(np.clip(rounded, -127, 127)))


def _short(x: Values, dtype: np.dtype[Any], saturate: bool) -> Values:
    with np.errstate(all="ignore"):
        if dtype.itemsize < 2 and saturate:
            largest = float(about_floats(dtype).max)
            x = np.where(np.isnan(x), x, np.clip(x, -largest, largest))
        return x.astype(np.float32).astype(dtype).astype(np.float64)
