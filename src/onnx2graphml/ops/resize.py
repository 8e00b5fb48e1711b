"""Resize and Upsample: a linear map along each dimension, whose weights multiply."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.functions.sampling import half_width, kernel
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.model.limits import ask
from onnx2graphml.ops.pool import ax_product
from onnx2graphml.ops.registry import (
    Constant,
    NodeContext,
    OutputSpec,
    Tensor,
    among,
    incoming,
    operator,
    weights_dtype,
)

COORDINATES = (
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn",
    "tf_crop_and_resize",
)  # fmt: skip
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


@dataclass(frozen=True)
class Interpolation:
    """How values between positions are made; the fields are Resize's attributes."""

    mode: str = "nearest"
    coordinate_transformation_mode: str = "half_pixel"
    nearest_mode: str = "round_prefer_floor"
    cubic_coeff_a: float = -0.75
    exclude_outside: int = 0
    extrapolation_value: float = 0.0
    antialias: int = 0

    def check(self) -> None:
        """Refuse what is none of ONNX's modes."""
        known = {
            "mode": ("nearest", "linear", "cubic"),
            "coordinate_transformation_mode": COORDINATES,
            "nearest_mode": ROUNDINGS,
        }
        for name, choices in known.items():
            if getattr(self, name) not in choices:
                raise UnsupportedError(f"{name} is {getattr(self, name)!r}; expected one of {', '.join(choices)}")


@operator
def Upsample(node: NodeContext, X: Tensor, *, mode: str = "nearest", scales: Sequence[float]) -> OutputSpec:
    return _upsampled(node, X, scales, mode)


@operator
def Upsample_9(node: NodeContext, X: Tensor, scales: Constant, *, mode: str = "nearest") -> OutputSpec:
    return _upsampled(node, X, scales, mode)


@operator
def Resize(node: NodeContext, X: Tensor, scales: Constant, *, mode: str = "nearest") -> OutputSpec:
    return _upsampled(node, X, scales, mode)


