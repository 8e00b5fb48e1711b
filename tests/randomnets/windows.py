"""Convolutions and pools: kernels, strides, dilations, groups and padding of every kind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from randomnets.builder import Builder, Shape, Tensor, Unfit
from randomnets.constants import constant, numbers
from randomnets.ranges import calm, finite, of_rank
from randomnets.steps import step

SAME = ("SAME_UPPER", "SAME_LOWER")


@dataclass(frozen=True)
class Slide:
    """Attributes of a sliding window, per spatial dimension; `pads` before and after."""

    kernel: Shape
    strides: Shape
    dilations: Shape
    pads: tuple[tuple[int, int], ...]
    auto_pad: str

    @staticmethod
    def drawn(b: Builder, sizes: Sequence[int], *, dilated: bool = True, pad_below_kernel: bool = False) -> Slide:
        """A window that fits into a picture of those sizes."""
        auto_pad = b.random.choice(["NOTSET", "NOTSET", "NOTSET", "VALID", *SAME])
        kernel, strides, dilations, pads = [], [], [], []
        for n in sizes:
            k, d = b.random.randint(1, 4), b.random.choice([1, 1, 2, 3]) if dilated and auto_pad not in SAME else 1
            most = k - 1 if pad_below_kernel else k
            before, after = (b.random.randint(0, min(most, 2)) if auto_pad == "NOTSET" else 0 for _ in range(2))
            while (k - 1) * d + 1 > n + before + after and auto_pad not in SAME:
                k, d = max(k - 1, 1), 1
                before, after = (min(p, k - 1) if pad_below_kernel else p for p in (before, after))
            kernel.append(k)
            dilations.append(d)
            strides.append(b.random.choice([1, 1, 2, 3]))
            pads.append((before, after))
        return Slide(tuple(kernel), tuple(strides), tuple(dilations), tuple(pads), auto_pad)

    def outputs(self, sizes: Sequence[int], ceil: bool = False) -> Shape:
        """The sizes of what it makes of a picture."""
        if self.auto_pad in SAME:
            return tuple(-(-n // s) for n, s in zip(sizes, self.strides, strict=True))
        found = []
        for room, s, n, (before, _) in zip(self.rooms(sizes), self.strides, sizes, self.pads, strict=True):
            steps = -(-room // s) if ceil else room // s
            found.append(steps + 1 - (ceil and steps * s >= n + before))
        return tuple(found)

    def rooms(self, sizes: Sequence[int]) -> list[int]:
        """How far the window can be moved over the padded picture; negative where the picture is smaller."""
        each = zip(sizes, self.kernel, self.dilations, self.pads, strict=True)
        return [n + before + after - (k - 1) * d - 1 for n, k, d, (before, after) in each]

    def covers_padding_only(self, sizes: Sequence[int], outputs: Sequence[int]) -> bool:
        """Whether a window has no position in the picture, as dilated ones may: there is no greatest of nothing."""
        if self.auto_pad != "NOTSET":
            return False
        each = zip(sizes, outputs, self.kernel, self.strides, self.dilations, self.pads, strict=True)
        return any(
            not any(0 <= o * s - before + i * d < n for i in range(k))
            for n, m, k, s, d, (before, _) in each
            for o in range(m)
        )

    def starts_in_padding(self, sizes: Sequence[int]) -> bool:
        """Whether `ceil_mode` would let a window begin behind the picture; before opset 22 ONNX counts it."""
        each = zip(self.rooms(sizes), self.strides, sizes, self.pads, strict=True)
        return self.auto_pad not in SAME and any(-(-room // s) * s >= n + before for room, s, n, (before, _) in each)

    def pads_negatively(self, sizes: Sequence[int]) -> bool:
        """Whether `SAME` would mean to crop, which ONNX Runtime's pools refuse."""
        each = zip(self.rooms(sizes), self.strides, self.outputs(sizes), strict=True)
        return self.auto_pad in SAME and any(room > (m - 1) * s for room, s, m in each)

    def attributes(self, b: Builder, kernel_shape: bool = True) -> dict[str, Any]:
        """As ONNX has them; those at their defaults are written out or left out."""
        given: dict[str, Any] = {"kernel_shape": list(self.kernel)} if kernel_shape else {}
        for name, values in (("strides", self.strides), ("dilations", self.dilations)):
            if set(values) != {1} or b.chance(0.3):
                given[name] = list(values)
        flat = [p for p, _ in self.pads] + [p for _, p in self.pads]
        if self.auto_pad != "NOTSET":
            given["auto_pad"] = self.auto_pad
        elif any(flat) or b.chance(0.3):
            given["pads"] = flat
        return given


