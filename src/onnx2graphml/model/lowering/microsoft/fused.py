"""Products with what follows them: a scale, a sum, an activation; and convolutions of (batch, row, column, channel)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import MICROSOFT, lowering

PARAMETERS = {
    "Relu": (), "Tanh": (), "Sigmoid": (), "HardSwish": (), "LeakyRelu": ("alpha",), "Elu": ("alpha",),
    "HardSigmoid": ("alpha", "beta"), "Clip": ("min", "max"), "Softplus": (), "Softsign": (), "Gelu": (),
    "ThresholdedRelu": ("alpha",),
}  # fmt: skip
"""What an activation's parameters are called, in their order."""


def activated(op: Builder, x: str, activation: str, parameters: Sequence[float]) -> str:
    """An activation by its name; as it is where the name is empty."""
    if not activation:
        return x
    if activation not in PARAMETERS:
        raise UnsupportedError(f"its activation is {activation!r}; expected one of {', '.join(PARAMETERS)}")
    named = dict(zip(PARAMETERS[activation], parameters, strict=False))
    return str(getattr(op, activation)(x, label="activated", **named))


@lowering(MICROSOFT)
def FusedConv(
    op: Builder,
    X: str,
    W: str,
    B: str | None = None,
    Z: str | None = None,
    *,
    activation: str = "",
    activation_params: Sequence[float] = (),
    **attributes: Any,
) -> str:
    """A convolution, a sum and an activation."""
    y = op.Conv(X, W, B, label="sum", **attributes)
    if Z is not None:
        y = op.Add(y, Z, label="total")
    return activated(op, y, activation, activation_params)


@lowering(MICROSOFT)
def FusedGemm(
    op: Builder,
    A: str,
    B: str,
    C: str | None = None,
    *,
    activation: str = "",
    activation_alpha: float = 0.0,
    activation_beta: float = 0.0,
    activation_gamma: float = 0.0,
    **attributes: Any,
) -> str:
    """A Gemm and an activation."""
    y = op.Gemm(A, B, C, label="sum", **attributes)
    return activated(op, y, activation, (activation_alpha, activation_beta, activation_gamma))


@lowering(MICROSOFT)
def FusedMatMul(
    op: Builder,
    A: str,
    B: str,
    *,
    alpha: float = 1.0,
    transA: int = 0,
    transB: int = 0,
    transBatchA: int = 0,
    transBatchB: int = 0,
) -> str:
    """A product of matrices that are transposed and scaled."""
    a, b = _turned(op, A, transA, transBatchA), _turned(op, B, transB, transBatchB)
    y = op.MatMul(a, b, label="product")
    return str(y if alpha == 1 else op.Mul(y, alpha, label="scaled"))


@lowering(MICROSOFT)
def TransposeMatMul(op: Builder, A: str, B: str, *, alpha: float = 1.0, transA: int = 0, transB: int = 0) -> str:
    """What FusedMatMul was called before."""
    return str(op.FusedMatMul(A, B, domain=MICROSOFT, alpha=alpha, transA=transA, transB=transB, label="product"))


def _turned(op: Builder, x: str, last: int, batch: int) -> str:
    """With the first axis before the last two, and the last two exchanged."""
    order = list(range(len(op.shape(x))))
    if len(order) < 2 or not (last or batch):
        return x
    if batch:
        order = [*order[1:-1], order[0], order[-1]]
    if last:
        order[-2:] = reversed(order[-2:])
    return str(op.Transpose(x, perm=order, label="turned"))


def to_channels_first(op: Builder, x: str) -> str:
    """(batch, row, column, channel) as (batch, channel, row, column)."""
    rank = len(op.shape(x))
    return str(op.Transpose(x, perm=[0, rank - 1, *range(1, rank - 1)], label="channels_first"))


def to_channels_last(op: Builder, x: str) -> str:
    """(batch, channel, row, column) as (batch, row, column, channel)."""
    return str(op.Transpose(x, perm=[0, *range(2, len(op.shape(x))), 1], label="channels_last"))


@lowering(MICROSOFT)
def NhwcConv(op: Builder, X: str, W: str, B: str | None = None, **attributes: Any) -> str:
    """A convolution of (batch, row, column, channel), its kernel (out, row, column, in)."""
    y = op.Conv(to_channels_first(op, X), to_channels_first(op, W), B, label="sum", **attributes)
    return to_channels_last(op, y)


@lowering(MICROSOFT)
def NhwcFusedConv(
    op: Builder,
    X: str,
    W: str,
    B: str | None = None,
    Z: str | None = None,
    *,
    activation: str = "",
    activation_params: Sequence[float] = (),
    **attributes: Any,
) -> str:
    """FusedConv of (batch, row, column, channel); its kernel is ONNX's (out, in, row, column)."""
    y = op.Conv(to_channels_first(op, X), W, B, label="sum", **attributes)
    if Z is not None:
        y = op.Add(y, to_channels_first(op, Z), label="total")
    return to_channels_last(op, activated(op, y, activation, activation_params))


@lowering(MICROSOFT)
def NhwcMaxPool(op: Builder, x: str, **attributes: Any) -> str:
    """A MaxPool of (batch, row, column, channel)."""
    return to_channels_last(op, op.MaxPool(to_channels_first(op, x), label="maximum", **attributes))
