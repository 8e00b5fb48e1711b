"""What part each axis of a block plays in a product.

- `relation`: its entries share one tap, so that no weight depends on it. It is carried out on its own, along its
  dimension: before the weights where it joins values, after them where it spreads them.
- `gather`: every source goes into one target: the columns of a matrix.
- `spread`: one source goes into every target: its rows.
- `batch`: each source goes to the target at its own place, each with a tap: one matrix for each.
- `window`: anything else. It is cut into parts of one tap in which no place occurs twice.

One part of every window leaves a plane: a matrix for all positions at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from onnx2graphml.engine.grids import Grid, one_to_one
from onnx2graphml.graph.axes import Ints
from onnx2graphml.graph.blocks import EdgeBlock

Part = tuple[int, slice | Ints, slice | Ints]
"""Of a window: the tap, and the places of its sources and its targets."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A block's axes by their parts: `before` and `after` are relations, by dimension."""

    block: EdgeBlock
    sources: Grid
    targets: Grid
    before: tuple[int, ...]
    after: tuple[int, ...]
    batch: tuple[int, ...]
    gather: tuple[int, ...]
    spread: tuple[int, ...]
    windows: dict[int, list[Part]]

    @property
    def planes(self) -> int:
        return math.prod(map(len, self.windows.values()))

    @property
    def edges_of_a_plane(self) -> float:
        """The number of products of one plane, on average, once relations have joined what they join."""
        counted = [*self.batch, *self.gather, *self.spread, *self.windows]
        beside = [min(self.sources.shape[k], self.targets.shape[k]) for k in (*self.before, *self.after)]
        return math.prod(len(self.block.axes[k]) for k in counted) * math.prod(beside) / max(1, self.planes)

    @property
    def order(self) -> list[int]:
        """The dimensions as planes have them: batch, rows, columns, then positions."""
        matrix = [*self.batch, *self.spread, *self.gather]
        return [*matrix, *self.windows, *(k for k in range(len(self.block.axes)) if k in (*self.before, *self.after))]


def plan_of(block: EdgeBlock, weighted: bool) -> Plan:
    sources, targets = Grid.of(block, "source"), Grid.of(block, "target")
    parts: dict[str, list[int]] = {name: [] for name in ("before", "after", "batch", "gather", "spread")}
    windows: dict[int, list[Part]] = {}
    for k, axis in enumerate(block.axes):
        s, t = sources.shape[k], targets.shape[k]
        if not weighted or (axis.tap == axis.tap[0]).all():
            parts["after" if t > s else "before"].append(k)
        elif t == 1 and len(axis) == s:
            parts["gather"].append(k)
        elif s == 1 and len(axis) == t:
            parts["spread"].append(k)
        elif len(axis) == s == t and (sources.places[k] == targets.places[k]).all():
            parts["batch"].append(k)
        else:
            windows[k] = one_to_one(sources.places[k], targets.places[k], axis.tap)
    parts["before"].sort(
        key=lambda k: targets.shape[k] / sources.shape[k]
    )  # the sooner there is less to do, the better
    return Plan(block, sources, targets, **{name: tuple(found) for name, found in parts.items()}, windows=windows)
