"""Values written to indices: with constant ones they move, with computed ones every candidate is an edge."""

from __future__ import annotations

import math

import numpy as np

from onnx2graphml.functions import axes_text
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis, Ints
from onnx2graphml.graph.graph import Incoming
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.model.limits import ask
from onnx2graphml.ops.gather import candidates_along, spread
from onnx2graphml.ops.pointwise import as_neurons
from onnx2graphml.ops.registry import Constant, NodeContext, Operand, OutputSpec, Tensor, incoming, numbers, operator


@operator
def Scatter(node: NodeContext, data: Operand, indices: Operand, updates: Operand, *, axis: int = 0) -> OutputSpec:
    return _elements(node, data, indices, updates, axis, "none")


@operator
def ScatterElements(
    node: NodeContext, data: Operand, indices: Operand, updates: Operand, *, axis: int = 0, reduction: str = "none"
) -> OutputSpec:
    """Along one axis, into the line of `data` in which the update stands."""
    return _elements(node, data, indices, updates, axis, reduction)


@operator
def ScatterND(
    node: NodeContext, data: Operand, indices: Operand, updates: Operand, *, reduction: str = "none"
) -> OutputSpec:
    """The last axis of `indices` has a position in the first axes of `data`; an update is a slice of the others."""
    *rows, width = indices.shape
    indexed, after = data.shape[:width], math.prod(data.shape[width:])
    count, places = math.prod(rows), math.prod(indexed)
    if isinstance(indices, np.ndarray) and reduction in ("none", "add"):
        ask(count * after)
        flat = np.zeros(count, np.int64)
        for column, n in zip(indices.reshape(count, width).T, indexed, strict=True):
            flat = flat * n + np.where(column < 0, column + n, column)
        return _moved(node, data, updates, flat[:, None] * after + np.arange(after), reduction == "add")
    constants: dict[str, Constant] = {}
    x, u, i = _neurons(node, (data, updates, indices), constants)
    line = [(places, 0, after), (after, 1, 1)]
    edges = [_in_place(x), incoming(u, *spread(line), *candidates_along([(count, after)]), port=1)]
    for k in range(width):
        everywhere = [(places, 0, after), (after, 0, 1)]
        edges.append(incoming(i, *spread(everywhere, k), *candidates_along([(count, width)]), port=2 + k))
    ask(places * after)
    own = np.broadcast_to(np.arange(places, dtype=np.float64)[:, None], (places, after)).reshape(node.shape)
    aggregation = Activation("ScatterND", (("shape", axes_text(indexed)), ("reduction", reduction)))
    return OutputSpec(tuple(edges), str(aggregation), bias=own, constants=constants, axes=x.axes)


@operator
def TensorScatter(
    node: NodeContext,
    past_cache: Operand,
    update: Operand,
    write_indices: Operand | None = None,
    *,
    axis: int = -2,
    mode: str = "linear",
) -> OutputSpec:
    """Along an axis, from a position on that each of the batch has for itself; `circular` begins again at the end."""
    axis %= past_cache.ndim
    size, long = past_cache.shape[axis], update.shape[axis]
    first = np.zeros(past_cache.shape[0], np.int64) if write_indices is None else write_indices
    source, target = ax.strides(update.shape), ax.strides(node.shape)
    if isinstance(first, np.ndarray):
        ask(math.prod(update.shape) * update.ndim)
        at = np.indices(update.shape)
        at[axis] = (at[axis] + first.reshape(-1, *[1] * (update.ndim - 1))) % size
        return _moved(node, past_cache, update, np.asarray(np.ravel_multi_index(tuple(at), node.shape)), False)
    constants: dict[str, Constant] = {}
    x, u = _neurons(node, (past_cache, update), constants)
    lines = [(n, 0 if d == axis else s, t) for d, (n, s, t) in enumerate(zip(node.shape, source, target, strict=True))]
    batch = [(n, int(d == 0), t) for d, (n, t) in enumerate(zip(node.shape, target, strict=True))]
    edges = [
        _in_place(x),
        incoming(u, *spread(lines), *candidates_along([(long, source[axis])]), port=1),
        incoming(first, *spread(batch), port=2),
    ]
    own = _own(node.shape, axis)
    aggregation = str(Activation("TensorScatter", (("size", float(size)), ("mode", mode))))
    return OutputSpec(tuple(edges), aggregation, bias=own, constants=constants, axes=x.axes)


