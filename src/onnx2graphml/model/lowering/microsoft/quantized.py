"""Operators on quantized tensors that ONNX Runtime's quantizer writes.

A linear one is a weighted sum of the integers, with one factor for each. ONNX Runtime does the same, so the results are
the same integers. Any other one is applied to the numbers that the integers stand for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.microsoft.fused import to_channels_first, to_channels_last
from onnx2graphml.model.lowering.quantized import centred, per_row, requantized
from onnx2graphml.model.lowering.registry import MICROSOFT, lowering


def number(op: Builder, x: str, scale: str, zero_point: str | None, label: str = "number") -> str:
    """What integers stand for."""
    return str(op.Mul(op.cast(centred(op, x, zero_point), np.float32, "float"), scale, label=label))


def quantized(op: Builder, x: str, scale: str, zero_point: str | None, dtype: Any) -> str:
    """The integers that stand for numbers."""
    return str(op.QuantizeLinear(x, scale, zero_point or np.zeros((), dtype), label="quantized"))


@lowering(MICROSOFT)
def QuantizeLinear(op: Builder, x: str, y_scale: str, y_zero_point: str | None = None, *, axis: int = 1) -> str:
    """As ONNX's."""
    return str(op.QuantizeLinear(x, y_scale, y_zero_point, axis=axis, label="quantized"))


@lowering(MICROSOFT)
def DequantizeLinear(op: Builder, x: str, x_scale: str, x_zero_point: str | None = None, *, axis: int = 1) -> str:
    """As ONNX's."""
    return str(op.DequantizeLinear(x, x_scale, x_zero_point, axis=axis, label="number"))


@lowering(MICROSOFT)
def QLinearAdd(
    op: Builder,
    A: str,
    A_scale: str,
    A_zero_point: str | None,
    B: str,
    B_scale: str,
    B_zero_point: str | None,
    C_scale: str,
    C_zero_point: str | None = None,
) -> str:
    """A sum; as in ONNX Runtime, each product is added before it is rounded to float32."""
    terms = [(A, A_scale, A_zero_point), (B, B_scale, B_zero_point)]
    factors = [op.Div(scale, C_scale, label="factor") for _, scale, _ in terms]
    shares = [op.Mul(f, _float(op, z), label="share") for f, (_, _, z) in zip(factors, terms, strict=True)]
    total = op.Sub(_float(op, C_zero_point), op.Add(*shares, label="shares"), label="fixed")
    for x, f in reversed(list(zip((A, B), factors, strict=True))):
        product = op.Mul(op.cast(x, np.float64, "long"), op.cast(f, np.float64, "long"), label="product")
        total = op.cast(op.Add(product, op.cast(total, np.float64, "long"), label="sum"), np.float32, "rounded")
    dtype = op.dtype(C_zero_point) if C_zero_point else op.dtype(A)
    return str(op.QuantizeLinear(total, np.float32(1), np.zeros((), dtype), label="quantized"))


def _float(op: Builder, zero_point: str | None) -> str:
    return op.constant(np.float32(0)) if zero_point is None else op.cast(zero_point, np.float32, "zero_point")


@lowering(MICROSOFT)
def QLinearMul(
    op: Builder,
    A: str,
    A_scale: str,
    A_zero_point: str | None,
    B: str,
    B_scale: str,
    B_zero_point: str | None,
    C_scale: str,
    C_zero_point: str | None = None,
) -> str:
    """A product."""
    product = op.Mul(centred(op, A, A_zero_point, "a"), centred(op, B, B_zero_point, "b"), label="product")
    factor = op.Div(op.Mul(A_scale, B_scale, label="scales"), C_scale, label="factor")
    return requantized(op, product, factor, C_zero_point, op.dtype(A))


def _through(
    op: Builder,
    x: tuple[str, str, str | None],
    y: tuple[str, str | None],
    function: Callable[[str], Any],
) -> str:
    """A function of the numbers that integers stand for; `x` and `y` have a scale and a zero point."""
    return quantized(op, function(number(op, *x)), *y, op.dtype(x[0]))


