"""Products of quantized tensors: a sum of integers, scaled and rounded to the output's integers.

The arithmetic is ONNX Runtime's, so that the integers are the same: sums are exact, one float32 factor scales them, and
what lies in the middle between two integers goes to the even one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import lowering


def centred(op: Builder, x: str, zero_point: str | None, label: str = "centred") -> str:
    """Integers minus their zero point, as int32."""
    wide = op.cast(x, np.int32, "wide")
    value = op.value(zero_point)
    if zero_point is None or (value is not None and not value.any()):
        return wide
    return str(op.Sub(wide, op.cast(zero_point, np.int32, "zero_point"), label=label))


def requantized(op: Builder, x: str, factor: str, zero_point: str | None, dtype: Any = None) -> str:
    """Numbers times a factor, rounded, as integers around a zero point.

    Args:
        dtype: of the integers, where there is no zero point that has it.
    """
    scaled = op.Mul(op.cast(x, np.float32, "float"), op.cast(factor, np.float32, "factor"), label="scaled")
    return str(op.QuantizeLinear(scaled, np.float32(1), zero_point or np.zeros((), dtype), label="quantized"))


def per_channel(op: Builder, x: str, rank: int) -> str:
    """One number, or one for each channel, beside the axes (batch, channel, ...)."""
    return x if np.prod(op.shape(x)) == 1 else str(op.Reshape(x, [1, -1, *[1] * (rank - 2)], label="per_channel"))


def per_row(op: Builder, x: str | None, of: str) -> str | None:
    """One number, or one for each row of a matrix, beside its columns."""
    if x is None or np.prod(op.shape(x)) == 1 or len(op.shape(x)) == len(op.shape(of)):
        return x
    return str(op.Unsqueeze(x, axes=[1], label="per_row"))


def factor(op: Builder, x_scale: str, w_scale: str, y_scale: str) -> str:
    """What the integers' sum is multiplied by."""
    return str(op.Div(op.Mul(x_scale, w_scale, label="scales"), y_scale, label="factor"))


@lowering()
def MatMulInteger(op: Builder, A: str, B: str, a_zero_point: str | None = None, b_zero_point: str | None = None) -> str:
    """A product of matrices of int32."""
    a = centred(op, A, per_row(op, a_zero_point, A), "a_centred")
    return str(op.MatMul(a, centred(op, B, b_zero_point, "b_centred"), label="sum"))


@lowering()
def QLinearMatMul(
    op: Builder,
    a: str,
    a_scale: str,
    a_zero_point: str,
    b: str,
    b_scale: str,
    b_zero_point: str,
    y_scale: str,
    y_zero_point: str,
) -> str:
    """A product of matrices of int32, scaled."""
    total = op.MatMulInteger(a, b, a_zero_point, b_zero_point, label="sum")
    scale = per_row(op, a_scale, a)
    assert scale is not None
    return requantized(op, total, factor(op, scale, b_scale, y_scale), y_zero_point)


@lowering(primitive_if_constant=(1, 2, 3))
def ConvInteger(
    op: Builder, x: str, w: str, x_zero_point: str | None = None, w_zero_point: str | None = None, **attributes: Any
) -> str:
    """A convolution whose input has a computed zero point: what that takes from each sum is proportional to it.

    With weights and zero points that are constant, it is a primitive.
    """
    op.known(w, "its kernel")
    if w_zero_point is not None:
        op.known(w_zero_point, "its kernel's zero point")
    plain = op.ConvInteger(x, w, None, w_zero_point, label="sum", **attributes)
    if x_zero_point is None:
        return str(plain)
    ones = np.ones((1, *op.shape(x)[1:]), op.dtype(x))
    share = op.ConvInteger(ones, w, None, w_zero_point, label="weights_in_window", **attributes)
    zero_point = op.cast(x_zero_point, np.int32, "zero_point")
    return str(op.Sub(plain, op.Mul(share, zero_point, label="of_zero_point"), label="centred"))


@lowering()
def QLinearConv(
    op: Builder,
    x: str,
    x_scale: str,
    x_zero_point: str,
    w: str,
    w_scale: str,
    w_zero_point: str,
    y_scale: str,
    y_zero_point: str,
    B: str | None = None,
    **attributes: Any,
) -> str:
    """A convolution of int32, scaled."""
    rank = len(op.shape(x))
    zero_points = op.value(w_zero_point)
    if zero_points is not None and zero_points.size > 1 and (zero_points == zero_points.flat[0]).all():
        w_zero_point = op.constant(zero_points.flat[0])  # ONNX Runtime's ConvInteger has one for all channels
    total = op.ConvInteger(x, w, x_zero_point, w_zero_point, label="sum", **attributes)
    if B is not None:
        total = op.Add(total, per_channel(op, B, rank), label="shifted")
    return requantized(op, total, per_channel(op, factor(op, x_scale, w_scale, y_scale), rank), y_zero_point)