def picture(b: Builder, x: Tensor) -> Tensor:
    """(batch, channel, spatial...)"""
    return of_rank(b, x, 3)


def kernel_and_bias(b: Builder, x: Tensor, shape: Shape, channels: int, fan_in: int) -> tuple[list[str], float]:
    """The weights' names, and what the values come to at most."""
    w = numbers(b, shape, x.dtype, 1 / math.sqrt(fan_in), b.limit(x.dtype) / max(x.largest, 1e-3) / fan_in)
    names, largest = [constant(b, w)], float(np.abs(w).max(initial=0)) * fan_in * x.largest
    if b.chance(0.6):
        bias = numbers(b, (channels,), x.dtype, largest=1e3 if x.dtype != np.float16 else 30)
        names.append(constant(b, bias))
        largest += float(np.abs(bias).max(initial=0))
    return names, largest


@step("Conv")
def conv(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, picture(b, x), b.limit(x.dtype))
    batch, c, *sizes = x.shape
    slide = Slide.drawn(b, sizes)
    group = b.random.choice([g for g in range(1, c + 1) if c % g == 0]) if b.chance(0.4) else 1
    out, fan_in = group * b.random.randint(1, 3), c // group * math.prod(slide.kernel)
    shape = (batch, out, *slide.outputs(sizes))
    if math.prod(shape) * fan_in > 20_000:
        raise Unfit
    names, largest = kernel_and_bias(b, x, (out, c // group, *slide.kernel), out, fan_in)
    given = slide.attributes(b, b.chance(0.5)) | ({"group": group} if group > 1 else b.default(group=1))
    return b.add("Conv", [x, *names], shape, -largest, largest, edges=math.prod(shape) * fan_in, **given)


@step("ConvTranspose")
def conv_transpose(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, picture(b, x), b.limit(x.dtype))
    batch, c, *sizes = x.shape
    group = b.random.choice([g for g in range(1, c + 1) if c % g == 0]) if b.chance(0.4) else 1
    kernel = tuple(b.random.randint(1, 3) for _ in sizes)
    slide, outputs, given = _transposed(b, sizes, kernel)
    per_group, fan_in = b.random.randint(1, 3), c // group * math.prod(kernel)
    shape = (batch, group * per_group, *outputs)
    if math.prod(shape) > 1500 or x.size * per_group * math.prod(kernel) > 20_000 or min(shape) < 1:
        raise Unfit
    names, largest = kernel_and_bias(b, x, (c, per_group, *kernel), group * per_group, fan_in)
    given |= slide.attributes(b, b.chance(0.5)) | ({"group": group} if group > 1 else b.default(group=1))
    edges = x.size * per_group * math.prod(kernel)
    return b.add("ConvTranspose", [x, *names], shape, -largest, largest, edges=edges, **given)


def _transposed(b: Builder, sizes: Sequence[int], kernel: Shape) -> tuple[Slide, list[int], dict[str, Any]]:
    """A window seen from its output, the sizes there, and the further attributes."""
    auto_pad = b.random.choice(["NOTSET", "NOTSET", "VALID", *SAME])
    strides = tuple(b.random.choice([1, 2, 3]) for _ in sizes)
    dilations = tuple(b.random.choice([1, 1, 2]) for _ in sizes)
    extra = [b.random.randint(0, s - 1) if auto_pad not in SAME and b.chance(0.4) else 0 for s in strides]
    given: dict[str, Any] = {"output_padding": extra} if any(extra) else b.default(output_padding=extra)
    full = [
        s * (n - 1) + e + (k - 1) * d + 1
        for n, k, s, d, e in zip(sizes, kernel, strides, dilations, extra, strict=True)
    ]
    pads = [(0, 0)] * len(sizes)
    if auto_pad in SAME:
        outputs = [min(f, n * s) for f, n, s in zip(full, sizes, strides, strict=True)]
    elif auto_pad == "NOTSET":
        pads = [(b.random.randint(0, min(2, (f - 1) // 2)), b.random.randint(0, min(2, (f - 1) // 2))) for f in full]
        outputs = [f - before - after for f, (before, after) in zip(full, pads, strict=True)]
    else:
        outputs = full
    if b.chance(0.2):
        pads = [(0, 0)] * len(sizes)
        outputs = [max(1, f - b.random.randint(0, min(k, 3) - 1)) for f, k in zip(full, kernel, strict=True)]
        given["output_shape"] = outputs
    return Slide(kernel, strides, dilations, tuple(pads), auto_pad), outputs, given


def pooled(b: Builder, x: Tensor, op: str, dilated: bool, **given: Any) -> Tensor:
    """A pool over a random window."""
    x = picture(b, x)
    slide = Slide.drawn(b, x.shape[2:], dilated=dilated, pad_below_kernel=True)
    ceil = b.opset >= 10 and b.chance(0.4)
    if slide.pads_negatively(x.shape[2:]) or (ceil and b.opset < 22 and slide.starts_in_padding(x.shape[2:])):
        raise Unfit
    shape = (*x.shape[:2], *slide.outputs(x.shape[2:], ceil))
    if op == "MaxPool" and slide.covers_padding_only(x.shape[2:], shape[2:]):
        raise Unfit
    if ceil or (b.opset >= 10 and b.chance(0.2)):
        given["ceil_mode"] = int(ceil)
    given |= slide.attributes(b)
    if not dilated:
        given.pop("dilations", None)
    edges = math.prod(shape) * math.prod(slide.kernel)
    if op == "MaxPool" and x.rank != 4:
        x = finite(b, x)  # see LEFT_OUT in found.py
    low, high = (x.low, x.high) if op == "MaxPool" else (min(x.low, 0), max(x.high, 0))
    return b.add(op, [x], shape, low, high, edges=edges, **given)


@step("MaxPool")
def max_pool(b: Builder, x: Tensor) -> Tensor:
    given = b.default(storage_order=0) if b.opset >= 8 else {}
    if b.opset >= 8 and b.chance(0.1):
        given["storage_order"] = 1
    return pooled(b, x, "MaxPool", b.opset >= 10, **given)


@step("AveragePool")
def average_pool(b: Builder, x: Tensor) -> Tensor:
    given = {"count_include_pad": b.random.randint(0, 1)} if b.chance(0.6) else {}
    return pooled(b, x, "AveragePool", b.opset >= 19, **given)


@step("GlobalMaxPool")
def global_max_pool(b: Builder, x: Tensor) -> Tensor:
    x = picture(b, x)
    return b.add("GlobalMaxPool", [x], (*x.shape[:2], *[1] * (x.rank - 2)), x.low, x.high, edges=x.size)


@step("GlobalAveragePool")
def global_average_pool(b: Builder, x: Tensor) -> Tensor:
    x = picture(b, x)
    return b.add("GlobalAveragePool", [x], (*x.shape[:2], *[1] * (x.rank - 2)), x.low, x.high, edges=x.size)
