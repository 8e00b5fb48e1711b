"""The product of a block with its sources' values, in the cheapest way that is exact.

By planes, which are BLAS's where sums are sums of products; where planes would be small, the edges are gone through one
by one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onnx2graphml.cuda.device import in_use, using
from onnx2graphml.engine.planes import Floats, Function, by_planes
from onnx2graphml.engine.plans import plan_of
from onnx2graphml.engine.semirings import Semiring, Weight, semiring_of, weight_function
from onnx2graphml.errors import Error
from onnx2graphml.graph.blocks import EdgeBlock, Side

EDGES_OF_A_PLANE = 2048  # below, a plane costs more than its edges
LONGEST = 1 << 23  # entries of an axis that is a window: beyond, sorting them costs more than their edges


def product(
    block: EdgeBlock,
    x: npt.ArrayLike,
    size: int,
    semiring: str = "sum",
    weight: Weight = None,
    transpose: bool = False,
    device: str | None = None,
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
        device: `cpu`, `cuda` or `auto`, for products with weights; None is what `cuda.device.using` chose, or `cpu`.

    Returns:
        Flat. Sums of integers without weights are exact int64, of `any` bool; all others float64. With weights, sums
        are BLAS's: as exact as float64, but not the same to the last bit on every machine.

    Raises:
        Error: there is no such semiring, weight or device, or the block has positions beyond `x` or `size`.

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
    oriented = block.flipped() if transpose else block
    _check_reach(oriented, "source", values.shape, "values")
    _check_reach(oriented, "target", (size,), "size")
    out = np.full(size, ring.zero(values.dtype), values.dtype)
    with using(device or in_use()):
        accumulate(oriented, values, out, ring, weight_function(weight))
    return out


def _check_reach(block: EdgeBlock, side: Side, shape: tuple[int, ...], what: str) -> None:
    """Refuse an array that has not all the positions of a block on one side."""
    reach = 1 + sum(int(offsets.max()) for offsets in block.offsets(side)) if block.count else 0
    if len(shape) != 1 or shape[0] < reach:
        raise Error(f"{what} of shape {shape}; expected one dimension of at least {reach}, the block's {side}s")


def accumulate(block: EdgeBlock, x: Floats, out: Floats, ring: Semiring, function: Function | None) -> None:
    """Add the product to `out`, which has the type of `x`; what `product` is made of."""
    if block.count == 0:
        return
    if function is None or ring.along == "pass":
        by_planes(plan_of(block, weighted=False), x, out, ring, None)
        return
    if in_use() == "cuda" and not block.has_terms:
        _on_device(block, x, out, ring, function)
        return
    if max(map(len, block.axes), default=0) <= LONGEST:
        plan = plan_of(block, weighted=True)
        if plan.planes == 1 or plan.edges_of_a_plane >= EDGES_OF_A_PLANE:
            by_planes(plan, x, out, ring, function)
            return
    _by_edges(block, x, out, ring, function)


def _on_device(block: EdgeBlock, x: Floats, out: Floats, ring: Semiring, function: Function) -> None:
    from onnx2graphml.cuda.products import add

    weights = function(block.weights)
    if weights.dtype != np.float32:
        weights = weights.astype(np.float64)
    total = np.full(len(out), ring.zero(np.dtype(np.float64)), np.float64)
    how = ring.name if ring.along == "multiply" else f"{ring.name} plus"
    add(EdgeBlock(block.axes, weights), x.astype(np.float64), total, how)
    ring.add(out, total, out=out)


def _by_edges(block: EdgeBlock, x: Floats, out: Floats, ring: Semiring, function: Function) -> None:
    from onnx2graphml.engine import kernels as loops
    from onnx2graphml.graph import kernels

    weighted = EdgeBlock(block.axes, function(block.weights.astype(np.float64)))
    loop = kernels.add_products if ring.name == "sum" else getattr(loops, f"edges_{ring.kernel}")
    for tile in weighted.tiles():
        loop(*tile.arguments(), x, out)
