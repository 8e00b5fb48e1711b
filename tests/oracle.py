"""What the tests hold the package against: definitions written out as plain loops, and small blocks to try them on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock, Edges

Edge = tuple[int, int, float]
Array = npt.NDArray[Any]


# ------------------------------------------------------------------------------------------------ edges, one by one


def brute(block: EdgeBlock) -> list[Edge]:
    """The definition of a block: one entry chosen from each axis is one edge, the last axis fastest."""
    entries = [list(zip(a.source.tolist(), a.target.tolist(), a.tap.tolist(), strict=True)) for a in block.axes]
    edges = []
    for choice in itertools.product(*entries):
        source, target, tap = (sum(entry[side] for entry in choice) for side in range(3))
        assert 0 <= tap < block.weights.size, f"tap {tap} lies outside of {block.weights.size} weights"
        edges.append((source, target, float(block.weights[tap])))
    return edges


def listed(chunks: Iterable[Edges]) -> list[Edge]:
    """Expanded edges, one by one."""
    return [edge for e in chunks for edge in zip(e.source.tolist(), e.target.tolist(), e.weight.tolist(), strict=True)]


def join(first: Sequence[Edge], second: Sequence[Edge]) -> list[Edge]:
    """All paths of an edge of the first and then one of the second, sorted; weights multiply."""
    return sorted((s, t, w * v) for s, m, w in first for n, t, v in second if m == n)


def dense(edges: Iterable[Edge], targets: int, sources: int) -> npt.NDArray[np.float64]:
    """The matrix of a linear map, from its edges."""
    matrix = np.zeros((targets, sources))
    for source, target, weight in edges:
        matrix[target, source] += weight
    return matrix


# ---------------------------------------------------------------------------------------------------- convolutions


def convolution(x: Array, kernel: Array, stride: Sequence[int], dilation: Sequence[int], pad: Sequence[int]) -> Array:
    """A convolution of x (C,H,W) with kernel (O,C,kh,kw), zeros written around the picture and loops over it."""
    outputs, channels, *size = kernel.shape
    padded = np.pad(x, [(0, 0), *((p, p) for p in pad)])
    rows, columns = window_outputs(x.shape[1:], size, stride, dilation, pad)
    y = np.zeros((outputs, rows, columns))
    for o, r, q in np.ndindex(y.shape):
        for c, i, j in np.ndindex(channels, *size):
            pixel = padded[c, r * stride[0] + i * dilation[0], q * stride[1] + j * dilation[1]]
            y[o, r, q] += kernel[o, c, i, j] * pixel
    return y


def window_outputs(
    inputs: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], pad: Sequence[int]
) -> list[int]:
    """Per dimension, how many windows fit into the padded input; found by trying."""
    return [
        sum(1 for at in range(0, n + 2 * p, s) if at + (k - 1) * d < n + 2 * p)
        for n, k, s, d, p in zip(inputs, kernel, stride, dilation, pad, strict=True)
    ]


def conv_block(
    kernel: Array,
    size: Sequence[int],
    stride: Sequence[int] = (1, 1),
    dilation: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0),
) -> tuple[EdgeBlock, tuple[int, int, int]]:
    """The block of a convolution over a picture (C, *size), and its output's shape."""
    outputs, channels, *window = kernel.shape
    n = window_outputs(size, window, stride, dilation, pad)
    tap_out, tap_in, *taps = ax.strides(kernel.shape)
    in_, *space_in = ax.strides((channels, *size))
    out, *space_out = ax.strides((outputs, *n))
    rows_and_columns = [
        ax.window(size[d], n[d], window[d], stride[d], dilation[d], pad[d]).strided(space_in[d], space_out[d], taps[d])
        for d in (0, 1)
    ]
    axes = (
        ax.spread(outputs).strided(0, out, tap_out),
        ax.gather(channels).strided(in_, 0, tap_in),
        *rows_and_columns,
    )
    return EdgeBlock(axes, np.ascontiguousarray(kernel).reshape(-1)), (outputs, *n)


def integers(*shape: int, seed: int = 0) -> Array:
    """Small integers other than 0 as float32: sums and products of a few of them are exact."""
    random = np.random.default_rng(seed)
    return np.asarray(random.integers(1, 6, shape) * random.choice([-1, 1], shape), np.float32)


# --------------------------------------------------------------------------------------- small blocks of every kind


@dataclass(frozen=True)
class Sample:
    """A block with the sizes of the tensors that it joins."""

    block: EdgeBlock
    sources: int
    targets: int


def dense_block(sources: int, targets: int, seed: int = 0) -> EdgeBlock:
    """A fully connected layer with weights (sources, targets)."""
    weights = integers(sources * targets, seed=seed)
    return EdgeBlock((ax.gather(sources).strided(1, 0, targets), ax.spread(targets).strided(0, 1, 1)), weights)


