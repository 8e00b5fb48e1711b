"""Activation functions: of one value, and Softmax, which couples the neurons of a layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from onnx2graphml.functions.elementary import Erf
from onnx2graphml.functions.record import Values, function, parse_axes

# ONNX defines HardSwish and the Gelu that is approximated by tanh with float32 numbers.
SIXTH, TWO_OVER_PI, CUBIC = (float(np.float32(x)) for x in (1 / 6, 2 / math.pi, 0.044715))


@function()
def Relu(x: Values) -> Any:
    return np.maximum(x, 0)


@function()
def LeakyRelu(x: Values, *, alpha: float = 0.01) -> Any:
    return np.where(x < 0, alpha * x, x)


@function()
def PRelu(x: Values, slope: Values) -> Any:
    return np.where(x < 0, slope * x, x)


@function(around_one=True)
def Elu(x: Values, *, alpha: float = 1.0) -> Any:
    return np.where(x < 0, alpha * np.expm1(x), x)


@function(around_one=True)
def Selu(x: Values, *, alpha: float = 1.67326319217681884765625, gamma: float = 1.05070102214813232421875) -> Any:
    return gamma * np.where(x > 0, x, alpha * np.expm1(x))


@function(around_one=True)
def Celu(x: Values, *, alpha: float = 1.0) -> Any:
    return np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(x / alpha))


@function()
def ThresholdedRelu(x: Values, *, alpha: float = 1.0) -> Any:
    return np.where(x > alpha, x, 0)


@function(around_one=True)
def Sigmoid(x: Values) -> Any:
    return np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))


@function()
def HardSigmoid(x: Values, *, alpha: float = 0.2, beta: float = 0.5) -> Any:
    return np.clip(alpha * x + beta, 0, 1)


@function()
def HardSwish(x: Values) -> Any:
    return x * np.clip(x * SIXTH + 0.5, 0, 1)


@function(around_one=True)
def Swish(x: Values, *, alpha: float = 1.0) -> Any:
    return x * Sigmoid(alpha * x)


@function(around_one=True)
def Softplus(x: Values) -> Any:
    return np.logaddexp(0, x)


@function(around_one=True)
def Mish(x: Values) -> Any:
    return x * np.tanh(np.logaddexp(0, x))


@function()
def Softsign(x: Values) -> Any:
    return x / (1 + np.abs(x))


@function()
def Shrink(x: Values, *, bias: float = 0.0, lambd: float = 0.5) -> Any:
    return np.where(x < -lambd, x + bias, np.where(x > lambd, x - bias, 0))


@function(around_one=True)
def Gelu(x: Values, *, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(TWO_OVER_PI) * (x + CUBIC * x**3)))
    return 0.5 * x * (1 + Erf(x / math.sqrt(2)))


@function(couples=True, around_one=True)
def Softmax(x: Values, *, axis: float | str) -> Any:
    axes = parse_axes(axis)
    e = np.exp(x - x.max(axis=axes, keepdims=True, initial=-np.inf))
    return np.asarray(e / e.sum(axis=axes, keepdims=True))


@function(couples=True, around_one=True)
def LogSoftmax(x: Values, *, axis: float | str) -> Any:
    axes = parse_axes(axis)
    y = x - x.max(axis=axes, keepdims=True, initial=-np.inf)
    return np.asarray(y - np.log(np.exp(y).sum(axis=axes, keepdims=True)))
