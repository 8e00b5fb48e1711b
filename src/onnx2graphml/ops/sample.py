"""GridSample: with a constant grid the interpolation's weights, with a computed one an edge from every position."""

from __future__ import annotations

import math

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.functions import axes_text
from onnx2graphml.functions.sampling import neighbours
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.ops.gather import candidates_along, spread
from onnx2graphml.ops.pointwise import as_neurons
from onnx2graphml.ops.registry import (
    Constant,
    NodeContext,
    Operand,
    OutputSpec,
    Tensor,
    incoming,
    operator,
    weights_dtype,
)

FARTHEST = 1 << 20
"""Of a coordinate: what runtimes make of larger ones depends on the integers that they round them to."""


@operator
def GridSample(
    node: NodeContext,
    X: Operand,
    grid: Operand,
    *,
    align_corners: int = 0,
    mode: str = "linear",
    padding_mode: str = "zeros",
) -> OutputSpec:
    """X is (N, C, spatial...), the grid (N, points..., dimensions): all channels have the same points."""
    batch, channels, *shape = X.shape
    points, positions = math.prod(grid.shape[1:-1]), math.prod(shape)
    if isinstance(X, Tensor) and isinstance(grid, np.ndarray):
        return _linear(X, grid, shape, mode, padding_mode, bool(align_corners))
    constants: dict[str, Constant] = {}
    x, g = as_neurons(node, "X", X, constants), as_neurons(node, "grid", grid, constants)
    size, width = channels * points, len(shape)
    pictures = [(batch, channels * positions, size), (channels, positions, points), (points, 0, 1)]
    edges = [incoming(x, *spread(pictures), *candidates_along([(positions, 1)]), port=0)]
    for d in range(width):
        coordinates = [(batch, points * width, size), (channels, 0, points), (points, width, 1)]
        edges.append(incoming(g, *spread(coordinates, d), port=1 + d))
    how = (("shape", axes_text(shape)), ("mode", mode), ("padding_mode", padding_mode))
    aggregation = str(Activation("GridSample", (*how, ("align_corners", float(align_corners)))))
    return OutputSpec(tuple(edges), aggregation, constants=constants, spatial=isinstance(X, Tensor))


def _linear(
    X: Tensor, grid: Constant, shape: list[int], mode: str, padding_mode: str, align_corners: bool
) -> OutputSpec:
    """Channels have the same points: their axis stands apart from one of all pairs of a position and a point."""
    if not (np.abs(grid.astype(np.float64)) < FARTHEST).all():
        raise UnsupportedError(
            f"its grid has a coordinate that is not a number, or farther than {FARTHEST:,}; the picture is from -1 to 1"
        )
    batch, channels = X.shape[:2]
    points, positions = math.prod(grid.shape[1:-1]), math.prod(shape)
    flat = grid.reshape(batch * points, len(shape)).astype(np.float64)[:, ::-1]
    sources, targets, weights = [], [], []
    b, p = np.divmod(np.arange(batch * points), points)
    for at, weight in neighbours(flat, shape, mode, padding_mode, align_corners):
        there = (at >= 0) & (weight != 0)
        sources.append((b * channels * positions + at)[there])
        targets.append((b * channels * points + p)[there])
        weights.append(weight[there])
    source, target, weight = (np.concatenate(part) for part in (sources, targets, weights))
    pairs, where = np.unique(np.stack([source, target], 1), axis=0, return_inverse=True)
    total = np.bincount(where.ravel(), weight, len(pairs)) if len(pairs) else np.zeros(1)
    axes = [
        ax.same(channels).strided(positions, points, 0),
        ax.relation(pairs[:, 0], pairs[:, 1], np.arange(len(pairs))),
    ]
    return OutputSpec((incoming(X, *axes, weights=total.astype(weights_dtype(X))),), spatial=True)
