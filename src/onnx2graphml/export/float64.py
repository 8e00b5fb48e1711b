"""Activations in float64, of which ONNX Runtime has float32 alone: by their formulas.

Source: the ONNX operators' definitions; each is the function of the same name in `functions.activations`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onnx2graphml.export.writer import Writer

ZERO, ONE, SIXTH = (np.asarray(x) for x in (0.0, 1.0, np.float64(np.float32(1 / 6))))
FORMULAS: dict[str, Callable[..., str]] = {}


def formula(write: Callable[..., str]) -> Callable[..., str]:
    """Register a formula under its operator's name."""
    FORMULAS[write.__name__] = write
    return write


def _expm1(w: Writer, x: str) -> str:
    """exp(x) - 1 of what is not above 0."""
    return w.Sub(w.Exp(w.Min(x, ZERO)), ONE)


@formula
def LeakyRelu(w: Writer, x: str, alpha: float = 0.01) -> str:
    return w.Where(w.Less(x, ZERO), w.Mul(x, np.asarray(alpha)), x)


@formula
def Elu(w: Writer, x: str, alpha: float = 1.0) -> str:
    return w.Where(w.Less(x, ZERO), w.Mul(_expm1(w, x), np.asarray(alpha)), x)


@formula
def Selu(w: Writer, x: str, alpha: float = 1.67326319217681884765625, gamma: float = 1.05070102214813232421875) -> str:
    return w.Mul(w.Where(w.Greater(x, ZERO), x, w.Mul(_expm1(w, x), np.asarray(alpha))), np.asarray(gamma))


@formula
def Celu(w: Writer, x: str, alpha: float = 1.0) -> str:
    below = w.Mul(_expm1(w, w.Div(x, np.asarray(alpha))), np.asarray(alpha))
    return w.Add(w.Max(x, ZERO), w.Min(below, ZERO))


@formula
def ThresholdedRelu(w: Writer, x: str, alpha: float = 1.0) -> str:
    return w.Where(w.Greater(x, np.asarray(alpha)), x, ZERO)


@formula
def HardSigmoid(w: Writer, x: str, alpha: float = 0.2, beta: float = 0.5) -> str:
    return w.Clip(w.Add(w.Mul(x, np.asarray(alpha)), np.asarray(beta)), ZERO, ONE)


@formula
def HardSwish(w: Writer, x: str) -> str:
    return w.Mul(x, w.Clip(w.Add(w.Mul(x, SIXTH), np.asarray(0.5)), ZERO, ONE))


@formula
def Softplus(w: Writer, x: str) -> str:
    return w.Add(w.Max(x, ZERO), w.Log(w.Add(w.Exp(w.Neg(w.Abs(x))), ONE)))


@formula
def Mish(w: Writer, x: str) -> str:
    return w.Mul(x, w.Tanh(Softplus(w, x)))


@formula
def Softsign(w: Writer, x: str) -> str:
    return w.Div(x, w.Add(w.Abs(x), ONE))
