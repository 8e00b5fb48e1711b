"""Edges from picture to picture as windows: where the same weights lie around every position, they are a convolution.

Edges whose source and target positions lie alike, `source - stride · target`, between the same two channels and with
the same weight, are a tap. A tap is whole where it is there at every position that has room for it. Others are there
at a pattern of positions: a sum of convolutions, each under a mask, holds them all, if patterns are few.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Layer

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
Sizes = tuple[int, ...]

MOST_PATTERNS = 64
MOST_STRIDE = 64
MOST_CLASSES = 4096  # combinations of taps along the dimensions
MOST_EDGES = 20_000_000  # that are looked at one by one
WHOLE = b""


@dataclass(frozen=True, eq=False)
class Taps:
    """Taps that are there at the same positions.

    Attributes:
        where: a mask over the target's positions; None where each is whole.
        offset: (taps, dimensions).
        source, target: the channels that each joins.
        weight: of each.
    """

    where: Bools | None
    offset: Ints
    source: Ints
    target: Ints
    weight: Floats


@dataclass(frozen=True, eq=False)
class Windows:
    """All edges from one picture to another.

    Attributes:
        stride: along each dimension.
        room: the source's positions along each dimension, and `positions`: the target's.
        taps: by the positions at which they are.
    """

    stride: Sizes
    room: Sizes
    positions: Sizes
    taps: tuple[Taps, ...]


@dataclass(frozen=True, eq=False)
class _Edges:
    """Edges between channels at positions: all combinations of an entry of `channels` and one of each dimension.

    Attributes:
        channels, dimensions: relations of coordinates.
        weights: by tap.
    """

    channels: Axis
    dimensions: tuple[Axis, ...]
    weights: Floats


def windows(blocks: Sequence[EdgeBlock], source: Layer, target: Layer) -> Windows | None:
    """The edges in blocks from a layer to another as windows; None where they are none, or of too many patterns."""
    dimensions = len(target.spatial) - 1
    if not dimensions or len(source.spatial) != len(target.spatial):
        return None
    if len(source.shape) != len(source.spatial) or len(target.shape) != len(target.spatial):
        return None
    room = tuple(source.shape[d] for d in source.spatial[1:])
    positions = tuple(target.shape[d] for d in target.spatial[1:])
    separated = [_separated(block, source, target) for block in blocks]
    single = [e for e in separated if e is not None]
    explicit = [block for block, e in zip(blocks, separated, strict=True) if e is None]
    if sum(b.count for b in explicit) > MOST_EDGES:
        return None
    coordinates = _coordinates(explicit, source, target)
    stride = _strides(single, coordinates, room, positions)
    if stride is None:
        return None
    listed: list[Class] = []
    for edges in single:
        sizes = zip(edges.dimensions, stride, room, positions, strict=True)
        along = [_along(axis, *own) for axis, *own in sizes]
        if len(listed) + math.prod(map(len, along)) > MOST_CLASSES:
            return None
        listed += _classes(edges, along, stride, room, positions)
    if explicit:
        from_edges = _grouped(coordinates, stride, room, positions)
        if from_edges is None:
            return None
        listed += from_edges
    joined = _joined(listed)
    if len(joined) > MOST_PATTERNS:
        return None
    return Windows(stride, room, positions, tuple(joined))


def _strides(single: Sequence[_Edges], coordinates: Sequence[Any], room: Sizes, positions: Sizes) -> Sizes | None:
    """The stride along each dimension; None where none makes all offsets whole."""
    found = []
    for d in range(len(room)):
        pairs = [np.stack([e.dimensions[d].source, e.dimensions[d].target], 1) for e in single]
        if coordinates:
            pairs.append(np.stack([coordinates[1 + d], coordinates[2 + len(room) + d]], 1))
        stride = _stride(np.concatenate(pairs), room[d], positions[d])
        if stride is None:
            return None
        found.append(stride)
    return tuple(found)


def _separated(block: EdgeBlock, source: Layer, target: Layer) -> _Edges | None:
    """A block whose axes each run along channels, or along one dimension; None where one runs along several."""
    rank = len(source.spatial)
    parts: list[list[Axis]] = [[] for _ in range(rank)]
    for axis in block.axes:
        s, t = _digits(axis.source, source), _digits(axis.target, target)
        if s is None or t is None:
            return None
        touched = [k for k in range(rank) if s[k].any() or t[k].any()]
        if len(touched) > 1 and len(axis) > 1:
            return None
        own = touched if len(axis) == 1 else touched or [0]
        for number, k in enumerate(own or [0]):
            parts[k].append(Axis(s[k], t[k], axis.tap if number == 0 else 0 * axis.tap))
    joint = [ax.product([ax.shift(), *axes]) for axes in parts]
    for k, axis in enumerate(joint):
        if axis.source.max(initial=0) >= source.shape[source.spatial[k]]:
            return None
        if axis.target.max(initial=0) >= target.shape[target.spatial[k]]:
            return None
    return _Edges(joint[0], tuple(joint[1:]), block.weights)


def _digits(offsets: Ints, layer: Layer) -> list[Ints] | None:
    """Flat offsets as coordinates: the channel's first."""
    if offsets.min(initial=0) < 0 or offsets.max(initial=0) >= layer.neurons:
        return None
    at = np.unravel_index(offsets, layer.shape)
    return [np.asarray(at[d], np.int64) for d in layer.spatial]


