"""Which edges and nodes a query wants: conditions on columns, as sets of layers and ranges of ids."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Self

LAST = (1 << 63) - 1


@dataclass(frozen=True)
class Wanted:
    """What is wanted: all of these together.

    Attributes:
        layers: the names of layers; None for all.
        ranges: by column, `src`, `dst` or `id`, the first and the last id.
    """

    layers: frozenset[str] | None = None
    ranges: tuple[tuple[str, int, int], ...] = ()

    def of_layers(self, names: Collection[str]) -> Self:
        """Only these layers."""
        found = frozenset(names)
        return replace(self, layers=found if self.layers is None else self.layers & found)

    def within(self, column: str, first: int, last: int) -> Self:
        """Only these ids."""
        low, high = self.range_of(column)
        others = tuple(entry for entry in self.ranges if entry[0] != column)
        return replace(self, ranges=(*others, (column, max(low, first), min(high, last))))

    def has_layer(self, name: str) -> bool:
        """Whether a layer is wanted."""
        return self.layers is None or name in self.layers

    def range_of(self, column: str) -> tuple[int, int]:
        """The first and the last id that are wanted."""
        return next(((first, last) for name, first, last in self.ranges if name == column), (0, LAST))

    def narrowed(self, kind: str, column: str, value: Any) -> tuple[Self, bool]:
        """With a condition, and whether that is all of it: otherwise whoever asks has to look once more.

        Args:
            kind: the name of Spark's filter, such as `EqualTo`.
            column: its column, and `value`: what that is compared with.

        Example:
            >>> Wanted().narrowed("LessThan", "dst", 10)
            (Wanted(layers=None, ranges=(('dst', 0, 9),)), True)
        """
        if column == "layer" and kind in ("EqualTo", "In"):
            return self.of_layers([value] if kind == "EqualTo" else value), True
        if column not in ("src", "dst", "id"):
            return self, kind == "IsNotNull" and column in ("layer", "weight")
        if kind == "IsNotNull":
            return self, True
        if kind == "In":
            numbers = [int(v) for v in value if v is not None]
            return (self.within(column, min(numbers), max(numbers)), False) if numbers else (self, False)
        if kind not in BOUNDS:
            return self, False
        return self.within(column, *BOUNDS[kind](int(value))), True


EVERYTHING = Wanted()

BOUNDS: dict[str, Callable[[int], tuple[int, int]]] = {
    "EqualTo": lambda v: (v, v),
    "GreaterThan": lambda v: (v + 1, LAST),
    "GreaterThanOrEqual": lambda v: (v, LAST),
    "LessThan": lambda v: (0, v - 1),
    "LessThanOrEqual": lambda v: (0, v),
}
"""The first and the last id, by the name of Spark's filter."""