@lowering(MICROSOFT)
def QLinearSigmoid(
    op: Builder,
    X: str,
    X_scale: str,
    X_zero_point: str | None,
    Y_scale: str,
    Y_zero_point: str | None = None,
) -> str:
    """1 / (1 + exp -x)"""
    return _through(op, (X, X_scale, X_zero_point), (Y_scale, Y_zero_point), lambda x: op.Sigmoid(x, label="value"))


@lowering(MICROSOFT)
def QLinearLeakyRelu(
    op: Builder,
    X: str,
    X_scale: str,
    X_zero_point: str | None,
    Y_scale: str,
    Y_zero_point: str | None = None,
    *,
    alpha: float = 0.01,
) -> str:
    """x, or αx below 0"""
    return _through(
        op, (X, X_scale, X_zero_point), (Y_scale, Y_zero_point), lambda x: op.LeakyRelu(x, alpha=alpha, label="value")
    )


@lowering(MICROSOFT)
def QLinearSoftmax(
    op: Builder,
    X: str,
    X_scale: str,
    x_zero_point: str | None,
    y_scale: str,
    y_zero_point: str | None,
    *,
    opset: int,
    axis: int = -1,
) -> str:
    """Shares of the exponentials, along one axis, or as before opset 13 along all from it on."""
    shape = op.shape(X)
    if opset < 13 and axis % len(shape) != len(shape) - 1:
        raise UnsupportedError("it is of an opset before 13 and of more axes than the last; expected one axis")
    return _through(
        op, (X, X_scale, x_zero_point), (y_scale, y_zero_point), lambda x: op.Softmax(x, axis=axis, label="value")
    )


@lowering(MICROSOFT)
def QLinearAveragePool(
    op: Builder,
    X: str,
    x_scale: str,
    x_zero_point: str | None,
    y_scale: str,
    y_zero_point: str | None = None,
    *,
    channels_last: int = 0,
    **attributes: Any,
) -> str:
    """Means over windows."""

    x = number(op, X, x_scale, x_zero_point)
    mean = op.AveragePool(to_channels_first(op, x) if channels_last else x, label="mean", **attributes)
    # ONNX Runtime adds the zero point before it rounds.
    moved = op.Add(op.Div(mean, y_scale, label="scaled"), _float(op, y_zero_point), label="moved")
    y = op.QuantizeLinear(moved, np.float32(1), np.zeros((), op.dtype(X)), label="quantized")
    return to_channels_last(op, y) if channels_last else str(y)


@lowering(MICROSOFT)
def QLinearGlobalAveragePool(
    op: Builder,
    X: str,
    x_scale: str,
    x_zero_point: str,
    y_scale: str,
    y_zero_point: str,
    *,
    channels_last: int = 0,
) -> str:
    """Means over all positions: sums of integers, scaled."""
    rank = len(op.shape(X))
    axes = list(range(1, rank - 1)) if channels_last else list(range(2, rank))
    count = np.prod([op.shape(X)[a] for a in axes])
    total = op.ReduceSum(centred(op, X, x_zero_point), axes=axes, keepdims=1, label="sum")
    factor = op.Div(x_scale, op.Mul(y_scale, float(count), label="scales"), label="factor")
    return requantized(op, total, factor, y_zero_point)


@lowering(MICROSOFT)
def QLinearConcat(op: Builder, Y_scale: str, Y_zero_point: str, *inputs: str, axis: int) -> str:
    """Tensors side by side, with the output's scale; `inputs` are a tensor, its scale, its zero point, and so on."""
    parts = []
    for x, scale, zero_point in zip(inputs[::3], inputs[1::3], inputs[2::3], strict=True):
        value = number(op, x, scale, zero_point)
        parts.append(quantized(op, value, Y_scale, Y_zero_point, op.dtype(x)))
    return str(op.Concat(*parts, axis=axis, label="concatenated"))


