"""What a block makes of its sources' values, computed on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.cuda.plan import MAX, MAX_PLUS, MIN, MIN_PLUS, PRODUCT, SUM, plan_of
from onnx2graphml.graph.axes import Ints
from onnx2graphml.graph.blocks import EdgeBlock

Values = npt.NDArray[np.float64]

JOINS: dict[str, tuple[int, float, Any]] = {
    "sum": (SUM, 0.0, np.add),
    "max": (MAX, -np.inf, np.maximum),
    "min": (MIN, np.inf, np.minimum),
    "product": (PRODUCT, 1.0, np.multiply),
    "max plus": (MAX_PLUS, -np.inf, np.maximum),
    "min plus": (MIN_PLUS, np.inf, np.minimum),
}
"""The kernel's code, what nothing comes to, and how parts are joined; NaN goes on."""

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
    """
    from numba import cuda

    from onnx2graphml.cuda import kernels

    if block.count == 0:
        return
    code, start, join = JOINS[how]
    plan = plan_of(block)
    weights = block.weights if block.weights.dtype == np.float32 else block.weights.astype(np.float64)
    found = cuda.device_array((2, plan.parts * plan.targets), np.float64)
    arrays = [*_on_device(plan.indices()), cuda.to_device(weights), cuda.to_device(np.ascontiguousarray(x))]
    if how == "sum" and plan.tiles < plan.targets:
        kernels.sums[_grid(plan.tiles * plan.parts)](plan.targets, plan.parts, *arrays, found[0], found[1])
    else:
        threads = plan.targets * plan.parts
        kernels.combine[_grid(threads)](plan.targets, plan.parts, code, start, *arrays, found[0], found[1])
    values, sizes = found.copy_to_host().reshape(2, plan.parts, -1)
    at = plan.positions()
    total[at] = join(total[at], join.reduce(values, axis=0))
    if magnitude is not None:
        magnitude[at] += sizes.sum(0)


def _grid(threads: int) -> tuple[int, int]:
    return -(-threads // BLOCK), BLOCK


def _on_device(arrays: Sequence[Ints]) -> list[Any]:
    """Small arrays, taken there in one transfer."""
    from numba import cuda

    there = cuda.to_device(np.concatenate(arrays))
    ends = np.cumsum([len(a) for a in arrays])
    return [there[end - len(a) : end] for a, end in zip(arrays, ends, strict=True)]
