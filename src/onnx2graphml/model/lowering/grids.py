"""Coordinates by which pictures are moved."""

from __future__ import annotations

import numpy as np

from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import lowering


@lowering()
def AffineGrid(op: Builder, theta: str, size: str, *, align_corners: int = 0) -> str:
    """Where a linear map leads each position of a picture, in coordinates from -1 to 1."""
    batch, _, *sides = (int(n) for n in op.known(size, "its size"))
    steps = [np.linspace(-1, 1, n) if align_corners else (2 * np.arange(n) + 1) / n - 1 for n in sides]
    # ONNX counts coordinates from the last axis on: x, y, z, and 1 for the translation.
    places = np.stack([*reversed(np.meshgrid(*steps, indexing="ij")), np.ones(sides)], axis=-1)
    base = places.reshape(-1, len(sides) + 1).astype(op.dtype(theta))
    moved = op.MatMul(base, op.Transpose(theta, perm=[0, 2, 1]), label="moved")
    return str(op.Reshape(moved, [batch, *sides, len(sides)], label="grid"))