def samples() -> dict[str, Sample]:
    """A block of every kind that operators make, and the degenerate ones."""
    conv, shape = conv_block(integers(2, 3, 3, 2), (4, 5), (2, 1), (1, 2), (1, 1))
    grouped = EdgeBlock(
        (
            ax.same(2).strided(2 * 9, 3 * 9, 6),
            ax.spread(3).strided(0, 9, 2),
            ax.gather(2).strided(9, 0, 1),
            ax.same(9).strided(1, 1),
        ),
        integers(12),
    )
    pool = EdgeBlock(
        (ax.same(2).strided(16, 4), ax.window(4, 2, 2, 2).strided(4, 2), ax.window(4, 2, 2, 2).strided(1, 1))
    )
    overlapping = EdgeBlock((ax.same(3).strided(5, 5), ax.window(5, 5, 3, pad=1).strided(1, 1)))
    transpose = EdgeBlock((ax.same(2).strided(1, 12), ax.same(3).strided(8, 4), ax.same(4).strided(2, 1)))
    return {
        "conv": Sample(conv, 60, math.prod(shape)),
        "conv transposed": Sample(conv.flipped(), math.prod(shape), 60),
        "grouped conv": Sample(grouped, 36, 54),
        "pool": Sample(pool, 32, 8),
        "overlapping pool": Sample(overlapping, 15, 15),
        "dense": Sample(dense_block(5, 4), 5, 4),
        "scale": Sample(EdgeBlock((ax.same(3).strided(4, 4, 1), ax.same(4).strided(1, 1)), integers(3)), 12, 12),
        "transpose": Sample(transpose, 24, 24),
        "reversed slice": Sample(
            EdgeBlock((ax.relation([2, 1], [0, 1]).strided(4, 2), ax.relation([0, 3], [0, 1]))), 12, 4
        ),
        "pad": Sample(EdgeBlock((ax.same(2).strided(3, 5), ax.relation(range(3), range(1, 4)))), 6, 10),
        "concat": Sample(EdgeBlock((ax.shift(target=7), ax.same(6).strided(1, 1))), 6, 14),
        "repeat": Sample(EdgeBlock((ax.same(3).strided(1, 4), ax.spread(4).strided(0, 1))), 3, 12),
        "reduce": Sample(EdgeBlock((ax.same(3).strided(4, 1), ax.gather(4).strided(1, 0)), integers(1)), 12, 3),
        "gaps": Sample(EdgeBlock((ax.relation([0, 7], [9, 2], [0, 1]),), integers(2)), 10, 12),
        "wide last axis": Sample(EdgeBlock((ax.same(2).strided(40, 40), ax.same(40).strided(1, 1))), 80, 80),
        "axes of one entry": Sample(EdgeBlock((ax.same(1), ax.same(6).strided(1, 1), ax.same(1), ax.same(1))), 6, 6),
        "empty": Sample(EdgeBlock((ax.same(3).strided(1, 1), ax.relation([], []))), 3, 3),
        "no axes": Sample(EdgeBlock((), integers(1)), 1, 1),
        "float64": Sample(
            EdgeBlock((ax.gather(3).strided(1, 0, 2), ax.spread(2).strided(0, 1, 1)), np.arange(6) / 3 - 1), 3, 2
        ),
    }


@st.composite
def products(draw: st.DrawFn, max_axes: int = 4) -> Sample:
    """A product of random axes whose different choices of positions give different sums.

    Positions are written in mixed radix on either side: an axis has one digit of the source and one of the target,
    and the digits of both sides come in any order.
    """
    n = draw(st.integers(0, max_axes))
    radix = {side: draw(st.lists(st.integers(1, 4), min_size=n, max_size=n)) for side in ("source", "target")}
    stride = {side: _shuffled_strides(radix[side], draw(st.permutations(range(n)))) for side in radix}
    offset = {side: draw(st.integers(0, 3)) for side in radix}
    taps = draw(st.lists(st.integers(1, 3), min_size=n, max_size=n))
    axes = [ax.shift(offset["source"], offset["target"])]
    for i, tap_stride in enumerate(ax.strides(taps)):
        entry = st.tuples(*(st.integers(0, r - 1) for r in (radix["source"][i], radix["target"][i], taps[i])))
        entries = draw(st.lists(entry, min_size=0 if draw(st.integers(0, 9)) == 0 else 1, max_size=5))
        s, t, k = (np.array([e[side] for e in entries], np.int64) for side in range(3))
        axes.append(Axis(s, t, k).strided(stride["source"][i], stride["target"][i], tap_stride))
    axes = [axes[i] for i in draw(st.permutations(range(n + 1)))]
    sizes = {side: math.prod(radix[side]) + offset[side] for side in radix}
    return Sample(EdgeBlock(tuple(axes), integers(math.prod(taps))), sizes["source"], sizes["target"])


def _shuffled_strides(radices: Sequence[int], order: Sequence[int]) -> list[int]:
    """Strides that make the digits, in any order, those of one row-major number."""
    strides = dict(zip(order, ax.strides([radices[i] for i in order]), strict=True))
    return [strides[i] for i in range(len(radices))]


