"""The edges of a file in runs: those from one layer to another that stand one behind the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.formats.conversion.floats import are_float32
from onnx2graphml.formats.conversion.layers import AGAIN, EditedError
from onnx2graphml.formats.edge_rows import NO_PORT, NO_TERM, EdgeRows
from onnx2graphml.graph.graph import Layer
from onnx2graphml.graph.recorded import NONE_CHOSEN, Winners

MOST = 1 << 20  # of a file whose edges are in an order of its own there would be as many as edges

Ints = npt.NDArray[np.int64]


@dataclass
class Run:
    """Edges one behind the other that have source layer, target layer and port in common.

    Attributes:
        source, target: numbers of layers.
        port: or `NO_PORT`.
        first: the place of its first edge in the file, and `count`: how many there are.
        terms: how many a target may have; 0 where there are none.
        is_single: whether float32 holds the weights.
    """

    source: int
    target: int
    port: int
    has_terms: bool
    first: int
    count: int = 0
    terms: int = 0
    is_single: bool = True


@dataclass
class Chosen:
    """The candidates that were chosen, of a layer's neurons."""

    source: Ints
    port: Ints
    term: Ints
    ports: set[int] = field(default_factory=set)
    has_terms: bool = False

    def winners(self) -> Winners:
        """As a graph has them."""
        ports, by_source = tuple(sorted(self.ports)), self.ports == {NO_PORT} and not self.has_terms
        none = np.empty(0, np.int64)
        return Winners(ports, self.source, none, none) if by_source else Winners(ports, None, self.port, self.term)


class Runs:
    """Finds the runs, chunk by chunk.

    Attributes:
        found: so far.
        chosen: of layers that choose, by number; empty where the file has nothing of an input.
    """

    def __init__(self, layers: list[Layer], from_text: bool, path: object) -> None:
        self.found: list[Run] = []
        self.chosen: dict[int, Chosen] = {}
        self._layers, self._from_text, self._path = layers, from_text, path
        self._first = np.array([layer.first_id for layer in layers], np.int64)
        self._neurons = sum(layer.neurons for layer in layers)
        self._edges = 0

    def add_all(self, chunks: Iterable[EdgeRows]) -> None:
        """Take all edges."""
        for rows in chunks:
            self.add(rows)

    def add(self, rows: EdgeRows) -> None:
        """Take edges; `EditedError` where they are in another order than that of the layers."""
        if not len(rows):
            return
        for ends in (rows.source, rows.target):
            if not 0 <= ends.min() <= ends.max() < self._neurons:
                raise Error(f"{self._path}: an edge ends at {ends.min()} or {ends.max()}, which is no node")
        source, target = (np.searchsorted(self._first, ends, "right") - 1 for ends in (rows.source, rows.target))
        keys = np.stack([target, source, rows.port, rows.term != NO_TERM])
        starts = np.flatnonzero(np.r_[True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)])
        if len(self.found) + len(starts) > MOST:
            raise EditedError(f"{self._path}: edges are not in the order of layers; {AGAIN}")
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(rows)], strict=True):
            into, from_, port, has_terms = keys[:, start].tolist()
            self._take(Run(from_, into, port, bool(has_terms), self._edges), rows[start:end])

    def _take(self, new: Run, rows: EdgeRows) -> None:
        last = self.found[-1] if self.found else None
        if last is not None and last.target > new.target:
            raise EditedError(f"{self._path}: edges are not in the order of layers; {AGAIN}")
        if last is None or (last.source, last.target, last.port, last.has_terms) != (
            new.source, new.target, new.port, new.has_terms,
        ):  # fmt: skip
            self.found.append(new)
        run = self.found[-1]
        run.count += len(rows)
        self._edges += len(rows)
        run.terms = max(run.terms, 1 + int(rows.term.max()))
        run.is_single = run.is_single and are_float32(rows.weight, self._from_text)
        if rows.recorded is not None and (rows.recorded.winner >= 0).any():
            self._choose(run, rows, rows.recorded.winner)

    def _choose(self, run: Run, rows: EdgeRows, winner: npt.NDArray[Any]) -> None:
        layer = self._layers[run.target]
        if run.target not in self.chosen:
            none = np.full(layer.neurons, NONE_CHOSEN, np.int64)
            self.chosen[run.target] = Chosen(none, none.copy(), none.copy())
        chosen = self.chosen[run.target]
        chosen.ports.add(run.port)
        chosen.has_terms |= run.has_terms
        here = winner == 1
        at = rows.target[here] - layer.first_id
        chosen.source[at], chosen.port[at], chosen.term[at] = rows.source[here], run.port, rows.term[here]
