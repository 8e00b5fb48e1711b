"""Activation functions whose inputs or axes need a look: the others follow from their records alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.functions import axes_text
from onnx2graphml.functions.rounding import about_floats, is_exact
from onnx2graphml.ops.broadcast import scalar
from onnx2graphml.ops.pointwise import is_scalar, pointwise, scalar_function
from onnx2graphml.ops.registry import NodeContext, Operand, OutputSpec, Tensor, operator


@operator
def Gelu(node: NodeContext, X: Tensor, *, approximate: str = "none") -> OutputSpec:
    if approximate not in ("none", "tanh"):
        raise UnsupportedError(f"approximate is {approximate!r}; expected 'none' or 'tanh'")
    return pointwise(node, X, approximate=approximate)


@operator
def Clip(
    node: NodeContext,
    input: Tensor,
    *,
    min: float = float(np.finfo(np.float32).min),
    max: float = float(np.finfo(np.float32).max),
) -> OutputSpec:
    return pointwise(node, input, min=min, max=max)


@operator
def Clip_11(node: NodeContext, input: Operand, min: Operand | None = None, max: Operand | None = None) -> OutputSpec:
    """The bounds are one number each; a computed one comes in by a port."""
    given = {name: bound for name, bound in (("min", min), ("max", max)) if bound is not None}
    if len(given) == 1 and not is_exact(node.dtype):  # as runtimes have it: an infinite value is clipped, too
        least, most = (float(end) for end in (about_floats(node.dtype).min, about_floats(node.dtype).max))
        min, max = (
            end if bound is None else bound for bound, end in ((min, np.full(1, least)), (max, np.full(1, most)))
        )
        given = {"min": min, "max": max}
    if isinstance(input, Tensor) and all(map(is_scalar, given.values())):
        return pointwise(node, input, **{name: float(scalar(bound) or 0) for name, bound in given.items()})
    return scalar_function(node, {"input": input, "min": min, "max": max})


@operator
def PRelu(node: NodeContext, X: Operand, slope: Operand) -> OutputSpec:
    """X where it is positive, otherwise slope · X."""
    number = scalar(slope)
    if isinstance(X, Tensor) and number is not None:
        return pointwise(node, X, slope=number)
    return scalar_function(node, {"X": X, "slope": slope})


@operator
def Softmax(node: NodeContext, input: Tensor, *, axis: int = 1) -> OutputSpec:
    """Up to opset 12: over all axes from `axis` on, together."""
    return _over_axes(node, input, range(axis % max(input.ndim, 1), input.ndim))


@operator
def Softmax_13(node: NodeContext, input: Tensor, *, axis: int = -1) -> OutputSpec:
    """Over one axis."""
    return _over_axes(node, input, [axis % max(input.ndim, 1)])


@operator
def LogSoftmax(node: NodeContext, input: Tensor, *, axis: int = 1) -> OutputSpec:
    """Up to opset 12: over all axes from `axis` on, together."""
    return _over_axes(node, input, range(axis % max(input.ndim, 1), input.ndim))


@operator
def LogSoftmax_13(node: NodeContext, input: Tensor, *, axis: int = -1) -> OutputSpec:
    """Over one axis."""
    return _over_axes(node, input, [axis % max(input.ndim, 1)])


def _over_axes(node: NodeContext, X: Tensor, axes: Iterable[int]) -> OutputSpec:
    return pointwise(node, X, axis=axes_text(axes))
