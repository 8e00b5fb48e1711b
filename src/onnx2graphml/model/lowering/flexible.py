"""Attention whose scores and shares are changed by subgraphs of the model's own."""

from __future__ import annotations

import math

import numpy as np
import onnx

from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.instances import add_graph
from onnx2graphml.model.lowering.registry import lowering

PREVIEW = "ai.onnx.preview"
"""The domain of operators that ONNX tries out."""


@lowering(PREVIEW)
def FlexAttention(
    op: Builder,
    Q: str,
    K: str,
    V: str,
    *,
    scale: float | None = None,
    softmax_precision: int | None = None,
    score_mod: onnx.GraphProto | None = None,
    prob_mod: onnx.GraphProto | None = None,
) -> str:
    """Scores, what `score_mod` makes of them, their Softmax, what `prob_mod` makes of that, and the weighted values."""
    dtype, (_, heads, _, size) = op.dtype(Q), op.shape(Q)
    # Query and key are scaled by the root each, so that the product doesn't overflow.
    root = np.asarray(math.sqrt(1 / math.sqrt(size) if scale is None else scale), np.float32).astype(dtype)
    keys = op.Mul(_repeated(op, K, heads), root, label="keys")
    scores = op.MatMul(op.Mul(Q, root, label="queries"), op.Transpose(keys, perm=[0, 1, 3, 2]), label="scores")
    precision = onnx.TensorProto.DOUBLE if dtype == np.float64 else onnx.TensorProto.FLOAT
    scores = op.cast(scores, onnx.helper.tensor_dtype_to_np_dtype(softmax_precision or precision))
    if score_mod is not None:
        (scores,) = add_graph(op, score_mod, [scores])
    shares = op.Softmax(scores, axis=3, label="shares")
    if prob_mod is not None:
        (shares,) = add_graph(op, prob_mod, [shares])
    return str(op.MatMul(op.cast(shares, dtype), _repeated(op, V, heads), label="values"))


def _repeated(op: Builder, x: str, heads: int) -> str:
    """Keys or values (batch, own heads, positions, size), each head as often as query heads share it."""
    batch, own, *rest = op.shape(x)
    if own == heads:
        return x
    wide = op.Expand(op.Unsqueeze(x, axes=[2]), np.array([batch, own, heads // own, *rest]))
    return str(op.Reshape(wide, np.array([batch, heads, *rest])))
