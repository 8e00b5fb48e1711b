"""Two edge blocks in a row as one: what lets a graph leave out a tensor that only moves or scales values.

The tensor between them is looked at dimension by dimension. Axes that share no dimension are independent and stay
independent; axes that share one are multiplied out and joined on the position in between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis, Ints
from onnx2graphml.graph.blocks import EdgeBlock

LIMIT = 1 << 24  # entries of one joined axis, or of the table of its weights: above, composing costs more than it saves


class NotComposableError(Exception):
    """The composition would not be a small product of axes."""


@dataclass(frozen=True, eq=False)
class _Join:
    """An axis whose entries carry the taps of both blocks."""

    source: Ints
    target: Ints
    first_tap: Ints
    second_tap: Ints
    term: Ints | None = None


def compose(first: EdgeBlock, second: EdgeBlock, shape: Sequence[int]) -> EdgeBlock:
    """The block of all paths of two edges, one of `first` and then one of `second`; weights multiply.

    The edges are in the order of `second`.

    Args:
        first: from a source to the tensor in between.
        second: from the tensor in between to a target.
        shape: of the tensor in between.

    Raises:
        NotComposableError: where the result would be larger than `LIMIT` along one axis.

    Example:
        Padding by one on both sides and then a window of three is a padded window:

        >>> pad = EdgeBlock((ax.relation(range(4), range(1, 5)),))
        >>> conv = EdgeBlock((ax.window(input=6, output=4, kernel=3),), np.ones(3))
        >>> compose(pad, conv, (6,)).count
        10
    """
    joins = [_join(f, g) for f, g in _components(first.axes, second.axes, shape)]
    if second.is_selection or first.is_selection:
        kept, tap = (second, "second_tap") if first.is_selection else (first, "first_tap")
        return EdgeBlock(_tidied([Axis(j.source, j.target, getattr(j, tap), j.term) for j in joins]), kept.weights)
    return _with_weights(joins, first, second)


def compose_in_first_order(first: EdgeBlock, second: EdgeBlock, shape: Sequence[int]) -> EdgeBlock:
    """The same as `compose`, with the edges in the order of `first` instead of `second`.

    A convolution whose output is moved keeps its order: pictures inside, so that one weight stands in long runs.
    """
    return compose(second.flipped(), first.flipped(), shape).flipped()


def _components(first: Sequence[Axis], second: Sequence[Axis], shape: Sequence[int]) -> list[tuple[Axis, Axis]]:
    """Pairs of axes, of the first and of the second block, that share dimensions of the tensor in between."""
    groups: list[tuple[set[int], list[Axis], list[Axis]]] = []
    for axis in second:  # the second block's order is the result's
        groups = _merged(groups, (_touched(axis.source, shape), [], [axis]), shape)
    for axis in first:
        groups = _merged(groups, (_touched(axis.target, shape), [axis], []), shape)
    return [(_product(f), _product(g)) for _, f, g in groups]


def _merged(
    groups: list[tuple[set[int], list[Axis], list[Axis]]],
    new: tuple[set[int], list[Axis], list[Axis]],
    shape: Sequence[int],
) -> list[tuple[set[int], list[Axis], list[Axis]]]:
    """The groups with one more, joined to those that it shares a dimension with."""
    shared = [g for g in groups if g[0] & new[0]]
    if not shared:
        return [*groups, new]
    first = [a for g in shared for a in g[1]] + new[1]
    second = [a for g in shared for a in g[2]] + new[2]
    # A sum of offsets can carry into a dimension that no summand reaches.
    touched = set.union(*(g[0] for g in shared), new[0])
    touched |= _touched(_product(first).target, shape) | _touched(_product(second).source, shape)
    place = groups.index(shared[0])
    rest = [g for g in groups if not any(g is s for s in shared)]
    before = sum(1 for g in groups[:place] if not any(g is s for s in shared))
    if any(g[0] & touched for g in rest):
        return _merged(rest, (touched, first, second), shape)
    return [*rest[:before], (touched, first, second), *rest[before:]]


def _touched(offsets: Ints, shape: Sequence[int]) -> set[int]:
    """The dimensions along which any of the offsets is not at 0."""
    coordinates = np.unravel_index(offsets, shape) if shape else ()
    return {d for d, c in enumerate(coordinates) if c.any()}


def _product(axes: Sequence[Axis]) -> Axis:
    if math.prod(len(a) for a in axes) > LIMIT:
        raise NotComposableError
    return ax.product(axes)


def _join(first: Axis, second: Axis) -> _Join:
    """All pairs of entries that meet, in the order of the second axis."""
    if np.array_equal(first.target, second.source) and ax.are_distinct(second.source):  # one with one, in this order
        return _Join(first.source, second.target, first.tap, second.tap, _joined_terms(first, second))
    order = np.argsort(first.target, kind="stable")
    middle = first.target[order]
    low = np.searchsorted(middle, second.source, side="left")
    n = np.searchsorted(middle, second.source, side="right") - low
    if n.sum() > LIMIT:
        raise NotComposableError
    g = np.repeat(np.arange(len(second)), n)
    within = np.arange(len(g)) - np.repeat(np.cumsum(n) - n, n)
    f = order[low[g] + within]
    return _Join(first.source[f], second.target[g], first.tap[f], second.tap[g], _joined_terms(first[f], second[g]))


def _joined_terms(first: Axis, second: Axis) -> Ints | None:
    """Values that are moved before or after a product keep the product's terms; only one side has any."""
    if first.term is None or second.term is None:
        return second.term if first.term is None else first.term
    raise NotComposableError


def _with_weights(joins: Sequence[_Join], first: EdgeBlock, second: EdgeBlock) -> EdgeBlock:
    """A table of the products of weights that occur: one entry per distinct pair of taps along each axis."""
    pairs = [np.unique(np.stack([j.first_tap, j.second_tap], 1), axis=0, return_inverse=True) for j in joins]
    sizes = [len(distinct) for distinct, _ in pairs]
    if math.prod(sizes) > max(LIMIT, 2 * (first.weights.size + second.weights.size)):
        raise NotComposableError
    w1 = first.weights[ax.outer_sum([distinct[:, 0] for distinct, _ in pairs])]
    w2 = second.weights[ax.outer_sum([distinct[:, 1] for distinct, _ in pairs])]
    dtype = np.result_type(first.weights, second.weights)
    weights = (w1.astype(np.float64) * w2).astype(dtype)
    axes = [
        Axis(j.source, j.target, inverse.reshape(-1).astype(np.int64) * stride, j.term)
        for j, (_, inverse), stride in zip(joins, pairs, ax.strides(sizes), strict=True)
    ]
    return EdgeBlock(_tidied(axes), weights)


def _tidied(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """The axes with those of one entry, which only move the block, as at most one: or a long chain has ever more."""
    single = [a for a in axes if len(a) == 1 and a.term is None]
    long = [a for a in axes if len(a) != 1 or a.term is not None]
    if not single:
        return tuple(axes)
    source, target, tap = (sum(int(getattr(a, side)[0]) for a in single) for side in ("source", "target", "tap"))
    moves = bool(source or target or tap)
    return (*long, ax.relation(source, target, tap)) if moves or not long else tuple(long)