@operator
def MaxUnpool(
    node: NodeContext,
    X: Operand,
    I: Operand,  # noqa: E741
    output_shape: Constant | None = None,
    *,
    kernel_shape: list[int],
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> OutputSpec:
    """An index is a position in the whole output that the pool would have had as its input: its size follows from
    the kernel, or is `output_shape`, in which the positions then are others.
    """
    constants: dict[str, Constant] = {}
    pooled = [
        (n - 1) * s + k - sum((pads or [0] * 2 * len(kernel_shape))[d :: len(kernel_shape)])
        for d, (n, k, s) in enumerate(zip(X.shape[2:], kernel_shape, strides or [1] * len(kernel_shape), strict=True))
    ]
    shape = (*X.shape[:2], *pooled)
    ask(math.prod(node.shape))
    own = np.full(node.shape, -1.0)  # where the pool's input would have no position
    inside = tuple(slice(0, n) for n in shape)
    own[inside] = np.arange(math.prod(shape), dtype=np.float64).reshape(shape)
    x, i = _neurons(node, (X, I), constants)
    everywhere = [(math.prod(node.shape), 0, 1)]
    count = math.prod(X.shape)
    edges = [
        incoming(t, *spread(everywhere), *candidates_along([(count, 1)]), port=port) for port, t in enumerate((x, i))
    ]
    return OutputSpec(tuple(edges), "MaxUnpool", bias=own, constants=constants, axes=x.axes, spatial=True)


def _elements(
    node: NodeContext, data: Operand, indices: Operand, updates: Operand, axis: int, reduction: str
) -> OutputSpec:
    axis %= data.ndim
    size, target, source = data.shape[axis], ax.strides(data.shape), ax.strides(indices.shape)
    if isinstance(indices, np.ndarray) and reduction in ("none", "add"):
        ask(indices.size * indices.ndim)
        at = np.indices(indices.shape)
        at[axis] = np.where(indices < 0, indices + size, indices)
        flat = np.ravel_multi_index(tuple(at), data.shape)
        return _moved(node, data, updates, np.asarray(flat), reduction == "add")
    constants: dict[str, Constant] = {}
    x, i, u = _neurons(node, (data, indices, updates), constants)
    lines = [
        (size, 0, t) if d == axis else (n, s, t)
        for d, (n, s, t) in enumerate(zip(indices.shape, source, target, strict=True))
    ]
    terms = candidates_along([(indices.shape[axis], source[axis])])
    edges = [_in_place(x), *(incoming(t, *spread(lines), *terms, port=port) for port, t in ((1, i), (2, u)))]
    aggregation = str(Activation("ScatterElements", (("size", float(size)), ("reduction", reduction))))
    return OutputSpec(tuple(edges), aggregation, bias=_own(node.shape, axis), constants=constants, axes=x.axes)


def _moved(node: NodeContext, data: Operand, updates: Operand, flat: Ints, add: bool) -> OutputSpec:
    """Updates at constant positions, and what is in `data` at all others, or everywhere where they are added."""
    flat, count = flat.ravel(), math.prod(node.shape)
    ask(count + flat.size)
    order = np.arange(flat.size)
    if not add:  # of several updates the last one stays
        _, last = np.unique(flat[::-1], return_index=True)
        order = np.sort(flat.size - 1 - last)
    kept = np.ones(count, bool)
    kept[flat] = add
    edges: list[Incoming] = []
    bias = np.zeros(count)
    if isinstance(data, Tensor):
        edges.append(incoming(data, ax.relation(np.flatnonzero(kept), np.flatnonzero(kept))))
    else:
        bias[kept] = numbers(data).ravel()[kept]
    if isinstance(updates, Tensor):
        edges.append(incoming(updates, ax.relation(order, flat[order])))
    else:
        np.add.at(bias, flat[order], numbers(updates).ravel()[order].astype(np.float64))
    if len(edges) == 2:
        return OutputSpec(tuple(edges), axes=data.axes if isinstance(data, Tensor) else ())
    return OutputSpec(
        tuple(edges), bias=numbers(bias.astype(np.float32) if node.dtype == np.float32 else bias).reshape(node.shape)
    )


def _in_place(x: Tensor) -> Incoming:
    ask(math.prod(x.shape))
    at = np.arange(math.prod(x.shape))
    return incoming(x, Axis(at, at, np.zeros_like(at)), port=0)


def _own(shape: tuple[int, ...], axis: int) -> Constant:
    at = np.arange(shape[axis], dtype=np.float64).reshape([-1 if d == axis else 1 for d in range(len(shape))])
    return np.broadcast_to(at, shape)


def _neurons(node: NodeContext, operands: tuple[Operand, ...], constants: dict[str, Constant]) -> list[Tensor]:
    names = ("data", "updates", "indices")
    return [as_neurons(node, name, x, constants) for name, x in zip(names, operands, strict=False)]
