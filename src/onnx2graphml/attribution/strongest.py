"""The strongest of many flows, that come in chunks: never more than some multiple of them is in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

SPARE = 1 << 20  # rows that are held beyond those that can be among the strongest


@dataclass(frozen=True, eq=False)
class Rows:
    """Edges, one a row: ids, weights and flows."""

    source: Ints
    target: Ints
    weight: Values
    flow: Values

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, rows: Ints) -> Rows:
        return Rows(self.source[rows], self.target[rows], self.weight[rows], self.flow[rows])

    @staticmethod
    def joined(parts: Sequence[Rows]) -> Rows:
        """All of them, in order."""
        none = np.empty(0, np.int64)
        columns = [(none, none, np.empty(0), np.empty(0)), *((p.source, p.target, p.weight, p.flow) for p in parts)]
        source, target, weight, flow = (np.concatenate(column) for column in zip(*columns, strict=True))
        return Rows(source, target, weight, flow)


class Strongest:
    """Keeps the strongest of the rows that it is given, and the sum of all.

    Args:
        most: how many rows are kept at most.
        top_k: only so many of each target; None for any number.

    Attributes:
        total: the sum of the absolute flows of all rows.
    """

    def __init__(self, most: int, top_k: int | None = None) -> None:
        self.total = 0.0
        self._most, self._top_k = most, top_k
        self._parts: list[Rows] = []
        self._held = 0
        self._dropped = False

    def add(self, rows: Rows) -> None:
        """Take rows; those without a flow don't count."""
        rows = rows[np.flatnonzero(rows.flow)]
        self.total += float(np.abs(rows.flow).sum())
        self._parts.append(rows)
        self._held += len(rows)
        if self._held > 2 * self._most + SPARE:
            self._reduce()

    def _reduce(self) -> None:
        """Drop what can't be among the strongest."""
        rows = Rows.joined(self._parts)
        if self._top_k is not None:
            rows = rows[_top(rows.target, rows.flow, self._top_k)]
        if len(rows) > self._most:
            self._dropped = True
            strength = np.abs(rows.flow)
            least = np.partition(strength, len(rows) - self._most)[len(rows) - self._most]
            above, level = np.flatnonzero(strength > least), np.flatnonzero(strength == least)
            rows = rows[np.sort(np.concatenate([above, level[: self._most - len(above)]]))]
        self._parts, self._held = [rows], len(rows)

    def found(self, share: float) -> tuple[Rows, bool]:
        """The fewest rows that carry a share of all flow, in their order; and whether that would have been more rows.

        Of equal ones, the first.
        """
        return self.carrying(share * self.total)

    def carrying(self, least: float) -> tuple[Rows, bool]:
        """The same for an absolute flow of at least so much."""
        self._reduce()
        (rows,) = self._parts
        order = np.argsort(-np.abs(rows.flow), kind="stable")
        carried = np.cumsum(np.abs(rows.flow[order]))
        enough = int(np.searchsorted(carried, least * (1 - 1e-12))) + 1
        if self._top_k is not None:
            enough = len(rows) + 1
        return rows[np.sort(order[:enough])], self._dropped and enough > len(rows)


class StrongestNet:
    """Keeps the strongest of those rows that have the sign of the sum of all.

    What goes against that sum has cancelled as much of the others, so fewer carry it.
    """

    def __init__(self, most: int) -> None:
        self._above, self._below = Strongest(most), Strongest(most)

    @property
    def total(self) -> float:
        """The sum of the flows of all rows."""
        return self._above.total - self._below.total

    def add(self, rows: Rows) -> None:
        """Take rows; those without a flow don't count."""
        self._above.add(rows[np.flatnonzero(rows.flow > 0)])
        self._below.add(rows[np.flatnonzero(rows.flow < 0)])

    def found(self, share: float) -> tuple[Rows, bool]:
        """The fewest rows that carry a share of that sum, in their order; and whether that would have been more."""
        pool = self._above if self.total > 0 else self._below
        return pool.carrying(share * abs(self.total))


def _top(target: Ints, flow: Values, k: int) -> Ints:
    """The k strongest flows into each target."""
    order = np.lexsort((np.arange(len(flow)), -np.abs(flow), target))
    _, first = np.unique(target[order], return_index=True)
    rank = np.arange(len(order)) - np.repeat(first, np.diff([*first, len(order)]))
    return np.sort(order[rank < k])
