"""Values moved between channels and space, and out of triangles and sequences."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph import axes as ax
from onnx2graphml.model.limits import ask
from onnx2graphml.ops.broadcast import scalar
from onnx2graphml.ops.registry import Constant, NodeContext, OutputSpec, Tensor, incoming, operator
from onnx2graphml.ops.windows import WindowAttributes, sliding


@operator
def DepthToSpace(node: NodeContext, input: Tensor, *, blocksize: int, mode: str = "DCR") -> OutputSpec:
    """A channel's number is (row in the block, column in it, channel), or with CRD the channel comes first."""
    batch, depth, rows, columns = input.shape
    if mode not in ("DCR", "CRD"):
        raise UnsupportedError(f"mode is {mode!r}; expected 'DCR' or 'CRD'")
    b = blocksize
    shape = (
        (batch, b, b, depth // b**2, rows, columns) if mode == "DCR" else (batch, depth // b**2, b, b, rows, columns)
    )
    order = (0, 3, 4, 1, 5, 2) if mode == "DCR" else (0, 1, 4, 2, 5, 3)
    return _transposed(input, shape, order)


@operator
def SpaceToDepth(node: NodeContext, input: Tensor, *, blocksize: int, mode: str = "DCR") -> OutputSpec:
    """The reverse of DepthToSpace."""
    batch, depth, rows, columns = input.shape
    b = blocksize
    shape = (batch, depth, rows // b, b, columns // b, b)
    return _transposed(input, shape, (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4))


def _transposed(X: Tensor, shape: Sequence[int], order: Sequence[int]) -> OutputSpec:
    """The tensor seen in another shape, and its axes in another order."""
    source, after = ax.strides(shape), [shape[d] for d in order]
    axes = [ax.same(n).strided(source[d], t) for n, d, t in zip(after, order, ax.strides(after), strict=True)]
    return OutputSpec((incoming(X, *axes),))


@operator
def Col2Im(
    node: NodeContext,
    input: Tensor,
    image_shape: Constant,
    block_shape: Constant,
    *,
    dilations: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> OutputSpec:
    """(N, C·blocks, positions) to (N, C, image...): what lies on the same place of the image is added up."""
    kernel, image = [int(k) for k in block_shape], [int(n) for n in image_shape]
    windows = sliding(image, WindowAttributes(kernel, strides, dilations, pads))
    batch, channels = node.shape[:2]
    size, positions = math.prod(kernel), math.prod(w.output for w in windows)
    in_kernel = [s * positions for s in ax.strides(kernel)]
    in_positions = ax.strides([w.output for w in windows])
    target = ax.strides(node.shape)
    axes = [
        ax.same(batch).strided(channels * size * positions, target[0], 0),
        ax.same(channels).strided(size * positions, target[1], 0),
    ]
    for w, k, o, t in zip(windows, in_kernel, in_positions, target[2:], strict=True):
        pairs = w.axis()  # of the image's positions with those of windows, and where in the kernel they meet
        axes.append(ax.relation(pairs.tap * k + pairs.target * o, pairs.source * t))
    return OutputSpec((incoming(input, *axes),))


@operator
def Trilu(node: NodeContext, input: Tensor, k: Constant | None = None, *, upper: int = 1) -> OutputSpec:
    """The upper or the lower triangle of matrices, from the k-th diagonal on."""
    *batch, rows, columns = input.shape
    diagonal = 0 if k is None else int(scalar(k) or 0)
    ask(rows * columns)
    r, c = np.indices((rows, columns))
    kept = np.flatnonzero((c - r >= diagonal) if upper else (c - r <= diagonal))
    outer = ax.same(math.prod(batch)).strided(rows * columns, rows * columns, 0)
    return OutputSpec((incoming(input, outer, ax.relation(kept, kept)),), axes=input.axes)


@operator
def ReverseSequence(
    node: NodeContext, input: Tensor, sequence_lens: Constant, *, batch_axis: int = 1, time_axis: int = 0
) -> OutputSpec:
    """Along time, the first steps in reverse, as many as each of the batch has."""
    lengths, longest = sequence_lens.ravel().tolist(), input.shape[time_axis]
    if not all(0 <= length <= longest for length in lengths):
        raise UnsupportedError(f"sequence_lens are {lengths}; expected lengths up to {longest}")
    strides = ax.strides(input.shape)
    times, steps = np.arange(longest), strides[time_axis]
    pairs = []
    for b, length in enumerate(lengths):
        at = np.where(times < length, length - 1 - times, times)
        pairs.append(ax.relation(b * strides[batch_axis] + at * steps, b * strides[batch_axis] + times * steps))
    rest = [
        ax.same(n).strided(s, s, 0)
        for d, (n, s) in enumerate(zip(input.shape, strides, strict=True))
        if d not in (batch_axis, time_axis)
    ]
    return OutputSpec((incoming(input, ax.concatenated(pairs), *rest),), axes=input.axes)
