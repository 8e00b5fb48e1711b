"""Reductions over axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onnx2graphml.graph import axes as ax
from onnx2graphml.ops.registry import Constant, NodeContext, OutputSpec, Tensor, incoming, operator, weights_dtype

Axes = Sequence[int] | None


@operator
def ReduceSum(node: NodeContext, data: Tensor, *, axes: Axes = None, keepdims: int = 1) -> OutputSpec:
    return _reduced(node, data, axes)


@operator
def ReduceSum_13(
    node: NodeContext,
    data: Tensor,
    axes: Constant | None = None,
    *,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> OutputSpec:
    return _reduced(node, data, axes, noop_with_empty_axes)


@operator
def ReduceMean(node: NodeContext, data: Tensor, *, axes: Axes = None, keepdims: int = 1) -> OutputSpec:
    return _reduced(node, data, axes, mean=True)


@operator
def ReduceMean_18(
    node: NodeContext,
    data: Tensor,
    axes: Constant | None = None,
    *,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> OutputSpec:
    return _reduced(node, data, axes, noop_with_empty_axes, mean=True)


@operator
def ReduceMax(node: NodeContext, data: Tensor, *, axes: Axes = None, keepdims: int = 1) -> OutputSpec:
    return _reduced(node, data, axes, aggregation="max")


@operator
def ReduceMax_18(
    node: NodeContext,
    data: Tensor,
    axes: Constant | None = None,
    *,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> OutputSpec:
    return _reduced(node, data, axes, noop_with_empty_axes, aggregation="max")


@operator
def ReduceMin(node: NodeContext, data: Tensor, *, axes: Axes = None, keepdims: int = 1) -> OutputSpec:
    return _reduced(node, data, axes, aggregation="min")


@operator
def ReduceMin_18(
    node: NodeContext,
    data: Tensor,
    axes: Constant | None = None,
    *,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> OutputSpec:
    return _reduced(node, data, axes, noop_with_empty_axes, aggregation="min")


def _reduced(
    node: NodeContext,
    X: Tensor,
    axes: Sequence[int] | Constant | None,
    noop: int = 0,
    aggregation: str = "sum",
    mean: bool = False,
) -> OutputSpec:
    """Kept dimensions `(i, i, 0)`, reduced ones `(i, 0, 0)`: `keepdims` changes no position."""
    none_given = axes is None or len(axes) == 0
    everything = range(0) if noop else range(X.ndim)
    reduced = set(everything) if none_given else {int(a) % X.ndim for a in axes}  # type: ignore[union-attr]
    carried = X.axes if len(node.shape) == X.ndim else tuple(d for d in X.axes if d not in reduced)
    kept = [1 if d in reduced else n for d, n in enumerate(X.shape)]
    out = [0 if d in reduced else s for d, s in enumerate(ax.strides(kept))]
    weight = 1 / max(math.prod(X.shape[d] for d in reduced), 1) if mean else 1
    factors = [ax.same(n).strided(s, t) for n, s, t in zip(X.shape, ax.strides(X.shape), out, strict=True)]
    return OutputSpec((incoming(X, *factors, weights=np.full(1, weight, weights_dtype(X))),), aggregation, axes=carried)
