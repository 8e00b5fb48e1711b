"""Edges that stay in their file: a block of them is a place in it, and is read when it is written elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from onnx2graphml.errors import Error
from onnx2graphml.formats import reading
from onnx2graphml.formats.conversion.layers import AGAIN, EditedError
from onnx2graphml.formats.edge_rows import EdgeRows
from onnx2graphml.graph.axes import Axis, Ints
from onnx2graphml.graph.blocks import TILE, EdgeBlock, Edges, Side
from onnx2graphml.graph.graph import Layer
from onnx2graphml.graph.recorded import Recorded

PAIRS = 1 << 24  # pairs of neurons that are compared at once


class Rows:
    """The edges of a file by their place in it; going back means to read the file once more."""

    def __init__(self, path: Path, opened: ExitStack) -> None:
        self._path, self._opened = path, opened
        self._chunks: Iterator[EdgeRows] = iter(())
        self._held = EdgeRows.of([])
        self._at = -1  # place of the first edge that is held

    def take(self, first: int, count: int) -> Iterator[EdgeRows]:
        """That many edges from a place on."""
        if not 0 <= self._at <= first:
            self._begin()
        end = first + count
        while first < end:
            while self._at + len(self._held) <= first:
                self._at += len(self._held)
                found = next(self._chunks, None)
                if found is None:
                    raise Error(f"{self._path}: it has less edges than a moment ago; it was changed meanwhile")
                self._held = found
            start = first - self._at
            part = self._held[start : min(start + TILE, start + end - first)]
            yield part
            first += len(part)

    def _begin(self) -> None:
        self._opened.close()
        file = self._opened.enter_context(reading.open_graph(self._path))
        file.about()
        file.layers()
        self._chunks, self._held, self._at = file.edges(), EdgeRows.of([]), 0


@dataclass(frozen=True, eq=False)
class StreamedBlock(EdgeBlock):
    """A run of edges in a file; of its weights only the type is known beforehand.

    Attributes:
        rows: the file's edges; and `first`, `size`: which of them.
        most_terms: how many terms a target may have; 0 where edges have none.
        source_id: of the first neuron that its sources count from.
        target: the layer that they lead into, by `port`.
        recorded: what an input makes of the graph; None where the file has nothing of it.
        table: of how many terms the table is that the block leads into; 0 where it leads into neurons.
    """

    rows: Rows = field(kw_only=True)
    first: int = field(kw_only=True)
    size: int = field(kw_only=True)
    most_terms: int = field(kw_only=True)
    source_id: int = field(kw_only=True)
    target: Layer = field(kw_only=True)
    port: int = field(kw_only=True)
    recorded: Recorded | None = field(kw_only=True, default=None)
    table: int = field(kw_only=True, default=0)

    def __post_init__(self) -> None:
        """Nothing to check: each part is, when it is read."""

    @property
    def count(self) -> int:
        """The number of edges."""
        return self.size

    @property
    def has_terms(self) -> bool:
        """Whether its edges have terms."""
        return self.most_terms > 0 and not self.table

    @property
    def terms(self) -> int:
        """The number of terms that a target may have."""
        return self.most_terms

    def stored(self) -> Iterator[EdgeBlock]:
        """The edges as they are read, in blocks of some thousand."""
        for rows in self.rows.take(self.first, self.size):
            self._check(rows)
            source, target, term = rows.source - self.source_id, rows.target - self.target.first_id, None
            if self.table:
                target = target * self.table + rows.term
            elif self.most_terms:
                term = np.array(rows.term)
            weights = rows.weight.astype(self.weights.dtype)
            yield EdgeBlock((Axis(source, target, np.arange(len(rows)), term),), weights)

    def _check(self, rows: EdgeRows) -> None:
        """What an input makes of an edge follows from its ends: the file says the same, unless somebody edited it."""
        if self.recorded is None or rows.recorded is None:
            return
        weights, at = rows.weight.astype(self.weights.dtype), rows.target - self.target.first_id
        contribution = self.recorded.contribution(rows.source, weights)
        same = np.array_equal(contribution, rows.recorded.contribution.astype(contribution.dtype), equal_nan=True)
        winner = self.recorded.flags(self.target.name, at, rows.source, self.port, rows.term)
        if not (same and np.array_equal(winner, rows.recorded.winner)):
            raise EditedError(
                f"contributions or winners of edges into {self.target.name!r} do not follow from the values of nodes; "
                f"{AGAIN}"
            )

    def cut(self, limit: int) -> Iterator[EdgeBlock]:
        """The block as blocks of at most `limit` edges, in order."""
        for first in range(0, self.size, limit):
            yield replace(self, first=self.first + first, size=min(limit, self.size - first))

    def tiles(self, edges: int = TILE) -> Iterator[EdgeBlock]:
        """The edges as they are read, in blocks of two axes."""
        for block in self.stored():
            yield from block.tiles(edges)

    def into_terms(self, terms: int) -> EdgeBlock:
        """The block into a table of so many columns."""
        return replace(self, table=terms)

    def expand(self, edges: int = TILE) -> Iterator[Edges]:
        """The edges, as positions in the two layers."""
        for block in self.stored():
            yield from block.expand(edges)

    def covers(self, side: Side) -> Ints:
        """The distinct positions that have an edge on one side."""
        found = np.zeros(0, np.int64)
        for edges in self.expand():
            found = np.union1d(found, getattr(edges, side))
        return found

    def has_repeats(self) -> bool:
        """Whether edges join the same two neurons: some targets at a time, so that memory is bounded."""
        passes = -(-self.size // PAIRS)
        return any(self._repeats_among(passes, number) for number in range(passes))

    def _repeats_among(self, passes: int, number: int) -> bool:
        pairs = [((edges.target << 32) + edges.source)[edges.target % passes == number] for edges in self.expand()]
        every = np.concatenate(pairs)
        return len(np.unique(every)) < len(every)
