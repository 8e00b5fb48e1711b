"""The product of a block with its sources' values, in the cheapest way that is exact.

Each axis of a block plays one part:

- `relation`: its entries share one tap, so that no weight depends on it. It is carried out on its own, along its
  dimension: before the weights where it joins values, after them where it spreads them.
- `gather`: every source goes into one target: the columns of a matrix.
- `spread`: one source goes into every target: its rows.
- `batch`: each source goes to the target at its own place, each with a tap: one matrix for each.
- `window`: anything else. It is cut into parts of one tap in which no place occurs twice.

One part of every window leaves a plane: a matrix for all positions at once, which is BLAS's where sums are sums of
products. Where planes would be small, the edges are gone through one by one.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.engine.grids import Grid, along, one_to_one, step
from onnx2graphml.engine.semirings import Semiring, Weight, semiring_of, weight_function
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Ints
from onnx2graphml.graph.blocks import EdgeBlock

Floats = npt.NDArray[Any]
Function = Callable[[Floats], Floats]
Part = tuple[int, slice | Ints, slice | Ints]

EDGES_OF_A_PLANE = 2048  # below, a plane costs more than its edges
LONGEST = 1 << 23  # entries of an axis that is a window: beyond, sorting them costs more than their edges
MATRIX = 1 << 23  # elements of a matrix that is made at a time


def product(
    block: EdgeBlock,
    x: npt.ArrayLike,
    size: int,
    semiring: str = "sum",
    weight: Weight = None,
    transpose: bool = False,
) -> Floats:
    """What arrives at every target: the sum over its in-edges of weight · x, or another semiring's.

    Args:
        block: edges between two layers.
        x: the sources' values, flat; with `transpose` the targets'.
        size: the number of targets; with `transpose` of sources.
        semiring: `sum` (+, ×), `max` (max, +), `min` (min, +), `any` (or, and), `greatest` or `least` (values as they
            are).
        weight: None, each edge weighs 1; `weight`, `abs_weight`, `squared_weight`, or a function of the weights.
        transpose: against the edges: the sum over out-edges.

    Returns:
        Flat. Sums of integers without weights are exact int64, of `any` bool; all others float64. With weights, sums
        are BLAS's: as exact as float64, but not the same to the last bit on every machine.

    Raises:
        Error: there is no such semiring or weight, or `x` is too short.

    Example:
        >>> from onnx2graphml.graph import axes as ax
        >>> block = EdgeBlock((ax.window(input=4, output=4, kernel=3, pad=1),), np.array([1.0, 2.0, 3.0]))
        >>> product(block, [1, 1, 1, 1], 4).tolist()
        [2, 3, 3, 2]
        >>> product(block, [1, 1, 1, 1], 4, weight="weight").tolist()
        [5.0, 6.0, 6.0, 3.0]
    """
    ring = semiring_of(semiring)
    values = ring.values(x)
    if weight is not None and ring.along == "multiply":
        values = values.astype(np.float64, copy=False)
    out = np.full(size, ring.zero(values.dtype), values.dtype)
    accumulate(block.flipped() if transpose else block, values, out, ring, weight_function(weight))
    return out


def accumulate(block: EdgeBlock, x: Floats, out: Floats, ring: Semiring, function: Function | None) -> None:
    """Add the product to `out`, which has the type of `x`; what `product` is made of."""
    if block.count == 0:
        return
    if function is None or ring.along == "pass":
        _by_planes(_plan(block, weighted=False), x, out, ring, None)
        return
    if max(map(len, block.axes), default=0) <= LONGEST:
        plan = _plan(block, weighted=True)
        if plan.planes == 1 or plan.edges_of_a_plane >= EDGES_OF_A_PLANE:
            _by_planes(plan, x, out, ring, function)
            return
    _by_edges(block, x, out, ring, function)


def _by_edges(block: EdgeBlock, x: Floats, out: Floats, ring: Semiring, function: Function) -> None:
    from onnx2graphml.engine import kernels as loops
    from onnx2graphml.graph import kernels

    weighted = EdgeBlock(block.axes, function(block.weights.astype(np.float64)))
    loop = kernels.add_products if ring.name == "sum" else getattr(loops, f"edges_{ring.kernel}")
    for tile in weighted.tiles():
        loop(*tile.arguments(), x, out)


@dataclass(frozen=True, eq=False)
class _Plan:
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


def _plan(block: EdgeBlock, weighted: bool) -> _Plan:
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
    return _Plan(block, sources, targets, **{name: tuple(found) for name, found in parts.items()}, windows=windows)


def _by_planes(plan: _Plan, x: Floats, out: Floats, ring: Semiring, function: Function | None) -> None:
    grid = plan.sources.taken(x)
    for k in plan.before:
        grid = _related(plan, k, grid, ring)
    if function is None:
        grid = ring.weighted(grid, 1) if ring.along == "add" else grid
    else:
        grid = _weighted(plan, grid, ring, function)
    for k in plan.after:
        grid = _related(plan, k, grid, ring)
    plan.targets.add(ring.add, grid, out)


def _related(plan: _Plan, k: int, grid: Floats, ring: Semiring) -> Floats:
    """The grid with one dimension carried through a relation. A plain spread is left to broadcasting."""
    source, target, size = plan.sources.places[k], plan.targets.places[k], plan.targets.shape[k]
    if len(source) == size and (plan.sources.shape[k] == 1 or (source == target).all()):
        return grid
    return along(ring.along_loop, grid, k, source, target, size, ring.zero(grid.dtype))


def _weighted(plan: _Plan, grid: Floats, ring: Semiring, function: Function) -> Floats:
    """The grid after the axes that weights depend on: a matrix product for every plane."""
    order = plan.order
    sources = grid.transpose(order)
    result = np.full([_after_weights(plan, k, grid) for k in order], ring.zero(grid.dtype), grid.dtype)
    matrix = _Matrix.of(plan, function)
    for plane in itertools.product(*plan.windows.values()):
        own = matrix.shifted(sum(tap for tap, _, _ in plane))
        chosen = sources[_of_windows(plan, sources, [source for _, source, _ in plane])]
        y = own.times(np.ascontiguousarray(chosen).reshape(own.batches, own.columns, -1), ring)
        into = _of_windows(plan, result, [target for _, _, target in plane])
        part = result[into]
        result[into] = ring.add(part, y.reshape(part.shape))
    return result.transpose(np.argsort(order))


def _after_weights(plan: _Plan, k: int, grid: Floats) -> int:
    """The size of a dimension once weights have been applied: relations have their own turn."""
    return grid.shape[k] if k in (*plan.before, *plan.after) else plan.targets.shape[k]


def _of_windows(plan: _Plan, grid: Floats, parts: Sequence[slice | Ints]) -> tuple[Any, ...]:
    """What chooses the places of a plane in a grid whose dimensions are in the plan's order."""
    first = len(plan.batch) + len(plan.spread) + len(plan.gather)
    if any(not isinstance(p, slice) for p in parts):
        parts = np.ix_(*(np.arange(n)[p] for n, p in zip(grid.shape[first:], parts, strict=False)))
    return (*[slice(None)] * first, *parts)


