"""Numbers of paths between two sets of places along one dimension: all alike, one to one, or a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Along = Matrix | float
"""A number for every place, or one for all."""


@dataclass(frozen=True, eq=False)
class Relation:
    """From `sources` places to `targets`: `count` paths between any two, or one at its own place where `same`, or
    those of `matrix`."""

    sources: int
    targets: int
    count: float = 1.0
    same: bool = False
    matrix: Matrix | None = None

    @staticmethod
    def of(matrix: Matrix) -> Relation:
        """A matrix, told apart from those that need none."""
        n, m = matrix.shape
        if matrix.size and (matrix == matrix.flat[0]).all():
            return Relation(n, m, float(matrix.flat[0]))
        if n == m and (matrix == np.eye(n)).all():
            return identity(n)
        return Relation(n, m, matrix=matrix)

    def dense(self) -> Matrix:
        """The numbers of paths as a matrix, sources by targets."""
        if self.matrix is not None:
            return self.matrix
        return np.eye(self.sources) if self.same else np.full((self.sources, self.targets), self.count)

    def then(self, other: Relation) -> Relation:
        """The paths along this relation and then another."""
        if self.same:
            return other
        if other.same:
            return self
        if self.matrix is None and other.matrix is None:
            return Relation(self.sources, other.targets, self.count * self.targets * other.count)
        if self.matrix is None:
            row = self.count * other.dense().sum(0)
            return Relation.of(np.broadcast_to(row, (self.sources, other.targets)))
        if other.matrix is None:
            column = self.matrix.sum(1) * other.count
            return Relation.of(np.broadcast_to(column[:, None], (self.sources, other.targets)))
        return Relation.of(self.matrix @ other.matrix)

    def joined(self, side: int) -> Along:
        """How many places of one side (0: sources, 1: targets) each place of the other is joined to."""
        if self.same:
            return 1.0
        if self.matrix is not None:
            return np.asarray((self.matrix > 0).sum(side), np.float64)
        return float((self.sources, self.targets)[side]) if self.count > 0 else 0.0


def identity(n: int) -> Relation:
    """Each place with itself."""
    return Relation(n, n, same=True) if n > 1 else Relation(1, 1)


def through(before: Relation, after: Relation, whole: Relation) -> Along:
    """Of every place in the middle, the sum over all pairs of ends of the share of their paths that go through it.

    Σ over s, t of before[s, v] · after[v, t] / whole[s, t]
    """
    if before.same and after.same:
        return 1.0
    if before.same:
        return after.joined(1)
    if after.same:
        return before.joined(0)
    if before.matrix is None and after.matrix is None:
        found = before.count * after.count
        return found * before.sources * after.targets / whole.dense()[0, 0] if found else 0.0
    shares = _inverse(whole)
    return np.asarray((before.dense() * (shares @ after.dense().T)).sum(0))


def across(before: Relation, after: Relation, whole: Relation, sources: Any, targets: Any) -> Along:
    """The same of pairs of places that a step joins, given by their places on either side.

    Σ over s, t of before[s, u] · after[v, t] / whole[s, t]
    """
    if before.matrix is None and after.matrix is None and whole.matrix is None and not whole.same:
        ends = (1 if before.same else before.sources) * (1 if after.same else after.targets)
        return before.count * after.count * ends / whole.count if whole.count else 0.0
    found = before.dense().T @ _inverse(whole) @ after.dense().T
    values = np.asarray(found[sources, targets])
    return float(values.flat[0]) if (values == values.flat[0]).all() else values


def _inverse(whole: Relation) -> Matrix:
    dense = whole.dense()
    return np.divide(1.0, dense, out=np.zeros(dense.shape), where=dense > 0)


def product(parts: list[Any]) -> Any:
    """The outer product of numbers along dimensions; of those that are one number for all, size 1 is kept."""
    shape = len(parts)
    found: Any = np.ones([1] * shape)
    for k, part in enumerate(parts):
        if isinstance(part, float):
            found = found * part
        else:
            found = found * np.asarray(part).reshape([-1 if d == k else 1 for d in range(shape)])
    return found
