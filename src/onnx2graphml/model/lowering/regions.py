"""The greatest value in each part of a region: which values these are is computed, or constant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import lowering


@lowering()
def MaxRoiPool(op: Builder, X: str, rois: str, *, pooled_shape: Sequence[int], spatial_scale: float = 1.0) -> str:
    """The greatest value of each bin of each region, first over rows, then over columns; 0 where a bin is empty."""
    regions, dtype = op.shape(rois)[0], op.dtype(X)
    of = op.Reshape(_columns(op, rois, 0, 1), np.array([regions]), label="picture_of")
    y = op.Gather(X, op.Cast(of, to=onnx.TensorProto.INT64), axis=0, label="pictures")
    scaled = op.Mul(_columns(op, rois, 1, 5), float(spatial_scale), label="scaled")
    # Rounded half away from zero.
    corners = op.Mul(op.Sign(scaled), op.Floor(op.Add(op.Abs(scaled), 0.5)), label="corners")
    empty = None
    for axis, (length, bins) in enumerate(zip(op.shape(X)[2:], pooled_shape, strict=True)):
        with op.scope(("rows", "columns")[axis]):
            begin, end = _bins(
                op, _columns(op, corners, 1 - axis, 2 - axis), _columns(op, corners, 3 - axis, 4 - axis), bins
            )
            begin, end = (op.Min(op.Max(t, 0.0), float(length)) for t in (begin, end))
            none = op.Reshape(op.Not(op.Less(begin, end)), np.array([regions, 1, *[1] * axis, bins, *[1] * (1 - axis)]))
            empty = none if empty is None else op.Or(empty, none, label="is_empty")
            column = np.array([regions, 1, *[1] * axis, bins, 1, *[1] * (1 - axis)])
            at = np.arange(length, dtype=dtype).reshape(length, *[1] * (1 - axis))
            begin, end = op.Reshape(begin, column, label="begin"), op.Reshape(end, column, label="end")
            inside = op.And(op.Not(op.Less(at, begin)), op.Less(at, end), label="inside")
            candidates = op.Unsqueeze(y, axes=[2 + axis])
            kept = op.Where(inside, candidates, np.array(np.finfo(dtype).min), label="candidates")
            y = op.ReduceMax(kept, axes=[3 + axis], keepdims=0, label="greatest")
    return str(op.Where(empty, np.zeros((), dtype), y, label="pooled"))


def _bins(op: Builder, first: str, last: str, bins: int) -> tuple[str, str]:
    """Where the bins between two corners, (regions, 1), begin and end: (regions, bins)."""
    extent = op.Max(op.Add(op.Sub(last, first), 1.0), 1.0, label="extent")
    size = op.Div(extent, float(bins), label="bin")
    numbers = np.arange(bins, dtype=op.dtype(first))[None]
    begin = op.Add(op.Floor(op.Mul(size, numbers)), first)
    return begin, op.Add(op.Ceil(op.Mul(size, numbers + 1)), first)


def _columns(op: Builder, x: str, first: int, last: int) -> str:
    return str(op.Slice(x, np.array([first]), np.array([last]), np.array([1])))
