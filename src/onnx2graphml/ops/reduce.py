"""Reductions over axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from onnx2graphml.functions.rounding import is_integer
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.ops.registry import (
    Constant,
    NodeContext,
    OutputSpec,
    Tensor,
    among,
    incoming,
    operator,
    weights_dtype,
)

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


def _family(op: str) -> None:
    """Register a reduction whose axes are an attribute before opset 18, and an input from then on."""

    def before(node: NodeContext, data: Tensor, *, axes: Axes = None, keepdims: int = 1) -> OutputSpec:
        return _reduced(node, data, axes)

    def since_18(
        node: NodeContext,
        data: Tensor,
        axes: Constant | None = None,
        *,
        keepdims: int = 1,
        noop_with_empty_axes: int = 0,
    ) -> OutputSpec:
        return _reduced(node, data, axes, noop_with_empty_axes)

    for function, name in ((before, op), (since_18, f"{op}_18")):
        function.__name__ = function.__qualname__ = name
        operator(function)


for _op in (
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
    "ReduceSumSquare",
):  # fmt: skip
    _family(_op)

AGGREGATIONS = {
    "ReduceSum": "sum",
    "ReduceMean": "sum",
    "ReduceLogSum": "sum",
    "ReduceMax": "max",
    "ReduceMin": "min",
    "ReduceProd": "product",
}
"""The others are functions of candidates."""


def _reduced(node: NodeContext, X: Tensor, axes: Sequence[int] | Constant | None, noop: int = 0) -> OutputSpec:
    """Kept dimensions `(i, i, 0)`, reduced ones `(i, 0, 0)`: `keepdims` changes no position."""
    reduced = _reduced_axes(X, axes, noop)
    carried = X.axes if len(node.shape) == X.ndim else tuple(d for d in X.axes if d not in reduced)
    kept = [1 if d in reduced else n for d, n in enumerate(X.shape)]
    out = [0 if d in reduced else s for d, s in enumerate(ax.strides(kept))]
    factors = [ax.same(n).strided(s, t) for n, s, t in zip(X.shape, ax.strides(X.shape), out, strict=True)]
    if node.op not in AGGREGATIONS:
        inner = ax.strides([n if d in reduced else 1 for d, n in enumerate(X.shape)])
        factors = [
            a.with_term(np.arange(len(a)) * s) if d in reduced else a
            for d, (a, s) in enumerate(zip(factors, inner, strict=True))
        ]
        return OutputSpec(
            (incoming(X, *factors, ax.relation(0, 0).with_term(np.zeros(1, np.int64)), port=0),), node.op, axes=carried
        )
    count = max(math.prod(X.shape[d] for d in reduced), 1)
    weight, activation = 1 / count if node.op == "ReduceMean" else 1.0, tuple[Activation, ...]()
    if node.op == "ReduceMean" and is_integer(node.dtype):
        weight, activation = 1.0, _whole_quotient(node, count)
    if node.op == "ReduceLogSum":
        activation = (Activation("Log"),)
    edges = incoming(X, *factors, weights=np.full(1, weight, weights_dtype(X)))
    if node.op in ("ReduceMax", "ReduceMin") and not edges.block.count and X.dtype.kind in "biu":
        return OutputSpec((edges,), bias=np.full(node.shape, _of_none(node.op, X.dtype)), axes=carried)
    return OutputSpec((edges,), AGGREGATIONS[node.op], activation=activation, axes=carried)


def _of_none(op: str, dtype: np.dtype[Any]) -> float:
    """The greatest or least of no value of a type without infinities: the type's own end."""
    low, high = (0, 1) if dtype == np.bool_ else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return float(low if op == "ReduceMax" else high)


def _reduced_axes(X: Tensor, axes: Sequence[int] | Constant | None, noop: int) -> set[int]:
    if axes is None or len(axes) == 0:
        return set(range(0) if noop else range(X.ndim))
    return set(among(axes, X.ndim))


def _whole_quotient(node: NodeContext, divisor: int) -> tuple[Activation, ...]:
    return Activation("Div", (("y", float(divisor)),)), Activation("Cast", (("to", node.dtype.name),))
