"""A product by planes: relations along their dimensions, and a matrix product for every plane of weights."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.engine.grids import along, step
from onnx2graphml.engine.plans import Plan
from onnx2graphml.engine.semirings import Semiring
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Ints

Floats = npt.NDArray[Any]
Function = Callable[[Floats], Floats]

MATRIX = 1 << 23  # elements of a matrix that is made at a time


def by_planes(plan: Plan, x: Floats, out: Floats, ring: Semiring, function: Function | None) -> None:
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


def _related(plan: Plan, k: int, grid: Floats, ring: Semiring) -> Floats:
    """The grid with one dimension carried through a relation. A plain spread is left to broadcasting."""
    source, target, size = plan.sources.places[k], plan.targets.places[k], plan.targets.shape[k]
    if len(source) == size and (plan.sources.shape[k] == 1 or (source == target).all()):
        return grid
    return along(ring.along_loop, grid, k, source, target, size, ring.zero(grid.dtype))


def _weighted(plan: Plan, grid: Floats, ring: Semiring, function: Function) -> Floats:
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


def _after_weights(plan: Plan, k: int, grid: Floats) -> int:
    """The size of a dimension once weights have been applied: relations have their own turn."""
    return grid.shape[k] if k in (*plan.before, *plan.after) else plan.targets.shape[k]


def _of_windows(plan: Plan, grid: Floats, parts: Sequence[slice | Ints]) -> tuple[Any, ...]:
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
    def of(plan: Plan, function: Function) -> _Matrix:
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
