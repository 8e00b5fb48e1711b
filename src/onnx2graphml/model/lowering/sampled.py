"""Convolutions and pools at computed places: the places, values sampled there, and a linear map or a mean of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import onnx

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import lowering


@lowering()
def DeformConv(
    op: Builder,
    X: str,
    W: str,
    offset: str,
    B: str | None = None,
    mask: str | None = None,
    *,
    dilations: Sequence[int] | None = None,
    group: int = 1,
    kernel_shape: Sequence[int] | None = None,
    offset_group: int = 1,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> str:
    """A value is sampled for each position of the kernel, moved by its offset: a product with the kernel follows."""
    batch, channels, *size = op.shape(X)
    outputs, inputs, *kernel = op.shape(W)
    if len(size) != 2:
        raise UnsupportedError(f"its input has shape {list(op.shape(X))}; expected (N, C, rows, columns)")
    rows, columns = op.shape(offset)[2:]
    taps, own = math.prod(kernel), channels // offset_group
    base = _places(kernel, (rows, columns), strides or [1, 1], dilations or [1, 1], (pads or [0] * 4)[:2])
    dtype = op.dtype(X)
    moves = op.Reshape(offset, np.array([batch, offset_group, taps, 2, rows, columns]), label="offsets")
    at = op.Add(moves, base.astype(dtype)[None, None], label="places")
    parts = []
    for g in range(offset_group):
        places = op.Squeeze(_slice(op, at, 1, g, g + 1), axes=[1])
        points = op.Reshape(op.Transpose(places, perm=[0, 1, 3, 4, 2]), np.array([batch, taps * rows, columns, 2]))
        found = _sampled(op, _slice(op, X, 1, g * own, (g + 1) * own), points, size, "zeros")
        found = op.Reshape(found, np.array([batch, own, taps, rows, columns]))
        if mask is not None:
            weight = op.Reshape(mask, np.array([batch, offset_group, taps, rows, columns]))
            found = op.Mul(found, _slice(op, weight, 1, g, g + 1), label="masked")
        parts.append(found)
    every = parts[0] if len(parts) == 1 else op.Concat(*parts, axis=1)
    every = op.Reshape(every, np.array([batch, group, inputs * taps, rows * columns]), label="samples")
    flat = op.Reshape(W, np.array([1, group, outputs // group, inputs * taps]), label="kernel")
    y = op.Reshape(op.MatMul(flat, every, label="products"), np.array([batch, outputs, rows, columns]))
    return str(y if B is None else op.Add(y, op.Reshape(B, np.array([1, outputs, 1, 1])), label="biased"))


@lowering()
def RoiAlign(
    op: Builder,
    X: str,
    rois: str,
    batch_indices: str,
    *,
    coordinate_transformation_mode: str = "half_pixel",
    mode: str = "avg",
    output_height: int = 1,
    output_width: int = 1,
    sampling_ratio: int = 0,
    spatial_scale: float = 1.0,
) -> str:
    """The mean, or the greatest, of values sampled on a grid in each region; `sampling_ratio` has to be 1 or more."""
    if sampling_ratio < 1:
        raise UnsupportedError(
            f"its sampling_ratio is {sampling_ratio}; expected at least 1: otherwise how many values are sampled "
            f"depends on the data"
        )
    size, dtype = op.shape(X)[2:], op.dtype(X)
    shift = 0.5 if coordinate_transformation_mode == "half_pixel" and op.opset >= 16 else 0.0
    corners = op.Sub(op.Mul(rois, float(spatial_scale)), float(shift), label="corners")
    begin, end = _slice(op, corners, 1, 0, 2), _slice(op, corners, 1, 2, 4)  # (regions, x and y)
    extent = op.Sub(end, begin, label="extent")
    extent = extent if shift else op.Max(extent, 1.0)
    shares = [(np.arange(n * sampling_ratio) + 0.5) / (n * sampling_ratio) for n in (output_height, output_width)]
    grid = np.stack(np.meshgrid(*shares, indexing="ij")[::-1], -1)[None].astype(dtype)  # (1, rows, columns, x and y)
    regions = op.shape(rois)[0]
    spread = [op.Reshape(t, np.array([regions, 1, 1, 2])) for t in (begin, extent)]
    points = op.Add(op.Mul(spread[1], grid), spread[0], label="points")
    picture = op.Gather(X, batch_indices, axis=0, label="pictures")
    yx = op.Concat(_slice(op, points, 3, 1, 2), _slice(op, points, 3, 0, 1), axis=3)
    found = _sampled(op, picture, yx, size, "border") if mode == "avg" else _greatest_corner(op, picture, yx)
    limits = np.array(size, dtype)
    outside = op.Or(op.Less(yx, np.full(1, -1, dtype)), op.Greater(yx, limits), label="outside")
    beyond = op.ReduceMax(op.Cast(outside, to=1), axes=[3], keepdims=0)
    inside = op.Unsqueeze(op.Sub(np.ones(1, np.float32), beyond), axes=[1])
    found = op.Mul(found, op.cast(inside, dtype), label="inside")
    sides = [sampling_ratio, sampling_ratio]
    if mode == "avg":
        return str(op.AveragePool(found, kernel_shape=sides, strides=sides, label="mean"))
    return str(op.MaxPool(found, kernel_shape=sides, strides=sides, label="greatest"))


def _greatest_corner(op: Builder, X: str, places: str) -> str:
    """At each place, the greatest of the four values around it, each times its weight: what ONNX calls `max`.

    It is not the greatest of what is interpolated.
    """
    (regions, channels, *size), points, dtype = op.shape(X), op.shape(places)[1:3], op.dtype(X)
    last = np.array(size, dtype) - 1
    at = op.Min(op.Max(places, np.zeros(1, dtype)), last, label="at")
    low = op.Floor(at, label="low")
    high = op.Min(op.Add(low, np.ones(1, dtype)), last, label="high")
    far = op.Sub(at, low, label="far")
    near = op.Sub(np.ones(1, dtype), far, label="near")
    flat = op.Reshape(X, np.array([regions, channels, math.prod(size)]), label="flat")
    shape = np.array([regions, 1, math.prod(points)])
    corners = []
    for (y, y_share), (x, x_share) in itertools.product(((low, near), (high, far)), repeat=2):
        row, column = _slice(op, y, 3, 0, 1), _slice(op, x, 3, 1, 2)
        index = op.Cast(op.Add(op.Mul(row, np.array(size[1:], dtype)), column), to=onnx.TensorProto.INT64)
        every = op.Expand(op.Reshape(index, shape), np.array([regions, channels, math.prod(points)]), label="index")
        share = op.Mul(_slice(op, y_share, 3, 0, 1), _slice(op, x_share, 3, 1, 2), label="share")
        value = op.GatherElements(flat, every, axis=2, label="corner")
        corners.append(op.Mul(value, op.Reshape(share, shape), label="weighted"))
    return str(op.Reshape(op.Max(*corners, label="greatest"), np.array([regions, channels, *points])))


def _sampled(op: Builder, X: str, places: str, size: Sequence[int], padding: str) -> str:
    """Values at places (N, rows, columns, y and x), counted in pixels."""
    dtype = op.dtype(X)
    scale = (2 / np.array(size)).astype(dtype)
    moved = (1 / np.array(size) - 1).astype(dtype)
    grid = op.Add(op.Mul(places, scale), moved, label="grid")  # from -1 to 1
    xy = op.Concat(_slice(op, grid, 3, 1, 2), _slice(op, grid, 3, 0, 1), axis=3, label="xy")
    mode = "linear" if op.opset >= 20 else "bilinear"
    return str(op.GridSample(X, xy, mode=mode, padding_mode=padding, align_corners=0, label="sampled"))


def _places(
    kernel: Sequence[int], size: Sequence[int], strides: Sequence[int], dilations: Sequence[int], pads: Sequence[int]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Where a kernel looks at without offsets: (taps, y and x, rows, columns)."""
    taps = np.indices(kernel).reshape(2, -1).T * np.array(dilations)
    outputs = np.indices(size) * np.reshape(strides, (2, 1, 1)) - np.reshape(pads, (2, 1, 1))
    return np.asarray(taps[:, :, None, None] + outputs[None], np.float64)


def _slice(op: Builder, x: str, axis: int, first: int, last: int) -> str:
    return str(op.Slice(x, np.array([first]), np.array([last]), np.array([axis])))