# --------------------------------------------------------------------------------------------------- moving values


@dataclass(frozen=True)
class Step:
    """A selection from one tensor to another: as a block, and what NumPy makes of an array."""

    name: str
    block: EdgeBlock
    before: tuple[int, ...]
    after: tuple[int, ...]
    result: Array
    """Of the array 1, 2, 3 … of shape `before`; 0 where nothing is moved to."""


def numbered_array(shape: Sequence[int]) -> Array:
    """1, 2, 3 … in row-major order: no two values are the same, and none is 0."""
    return np.arange(1, math.prod(shape) + 1).reshape(shape)


def moved(step_result: Array, x: Array) -> Array:
    """What a step makes of any array, from what it makes of the numbered one."""
    return np.concatenate([[0], x.ravel()])[step_result]


def transposing(shape: tuple[int, ...], order: Sequence[int]) -> Step:
    """np.transpose."""
    after = tuple(shape[d] for d in order)
    source, target = ax.strides(shape), ax.strides(after)
    axes = tuple(ax.same(shape[d]).strided(source[d], t) for d, t in zip(order, target, strict=True))
    return Step("transpose", EdgeBlock(axes), shape, after, numbered_array(shape).transpose(order))


def reshaping(shape: tuple[int, ...], after: tuple[int, ...], by_dimension: bool = True) -> Step:
    """np.reshape: as one axis, or as one for each of the dimensions before."""
    if by_dimension:
        axes = tuple(ax.same(n).strided(s, s) for n, s in zip(shape, ax.strides(shape), strict=True))
    else:
        axes = (ax.same(math.prod(shape)).strided(1, 1),)
    return Step("reshape", EdgeBlock(axes), shape, after, numbered_array(shape).reshape(after))


def picking(shape: tuple[int, ...], picked: Sequence[Sequence[int]]) -> Step:
    """Along each dimension, the position that each output position takes its value from; -1 for none.

    Slices, reversals, repetitions and padding are of this kind.
    """
    after = tuple(map(len, picked))
    source, target = ax.strides(shape), ax.strides(after)
    axes = []
    for p, s, t in zip(picked, source, target, strict=True):
        kept = [(i, o) for o, i in enumerate(p) if i >= 0]
        axes.append(ax.relation([i for i, _ in kept], [o for _, o in kept]).strided(s, t))
    result = numbered_array(shape)[np.ix_(*(np.maximum(p, 0) for p in picked))]
    nothing = np.ones(after, bool)
    nothing[np.ix_(*(np.asarray(p) >= 0 for p in picked))] = False
    return Step("pick", EdgeBlock(tuple(axes)), shape, after, np.where(nothing, 0, result))


def slicing(shape: tuple[int, ...], *slices: slice) -> Step:
    """Indexing with slices."""
    return picking(shape, [range(n)[s] for n, s in zip(shape, slices, strict=True)])


def padding(shape: tuple[int, ...], *pads: tuple[int, int]) -> Step:
    """np.pad with zeros."""
    return picking(shape, [[-1] * a + list(range(n)) + [-1] * b for n, (a, b) in zip(shape, pads, strict=True)])


@st.composite
def steps(draw: st.DrawFn, shape: tuple[int, ...], limit: int = 72) -> Step:
    """A random step from a tensor of that shape to one of at most `limit` values."""
    kind = draw(st.sampled_from(["transpose", "reshape", "slice", "pad", "repeat"]))
    if kind == "transpose":
        return transposing(shape, draw(st.permutations(range(len(shape)))))
    if kind == "slice":
        return slicing(shape, *(draw(_kept(n)) for n in shape))
    if kind == "reshape" or math.prod(shape) > limit // 2:
        return reshaping(shape, draw(factors(math.prod(shape))), draw(st.booleans()))
    dimension = draw(st.integers(0, len(shape) - 1))
    picked = [list(range(n)) for n in shape]
    if kind == "repeat":
        picked[dimension] = draw(st.sampled_from([picked[dimension] * 2, sorted(picked[dimension] * 2)]))
    else:
        picked[dimension] = [-1] * draw(st.integers(0, 1)) + picked[dimension] + [-1] * draw(st.integers(0, 1))
    return picking(shape, picked)


@st.composite
def _kept(draw: st.DrawFn, n: int) -> slice:
    first = draw(st.integers(0, n - 1))
    last = draw(st.integers(first, n - 1))
    step = draw(st.integers(1, 2))
    backwards = slice(last, first - 1 if first else None, -step)
    return backwards if draw(st.booleans()) else slice(first, last + 1, step)


@st.composite
def factors(draw: st.DrawFn, n: int) -> tuple[int, ...]:
    """A shape of one to four dimensions that holds n values."""
    shape = []
    for _ in range(draw(st.integers(0, 3))):
        shape.append(draw(st.sampled_from([d for d in range(1, n + 1) if n % d == 0])))
        n //= shape[-1]
    return (*shape, n)
