"""Normalizations that ONNX has no function body for, or none before a newer opset.

Means and variances are layers of their own: `norm/mean`, `norm/centred`, `norm/variance`, `norm/deviation`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import lowering


def normalized(op: Builder, x: str, axes: Sequence[int], epsilon: float) -> tuple[str, str, str]:
    """Values with mean 0 and variance 1 over the axes; the means, and one over the deviations, the axes kept."""
    mean = op.ReduceMean(x, axes=list(axes), keepdims=1, label="mean")
    centred = op.Sub(x, mean, label="centred")
    variance = op.ReduceMean(op.Mul(centred, centred, label="squares"), axes=list(axes), keepdims=1, label="variance")
    inverse = op.Reciprocal(op.Sqrt(op.Add(variance, epsilon), label="deviation"), label="inverse_deviation")
    return str(op.Mul(centred, inverse, label="normalized")), mean, inverse


@lowering()
def InstanceNormalization(op: Builder, input: str, scale: str, B: str, *, epsilon: float = 1e-5) -> str:
    """Each channel of each picture normalized over its positions."""
    rank = len(op.shape(input))
    per_channel = [1, -1, *[1] * (rank - 2)]
    y, _, _ = normalized(op, input, range(2, rank), epsilon)
    y = op.Mul(y, op.Reshape(scale, per_channel), label="scaled")
    return str(op.Add(y, op.Reshape(B, per_channel), label="shifted"))


@lowering()
def LRN(op: Builder, X: str, *, size: int, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0) -> str:
    """Local response normalization: over the squares of `size` neighbouring channels."""
    batch, channels = op.shape(X)[:2]
    squares = op.Mul(X, X, label="squares")
    flat = op.Reshape(squares, [batch, 1, channels, -1], label="flat")
    # The window of channel c is c - floor((size - 1) / 2) to c + ceil((size - 1) / 2).
    ends, kernel = [(size - 1) // 2, 0, size // 2, 0], np.ones((1, 1, size, 1), op.dtype(X))
    sums = op.Reshape(op.Conv(flat, kernel, pads=ends, label="sums"), op.shape(X), label="window_sums")
    total = op.Add(op.Mul(sums, alpha / size, label="scaled"), bias, label="total")
    return str(op.Div(X, op.Pow(total, beta, label="norm"), label="normalized"))


@lowering()
def LpNormalization(op: Builder, input: str, *, axis: int = -1, p: int = 2) -> str:
    """Divided by the norm along an axis; what has norm 0 stays 0."""
    if p not in (1, 2):
        raise UnsupportedError(f"its p is {p}; expected 1 or 2")
    norm = getattr(op, f"ReduceL{p}")(input, axes=[axis], keepdims=1, label="norm")
    smallest = float(np.finfo(op.dtype(input)).smallest_subnormal)
    return str(op.Div(input, op.Clip(norm, min=smallest, label="divisor"), label="normalized"))