@operator
def Resize_11(
    node: NodeContext,
    X: Tensor,
    roi: Constant | None = None,
    scales: Constant | None = None,
    sizes: Constant | None = None,
    *,
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
    mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> OutputSpec:
    how = Interpolation(
        mode, coordinate_transformation_mode, nearest_mode, cubic_coeff_a, exclude_outside, extrapolation_value
    )
    return _resized(node, X, range(X.ndim), roi, scales, how)


@operator
def Resize_18(
    node: NodeContext,
    X: Tensor,
    roi: Constant | None = None,
    scales: Constant | None = None,
    sizes: Constant | None = None,
    *,
    antialias: int = 0,
    axes: Sequence[int] | None = None,
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
    keep_aspect_ratio_policy: str = "stretch",
    mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> OutputSpec:
    """With another policy than `stretch`, one scale goes for all axes; the sizes are ONNX's shape inference's."""
    how = Interpolation(
        mode, coordinate_transformation_mode, nearest_mode, cubic_coeff_a, exclude_outside, extrapolation_value,
        antialias,
    )  # fmt: skip
    along = range(X.ndim) if axes is None else among(axes, X.ndim)
    if sizes is not None and sizes.size and keep_aspect_ratio_policy != "stretch":
        choose = min if keep_aspect_ratio_policy == "not_larger" else max
        scale = choose(int(n) / X.shape[d] for n, d in zip(sizes, along, strict=True))
        scales = np.full(len(along), scale, np.float32)
    return _resized(node, X, along, roi, scales, how)


def _upsampled(node: NodeContext, X: Tensor, scales: Sequence[float] | Constant, mode: str) -> OutputSpec:
    mode = "linear" if mode in ("linear", "bilinear") else mode
    how = Interpolation(mode, "asymmetric", "floor")
    return _resized(node, X, range(X.ndim), None, np.asarray(scales, np.float32), how)


def _resized(
    node: NodeContext,
    X: Tensor,
    along: Sequence[int],
    roi: Constant | None,
    scales: Constant | None,
    how: Interpolation,
) -> OutputSpec:
    how.check()
    if roi is not None and not np.isfinite(roi.astype(np.float64)).all():
        raise UnsupportedError("its region, roi, has an end that is infinite or not a number; expected finite ones")
    source, target = ax.strides(X.shape), ax.strides(node.shape)
    axes: list[Axis] = [ax.same(n).strided(s, t, 0) for n, s, t in zip(X.shape, source, target, strict=True)]
    weights, inside = [np.ones(1)] * X.ndim, [np.ones(n, bool) for n in node.shape]
    for k, d in enumerate(along):
        given = scales is not None and scales.size
        scale = np.float32(scales[k] if given else node.shape[d] / X.shape[d])  # type: ignore[index]
        ends = (0.0, 1.0) if roi is None or not roi.size else (float(roi[k]), float(roi[k + len(along)]))
        if X.shape[d] == node.shape[d] and scale == 1 and how.coordinate_transformation_mode != "tf_crop_and_resize":
            continue
        x = positions(X.shape[d], node.shape[d], scale, ends, how)
        if how.coordinate_transformation_mode == "tf_crop_and_resize":
            inside[d] = (x >= 0) & (x <= X.shape[d] - 1)
        pairs, own = _pairs(X.shape[d], x, scale, how, inside[d])
        weights[d], taps = np.unique(own, return_inverse=True)
        axes[d] = ax.relation(pairs[:, 0], pairs[:, 1], taps.ravel()).strided(source[d], target[d], 1)
    strides = ax.strides([len(w) for w in weights])
    axes = [Axis(a.source, a.target, a.tap * s) for a, s in zip(axes, strides, strict=True)]
    bias = None
    if not all(i.all() for i in inside):
        ask(math.prod(node.shape))
        within = functools.reduce(np.logical_and.outer, inside)
        bias = np.where(within, 0, how.extrapolation_value).astype(weights_dtype(X))
    table = ax_product(weights).astype(weights_dtype(X))
    return OutputSpec((incoming(X, *axes, weights=table),), bias=bias, axes=X.axes, spatial=X.ndim > 2)


def positions(n: int, resized: int, scale: np.float32, roi: tuple[float, float], how: Interpolation) -> Constant:
    """Where in the input each output position lies, in float32 as runtimes have it."""
    x, half = np.arange(resized, dtype=np.float32), np.float32(0.5)
    way = how.coordinate_transformation_mode
    if way == "align_corners":
        return x * np.float32(n - 1) / np.float32(resized - 1) if resized > 1 else np.zeros(1, np.float32)
    if way == "tf_crop_and_resize":
        begin, end = map(np.float32, roi)
        if resized == 1:
            return np.full(1, half * (begin + end) * np.float32(n - 1))
        return begin * np.float32(n - 1) + x * (end - begin) * np.float32(n - 1) / np.float32(resized - 1)
    if way == "asymmetric":
        return x / scale
    if way == "tf_half_pixel_for_nn":
        return (x + half) / scale
    if way == "pytorch_half_pixel" and resized == 1:
        return np.zeros(1, np.float32)
    centred = (x + half) / scale - half
    if way == "half_pixel_symmetric":
        adjustment = resized / (float(scale) * n)
        return np.asarray(np.float32(n / 2 * (1 - adjustment)) + centred)
    return centred


def _pairs(n: int, x: Constant, scale: np.float32, how: Interpolation, inside: Constant) -> tuple[Constant, Constant]:
    """The input and output positions that an edge joins, and the edges' weights."""
    if how.mode == "nearest":
        source = np.clip(_rounded(x, how.nearest_mode), 0, n - 1).astype(np.int64)[:, None]
        weight = np.ones(source.shape)
    else:
        x = np.asarray(x, np.float64)
        stretch = min(float(scale), 1.0) if how.antialias else 1.0
        reach = int(np.ceil(half_width(how.mode) / stretch))
        first = np.floor(x)
        source = (first[:, None] + np.arange(1 - reach, reach + 1)).astype(np.int64)
        distance = np.asarray(source - x[:, None], np.float64) * stretch
        weight = kernel(distance, how.mode, how.cubic_coeff_a)
        if how.exclude_outside:
            weight = np.where((source >= 0) & (source < n), weight, 0)
        if how.exclude_outside or how.antialias:
            weight = weight / weight.sum(axis=1, keepdims=True)
        source = np.clip(source, 0, n - 1)
    target = np.broadcast_to(np.arange(len(x))[:, None], source.shape)
    used = inside[:, None] & (weight != 0)
    # One number for each pair sorts many times faster than the pair, and by the source first.
    numbered, where = np.unique(source[used] * len(x) + target[used], return_inverse=True)
    pairs = np.stack(np.divmod(numbered, len(x)), 1)
    return pairs, np.bincount(where.ravel(), weight[used], len(pairs))


def _rounded(x: Constant, way: str) -> Constant:
    if way == "floor":
        return np.floor(x)
    if way == "ceil":
        return np.ceil(x)
    below, above = np.floor(x), np.ceil(x)
    middle = x - below == np.float32(0.5)
    return np.where(middle, below if way == "round_prefer_floor" else above, np.rint(x))
