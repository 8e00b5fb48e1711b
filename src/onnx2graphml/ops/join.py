"""Tensors put side by side, and taken apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.graph import Incoming
from onnx2graphml.model.limits import ask
from onnx2graphml.ops.registry import Constant, NodeContext, Operand, OutputSpec, Tensor, incoming, operator


@operator
def Concat(node: NodeContext, *inputs: Operand, axis: int) -> OutputSpec:
    """Inputs one after the other along an axis; a constant one becomes a bias where its neurons are."""
    axis %= len(node.shape)
    edges: list[Incoming] = []
    bias, first = None, 0
    for x in inputs:
        if isinstance(x, Tensor):
            axes = part(x.shape, node.shape, axis, target=first)
            edges.append(incoming(x, *axes))
        else:
            if bias is None:
                ask(math.prod(node.shape))
                bias = np.zeros(node.shape, node.dtype)
            bias[(slice(None),) * axis + (slice(first, first + x.shape[axis]),)] = x
        first += x.shape[axis]
    return OutputSpec(tuple(edges), bias=bias, axes=tuple(range(len(node.shape))))


@operator
def Split(node: NodeContext, input: Tensor, *, axis: int = 0, split: Sequence[int] | None = None) -> list[OutputSpec]:
    """Pieces along an axis; of equal size unless `split` says otherwise."""
    return _split(node, input, axis, split)


@operator
def Split_13(node: NodeContext, input: Tensor, split: Constant | None = None, *, axis: int = 0) -> list[OutputSpec]:
    return _split(node, input, axis, split)


@operator
def Split_18(
    node: NodeContext, input: Tensor, split: Constant | None = None, *, axis: int = 0, num_outputs: int | None = None
) -> list[OutputSpec]:
    return _split(node, input, axis, split)


def _split(node: NodeContext, X: Tensor, axis: int, split: Sequence[int] | Constant | None) -> list[OutputSpec]:
    axis %= X.ndim
    sizes = [shape[axis] for shape in node.shapes]
    if sum(sizes) != X.shape[axis] or (split is not None and sizes != [int(n) for n in split]):
        raise UnsupportedError(
            f"pieces are {sizes} and split is {split}; expected them equal, with the sum {X.shape[axis]}"
        )
    firsts = np.cumsum([0, *sizes])
    return [
        OutputSpec((incoming(X, *part(shape, X.shape, axis, target=int(first), flipped=True)),), axes=X.axes)
        for shape, first in zip(node.shapes, firsts, strict=False)
    ]


def part(small: Sequence[int], large: Sequence[int], axis: int, target: int, flipped: bool = False) -> list[Axis]:
    """The identity from a tensor to its place in a larger one, from `target` on along an axis; flipped, out of it."""
    own, other = ax.strides(small), ax.strides(large)
    axes = [ax.same(n).strided(s, t) for n, s, t in zip(small, own, other, strict=True)]
    axes.append(ax.shift(target=target * other[axis]))
    return [a.flipped() for a in axes] if flipped else axes
