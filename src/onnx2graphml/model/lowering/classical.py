"""Operators of `ai.onnx.ml` that scale or choose values, as scikit-learn's pipelines have them before a network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import lowering

CLASSICAL = "ai.onnx.ml"


@lowering(CLASSICAL)
def Scaler(op: Builder, X: str, *, offset: Sequence[float] = (), scale: Sequence[float] = ()) -> str:
    """(X - offset) · scale, each given for all columns or for each."""
    y = op.Cast(X, to=1)
    if len(offset):
        y = op.Sub(y, np.asarray(offset, np.float32), label="centred")
    return str(op.Mul(y, np.asarray(scale, np.float32), label="scaled")) if len(scale) else str(y)


@lowering(CLASSICAL)
def Normalizer(op: Builder, X: str, *, norm: str = "MAX") -> str:
    """Each row over its largest value, the sum of its sizes, or its length; over 1 where that is 0."""
    x = op.Cast(X, to=1)
    last = [len(op.shape(X)) - 1]
    if norm == "MAX":
        size = op.ReduceMax(x, axes=last, keepdims=1, label="norm")
    elif norm == "L1":
        size = op.ReduceSum(op.Abs(x, label="sizes"), axes=last, keepdims=1, label="norm")
    elif norm == "L2":
        size = op.Sqrt(op.ReduceSum(op.Mul(x, x, label="squares"), axes=last, keepdims=1), label="norm")
    else:
        raise UnsupportedError(f"norm is {norm!r}; expected MAX, L1 or L2")
    is_zero = op.Equal(size, np.zeros(1, np.float32), label="is_zero")
    divisor = op.Where(is_zero, np.ones(1, np.float32), size, label="divisor")
    return str(op.Div(x, divisor, label="normalized"))


@lowering(CLASSICAL)
def Binarizer(op: Builder, X: str, *, threshold: float = 0.0) -> str:
    """1 above the threshold, 0 otherwise."""
    return op.cast(op.Greater(X, float(threshold), label="above"), op.dtype(X))


@lowering(CLASSICAL)
def ArrayFeatureExtractor(op: Builder, X: str, Y: str) -> str:
    """The features at given positions of the last axis."""
    found = op.Gather(X, op.Reshape(Y, np.array([-1])), axis=-1, label="chosen")
    return str(found if len(op.shape(X)) > 1 else op.Reshape(found, np.array([1, -1])))
