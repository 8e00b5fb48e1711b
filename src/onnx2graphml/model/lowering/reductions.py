"""Reductions by others: a norm is a sum of absolute values, or the root of a sum of squares."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import lowering

Axes = str | Sequence[int] | None
"""An input from opset 13 or 18 on, an attribute before."""


@lowering()
def ReduceL1(
    op: Builder,
    data: str,
    axes_input: str | None = None,
    *,
    axes: Sequence[int] | None = None,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> str:
    """Σ |x|"""
    return _sum(op, op.Abs(data, label="absolute"), axes_input, axes, keepdims, noop_with_empty_axes)


@lowering()
def ReduceL2(
    op: Builder,
    data: str,
    axes_input: str | None = None,
    *,
    axes: Sequence[int] | None = None,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> str:
    """√ Σ x²"""
    squares = op.Mul(data, data, label="squares")
    total = _sum(op, squares, axes_input, axes, keepdims, noop_with_empty_axes)
    return _in_floats(op, total, lambda x: str(op.Sqrt(x, label="root")))


@lowering()
def ReduceSumSquare(
    op: Builder,
    data: str,
    axes_input: str | None = None,
    *,
    axes: Sequence[int] | None = None,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> str:
    """Σ x²"""
    return _sum(op, op.Mul(data, data, label="squares"), axes_input, axes, keepdims, noop_with_empty_axes)


@lowering()
def ReduceLogSum(
    op: Builder,
    data: str,
    axes_input: str | None = None,
    *,
    axes: Sequence[int] | None = None,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> str:
    """log Σ x"""
    total = _sum(op, data, axes_input, axes, keepdims, noop_with_empty_axes)
    return _in_floats(op, total, lambda x: str(op.Log(x, label="logarithm")))


@lowering()
def ReduceLogSumExp(
    op: Builder,
    data: str,
    axes_input: str | None = None,
    *,
    axes: Sequence[int] | None = None,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> str:
    """log Σ exp x, in float64, in which no float32 of use overflows"""
    powers = op.Exp(op.cast(data, np.float64, "long"), label="exponential")
    total = _sum(op, powers, axes_input, axes, keepdims, noop_with_empty_axes)
    return op.cast(op.Log(total, label="logarithm"), op.dtype(data), "short")


def _sum(op: Builder, x: str, given: str | None, axes: Sequence[int] | None, keepdims: int, noop: int) -> str:
    """The sum over the axes; without any, over all, or with `noop` over none."""
    if given is not None:
        axes = [int(a) for a in op.known(given, "its axes").ravel()]
    if not axes and noop:
        return str(op.Identity(x, label="sum"))
    return str(op.ReduceSum(x, axes=list(axes) if axes else None, keepdims=keepdims, label="sum"))


def _in_floats(op: Builder, x: str, function: Callable[[str], str]) -> str:
    """A function of floats, also of integers, whose result is cut to one."""
    if op.dtype(x).kind in "iu":
        return op.cast(function(op.cast(x, np.float64, "float")), op.dtype(x), "integer")
    return function(x)
