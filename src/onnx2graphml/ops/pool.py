"""Pools. Every candidate of a window is an edge; which one wins is known once there is a pattern."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.functions.rounding import about_floats, is_exact
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.graph import Incoming
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.model.limits import ask
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
) -> list[OutputSpec]:
    """X is (N, C, spatial...). The second output is where in X the greatest is; with `storage_order` by columns."""
    windows = sliding(X.shape[2:], WindowAttributes(kernel_shape, strides, dilations, pads, auto_pad), ceil_mode)
    nothing = _of_nothing(X, windows)
    values = OutputSpec((_pooled(node, X, windows),), aggregation="max", bias=nothing, axes=X.axes, spatial=True)
    return [values, _where(node, X, windows, bool(storage_order))] if len(node.shapes) > 1 else [values]


def _of_nothing(X: Tensor, windows: Sequence[Window]) -> Constant | None:
    """The type's lowest number, from which runtimes start, where a window holds nothing but padding."""
    if all((_window_sizes(w, False) > 0).all() for w in windows):
        return None
    limits: Any = np.iinfo(X.dtype) if is_exact(X.dtype) else about_floats(X.dtype)
    return np.full((1,) * X.ndim, float(limits.min), weights_dtype(X))


def _where(node: NodeContext, X: Tensor, windows: Sequence[Window], by_columns: bool) -> OutputSpec:
    """A candidate's term is how much further in X it is than the window's first position, which is the bias."""
    space = ax.strides(X.shape)[2:]
    if by_columns:
        space = ax.strides(X.shape[2:][::-1])[::-1]
    source, target = ax.strides(X.shape), ax.strides(node.shape)
    axes = [ax.same(X.shape[d]).strided(source[d], target[d], 0) for d in (0, 1)]
    first = np.arange(X.shape[0] * X.shape[1], dtype=np.float64).reshape(*X.shape[:2], *[1] * len(windows)) * source[1]
    for d, w in enumerate(windows, 2):
        pairs = w.axis()
        placed = ax.relation(pairs.source * source[d], pairs.target * target[d])
        axes.append(placed.with_term(pairs.tap * w.dilation * space[d - 2]))
        begin = (np.arange(w.output) * w.stride - w.pad) * space[d - 2]
        first = first + begin.reshape([-1 if k == d else 1 for k in range(X.ndim)])
    return OutputSpec((incoming(X, *axes, port=0),), "ArgMax", bias=first, axes=X.axes, spatial=True)


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


@operator
def LpPool(
    node: NodeContext,
    X: Tensor,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: Sequence[int] | None = None,
    kernel_shape: Sequence[int],
    p: int = 2,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> OutputSpec:
    """X is (N, C, spatial...). The p-norm of a window."""
    windows = sliding(X.shape[2:], WindowAttributes(kernel_shape, strides, dilations, pads, auto_pad), ceil_mode)
    return _norm(node, X, windows, p)


@operator
def GlobalLpPool(node: NodeContext, X: Tensor, *, p: int = 2) -> OutputSpec:
    """X is (N, C, spatial...); one window over everything."""
    return _norm(node, X, _whole(X), p)


def _norm(node: NodeContext, X: Tensor, windows: Sequence[Window], p: int) -> OutputSpec:
    edges = _pooled(node, X, windows)
    taps = ax.strides([w.kernel for w in windows])
    axes = list(edges.block.axes)
    for d, (w, tap) in enumerate(zip(windows, taps, strict=True), 2):
        axes[d] = axes[d].with_term(w.axis().tap * tap)
    aggregation = str(Activation("LpPool", (("p", float(p)),)))
    return OutputSpec((incoming(X, *axes, port=0),), aggregation, axes=X.axes, spatial=True)


def _whole(X: Tensor) -> list[Window]:
    return sliding(X.shape[2:], WindowAttributes(X.shape[2:]))


def ax_product(vectors: Sequence[Constant]) -> Constant:
    """The products of one number from each vector, flat, the first index slowest."""
    ask(math.prod(map(len, vectors)))
    total = np.ones(1)
    for vector in vectors:
        total = (total[:, None] * vector).ravel()
    return total


def _window_sizes(w: Window, count_padding: bool) -> Constant:
    """Per output position, how many positions of its window count: those in the input, or in the padded input.

    A window that `ceil_mode` lets stand out over the padding does not count what lies beyond it.
    """
    first, last = (-w.pad, w.input + w.pad_end) if count_padding else (0, w.input)
    corner = np.arange(w.output) * w.stride - w.pad
    before = np.clip(-((corner - first) // w.dilation), 0, w.kernel)
    within = np.clip(-((corner - last) // w.dilation), 0, w.kernel)
    return np.asarray(within - before)


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
