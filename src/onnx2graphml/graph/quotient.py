"""A small graph of groups of neurons, such as channels or layers, with the exact sums of the edges between them.

A block's axes that no label depends on are summed up by their taps: a convolution between channels costs as much as it
has weights, not edges.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error, TooLargeError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.attributes import graph_attributes
from onnx2graphml.graph.axes import Axis, Ints
from onnx2graphml.graph.blocks import EdgeBlock, Side
from onnx2graphml.graph.graph import Layer, NeuronGraph

Floats = npt.NDArray[np.float64]

MAX_EDGES = 5_000_000
TABLE = 1 << 20  # weights looked up at once
ROWS = 1 << 22  # edges between groups that wait to be added up


def quotient(graph: NeuronGraph, by: Any, max_edges: int = MAX_EDGES) -> nx.DiGraph:
    """The graph of groups of neurons: an edge wherever a neuron of one group has an edge to a neuron of the other.

    Args:
        by: `layer`; `channel`: in layers that are pictures their channels, in others the positions of the last axis,
            each unit of a dense layer; or a label for every neuron: an array by id, what a measure returned, or a
            mapping from id to label.
        max_edges: of the result; NetworkX takes about 0.5 kB each.

    Returns:
        A `DiGraph`, with an edge from a group to itself where it has edges within. Nodes are layers' names, text such
        as `conv1[3]`, or the labels; they have `neurons`, their number, and `layer`, `op`, `channel` where they are
        those. Edges have `count`, an exact int; `weight` and `abs_weight`, the sums of the weights and of their
        absolute values, in float64.

    Raises:
        Error: there is not a label for every neuron.
        TooLargeError: the result has more than `max_edges` edges.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> quotient(graph, "layer").edges["image", "conv1"]["count"]
        7744
        >>> quotient(graph, "channel").number_of_nodes()
        267
    """
    groups = _groups(graph, by)
    g = nx.DiGraph(**graph_attributes(graph))
    g.add_nodes_from(groups.nodes)
    names = [name for name, _ in groups.nodes]
    for sources, targets, totals in _edges(graph, groups, max_edges):
        for s, t, count, weight, absolute in zip(sources, targets, *totals, strict=True):
            data = g.get_edge_data(names[s], names[t], {"count": 0, "weight": 0.0, "abs_weight": 0.0})
            g.add_edge(
                names[s],
                names[t],
                count=data["count"] + int(count),
                weight=data["weight"] + weight,
                abs_weight=data["abs_weight"] + absolute,
            )
    return g


@dataclass(frozen=True, eq=False)
class _Groups:
    """Which group each neuron is in: by layer, and by position in it; and the groups with their attributes."""

    of: dict[str, Ints]
    nodes: list[tuple[Any, dict[str, Any]]]


def _groups(graph: NeuronGraph, by: Any) -> _Groups:
    if isinstance(by, str):
        if by not in ("layer", "channel"):
            raise Error(f"by is {by!r}; expected 'layer', 'channel' or a label for every neuron")
        return _of_layers(graph, by == "channel")
    if isinstance(by, Mapping):
        if len(by) != graph.neurons or not all(n in by for n in range(graph.neurons)):
            raise Error(f"there are labels for {len(by):,} neurons; expected one for each of {graph.neurons:,}")
        by = [by[n] for n in range(graph.neurons)]
    labels = np.asarray(by)
    if labels.shape != (graph.neurons,):
        raise Error(f"the labels have shape {labels.shape}; expected ({graph.neurons},), one for every neuron")
    names, group, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    nodes = [(name, {"neurons": n}) for name, n in zip(names.tolist(), sizes.tolist(), strict=True)]
    return _Groups({layer.name: group[layer.ids] for layer in graph.layers}, nodes)


def _of_layers(graph: NeuronGraph, channels: bool) -> _Groups:
    of: dict[str, Ints] = {}
    nodes: list[tuple[Any, dict[str, Any]]] = []
    for layer in graph.layers:
        axis = _channel_axis(layer) if channels else None
        groups = layer.shape[axis] if axis is not None else 1
        about = {"layer": layer.name, "op": layer.op, "neurons": layer.neurons // max(groups, 1)}
        if axis is None:
            of[layer.name] = np.full(layer.neurons, len(nodes))
            nodes.append((f"{layer.name}[0]" if channels else layer.name, about))
            continue
        own = np.arange(groups).reshape([-1 if d == axis else 1 for d in range(len(layer.shape))])
        of[layer.name] = np.broadcast_to(own + len(nodes), layer.shape).ravel()
        nodes += [(f"{layer.name}[{c}]", about | {"channel": c}) for c in range(groups)]
    return _Groups(of, nodes)


def _channel_axis(layer: Layer) -> int | None:
    if layer.spatial:
        return layer.spatial[0]
    return len(layer.shape) - 1 if layer.shape else None


Totals = tuple[Ints, Floats, Floats]
"""By edge between groups: count, weight, abs_weight."""


def _edges(
    graph: NeuronGraph, groups: _Groups, max_edges: int
) -> Iterator[tuple[list[int], list[int], tuple[list[int], list[float], list[float]]]]:
    """The edges between groups, added up for each pair of layers."""
    many, found = len(groups.nodes), 0
    for layer in graph.layers:
        for incoming in layer.incoming:
            if not incoming.block.count:
                continue
            ends = groups.of[incoming.source], groups.of[layer.name]
            keys, totals = _added(_parts(incoming.block, *ends, many))
            found += len(keys)
            if found > max_edges:
                raise TooLargeError(
                    f"the quotient has more than max_edges={max_edges:,} edges, with those into layer {layer.name!r}; "
                    f"take fewer groups, a part of the network (o2g.subnetwork), or pass max_edges"
                )
            count, weight, absolute = totals
            sums = count.tolist(), weight.tolist(), absolute.tolist()
            yield (keys // many).tolist(), (keys % many).tolist(), sums


def _added(parts: Iterator[tuple[Ints, Totals]]) -> tuple[Ints, Totals]:
    """Parts with the same keys added up."""
    waiting: list[tuple[Ints, Totals]] = []
    for part in parts:
        waiting.append(part)
        if len(waiting) > 1 and sum(len(keys) for keys, _ in waiting) > ROWS:
            waiting = [_joined(waiting)]
    return _joined(waiting)


def _joined(parts: list[tuple[Ints, Totals]]) -> tuple[Ints, Totals]:
    keys, place = np.unique(np.concatenate([keys for keys, _ in parts]), return_inverse=True)
    count = np.zeros(len(keys), np.int64)
    np.add.at(count, place, np.concatenate([t[0] for _, t in parts]))
    sums = np.zeros((2, len(keys)))
    for k in (0, 1):
        sums[k] = np.bincount(place, np.concatenate([t[k + 1] for _, t in parts]), len(keys))
    return keys, (count, sums[0], sums[1])


def _parts(block: EdgeBlock, source_group: Ints, target_group: Ints, many: int) -> Iterator[tuple[Ints, Totals]]:
    """The edges of a block by groups, some at a time: keys are source · many + target, and may repeat."""
    kept = [
        k
        for k in range(len(block.axes))
        if _matters(block, "source", source_group, k) or _matters(block, "target", target_group, k)
    ]
    summed = [block.axes[k] for k in range(len(block.axes)) if k not in kept]
    start = ax.relation(*(sum(int(getattr(a, side)[0]) for a in summed) for side in ("source", "target")))
    own = [np.unique(axis.tap, return_counts=True) for axis in summed]
    # Neighbours in memory last: those are looked up together.
    own.sort(key=lambda of: -int(np.ptp(of[0])) // len(of[0]))
    count = math.prod(len(axis) for axis in summed)
    for tile in block._part((start, *(block.axes[k] for k in kept))).tiles():
        outer, inner = tile.axes
        source, target, tap = (_outer(outer, inner, side) for side in ("source", "target", "tap"))
        weight, absolute = _sums(block.weights, tap, own)
        totals = np.full(len(tap), count), weight, absolute
        yield _joined([(source_group[source] * many + target_group[target], totals)])


def _matters(block: EdgeBlock, side: Side, group: Ints, axis: int) -> bool:
    """Whether the groups on a side depend on an axis, whatever stands at the others."""
    distinct = [ax.distinct(offsets) for offsets in block.offsets(side)]
    if len(distinct[axis]) == 1:
        return False
    grid = np.moveaxis(group[ax.outer_sum(distinct)].reshape([len(d) for d in distinct]), axis, 0)
    return bool((grid != grid[:1]).any())


Taps = tuple[Ints, Ints]
"""Distinct taps, and how many entries of an axis have each."""


def _sums(weights: npt.NDArray[Any], at: Ints, axes: list[Taps]) -> tuple[Floats, Floats]:
    """For each place of `at`, the sums of the weights at all sums of the axes' taps, and of their absolute values."""
    cut, room = len(axes), max(1, TABLE // len(at))
    while cut and math.prod(len(taps) for taps, _ in axes[cut - 1 :]) <= room:
        cut -= 1
    cut = min(cut, max(len(axes) - 1, 0))  # one axis at least is looked up at once
    fast, fast_times = _product(axes[cut:])
    total, absolute = np.zeros(len(at)), np.zeros(len(at))
    for tap, times in zip(*_product(axes[:cut]), strict=True):
        for first in range(0, len(fast), room):
            some, edges = fast[first : first + room] + tap, times * fast_times[first : first + room].astype(np.float64)
            found = weights[at[:, None] + some].astype(np.float64)
            total += found @ edges
            absolute += np.abs(found) @ edges
    return total, absolute


def _product(axes: list[Taps]) -> Taps:
    taps, times = np.zeros(1, np.int64), np.ones(1, np.int64)
    for own, count in axes:
        taps, times = np.add.outer(taps, own).ravel(), np.multiply.outer(times, count).ravel()
    return taps, times


def _outer(outer: Axis, inner: Axis, side: str) -> Ints:
    found: Ints = np.add.outer(getattr(outer, side), getattr(inner, side)).ravel()
    return found
