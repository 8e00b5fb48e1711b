"""The greatest, the least, and where they are. Every candidate is an edge, and its position along the axis its term."""

from __future__ import annotations

import numpy as np

from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.ops.registry import Constant, NodeContext, OutputSpec, Tensor, incoming, operator


@operator
def ArgMax(
    node: NodeContext, data: Tensor, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0
) -> OutputSpec:
    return _position(node, data, axis, select_last_index)


@operator
def ArgMin(
    node: NodeContext, data: Tensor, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0
) -> OutputSpec:
    return _position(node, data, axis, select_last_index)


@operator
def Hardmax(node: NodeContext, input: Tensor, *, axis: int = 1) -> OutputSpec:
    """Up to opset 12: over all axes from `axis` on, together."""
    axis %= max(input.ndim, 1)
    before = int(np.prod(input.shape[:axis]))
    return _hardmax(input, (before, int(np.prod(input.shape[axis:]))), 1)


@operator
def Hardmax_13(node: NodeContext, input: Tensor, *, axis: int = -1) -> OutputSpec:
    """Over one axis."""
    return _hardmax(input, input.shape or (1,), axis % max(input.ndim, 1))


@operator
def TopK(node: NodeContext, X: Tensor, *, axis: int = -1, k: int) -> list[OutputSpec]:
    return _top(node, X, axis, 1)


@operator
def TopK_10(node: NodeContext, X: Tensor, K: Constant, *, axis: int = -1) -> list[OutputSpec]:
    return _top(node, X, axis, 1)


@operator
def TopK_11(
    node: NodeContext, X: Tensor, K: Constant, *, axis: int = -1, largest: int = 1, sorted: int = 1
) -> list[OutputSpec]:
    """Of equal ones the first comes first; where `sorted` is 0, the order is the same."""
    return _top(node, X, axis, largest)


def along(X: Tensor, axis: int, size: int) -> list[Axis]:
    """From every position along an axis to each of `size` that stand there in the output; its term is where it was."""
    shape = X.shape or (1,)
    axis %= len(shape)
    target = ax.strides([size if d == axis else n for d, n in enumerate(shape)])
    axes = [ax.same(n).strided(s, t) for n, s, t in zip(shape, ax.strides(shape), target, strict=True)]
    gathered = ax.same(shape[axis]).strided(ax.strides(shape)[axis], 0)
    axes[axis] = gathered.with_term(np.arange(shape[axis]))
    return [*axes, ax.spread(size).strided(0, target[axis], 0)]


def positions(shape: tuple[int, ...], axis: int) -> Constant:
    """Each neuron's position along an axis, to be broadcast."""
    return np.arange(shape[axis], dtype=np.float64).reshape([-1 if d == axis else 1 for d in range(len(shape))])


def _position(node: NodeContext, X: Tensor, axis: int, last: int) -> OutputSpec:
    aggregation = str(Activation(node.op, (("select_last_index", float(last)),) if last else ()))
    return OutputSpec((incoming(X, *along(X, axis, 1), port=0),), aggregation)


def _hardmax(X: Tensor, shape: tuple[int, ...], axis: int) -> OutputSpec:
    seen = Tensor(X.name, shape, X.dtype)
    bias = np.broadcast_to(positions(shape, axis), shape).reshape(X.shape)
    return OutputSpec((incoming(X, *along(seen, axis, shape[axis]), port=0),), "Hardmax", bias=bias)


def _top(node: NodeContext, X: Tensor, axis: int, largest: int) -> list[OutputSpec]:
    axis %= X.ndim
    edges = incoming(X, *along(X, axis, node.shape[axis]), port=0)
    bias = np.broadcast_to(positions(node.shape, axis), node.shape)
    ways = [(("largest", float(largest)), ("output", float(k))) for k in (0, 1)]
    return [OutputSpec((edges,), str(Activation("TopK", way)), bias=bias, axes=X.axes) for way in ways]
