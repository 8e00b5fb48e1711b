"""By which dimensions the positions of a chain's layers are told, so that every step is a product of relations."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis, Ints
from onnx2graphml.graph.axes import strides as strides_of
from onnx2graphml.graph.blocks import EdgeBlock


class NotAChain(Exception):
    """The network has branches, or a layer that isn't a product of dimensions; the reason in words."""


def radices_of(
    shapes: Sequence[tuple[int, ...]], sizes: Sequence[int], blocks: Sequence[EdgeBlock]
) -> list[tuple[int, ...]]:
    """Of each layer, the sizes of its dimensions: those of its shape, made finer where a neighbour's pass through."""
    cuts = [{s for s in strides_of(shape) if s < size} | {1} for shape, size in zip(shapes, sizes, strict=True)]
    moves = [[m for m in map(move_of, block.axes) if m is not None] for block in blocks]
    for k, block in enumerate(blocks):
        cuts[k + 1] |= {s for s in (_full(a.target) for a in block.axes) if s is not None and s < sizes[k + 1]}
    before = None
    while cuts != before:
        before = [set(c) for c in cuts]
        for k, own in enumerate(moves):
            for source, target, n in own:
                cuts[k + 1] |= {c // source * target for c in cuts[k] if c % source == 0 and source <= c < n * source}
                cuts[k] |= {c // target * source for c in cuts[k + 1] if c % target == 0 and target <= c < n * target}
    return [_sizes(sorted(c), size) for c, size in zip(cuts, sizes, strict=True)]


def _sizes(cuts: list[int], size: int) -> tuple[int, ...]:
    bounds = [*cuts, size]
    if any(b % a for a, b in itertools.pairwise(bounds)):
        raise NotAChain("a layer's positions are told by dimensions that don't fit")
    return tuple(b // a for a, b in itertools.pairwise(bounds))[::-1]


def move_of(axis: Axis) -> tuple[int, int, int] | None:
    """The strides and the length of an axis that hands values on in their order."""
    source, target = _full(axis.source), _full(axis.target)
    if source is None or target is None or len(axis) != len(ax.distinct(axis.source)):
        return None
    return (source, target, len(axis)) if (axis.source * target == axis.target * source).all() else None


def _full(offsets: Ints) -> int | None:
    """The stride of offsets 0, s, 2s, ... without a gap; None where they are not such, or only one."""
    values = ax.distinct(offsets)
    if len(values) < 2 or values[0] != 0:
        return None
    return int(values[1]) if (np.diff(values) == values[1]).all() else None
