"""Activations with a bias or an approximation of their own."""

from __future__ import annotations

import math

from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import MICROSOFT, lowering


def gelu(op: Builder, x: str) -> str:
    """x · Φ(x), Φ the normal distribution."""
    if op.opset >= 20:
        return str(op.Gelu(x, label="gelu"))
    distribution = op.Add(op.Erf(op.Mul(x, math.sqrt(0.5), label="scaled"), label="error"), 1.0, label="distribution")
    return str(op.Mul(op.Mul(x, 0.5, label="half"), distribution, label="gelu"))


def fast_gelu(op: Builder, x: str) -> str:
    """Gelu with Φ by a tanh."""
    if op.opset >= 20:
        return str(op.Gelu(x, approximate="tanh", label="gelu"))
    cube = op.Mul(op.Mul(x, x, label="square"), x, label="cube")
    inner = op.Add(x, op.Mul(cube, 0.044715, label="part"), label="inner")
    bent = op.Tanh(op.Mul(inner, math.sqrt(2 / math.pi), label="scaled"), label="bent")
    return str(op.Mul(op.Mul(x, 0.5, label="half"), op.Add(bent, 1.0, label="distribution"), label="gelu"))


@lowering(MICROSOFT)
def Gelu(op: Builder, X: str) -> str:
    """x · Φ(x)"""
    return gelu(op, X)


@lowering(MICROSOFT)
def BiasGelu(op: Builder, A: str, B: str) -> str:
    """Gelu after a bias."""
    return gelu(op, op.Add(A, B, label="shifted"))


@lowering(MICROSOFT)
def FastGelu(op: Builder, X: str, bias: str | None = None) -> str:
    """Gelu by a tanh, after a bias."""
    return fast_gelu(op, X if bias is None else op.Add(X, bias, label="shifted"))


@lowering(MICROSOFT)
def QuickGelu(op: Builder, X: str, *, alpha: float = 1.702) -> str:
    """x · sigmoid(αx)"""
    return str(op.Mul(X, op.Sigmoid(op.Mul(X, alpha, label="scaled"), label="gate"), label="gelu"))
