"""Values taken at indices: with constant ones they move, with computed ones every candidate is an edge."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.functions import axes_text
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis, Ints
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.model.limits import ask
from onnx2graphml.ops.pointwise import as_neurons
from onnx2graphml.ops.registry import Constant, NodeContext, Operand, OutputSpec, Tensor, incoming, operator

Dimension = tuple[int, int, int]
"""A size, and the strides of the source and of the target along it."""


@operator
def Gather(node: NodeContext, data: Operand, indices: Operand, *, axis: int = 0) -> OutputSpec:
    """The axes of `indices` take the place of one of the axes of `data`."""
    axis %= data.ndim
    if isinstance(data, Tensor) and isinstance(indices, np.ndarray):
        return _moved(data, _inside(indices, data.shape[axis]), axis)
    before, n, after = data.shape[:axis], data.shape[axis], data.shape[axis + 1 :]
    outer, count, inner = math.prod(before), math.prod(indices.shape), math.prod(after)
    candidates = [(outer, n * inner, count * inner), (count, 0, inner), (inner, 1, 1)]
    positions = [(outer, 0, count * inner), (count, 1, inner), (inner, 0, 1)]
    return _chosen(node, data, indices, [(positions, 0)], candidates, [(n, inner)])


@operator
def GatherElements(node: NodeContext, data: Operand, indices: Operand, *, axis: int = 0) -> OutputSpec:
    """Along one axis, from the line of `data` in which the index stands."""
    axis %= data.ndim
    source, target = ax.strides(data.shape), ax.strides(indices.shape)
    if isinstance(data, Tensor) and isinstance(indices, np.ndarray):
        ask(indices.size * indices.ndim)
        at = np.indices(indices.shape)
        at[axis] = _inside(indices, data.shape[axis])
        return taken(data, np.asarray(np.ravel_multi_index(tuple(at), data.shape)))
    lines = [
        (n, 0 if d == axis else s, t) for d, (n, s, t) in enumerate(zip(indices.shape, source, target, strict=True))
    ]
    places = [(n, t, t) for n, t in zip(indices.shape, target, strict=True)]
    return _chosen(node, data, indices, [(places, 0)], lines, [(data.shape[axis], source[axis])])


@operator
def GatherND(node: NodeContext, data: Operand, indices: Operand, *, batch_dims: int = 0) -> OutputSpec:
    """The last axis of `indices` has a position in as many axes of `data`, after those that they share."""
    *rows, width = indices.shape
    batch, counted = data.shape[:batch_dims], rows[batch_dims:]
    indexed, after = data.shape[batch_dims : batch_dims + width], data.shape[batch_dims + width :]
    outer, count, inner = math.prod(batch), math.prod(counted), math.prod(after)
    if isinstance(data, Tensor) and isinstance(indices, np.ndarray):
        ask(outer * count * inner)
        flat = np.zeros((outer, count), np.int64)
        for column, n in zip(np.moveaxis(indices.reshape(outer, count, width), -1, 0), indexed, strict=True):
            flat = flat * n + _inside(column, n)
        flat += np.arange(outer)[:, None] * math.prod(indexed)
        return taken(data, flat[..., None] * inner + np.arange(inner))
    candidates = [(outer, math.prod(indexed) * inner, count * inner), (count, 0, inner), (inner, 1, 1)]
    columns = [(outer, count * width, count * inner), (count, width, inner), (inner, 0, 1)]
    terms = [(n, s * inner) for n, s in zip(indexed, ax.strides(indexed), strict=True)]
    return _chosen(node, data, indices, [(columns, k) for k in range(width)], candidates, terms)


def taken(data: Tensor, positions: Ints) -> OutputSpec:
    """The output's values one after the other, from flat positions in a tensor."""
    return OutputSpec((incoming(data, ax.relation(positions.ravel(), np.arange(positions.size))),))


def spread(dimensions: Sequence[Dimension], source: int = 0) -> list[Axis]:
    """An axis for each dimension, and a single entry that moves the source."""
    return [ax.same(n).strided(s, t, 0) for n, s, t in dimensions] + [ax.shift(source=source)]


def candidates_along(sizes: Sequence[tuple[int, int]], spacing: int = 1) -> list[Axis]:
    """Axes whose entries all go to the same target, each with its row-major position among all as term.

    Args:
        sizes: along each axis, how many candidates there are, and the stride of their source.
        spacing: between terms.
    """
    terms = ax.strides([n for n, _ in sizes])
    axes = [
        ax.gather(n).strided(s, 0, 0).with_term(np.arange(n) * t * spacing)
        for (n, s), t in zip(sizes, terms, strict=True)
    ]
    return axes or [Axis(*np.zeros((4, 1), np.int64))]


def _moved(data: Tensor, picked: Ints, axis: int) -> OutputSpec:
    source, flat = ax.strides(data.shape), (*data.shape[:axis], picked.size, *data.shape[axis + 1 :])
    target = ax.strides(flat)
    axes = [ax.same(n).strided(s, t) for n, s, t in zip(flat, source, target, strict=True)]
    axes[axis] = ax.relation(picked.ravel() * source[axis], np.arange(picked.size) * target[axis])
    return OutputSpec((incoming(data, *axes),))


def _inside(indices: Constant, n: int) -> Ints:
    """Indices without negative ones."""
    indices = np.asarray(indices, np.int64)
    if indices.size and not -n <= indices.min() <= indices.max() < n:
        raise UnsupportedError(f"indices run from {indices.min()} to {indices.max()}; the axis has {n} positions")
    return np.asarray(indices % n) if n else indices


def _chosen(
    node: NodeContext,
    data: Operand,
    indices: Operand,
    positions: Sequence[tuple[Sequence[Dimension], int]],
    lines: Sequence[Dimension],
    terms: Sequence[tuple[int, int]],
) -> OutputSpec:
    """Each neuron is one of the candidates of its line, which the values at further ports point to."""
    constants: dict[str, Constant] = {}
    x, index = as_neurons(node, "data", data, constants), as_neurons(node, "indices", indices, constants)
    edges = [incoming(x, *spread(lines), *candidates_along(terms), port=0)]
    for port, (dimensions, first) in enumerate(positions, 1):
        edges.append(incoming(index, *spread(dimensions, first), port=port))
    aggregation = str(Activation("Gather", (("shape", axes_text(n for n, _ in terms)),)))
    return OutputSpec(tuple(edges), aggregation, constants=constants)
