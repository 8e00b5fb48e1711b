"""Layer normalizations, after a sum or without a mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.normalization import normalized
from onnx2graphml.model.lowering.registry import MICROSOFT, lowering


def layer_normalized(op: Builder, x: str, gamma: str, beta: str | None, epsilon: float, axis: int = -1) -> list[str]:
    """Scaled and shifted; the mean, and one over the deviation."""
    rank = len(op.shape(x))
    y, mean, inverse = normalized(op, x, range(axis % rank, rank), epsilon)
    y = str(op.Mul(y, gamma, label="scaled"))
    return [y if beta is None else str(op.Add(y, beta, label="shifted")), mean, inverse]


def root_mean_square_normalized(op: Builder, x: str, gamma: str, epsilon: float, axis: int = -1) -> tuple[str, str]:
    """Divided by the root of the mean square, and scaled; and one over that root."""
    rank = len(op.shape(x))
    axes = list(range(axis % rank, rank))
    square = op.ReduceMean(op.Mul(x, x, label="squares"), axes=axes, keepdims=1, label="mean_square")
    inverse = str(op.Reciprocal(op.Sqrt(op.Add(square, epsilon), label="root"), label="inverse_root"))
    return str(op.Mul(op.Mul(x, inverse, label="normalized"), gamma, label="scaled")), inverse


@lowering(MICROSOFT)
def LayerNormalization(
    op: Builder,
    X: str,
    Scale: str,
    B: str | None = None,
    *,
    axis: int = -1,
    epsilon: float = 1e-5,
    stash_type: int = 1,
) -> Sequence[str | None]:
    """What ONNX Runtime knew before ONNX did, in opset 17; it calls it one of ONNX's."""
    return layer_normalized(op, X, Scale, B, epsilon, axis)


@lowering(MICROSOFT)
def SimplifiedLayerNormalization(
    op: Builder, X: str, scale: str, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> Sequence[str | None]:
    """Without a mean; ONNX Runtime calls it one of ONNX's."""
    return root_mean_square_normalized(op, X, scale, epsilon, axis)


@lowering(MICROSOFT)
def SkipLayerNormalization(
    op: Builder,
    input: str,
    skip: str,
    gamma: str,
    beta: str | None = None,
    bias: str | None = None,
    *,
    epsilon: float = 1e-12,
) -> Sequence[str | None]:
    """Of the sum with what skipped a layer."""
    total = _sum(op, input, skip, bias)
    y, mean, inverse = layer_normalized(op, total, gamma, beta, epsilon)
    return [y, mean, inverse, total]


@lowering(MICROSOFT)
def SkipSimplifiedLayerNormalization(
    op: Builder, input: str, skip: str, gamma: str, bias: str | None = None, *, epsilon: float = 1e-12
) -> Sequence[str | None]:
    """Of the sum with what skipped a layer, without a mean."""
    total = _sum(op, input, skip, bias)
    y, inverse = root_mean_square_normalized(op, total, gamma, epsilon)
    return [y, None, inverse, total]


def _sum(op: Builder, x: str, skip: str, bias: str | None) -> str:
    total = op.Add(x, skip, label="sum")
    return str(total if bias is None else op.Add(total, bias, label="total"))


@lowering(MICROSOFT)
def GroupNorm(
    op: Builder,
    X: str,
    gamma: str,
    beta: str,
    *,
    groups: int,
    activation: int,
    channels_last: int = 1,
    epsilon: float = 1e-5,
) -> str:
    """Channels normalized in groups; the activation is x · sigmoid(x)."""
    shape, rank = op.shape(X), len(op.shape(X))
    first = op.Transpose(X, perm=[0, rank - 1, *range(1, rank - 1)], label="channels_first") if channels_last else X
    y, _, _ = normalized(op, op.Reshape(first, [shape[0], groups, -1], label="groups"), [2], epsilon)
    y = op.Reshape(y, np.array(op.shape(first)), label="ungrouped")
    per_channel = [1, -1, *[1] * (rank - 2)]
    y = op.Mul(y, op.Reshape(gamma, per_channel), label="scaled")
    y = op.Add(y, op.Reshape(beta, per_channel), label="shifted")
    if activation:
        y = op.Mul(y, op.Sigmoid(y, label="gate"), label="activated")
    return str(op.Transpose(y, perm=[0, *range(2, rank), 1], label="channels_last") if channels_last else y)
