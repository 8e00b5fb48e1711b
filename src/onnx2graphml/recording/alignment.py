"""Where a layer's rows and columns lie in the input: receptive fields along one dimension, by position.

A convolution's or a pool's neuron t sees the rows `jump·t + low` to `jump·t + high` of what it reads, padding included:
so a field's centre does not move to the inside where the picture ends. All three numbers are taken from the edges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.recording.views import View, view_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fields:
    """The receptive fields of positions 0, 1, ... along one dimension of a layer: `jump·t + low` to `jump·t + high`.

    Attributes:
        jump: how far the centres of neighbours are apart, in rows or columns of the input.
        low, high: the first and the last row of the field of position 0, which may lie outside the input.
    """

    jump: float
    low: float
    high: float

    def centre(self, position: float) -> float:
        """The centre of a position's field; that of the input's first row is 0."""
        return self.jump * position + (self.low + self.high) / 2

    def of(self, source: Fields) -> Fields:
        """The fields in what the source reads."""
        ends = (self.low, self.high) if source.jump >= 0 else (self.high, self.low)
        return Fields(self.jump * source.jump, ends[0] * source.jump + source.low, ends[1] * source.jump + source.high)


Alignment = tuple[Fields, Fields]
"""Of rows and of columns."""


def alignments(graph: NeuronGraph) -> dict[str, tuple[str, Alignment]]:
    """By the layer's name, the input that it is aligned with and how; layers are missing that have no such alignment.

    Example:
        >>> import onnx2graphml
        >>> source, (rows, columns) = alignments(onnx2graphml.load("fixtures/digits.onnx"))["maxpool"]
        >>> source, rows
        ('image', Fields(jump=2.0, low=-1.0, high=2.0))
    """
    last = graph.model is not None and graph.model.channels_last
    views = {layer.name: view_of(layer, last) for layer in graph.layers}
    found: dict[str, tuple[str, Alignment]] = {}
    for layer in graph.layers:
        if views[layer.name].form not in ("pictures", "map"):
            continue
        if layer.aggregation == "input":
            found[layer.name] = layer.name, (Fields(1, 0, 0), Fields(1, 0, 0))
        elif layer.incoming and (joined := _through(graph, layer, views, found)):
            found[layer.name] = joined
    return found


def _through(
    graph: NeuronGraph, layer: Layer, views: Mapping[str, View], found: Mapping[str, tuple[str, Alignment]]
) -> tuple[str, Alignment] | None:
    """A layer's alignment from those of the layers that it reads; constants among them don't count."""
    parts: list[tuple[str, Alignment]] = []
    for incoming in layer.incoming:
        source = graph.layer(incoming.source)
        if source.aggregation == "constant" or not incoming.block.count:
            continue
        if source.name not in found:
            return None
        name, (rows, columns) = found[source.name]
        pairs = [_fields(incoming, source, layer, views, side) for side in (-2, -1)]
        if pairs[0] is None or pairs[1] is None:
            return None
        parts.append((name, (pairs[0].of(rows), pairs[1].of(columns))))
    if not parts or len({name for name, _ in parts}) > 1:
        return None
    joined = [_joined([both[k] for _, both in parts]) for k in (0, 1)]
    return (parts[0][0], (joined[0], joined[1])) if joined[0] and joined[1] else None


def _joined(fields: list[Fields]) -> Fields | None:
    if len({f.jump for f in fields}) > 1:
        return None
    return Fields(fields[0].jump, min(f.low for f in fields), max(f.high for f in fields))


def _fields(incoming: Incoming, source: Layer, target: Layer, views: Mapping[str, View], side: int) -> Fields | None:
    """The fields of a layer's rows (side -2) or columns (-1) in its source."""
    dimensions = [(layer.shape, views[layer.name].order[side]) for layer in (source, target)]
    try:
        relation = _along(incoming.block.axes, *dimensions)
    except ValueError:  # offsets that are no positions of their own: not a product of rows and columns
        return None
    if len(ax.distinct(relation.target)) < target.shape[dimensions[1][1]] and len(target.incoming) > 1:
        return None  # a part of the rows comes from elsewhere
    return fitted(relation, source.shape[dimensions[0][1]])


def _along(axes: tuple[Axis, ...], source: tuple[tuple[int, ...], int], target: tuple[tuple[int, ...], int]) -> Axis:
    """A block's relation between the coordinates in one dimension of its source and one of its target."""
    moved, steady = [], ax.shift()
    for axis in axes:
        one = Axis(_coordinate(axis.source, *source), _coordinate(axis.target, *target), axis.tap)
        if np.ptp(one.source) or np.ptp(one.target):
            moved.append(one)
        else:
            steady = ax.shift(int(steady.source[0] + one.source[0]), int(steady.target[0] + one.target[0]))
    return ax.product([*moved, steady])


def _coordinate(offsets: Ints, shape: tuple[int, ...], dimension: int) -> Ints:
    return np.asarray(np.unravel_index(offsets, shape)[dimension], np.int64)


def fitted(relation: Axis, size: int) -> Fields | None:
    """The fields that a relation's entries belong to; None where they are no windows at even distances.

    What lies outside the source has no entry: how far a field reaches there is told by other entries of the same tap,
    or by the windows that are whole.

    Args:
        size: the number of source positions.

    Example:
        >>> fitted(ax.window(input=7, output=4, kernel=3, stride=2, pad=1), 7)
        Fields(jump=2.0, low=-1.0, high=1.0)
    """
    s, t = relation.source.astype(float), relation.target.astype(float)
    if np.ptp(t) == 0:
        jump = np.ptp(s) + 1.0
        return Fields(jump, float(s.min() - jump * t[0]), float(s.max() - jump * t[0]))
    jump = _slope_of_taps(s, t, relation.tap)
    if jump is not None:
        return _fields_at(jump, s, t) if jump else None
    return _fields_of_windows(s, t, size)


def _fields_of_windows(s: Floats, t: Floats, size: int) -> Fields | None:
    """The fields whose parts within the source are just the windows that are there, of the longest jump that fits."""
    order = np.lexsort((s, t))
    s, t = s[order], t[order]
    positions, starts = np.unique(t, return_index=True)
    low, high = np.minimum.reduceat(s, starts), np.maximum.reduceat(s, starts)
    gap = np.diff(s)[np.diff(t) == 0].max(initial=1)  # the dilation: a cut window may end that much short of the border
    steps = np.concatenate([np.diff(end) / np.diff(positions) for end in (low, high)])
    for step in sorted({float(x) for x in steps if x > 0}, reverse=True):
        found = _fields_at(step, s, t)
        first, last = step * positions + found.low, step * positions + found.high
        short = np.concatenate([low - first.clip(0), last.clip(None, size - 1) - high])
        whole = np.concatenate([first >= 0, last < size])
        if (short < gap).all() and not short[whole].any():
            return found
    return None


def _fields_at(jump: float, s: Floats, t: Floats) -> Fields:
    offsets = s - jump * t
    return Fields(float(jump), float(offsets.min()), float(offsets.max()))


def _slope_of_taps(s: Floats, t: Floats, taps: Ints) -> float | None:
    """How far the source moves on from a target to the next, if for every tap that is the same; otherwise None."""
    order = np.lexsort((t, taps))
    s, t, taps = s[order], t[order], taps[order]
    along = np.flatnonzero(taps[1:] == taps[:-1])
    ds, dt = np.diff(s)[along], np.diff(t)[along]
    if not len(along) or (dt == 0).any():
        return None
    slopes = ds / dt
    return float(slopes[0]) if np.allclose(slopes, slopes[0], rtol=1e-9, atol=0) else None
