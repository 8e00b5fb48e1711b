"""Edges as rows, in memory: what is written into a file, and what is found in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]

NO_PORT = NO_TERM = -1


@dataclass(frozen=True, eq=False)
class EdgeRows:
    """Expanded edges, one a row.

    Attributes:
        source, target: int64 ids.
        weight: float32 or float64.
        port: int32, and `term`: int64; -1 where there is none.
    """

    source: Ints
    target: Ints
    weight: npt.NDArray[Any]
    port: Ints
    term: Ints

    @staticmethod
    def empty(rows: int, weight: np.dtype[Any]) -> EdgeRows:
        """Room for rows."""
        ends = np.empty(rows, np.int64), np.empty(rows, np.int64)
        return EdgeRows(*ends, np.empty(rows, weight), np.empty(rows, np.int32), np.empty(rows, np.int64))

    @staticmethod
    def of(rows: Sequence[tuple[int, int, float, int, int]]) -> EdgeRows:
        """From tuples of source, target, weight, port and term."""
        source, target, weight, port, term = zip(*rows, strict=True) if rows else ((), (), (), (), ())
        ends = np.array(source, np.int64), np.array(target, np.int64)
        return EdgeRows(*ends, np.array(weight, float), np.array(port, np.int32), np.array(term, np.int64))

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, rows: slice) -> EdgeRows:
        return EdgeRows(self.source[rows], self.target[rows], self.weight[rows], self.port[rows], self.term[rows])

    def copy_from(self, other: EdgeRows) -> None:
        """Overwrite all rows; the two may overlap."""
        self.source[:], self.target[:] = other.source, other.target
        self.weight[:], self.port[:], self.term[:] = other.weight, other.port, other.term