@lowering(MICROSOFT)
def QLinearWhere(
    op: Builder,
    condition: str,
    X: str,
    x_scale: str,
    x_zero_point: str,
    Y: str,
    y_scale: str,
    y_zero_point: str,
    z_scale: str,
    z_zero_point: str,
) -> str:
    """One or the other, with the output's scale."""
    x = quantized(op, number(op, X, x_scale, x_zero_point), z_scale, z_zero_point, op.dtype(X))
    y = quantized(op, number(op, Y, y_scale, y_zero_point), z_scale, z_zero_point, op.dtype(X))
    return str(op.Where(condition, x, y, label="chosen"))


@lowering(MICROSOFT)
def QGemm(
    op: Builder,
    A: str,
    a_scale: str,
    a_zero_point: str,
    B: str,
    b_scale: str,
    b_zero_point: str,
    C: str | None = None,
    y_scale: str | None = None,
    y_zero_point: str | None = None,
    *,
    transA: int = 0,
    transB: int = 0,
    alpha: float = 1.0,
) -> str:
    """A product of matrices of int32 and a bias, scaled; of float32 where the output has no scale."""
    a, b = centred(op, A, a_zero_point, "a_centred"), _by_column(op, B, b_zero_point, transB)
    a = op.Transpose(a, perm=[1, 0], label="a_turned") if transA else a
    total = op.MatMul(a, op.Transpose(b, perm=[1, 0], label="b_turned") if transB else b, label="sum")
    if C is not None:
        total = op.Add(total, C, label="shifted")
    scales = op.Mul(op.Mul(a_scale, alpha, label="scale") if alpha != 1 else a_scale, b_scale, label="scales")
    if y_scale is None:
        return str(op.Mul(op.cast(total, np.float32, "float"), scales, label="scaled"))
    return requantized(op, total, op.Div(scales, y_scale, label="factor"), y_zero_point)


def _by_column(op: Builder, B: str, zero_point: str, turned: int) -> str:
    """A matrix minus its zero point, one number or one for each column of the product."""
    if turned:
        column = per_row(op, zero_point, B)
        return centred(op, B, column, "b_centred")
    return centred(op, B, zero_point, "b_centred")


@lowering(MICROSOFT)
def MatMulIntegerToFloat(
    op: Builder,
    A: str,
    B: str,
    a_scale: str,
    b_scale: str,
    a_zero_point: str | None = None,
    b_zero_point: str | None = None,
    bias: str | None = None,
) -> str:
    """A product of matrices of int32, as the numbers that it stands for."""
    total = op.MatMulInteger(A, B, a_zero_point, b_zero_point, label="sum")
    y = op.Mul(op.cast(total, np.float32, "float"), op.Mul(a_scale, b_scale, label="scales"), label="scaled")
    return str(y if bias is None else op.Add(y, bias, label="shifted"))


@lowering(MICROSOFT)
def DynamicQuantizeMatMul(
    op: Builder, A: str, B: str, b_scale: str, b_zero_point: str | None = None, bias: str | None = None
) -> str:
    """MatMulIntegerToFloat of numbers that are quantized as their range asks for."""
    a, scale, zero_point = op.DynamicQuantizeLinear(A, outputs=3, label="quantized")
    given: Sequence[str | None] = [a, B, scale, b_scale, zero_point, b_zero_point, bias]
    return str(op.MatMulIntegerToFloat(*given, domain=MICROSOFT, label="product"))


@lowering(MICROSOFT)
def QLinearConv(op: Builder, x: str, *inputs: str | None, channels_last: int = 0, **attributes: Any) -> str:
    """ONNX's, also of (batch, row, column, channel)."""
    first = to_channels_first(op, x) if channels_last else x
    y = op.QLinearConv(first, *inputs, label="sum", **attributes)
    return to_channels_last(op, y) if channels_last else str(y)
