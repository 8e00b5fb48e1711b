"""What a block makes of its sources' values, computed on a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.cuda.plan import MAX, MAX_PLUS, MIN, MIN_PLUS, PRODUCT, SUM, Plan, packed, plan_of
from onnx2graphml.cuda.tables import NONE, WIDE, Tables, tables_of
from onnx2graphml.errors import Error
from onnx2graphml.graph.blocks import EdgeBlock

Values = npt.NDArray[np.float64]

JOINS: dict[str, tuple[int, float]] = {
    "sum": (SUM, 0.0),
    "max": (MAX, -np.inf),
    "min": (MIN, np.inf),
    "product": (PRODUCT, 1.0),
    "max plus": (MAX_PLUS, -np.inf),
    "min plus": (MIN_PLUS, np.inf),
}
"""The kernels' code, and what nothing comes to."""

BLOCK = 256  # threads


def add(block: EdgeBlock, x: Values, total: Values, how: str = "sum", magnitude: Values | None = None) -> None:
    """Join what a block makes of `x` to `total`.

    Args:
        block: edges without terms.
        x: the sources' values, flat, float64.
        total: of the targets, flat, float64; changed.
        how: `sum`, `max`, `min` or `product` of weight · x, `max plus` or `min plus` of weight + x.
        magnitude: of sums, the absolute values are added up here, too.

    Sums are float64 and in one order on every GPU, which is not that of the processors: they differ in the last bits.

    Raises:
        Error: the GPU fails, such as for want of memory.
    """
    from numba.cuda.cudadrv import driver

    if block.count == 0:
        return
    try:
        _add(block, x, total, how, magnitude)
    except getattr(driver, "CudaAPIError", ()) as e:  # the simulator has none
        raise Error(f"the GPU failed: {e}; use device 'cpu', or what else has its memory has to end") from e


def _add(block: EdgeBlock, x: Values, total: Values, how: str, magnitude: Values | None) -> None:
    from numba import cuda

    from onnx2graphml.cuda import kernels, tiles

    plan = plan_of(block)
    tables = _tables(plan, block.weights) if how == "sum" else None
    code, start = JOINS[how]
    indices = cuda.to_device(packed([*plan.indices(), *(tables.indices() if tables else plan.entries())]))
    weights = block.weights if block.weights.dtype == np.float32 else block.weights.astype(np.float64)
    there = indices, cuda.to_device(weights), cuda.to_device(np.ascontiguousarray(x))
    parts = tables.parts if tables else plan.parts
    found = _rooms(parts * plan.targets, magnitude)
    if tables:
        numbers = plan.outputs, tables.batch, tables.places, parts, plan.alike, tables.taps_first
        tiles.sums(magnitude is not None)[_groups(plan, tables), tiles.THREADS](*numbers, *there, *found)
    else:
        kernels.combine[_grid(plan.targets * parts)](plan.targets, parts, code, start, *there, *found)
    sums = [cuda.to_device(a) for a in (total, magnitude) if a is not None]
    kernels.join[_grid(plan.targets)](plan.targets, parts, code, indices, *found, sums[0], sums[-1])
    sums[0].copy_to_host(total)
    if magnitude is not None:
        sums[1].copy_to_host(magnitude)


def _tables(plan: Plan, weights: npt.NDArray[np.floating[Any]]) -> Tables | None:
    """The block as a product of matrices, where that is exact: an absent value is 0 there, times an infinite weight."""
    tables = tables_of(plan)
    if tables and NONE in tables.source and not np.isfinite([weights.min(), weights.max()]).all():
        return None
    return tables


def _groups(plan: Plan, tables: Tables) -> tuple[int, int, int]:
    return -(-tables.places // WIDE), -(-plan.outputs // WIDE), tables.batch * tables.parts


def _rooms(size: int, magnitude: Values | None) -> tuple[Any, Any]:
    """For the parts of totals and of magnitudes; the latter is empty where nobody asks for them."""
    from numba import cuda

    return cuda.device_array(size, np.float64), cuda.device_array(0 if magnitude is None else size, np.float64)


def _grid(threads: int) -> tuple[int, int]:
    return -(-threads // BLOCK), BLOCK