def _coordinates(blocks: Sequence[EdgeBlock], source: Layer, target: Layer) -> list[Any]:
    """Of every edge: source channel and position, target channel and position, weight."""
    edges = [e for block in blocks for e in block.expand()]
    if not edges:
        return []
    s = _digits(np.concatenate([e.source for e in edges]), source) or []
    t = _digits(np.concatenate([e.target for e in edges]), target) or []
    return [*s, *t, np.concatenate([e.weight for e in edges])]


def _room_for(offset: Ints, stride: int, room: int, positions: int) -> tuple[Ints, Ints]:
    """The first target position that has room for an offset, and the one behind the last."""
    first = np.maximum(-(offset // stride), 0)
    beyond = np.minimum((room - 1 - offset) // stride + 1, positions)
    return first, np.maximum(beyond, first)


def _stride(pairs: Ints, room: int, positions: int) -> int | None:
    """By which stride all offsets are whole, looking along one dimension; of several, where they are fewest."""
    pairs = np.unique(pairs, axis=0)
    best: tuple[int, int] | None = None
    for stride in range(1, min(room, MOST_STRIDE) + 1):
        offsets, counts = np.unique(pairs[:, 0] - stride * pairs[:, 1], return_counts=True)
        first, beyond = _room_for(offsets, stride, room, positions)
        if (counts == beyond - first).all() and (best is None or len(offsets) < best[0]):
            best = len(offsets), stride
    return best[1] if best else None


Class = tuple[bytes, Taps]
Along = tuple[int, int, Ints | None]
"""Of edges along one dimension: offset and tap, and the positions where it is; None where these are all with room."""


def _classes(
    edges: _Edges, along: Sequence[Sequence[Along]], stride: Sequence[int], room: Sizes, positions: Sizes
) -> Iterator[Class]:
    """A product's taps: of each combination of offsets and taps along the dimensions, all channels."""
    channels = edges.channels
    for combination in itertools.product(*along):
        offset, taps, there = zip(*combination, strict=True)
        where = None if all(t is None for t in there) else _mask(offset, there, stride, room, positions)
        weight = edges.weights[channels.tap + sum(taps)]
        at = np.tile(np.array(offset, np.int64), (len(weight), 1))
        taps_here = Taps(where, at, channels.source, channels.target, weight)
        yield WHOLE if where is None else np.packbits(where).tobytes(), taps_here


def _along(axis: Axis, stride: int, room: int, positions: int) -> list[Along]:
    """The classes of edges along one dimension."""
    offset = axis.source - stride * axis.target
    found = []
    for o, tap in np.unique(np.stack([offset, axis.tap], 1), axis=0).tolist():
        at = np.sort(axis.target[(offset == o) & (axis.tap == tap)])
        first, beyond = _room_for(np.array(o), stride, room, positions)
        found.append((o, tap, None if len(at) == beyond - first else at))
    return found


def _mask(offset: Iterable[int], there: Iterable[Ints | None], stride: Any, room: Sizes, positions: Sizes) -> Bools:
    mask = np.ones(positions, bool)
    for d, (o, at) in enumerate(zip(offset, there, strict=True)):
        own = np.zeros(positions[d], bool)
        first, beyond = _room_for(np.array(o), stride[d], room[d], positions[d])
        own[slice(int(first), int(beyond)) if at is None else at] = True
        mask &= own.reshape([-1 if k == d else 1 for k in range(len(positions))])
    return mask


def _grouped(coordinates: list[Any], stride: Sequence[int], room: Sizes, positions: Sizes) -> list[Class] | None:
    """The taps that edges one by one are made of."""
    n = len(positions)
    offset = np.stack([coordinates[1 + d] - stride[d] * coordinates[2 + n + d] for d in range(n)], 1)
    place = np.ravel_multi_index(tuple(coordinates[2 + n : 2 + 2 * n]), positions)
    weight = np.asarray(coordinates[-1])
    keys = [coordinates[0], coordinates[1 + n], *offset.T, weight]
    order = np.lexsort([place, *keys])
    changes = [np.diff(key[order]) != 0 for key in keys]
    starts = np.r_[0, 1 + np.flatnonzero(np.logical_or.reduce(changes))]
    counts = np.diff(np.r_[starts, len(order)])
    first = order[starts]
    room_for = np.ones(len(first), np.int64)
    for d in range(n):
        low, high = _room_for(offset[first, d], stride[d], room[d], positions[d])
        room_for *= high - low
    patterns: dict[bytes, tuple[Bools | None, list[int]]] = {}
    whole = counts == room_for
    patterns[WHOLE] = None, np.flatnonzero(whole).tolist()
    for k in np.flatnonzero(~whole).tolist():
        mask = np.zeros(positions, bool)
        mask.flat[place[order[starts[k] : starts[k] + counts[k]]]] = True
        patterns.setdefault(np.packbits(mask).tobytes(), (mask, []))[1].append(k)
        if len(patterns) > MOST_PATTERNS:
            return None
    found = []
    for key, (where, groups) in patterns.items():
        e = first[groups]
        if len(e):
            found.append((key, Taps(where, offset[e], coordinates[0][e], coordinates[1 + n][e], weight[e])))
    return found


def _joined(classes: Sequence[Class]) -> list[Taps]:
    by_pattern: dict[bytes, list[Taps]] = {}
    for key, taps in classes:
        by_pattern.setdefault(key, []).append(taps)
    return [
        Taps(
            parts[0].where,
            np.concatenate([p.offset for p in parts]),
            np.concatenate([p.source for p in parts]),
            np.concatenate([p.target for p in parts]),
            np.concatenate([p.weight for p in parts]),
        )
        for parts in by_pattern.values()
    ]
