"""Tokens: a constant table looked up by computed indices is a one-hot layer and a linear map."""

from __future__ import annotations

import numpy as np

from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import lowering

PRODUCTS = (np.float32, np.float64, np.int32, np.int64)
"""The types of which ONNX Runtime has matrix products."""


@lowering()
def Gather(op: Builder, data: str, indices: str, *, axis: int = 0) -> str:
    """A neuron for each position and word; its edges have the word's row of the table as weights.

    Only for constant tables: where `data` is computed, it is a primitive.
    """
    table = op.known(data, "its table")
    axis %= table.ndim
    count = table.shape[axis]
    rows = np.moveaxis(table, axis, 0)
    before, after, at = table.shape[:axis], table.shape[axis + 1 :], op.shape(indices)
    depth, ends = np.array(count, np.int64), np.array([0, 1], np.float32)
    hot = op.OneHot(op.cast(indices, np.int64), depth, ends, label="one_hot")
    kind = table.dtype if table.dtype in PRODUCTS else np.dtype(np.float32)
    hot = op.cast(hot, kind)
    weights = data if axis == 0 and table.ndim == 2 and table.dtype == kind else rows.reshape(count, -1).astype(kind)
    found = op.cast(op.MatMul(hot, weights, label="rows"), table.dtype)
    if table.ndim != 2:
        found = op.Reshape(found, np.array([*at, *before, *after], np.int64), label="embedding")
    if not axis:
        return str(found)
    where = len(at)
    order = [*range(where, where + axis), *range(where), *range(where + axis, where + axis + len(after))]
    return str(op.Transpose(found, perm=order, label="moved"))
