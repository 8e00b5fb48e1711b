"""Sums and products along an axis, up to each position."""

from __future__ import annotations

import numpy as np

from onnx2graphml.graph import axes as ax
from onnx2graphml.model.limits import ask
from onnx2graphml.ops.broadcast import scalar
from onnx2graphml.ops.registry import Constant, NodeContext, OutputSpec, Tensor, incoming, operator


@operator
def CumSum(node: NodeContext, x: Tensor, axis: Constant, *, exclusive: int = 0, reverse: int = 0) -> OutputSpec:
    return _cumulative(x, axis, exclusive, reverse, "sum")


@operator
def CumProd(node: NodeContext, x: Tensor, axis: Constant, *, exclusive: int = 0, reverse: int = 0) -> OutputSpec:
    return _cumulative(x, axis, exclusive, reverse, "product")


def _cumulative(X: Tensor, axis: Constant, exclusive: int, reverse: int, aggregation: str) -> OutputSpec:
    """`exclusive` leaves out the position itself, `reverse` begins at the end."""
    along = int(scalar(axis) or 0) % X.ndim
    n, strides = X.shape[along], ax.strides(X.shape)
    ask(n * n)
    source, target = np.nonzero(np.tri(n, k=-bool(exclusive), dtype=bool).T)
    if reverse:
        source, target = n - 1 - source, n - 1 - target
    axes = [ax.same(m).strided(s, s) for m, s in zip(X.shape, strides, strict=True)]
    axes[along] = ax.relation(source, target).strided(strides[along], strides[along])
    return OutputSpec((incoming(X, *axes),), aggregation, axes=X.axes)
