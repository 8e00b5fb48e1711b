"""Conversions between types, and quantisation: what a type can't hold is an activation, all else moves values."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.functions.rounding import integer_range, is_exact, is_integer
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.ops.broadcast import broadcast, scalar
from onnx2graphml.ops.pointwise import is_scalar, pointwise, scalar_function
from onnx2graphml.ops.registry import (
    NodeContext,
    Operand,
    OutputSpec,
    Tensor,
    incoming,
    numbers,
    operator,
    weights_dtype,
)
from onnx2graphml.ops.shape import in_place


@operator
def Cast(node: NodeContext, input: Tensor, *, to: int, saturate: int = 1, round_mode: str = "up") -> OutputSpec:
    return _cast(node, input, saturate, round_mode)


@operator
def CastLike(
    node: NodeContext, input: Tensor, target_type: Operand, *, saturate: int = 1, round_mode: str = "up"
) -> OutputSpec:
    return _cast(node, input, saturate, round_mode)


def _cast(node: NodeContext, X: Tensor, saturate: int, round_mode: str) -> OutputSpec:
    """A float becomes a longer or a not much shorter one by its rounding alone, an integer a wider one by nothing."""
    moved = in_place(X, X.axes)
    if _holds(node.dtype, X.dtype):
        return moved
    more: tuple[tuple[str, float | str], ...] = (
        (("saturate", 0.0),) if not saturate and not is_exact(node.dtype) else ()
    )
    more += (("round_mode", round_mode),) if round_mode != "up" and not is_exact(node.dtype) else ()
    activation = Activation("Cast", (("to", node.dtype.name), *more))
    return OutputSpec(moved.incoming, activation=(activation,), axes=X.axes)


@operator
def BitCast(node: NodeContext, input: Tensor, *, to: int) -> OutputSpec:
    """The same bits as another type of the same length."""
    of = input.dtype.name
    activation = Activation("BitCast", (("of", of), ("to", node.dtype.name)))
    return OutputSpec(in_place(input).incoming, activation=(activation,), axes=input.axes)


@operator
def QuantizeLinear(
    node: NodeContext,
    x: Operand,
    y_scale: Operand,
    y_zero_point: Operand | None = None,
    *,
    axis: int = 1,
    saturate: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
    precision: int = 0,
) -> OutputSpec:
    """x / scale + zero point, rounded and saturated: an activation where both are one constant number."""
    if isinstance(y_scale, np.ndarray) and not (np.isfinite(numbers(y_scale)) & (numbers(y_scale) != 0)).all():
        raise UnsupportedError(
            "its scale is 0, infinite or not a number; expected others: runtimes differ in what it gives"
        )
    more = {"to": node.dtype.name} | ({} if saturate else {"saturate": 0.0})
    if isinstance(x, Tensor) and is_scalar(y_scale) and (y_zero_point is None or is_scalar(y_zero_point)):
        shift = {} if y_zero_point is None else {"zero_point": float(scalar(y_zero_point) or 0)}
        return pointwise(node, x, scale=float(scalar(y_scale) or 0), **shift, **more)
    spread = [_along(v, node.shape, axis, block_size) for v in (y_scale, y_zero_point)]
    return scalar_function(node, {"x": x, "scale": spread[0], "zero_point": spread[1]}, more)


@operator
def DequantizeLinear(
    node: NodeContext,
    x: Operand,
    x_scale: Operand,
    x_zero_point: Operand | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
) -> OutputSpec:
    """(x - zero point) · scale: constant ones are weights and a bias."""
    scale, zero_point = (_along(v, node.shape, axis, block_size) for v in (x_scale, x_zero_point))
    if not (isinstance(x, Tensor) and isinstance(scale, np.ndarray) and not isinstance(zero_point, Tensor)):
        return scalar_function(node, {"x": x, "scale": scale, "zero_point": zero_point})
    edges = incoming(x, *broadcast(x.shape, node.shape, scale.shape), weights=scale)
    bias = None if zero_point is None else -numbers(zero_point).astype(np.float64) * numbers(scale)
    return OutputSpec((edges,), bias=None if bias is None else bias.astype(weights_dtype(x)), axes=x.axes)


def _along(values: Operand | None, shape: tuple[int, ...], axis: int, block_size: int) -> Operand | None:
    """A scale or a zero point, for all, for each position along an axis, or for blocks of them, to be broadcast."""
    if values is None or values.ndim == 0 or not shape:
        return values
    axis %= len(shape)
    if values.ndim == 1 and not block_size:
        own = tuple(values.shape[0] if d == axis else 1 for d in range(len(shape)))
        return Tensor(values.name, own, values.dtype) if isinstance(values, Tensor) else values.reshape(own)
    if isinstance(values, Tensor):
        raise UnsupportedError("its scale is given for blocks and computed by the network; expected a constant one")
    block = block_size or -(-shape[axis] // values.shape[axis])
    return np.take(values, np.arange(shape[axis]) // block, axis=axis)


def _holds(to: np.dtype[Any], of: np.dtype[Any]) -> bool:
    """Whether a type has all values of another, or rounds to floats of 16 bits or more."""
    if to == of or of == np.bool_:
        return True
    if not is_exact(to):
        return to.itemsize >= 2
    if to == np.bool_ or not is_integer(of):
        return False
    (low, high), (least, most) = integer_range(of), integer_range(to)
    return least <= low and high <= most
