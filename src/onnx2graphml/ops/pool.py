"""Pools. Every candidate of a window is an edge; which one wins is known once there is a pattern."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.graph import Incoming
from onnx2graphml.ops.registry import Constant, NodeContext, OutputSpec, Tensor, incoming, operator, weights_dtype
from onnx2graphml.ops.windows import Window, WindowAttributes, sliding


@operator
def MaxPool(
    node: NodeContext,
    X: Tensor,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: Sequence[int] | None = None,
    kernel_shape: Sequence[int],
    pads: Sequence[int] | None = None,
    storage_order: int = 0,
    strides: Sequence[int] | None = None,
) -> OutputSpec:
    """X is (N, C, spatial...). `storage_order` only concerns the second output, which is refused."""
    windows = sliding(X.shape[2:], WindowAttributes(kernel_shape, strides, dilations, pads, auto_pad), ceil_mode)
    return OutputSpec((_pooled(node, X, windows),), aggregation="max", axes=X.axes, spatial=True)


@operator
def AveragePool(
    node: NodeContext,
    X: Tensor,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    count_include_pad: int = 0,
    dilations: Sequence[int] | None = None,
    kernel_shape: Sequence[int],
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> OutputSpec:
    """X is (N, C, spatial...). A weight is 1 over the number of positions that count in its window."""
    windows = sliding(X.shape[2:], WindowAttributes(kernel_shape, strides, dilations, pads, auto_pad), ceil_mode)
    sizes = [_window_sizes(w, bool(count_include_pad)) for w in windows]
    table = 1 / ax_product([np.maximum(np.arange(w.kernel + 1), 1) for w in windows])
    return OutputSpec((_pooled(node, X, windows, sizes, table.astype(weights_dtype(X))),), axes=X.axes, spatial=True)


@operator
def GlobalMaxPool(node: NodeContext, X: Tensor) -> OutputSpec:
    """X is (N, C, spatial...); one window over everything."""
    return OutputSpec((_pooled(node, X, _whole(X)),), aggregation="max", axes=X.axes, spatial=True)


@operator
def GlobalAveragePool(node: NodeContext, X: Tensor) -> OutputSpec:
    """X is (N, C, spatial...); one window over everything."""
    weight = np.array([1 / math.prod(X.shape[2:])], weights_dtype(X))
    return OutputSpec((_pooled(node, X, _whole(X), weights=weight),), axes=X.axes, spatial=True)


def _whole(X: Tensor) -> list[Window]:
    return sliding(X.shape[2:], WindowAttributes(X.shape[2:]))


def ax_product(vectors: Sequence[Constant]) -> Constant:
    """The products of one number from each vector, flat, the first index slowest."""
    total = np.ones(1)
    for vector in vectors:
        total = (total[:, None] * vector).ravel()
    return total


def _window_sizes(w: Window, count_padding: bool) -> Constant:
    """Per output position, how many positions of its window count: those in the input, or in the padded input.

    A window that `ceil_mode` lets stand out over the padding does not count what lies beyond it.
    """
    first, last = (-w.pad, w.input + w.pad_end) if count_padding else (0, w.input)
    at = np.arange(w.output)[:, None] * w.stride - w.pad + np.arange(w.kernel) * w.dilation
    return np.asarray(((at >= first) & (at < last)).sum(axis=1))


def _pooled(
    node: NodeContext,
    X: Tensor,
    windows: Sequence[Window],
    sizes: Sequence[Constant] | None = None,
    weights: Constant | None = None,
) -> Incoming:
    """One axis per dimension; with `sizes`, the tap is the size of the window that the output position has."""
    if tuple(w.output for w in windows) != node.shape[2:]:
        raise UnsupportedError(f"output size comes to {tuple(w.output for w in windows)}; ONNX infers {node.shape[2:]}")
    source, target = ax.strides(X.shape), ax.strides(node.shape)
    taps = ax.strides([w.kernel + 1 for w in windows])
    axes = [ax.same(X.shape[d]).strided(source[d], target[d]) for d in (0, 1)]
    for d, w in enumerate(windows):
        axis = w.axis()
        tap = np.zeros(len(axis), np.int64) if sizes is None else sizes[d][axis.target] * taps[d]
        strided = axis.strided(source[d + 2], target[d + 2])
        axes.append(Axis(strided.source, strided.target, tap))
    return incoming(X, *axes, weights=weights)
