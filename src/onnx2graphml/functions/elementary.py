"""Elementary functions: powers, exponentials, trigonometric and hyperbolic ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from onnx2graphml.functions.record import Values, function


@function()
def Abs(x: Values) -> Any:
    return np.abs(x)


@function()
def Neg(x: Values) -> Any:
    return np.negative(x)


@function()
def Reciprocal(x: Values) -> Any:
    return np.reciprocal(x)


@function()
def Sqrt(x: Values) -> Any:
    return np.sqrt(x)


@function()
def Div(x: Values, y: Values) -> Any:
    return np.divide(x, y)


@function()
def Pow(x: Values, exponent: Values) -> Any:
    return np.power(x, exponent)


@function()
def Mod(x: Values, y: Values, *, fmod: int = 0) -> Any:
    """With `fmod` the result has the dividend's sign, otherwise the divisor's."""
    return np.fmod(x, y) if fmod else np.mod(x, y)


@function(around_one=True)
def Exp(x: Values) -> Any:
    return np.exp(x)


@function(around_one=True)
def Log(x: Values) -> Any:
    return np.log(x)


@function(around_one=True)
def Erf(x: Values) -> Any:
    return np.array([math.erf(v) for v in x.ravel()]).reshape(x.shape)


@function(around_one=True, slope=1.0)
def Sin(x: Values) -> Any:
    return np.sin(x)


@function(around_one=True, slope=1.0)
def Cos(x: Values) -> Any:
    return np.cos(x)


@function(around_one=True)
def Tan(x: Values) -> Any:
    return np.tan(x)


@function(around_one=True)
def Asin(x: Values) -> Any:
    return np.arcsin(x)


@function(around_one=True)
def Acos(x: Values) -> Any:
    return np.arccos(x)


@function(around_one=True)
def Atan(x: Values) -> Any:
    return np.arctan(x)


@function(around_one=True)
def Sinh(x: Values) -> Any:
    return np.sinh(x)


@function(around_one=True)
def Cosh(x: Values) -> Any:
    return np.cosh(x)


@function(around_one=True)
def Tanh(x: Values) -> Any:
    return np.tanh(x)


@function(around_one=True)
def Asinh(x: Values) -> Any:
    return np.arcsinh(x)


@function(around_one=True)
def Acosh(x: Values) -> Any:
    return np.arccosh(x)


@function(around_one=True)
def Atanh(x: Values) -> Any:
    return np.arctanh(x)
