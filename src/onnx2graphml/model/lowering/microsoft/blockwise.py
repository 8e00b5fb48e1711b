"""Products with weights of a few bits each, which blocks of them share a scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import MICROSOFT, lowering

Array = npt.NDArray[Any]
ROUNDED_INPUT = 4
"""The level of accuracy at which the other factor is rounded, too."""


@lowering(MICROSOFT)
def MatMulNBits(
    op: Builder,
    A: str,
    B: str,
    scales: str,
    zero_points: str | None = None,
    g_idx: str | None = None,
    bias: str | None = None,
    *,
    K: int,
    N: int,
    block_size: int,
    bits: int = 4,
    accuracy_level: int = 0,
    weight_prepacked: int = 0,
) -> str:
    """A product with the weights that 2, 4 or 8 bits stand for; `accuracy_level` has to be below 4."""
    if bits not in (2, 4, 8) or g_idx is not None or weight_prepacked or accuracy_level == ROUNDED_INPUT:
        raise UnsupportedError(
            f"its bits are {bits}, accuracy_level {accuracy_level}, weight_prepacked {weight_prepacked}, and g_idx is "
            f"{'there' if g_idx else 'not there'}; expected 2, 4 or 8, a level below 4, 0, and no g_idx"
        )
    blocks = -(-K // block_size)
    codes = _unpacked(op.known(B, "its weights").reshape(N, blocks, -1), bits)[..., :block_size]
    dtype = op.dtype(A)
    zero: Array = np.full((N, blocks), 1 << (bits - 1), np.float64)
    if zero_points is not None:
        given = op.known(zero_points, "its zero points").reshape(N, -1)
        zero = (_unpacked(given, bits) if given.dtype == np.uint8 else given)[:, :blocks].astype(np.float64)
    scale = op.known(scales, "its scales").reshape(N, blocks).astype(np.float64)
    weights = (codes - zero[..., None]) * scale[..., None]
    flat = weights.reshape(N, -1)[:, :K].T.astype(dtype)
    y = op.MatMul(A, np.ascontiguousarray(flat), label="product")
    return str(y if bias is None else op.Add(y, bias, label="shifted"))


def _unpacked(packed: Array, bits: int) -> Array:
    """Numbers of so many bits, the lowest of each byte first, along the last axis."""
    each = 8 // bits
    shifted = packed[..., None] >> (bits * np.arange(each)).astype(np.uint8)
    return np.asarray(shifted & ((1 << bits) - 1)).reshape(*packed.shape[:-1], -1)
