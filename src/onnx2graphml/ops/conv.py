"""Convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.ops.broadcast import broadcast
from onnx2graphml.ops.registry import Constant, NodeContext, Operand, OutputSpec, Tensor, incoming, operator, product
from onnx2graphml.ops.windows import Window, WindowAttributes, sliding, transposed


@operator
def Conv(
    node: NodeContext,
    X: Operand,
    W: Operand,
    B: Operand | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Sequence[int] | None = None,
    group: int = 1,
    kernel_shape: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> OutputSpec:
    """X is (N, C, spatial...), W (M, C/group, kernel...), B (M)."""
    _check_kernel(X, W, kernel_shape, group, W.shape[0], W.shape[1] * group)
    windows = sliding(X.shape[2:], WindowAttributes(W.shape[2:], strides, dilations, pads, auto_pad), left_out=2)
    _check_output(node, windows, [w.output for w in windows])
    tap_out, tap_in, *tap_kernel = ax.strides(W.shape)
    inputs, outputs = W.shape[1], W.shape[0] // group
    batch_in, in_, *space_in = ax.strides(X.shape)
    batch_out, out, *space_out = ax.strides(node.shape)
    axes = [
        ax.same(X.shape[0]).strided(batch_in, batch_out),
        ax.same(group).strided(inputs * in_, outputs * out, outputs * tap_out),
        ax.spread(outputs).strided(0, out, tap_out),
        ax.gather(inputs).strided(in_, 0, tap_in).with_term(np.arange(inputs) * math.prod(W.shape[2:])),
        *_with_terms(_spatial(windows, space_in, space_out, tap_kernel)),
    ]
    return _convolved(node, X, W, B, axes)


@operator
def ConvTranspose(
    node: NodeContext,
    X: Operand,
    W: Operand,
    B: Operand | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Sequence[int] | None = None,
    group: int = 1,
    kernel_shape: Sequence[int] | None = None,
    output_padding: Sequence[int] | None = None,
    output_shape: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> OutputSpec:
    """X is (N, C, spatial...), W (C, M/group, kernel...), B (M)."""
    _check_kernel(X, W, kernel_shape, group, W.shape[0], W.shape[0])
    attributes = WindowAttributes(W.shape[2:], strides, dilations, pads, auto_pad)
    windows = transposed(X.shape[2:], attributes, output_padding, output_shape)
    _check_output(node, windows, [w.input for w in windows])
    tap_in, tap_out, *tap_kernel = ax.strides(W.shape)
    inputs, outputs = W.shape[0] // group, W.shape[1]
    batch_in, in_, *space_in = ax.strides(X.shape)
    batch_out, out, *space_out = ax.strides(node.shape)
    axes = [
        ax.same(X.shape[0]).strided(batch_in, batch_out),
        ax.same(group).strided(inputs * in_, outputs * out, inputs * tap_in),
        ax.spread(outputs).strided(0, out, tap_out),
        ax.gather(inputs).strided(in_, 0, tap_in).with_term(np.arange(inputs) * math.prod(W.shape[2:])),
        *(a.flipped() for a in _with_terms(_spatial(windows, space_out, space_in, tap_kernel))),
    ]
    return _convolved(node, X, W, B, axes)


def _with_terms(axes: Sequence[Axis]) -> list[Axis]:
    """Spatial axes with the kernel's position as term, as it is as tap."""
    return [a.with_term(a.tap) for a in axes]


def _convolved(node: NodeContext, X: Operand, W: Operand, B: Operand | None, axes: Sequence[Axis]) -> OutputSpec:
    edges = product(X, W, axes)
    carried = tuple(range(X.ndim)) if isinstance(X, Tensor) else ()
    if not isinstance(B, Tensor):
        return OutputSpec(edges, bias=per_channel(B, X.ndim), axes=carried, spatial=bool(carried))
    shape = (1, B.shape[0], *[1] * (X.ndim - 2))
    return OutputSpec((*edges, incoming(B, *broadcast(shape, node.shape))), axes=carried, spatial=bool(carried))


def per_channel(values: Constant | None, rank: int) -> Constant | None:
    """A vector over channels, shaped so that it broadcasts over (N, C, spatial...)."""
    return None if values is None else values.reshape(1, -1, *[1] * (rank - 2))


def _spatial(windows: Sequence[Window], source: Sequence[int], target: Sequence[int], tap: Sequence[int]) -> list[Axis]:
    return [w.axis().strided(s, t, k) for w, s, t, k in zip(windows, source, target, tap, strict=True)]


def _check_kernel(
    X: Operand, W: Operand, kernel_shape: Sequence[int] | None, group: int, grouped: int, channels: int
) -> None:
    if X.ndim < 3 or W.ndim != X.ndim:
        raise UnsupportedError(f"input has shape {X.shape} and kernel {W.shape}; expected the same rank, at least 3")
    if group < 1 or grouped % group:
        raise UnsupportedError(f"group is {group}; expected a divisor of {grouped}")
    if channels != X.shape[1]:
        raise UnsupportedError(
            f"input has shape {X.shape} and kernel {W.shape} with group {group}; "
            f"expected {channels} channels, got {X.shape[1]}"
        )
    if kernel_shape and tuple(kernel_shape) != W.shape[2:]:
        raise UnsupportedError(f"kernel_shape is {list(kernel_shape)}; the kernel has {list(W.shape[2:])}")


def _check_output(node: NodeContext, windows: Sequence[Window], sizes: Sequence[int]) -> None:
    if tuple(sizes) != node.shape[2:]:
        raise UnsupportedError(f"output size comes to {tuple(sizes)}; ONNX infers {node.shape[2:]}")
