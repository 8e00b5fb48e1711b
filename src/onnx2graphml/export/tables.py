"""Edges as rectangular tables: a row for each neuron, its in-edges side by side. Nothing is written yet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import TooLargeError
from onnx2graphml.export.kernels import add_edges
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
Port = int | None

EMPTIEST = 2  # times as many cells as edges, and the rows are put into tables of different widths


@dataclass(frozen=True, eq=False)
class InEdges:
    """All edges into a layer by one port, in the graph's order.

    Attributes:
        layers: the layers that they come from; their neurons stand one after the other.
        source: position among these neurons.
        target: position in the layer.
        weight: of each.
        term: of each; None where there are none.
        sources, targets: the number of positions.
    """

    layers: tuple[str, ...]
    source: Ints
    target: Ints
    weight: Floats
    term: Ints | None
    sources: int
    targets: int

    @property
    def degrees(self) -> Ints:
        """The number of edges into each position."""
        return np.bincount(self.target, minlength=self.targets)

    def between(self, sources: Bools, targets: Bools) -> InEdges:
        """The edges between kept neurons, which are counted anew on both sides."""
        place, kept = np.cumsum(sources) - 1, sources[self.source] & targets[self.target]
        term = None if self.term is None else self.term[kept]
        moved = place[self.source[kept]], (np.cumsum(targets) - 1)[self.target[kept]]
        return InEdges(self.layers, *moved, self.weight[kept], term, int(sources.sum()), int(targets.sum()))

    def only(self, targets: Ints) -> InEdges:
        """The edges into some positions, in ascending order, which are counted anew."""
        place = np.full(self.targets, -1)
        place[targets] = np.arange(len(targets))
        kept = place[self.target] >= 0
        term = None if self.term is None else self.term[kept]
        moved = place[self.target[kept]]
        return InEdges(self.layers, self.source[kept], moved, self.weight[kept], term, self.sources, len(targets))


def in_edges(graph: NeuronGraph, layer: Layer, without: Collection[str] = ()) -> dict[Port, InEdges]:
    """The edges into a layer, by port; without those from some layers that have no port."""
    ports: dict[Port, list[int]] = {}
    for number, incoming in enumerate(layer.incoming):
        if incoming.port is not None or incoming.source not in without:
            ports.setdefault(incoming.port, []).append(number)
    return {port: _joined(graph, layer, numbers) for port, numbers in ports.items()}


def _joined(graph: NeuronGraph, layer: Layer, numbers: list[int]) -> InEdges:
    first, size = {}, 0
    for name in dict.fromkeys(layer.incoming[k].source for k in numbers):
        first[name] = size
        size += graph.layer(name).neurons
    chunks = [(first[i.source], e) for i in (layer.incoming[k] for k in numbers) for e in i.block.expand()]
    with_terms = any(e.term is not None for _, e in chunks)
    terms = [np.zeros(len(e), np.int64) if e.term is None else e.term for _, e in chunks]
    empty = np.zeros(0, np.int64)
    return InEdges(
        tuple(first),
        np.concatenate([empty, *(e.source + offset for offset, e in chunks)]),
        np.concatenate([empty, *(e.target for _, e in chunks)]),
        np.concatenate([np.zeros(0, np.float32), *(e.weight for _, e in chunks)]),
        np.concatenate([empty, *terms]) if with_terms else None,
        size,
        layer.neurons,
    )


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of one width.

    Attributes:
        rows: the positions that it has a row for.
        source: (rows, width): where each cell's value comes from; the number of sources where there is none.
        weight: the same shape; 1 where there is none.
    """

    rows: Ints
    source: Ints
    weight: Floats


def tables(edges: InEdges) -> Iterator[Table]:
    """The edges in tables: one, or where rows differ much in length, one for each width that is about a power of 2."""
    degrees = edges.degrees
    width = int(degrees.max(initial=0))
    if width * edges.targets <= EMPTIEST * (len(edges.source) + edges.targets):
        yield _table(edges, np.arange(edges.targets), width)
        return
    octave = np.ceil(np.log2(np.maximum(degrees, 1))).astype(int)
    for number in np.unique(octave):
        (rows,) = np.nonzero(octave == number)
        yield _table(edges.only(rows), rows, int(degrees[rows].max()))


def _table(edges: InEdges, rows: Ints, width: int) -> Table:
    order = np.argsort(edges.target, kind="stable")
    target = edges.target[order]
    degrees = edges.degrees
    column = np.arange(len(target)) - (np.cumsum(degrees) - degrees)[target]
    source = np.full((len(rows), width), edges.sources, np.int64)
    weight = np.ones((len(rows), width), edges.weight.dtype)
    source[target, column] = edges.source[order]
    weight[target, column] = edges.weight[order]
    return Table(rows, source, weight)


def term_table(edges: InEdges, terms: int) -> Table:
    """The edges in one table whose columns are the terms; of several edges in a cell, the last one."""
    source = np.full((edges.targets, terms), edges.sources, np.int64)
    weight = np.ones((edges.targets, terms), edges.weight.dtype)
    term = np.zeros(len(edges.source), np.int64) if edges.term is None else edges.term
    source[edges.target, term] = edges.source
    weight[edges.target, term] = edges.weight
    return Table(np.arange(edges.targets), source, weight)


DENSE = 4  # a matrix is written where at least one in so many of its entries is an edge
BYTES = 8  # of an edge that is written by itself: where it comes from, and its weight


def dense(blocks: Sequence[EdgeBlock], sources: Bools, targets: Bools, dtype: np.dtype[Any]) -> Floats | None:
    """The edges as a matrix (kept sources, kept targets); None where it would be sparse."""
    count, cells = sum(b.count for b in blocks), int(sources.sum()) * int(targets.sum())
    if count <= len(targets) or cells > DENSE * count:
        return None
    row, column = (np.where(kept, np.cumsum(kept) - 1, -1) for kept in (sources, targets))
    matrix = np.zeros((int(sources.sum()), int(targets.sum())), dtype)
    for block in blocks:
        for e in block.expand():
            add_edges(e.source, e.target, e.weight.astype(dtype, copy=False), row, column, matrix)
    return matrix


def check_size(layer: Layer, left: Sequence[Incoming], max_edges: int) -> None:
    """`TooLargeError` if more edges would have to be written one by one than allowed; nothing is expanded."""
    edges = sum(i.block.count for i in left)
    cells = sum(layer.neurons * i.block.terms for i in left if i.block.has_terms)
    if max(edges, cells // 4) > max_edges:
        raise TooLargeError(
            f"layer {layer.name!r} has {edges:,} edges that have to be written one by one, about "
            f"{BYTES * edges / 1e6:,.0f} MB; at most {max_edges:,} are: select a part of the graph"
        )
