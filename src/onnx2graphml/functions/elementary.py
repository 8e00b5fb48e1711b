"""Elementary functions: powers, exponentials, trigonometric and hyperbolic ones."""

from __future__ import annotations

import math

import numpy as np

from onnx2graphml.functions.record import Values, function


@function
def Abs(x: Values) -> Values:
    return np.abs(x)


@function
def Neg(x: Values) -> Values:
    return np.negative(x)


@function
def Reciprocal(x: Values) -> Values:
    return np.reciprocal(x)


@function
def Sqrt(x: Values) -> Values:
    return np.sqrt(x)


@function
def Div(x: Values, y: Values) -> Values:
    return np.divide(x, y)


@function
def Pow(x: Values, exponent: Values) -> Values:
    return np.power(x, exponent)


@function
def Mod(x: Values, y: Values, *, fmod: int = 0) -> Values:
    """With `fmod` the result has the dividend's sign, otherwise the divisor's."""
    return np.fmod(x, y) if fmod else np.mod(x, y)


@function(around_one=True)
def Exp(x: Values) -> Values:
    return np.exp(x)


@function(around_one=True)
def Log(x: Values) -> Values:
    return np.log(x)


@function(around_one=True)
def Erf(x: Values) -> Values:
    return np.array([math.erf(v) for v in x.ravel()]).reshape(x.shape)


@function(around_one=True, slope=1.0)
def Sin(x: Values) -> Values:
    return np.sin(x)


@function(around_one=True, slope=1.0)
def Cos(x: Values) -> Values:
    return np.cos(x)


@function(around_one=True)
def Tan(x: Values) -> Values:
    return np.tan(x)


@function(around_one=True)
def Asin(x: Values) -> Values:
    return np.arcsin(x)


@function(around_one=True)
def Acos(x: Values) -> Values:
    return np.arccos(x)


@function(around_one=True)
def Atan(x: Values) -> Values:
    return np.arctan(x)


@function(around_one=True)
def Sinh(x: Values) -> Values:
    return np.sinh(x)


@function(around_one=True)
def Cosh(x: Values) -> Values:
    return np.cosh(x)


@function(around_one=True)
def Tanh(x: Values) -> Values:
    return np.tanh(x)


@function(around_one=True)
def Asinh(x: Values) -> Values:
    return np.arcsinh(x)


@function(around_one=True)
def Acosh(x: Values) -> Values:
    return np.arccosh(x)


@function(around_one=True)
def Atanh(x: Values) -> Values:
    return np.arctanh(x)
