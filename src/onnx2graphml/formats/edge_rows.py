"""Edges as rows, in memory: what is written into a file, and what is found in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]

NO_PORT = NO_TERM = -1


Row = tuple[int, int, float, int, int]


@dataclass(frozen=True, eq=False)
class RecordedRows:
    """What an input makes of edges.

    Attributes:
        contribution: float32 or float64.
        winner: int8; -1 where the edge is no candidate.
    """

    contribution: npt.NDArray[Any]
    winner: npt.NDArray[np.int8]

    def __getitem__(self, rows: slice) -> RecordedRows:
        return RecordedRows(self.contribution[rows], self.winner[rows])


@dataclass(frozen=True, eq=False)
class EdgeRows:
    """Expanded edges, one a row.

    Attributes:
        source, target: int64 ids.
        weight: float32 or float64.
        port: int32, and `term`: int64; -1 where there is none.
        recorded: what an input makes of them; None where the graph has no input.
    """

    source: Ints
    target: Ints
    weight: npt.NDArray[Any]
    port: Ints
    term: Ints
    recorded: RecordedRows | None = None

    @staticmethod
    def empty(rows: int, weight: np.dtype[Any], contribution: np.dtype[Any] | None = None) -> EdgeRows:
        """Room for rows; with a type of contributions also for what an input makes of them."""
        ends = np.empty(rows, np.int64), np.empty(rows, np.int64)
        more = None if contribution is None else RecordedRows(np.empty(rows, contribution), np.empty(rows, np.int8))
        return EdgeRows(*ends, np.empty(rows, weight), np.empty(rows, np.int32), np.empty(rows, np.int64), more)

    @staticmethod
    def of(rows: Sequence[Row], recorded: Sequence[tuple[float, int]] = ()) -> EdgeRows:
        """From tuples of source, target, weight, port and term, and of contribution and winner, where there are any."""
        source, target, weight, port, term = zip(*rows, strict=True) if rows else ((), (), (), (), ())
        ends = np.array(source, np.int64), np.array(target, np.int64)
        more = None
        if recorded:
            contribution, winner = zip(*recorded, strict=True)
            more = RecordedRows(np.array(contribution, float), np.array(winner, np.int8))
        return EdgeRows(*ends, np.array(weight, float), np.array(port, np.int32), np.array(term, np.int64), more)

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, rows: slice) -> EdgeRows:
        more = None if self.recorded is None else self.recorded[rows]
        return EdgeRows(self.source[rows], self.target[rows], self.weight[rows], self.port[rows], self.term[rows], more)

    def copy_from(self, other: EdgeRows) -> None:
        """Overwrite all rows; the two may overlap."""
        self.source[:], self.target[:] = other.source, other.target
        self.weight[:], self.port[:], self.term[:] = other.weight, other.port, other.term
        if self.recorded is not None and other.recorded is not None:
            self.recorded.contribution[:] = other.recorded.contribution
            self.recorded.winner[:] = other.recorded.winner