@dataclass(frozen=True, eq=False)
class _Matrix:
    """A plane's matrices, one for each entry of the batch: their taps are sums of one number of each kind."""

    weights: Floats
    function: Function
    batch: Ints
    row: Ints
    column: Ints
    tap: int

    @staticmethod
    def of(plan: _Plan, function: Function) -> _Matrix:
        """The matrices of a block but for its windows."""

        def by_place(axes: Sequence[int], places: Sequence[Ints]) -> Ints:
            ordered = []
            for k in axes:
                taps = np.empty_like(plan.block.axes[k].tap)
                taps[places[k]] = plan.block.axes[k].tap
                ordered.append(taps)
            return ax.outer_sum(ordered)

        constant = sum(int(plan.block.axes[k].tap[0]) for k in (*plan.before, *plan.after))
        batch, column = (by_place(axes, plan.sources.places) for axes in (plan.batch, plan.gather))
        return _Matrix(
            plan.block.weights, function, batch, by_place(plan.spread, plan.targets.places), column, constant
        )

    @property
    def batches(self) -> int:
        return len(self.batch)

    @property
    def columns(self) -> int:
        return len(self.column)

    def shifted(self, tap: int) -> _Matrix:
        """The matrices of a plane."""
        return dataclasses.replace(self, tap=self.tap + tap)

    def times(self, x: Floats, ring: Semiring) -> Floats:
        """Each matrix times its own plane: of shape (batches, columns, positions), to (batches, rows, positions)."""
        if x.shape[2] > 1 and _alike(x):
            return np.broadcast_to(self.times(x[:, :, :1], ring), (len(x), len(self.row), x.shape[2]))
        rows, columns = len(self.row), self.columns
        y = np.full((len(x), rows, x.shape[2]), ring.zero(x.dtype), x.dtype)
        together, step = max(1, MATRIX // (rows * columns)), max(1, MATRIX // columns)
        for b in range(0, len(x), together):
            for r in range(0, rows, step):
                at = (slice(b, b + together), slice(r, r + step))
                _multiply(self._elements(*at), x[at[0]], y[at], ring)
        return y

    def _elements(self, batches: slice, rows: slice) -> Floats:
        parts = (self.batch[batches], self.row[rows], self.column)
        steps = [step(p) for p in parts]
        if any(s is None for s in steps):
            taps = parts[0][:, None, None] + parts[1][:, None] + parts[2] + self.tap
            return self.function(self.weights[taps].astype(np.float64))
        first = self.tap + sum(int(p[0]) for p in parts)
        strides = [int(s or 0) * self.weights.strides[0] for s in steps]
        shape = [len(p) for p in parts]
        elements = np.lib.stride_tricks.as_strided(self.weights[first:], shape, strides, writeable=False)
        return self.function(elements.astype(np.float64))


def _alike(x: Floats) -> bool:
    """Whether all positions have the same values, as where a sum of weights is asked for."""
    return bool((x[:, :, -1] == x[:, :, 0]).all() and (x == x[:, :, :1]).all())


def _multiply(matrices: Floats, x: Floats, y: Floats, ring: Semiring) -> None:
    """Add each matrix times its plane to `y`."""
    if matrices.shape[1:] == (1, 1):
        ring.add(y, ring.weighted(x, matrices), out=y)
    elif ring.name == "sum":
        y += np.matmul(matrices, x)
    else:
        from onnx2graphml.engine import kernels

        loop = getattr(kernels, f"plane_{ring.kernel}")
        for matrix, own, into in zip(matrices, x, y, strict=True):
            loop(np.ascontiguousarray(matrix), own, into)
