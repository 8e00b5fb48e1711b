"""Operators that few networks have: of signals, of caches, of older opsets, of bits; all in float32."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from randomnets.builder import Builder, Tensor, Unfit
from randomnets.candidates import axis_of, picture
from randomnets.constants import constant, integers, numbers
from randomnets.ranges import calm, finite, of_rank
from randomnets.records import as_float, hidden, single
from randomnets.steps import step


@step("BitCast", 26)
def bit_cast(b: Builder, x: Tensor) -> Tensor:
    """To an integer of the same bits, and back."""
    x = single(b, x)
    bits = hidden(b, "BitCast", [x.name], to=TensorProto.INT32)
    b.afford("BitCast", [x.dtype], x.size, x.size)
    found = b.take(Tensor("", x.shape, x.dtype, x.low, x.high))
    b.afford("BitCast", [x.dtype], x.size, x.size)
    b.node("BitCast", [bits], [found.name], to=TensorProto.FLOAT)
    return found


@step("CumProd", 26)
def cumulative_product(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, calm(b, single(b, x), 1.5), 1)
    axis = axis_of(b, x)
    n = x.shape[axis]
    if n > 8:
        raise Unfit
    given = {"exclusive": b.random.randint(0, 1), "reverse": b.random.randint(0, 1)}
    size, at = max(x.largest, 1.0) ** n, constant(b, np.asarray(axis, np.int64))
    return b.add("CumProd", [x, at], x.shape, -size, size, edges=x.size * n, **given)


COLUMNS: tuple[dict[str, Any], ...] = (
    {"image": (2, 1), "block": (2, 1)},
    {"image": (1, 3), "block": (1, 2), "pads": [0, 1, 0, 0]},
    {"image": (2, 2), "block": (1, 2)},
    {"image": (3, 3), "block": (2, 2)},
    {"image": (4, 5), "block": (2, 2), "strides": [2, 1]},
    {"image": (3, 3), "block": (2, 3), "pads": [1, 1, 0, 1]},
    {"image": (4, 4), "block": (2, 2), "dilations": [2, 2]},
)


@step("Col2Im", 18)
def columns_to_image(b: Builder, x: Tensor) -> Tensor:
    x = single(b, x)
    fitting = [chosen for chosen in COLUMNS if x.size % (math.prod(chosen["block"]) * _places(**chosen)) == 0]
    if not fitting:
        raise Unfit
    chosen = b.random.choice(fitting)
    taps, places = math.prod(chosen["block"]), _places(**chosen)
    shape = (1, x.size // places, places)
    x = b.add("Reshape", [x, integers(b, shape)], shape, x.low, x.high)
    inputs = [x, integers(b, chosen["image"]), integers(b, chosen["block"])]
    given = {name: v for name, v in chosen.items() if name not in ("image", "block")}
    out, size = (1, shape[1] // taps, *chosen["image"]), taps * x.largest
    return b.add("Col2Im", inputs, out, -size, size, edges=x.size, **given)


def _places(
    image: Sequence[int],
    block: Sequence[int],
    strides: Sequence[int] = (1, 1),
    dilations: Sequence[int] = (1, 1),
    pads: Sequence[int] = (0, 0, 0, 0),
) -> int:
    """How many blocks there are in an image."""
    room = [n + pads[d] + pads[d + 2] - dilations[d] * (block[d] - 1) - 1 for d, n in enumerate(image)]
    return math.prod(r // s + 1 for r, s in zip(room, strides, strict=True))


@step("DFT", 17)
def fourier(b: Builder, x: Tensor) -> Tensor:
    """Of real or complex signals along any axis, cut off or filled up with zeros."""
    x = of_rank(b, calm(b, single(b, x), 1000.0), 1, 3)
    parts = 2 if x.size % 2 == 0 and x.shape[-1] % 2 == 0 and b.chance(0.4) else 1
    shape = (1, *x.shape[:-1], x.shape[-1] // parts, parts)
    x = b.add("Reshape", [x, integers(b, shape)], shape, x.low, x.high)
    axis = b.random.randint(1, x.rank - 2)
    n = shape[axis]
    length = b.random.randint(1, n + 1) if b.chance(0.4) else n
    one_sided = parts == 1 and b.chance(0.4)
    given = {"onesided": int(one_sided), "inverse": 0 if one_sided else b.random.randint(0, 1)}
    inputs: list[Tensor | str] = [x] if length == n else [x, constant(b, np.asarray(length, np.int64))]
    if b.opset >= 20:
        inputs += [""] * (2 - len(inputs)) + [constant(b, np.asarray(axis, np.int64))]
    else:
        given["axis"] = axis
    out = list(shape)
    out[axis], out[-1] = length // 2 + 1 if one_sided else length, 2
    size = 2 * x.largest * n + 1
    return b.add("DFT", inputs, out, -size, size, edges=2 * parts * n * int(np.prod(out)), **given)


@step("STFT", 17)
def short_time_fourier(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, single(b, x), 1000.0)
    if x.size < 4:
        raise Unfit
    n, shape = x.size, (1, x.size, 1)
    x = b.add("Reshape", [x, integers(b, shape)], shape, x.low, x.high)
    length, every = b.random.randint(2, min(n, 8)), b.random.randint(1, 3)
    window = constant(b, numbers(b, (length,), x.dtype, largest=2)) if b.chance(0.7) else ""
    frames, one_sided = (n - length) // every + 1, b.random.randint(0, 1)
    bins = length // 2 + 1 if one_sided else length
    inputs = [x, constant(b, np.asarray(every, np.int64)), window, constant(b, np.asarray(length, np.int64))]
    size = 2 * x.largest * length + 1
    edges = 2 * frames * bins * length
    return b.add("STFT", inputs, (1, frames, bins, 2), -size, size, edges=edges, onesided=one_sided)


@step("Scatter", 9, until=10)
def scatter(b: Builder, x: Tensor) -> Tensor:
    """What ScatterElements was called."""
    x = of_rank(b, single(b, x), 1)
    axis = axis_of(b, x)
    shape = [1 if d == axis else n for d, n in enumerate(x.shape)]
    at = constant(b, b.numpy().integers(0, x.shape[axis], shape).astype(np.int64))
    updates = constant(b, numbers(b, shape, x.dtype, largest=3))
    return b.add("Scatter", [x, at, updates], x.shape, min(x.low, -3), max(x.high, 3), edges=2 * x.size, axis=axis)


@step("TensorScatter", 24)
def tensor_scatter(b: Builder, x: Tensor) -> Tensor:
    """A cache that is written to, at constant places or at computed ones."""
    x = of_rank(b, single(b, x), 3, 3)
    batch, length, size = x.shape
    new = 1 if b.chance(0.5) else b.random.randint(1, length)
    if new == 1 and b.chance(0.6):
        score = hidden(b, "ReduceMax", [x.name, integers(b, [2])], keepdims=0)
        at = hidden(b, "ArgMax", [score], axis=1, keepdims=0)
        b.afford("ArgMax", [x.dtype], batch * (length + 1), x.size + batch * length)
    else:
        at = integers(b, [b.random.randint(0, length - new) for _ in range(batch)])
    updates = constant(b, numbers(b, (batch, new, size), x.dtype, largest=3))
    edges = x.size * (2 + new)
    low, high = min(x.low, -3), max(x.high, 3)
    return b.add("TensorScatter", [x, updates, at], x.shape, low, high, edges=edges, axis=-2)


@step("Upsample", until=9)
def upsample(b: Builder, x: Tensor) -> Tensor:
    x = finite(b, picture(b, x, 1, 1, 1))  # beside infinity, an interpolation by 0 is NaN to ONNX Runtime
    by = [1.0, 1.0, *(float(b.random.randint(1, 3)) for _ in range(2))]
    shape = [int(n * s) for n, s in zip(x.shape, by, strict=True)]
    given: dict[str, Any] = {"mode": b.random.choice(["nearest", "linear"])}
    inputs: list[Tensor | str] = [x]
    if b.opset < 9:
        given["scales"] = by
    else:
        inputs.append(constant(b, np.array(by, np.float32)))
    return b.add("Upsample", inputs, shape, x.low, x.high, edges=4 * int(np.prod(shape)), **given)


@step("MaxUnpool", 9)
def max_unpool(b: Builder, x: Tensor) -> Tensor:
    """The greatest of each window, put back at a place in it."""
    x = picture(b, x, 1, 1, 1)
    _, c, h, w = x.shape
    shape = (1, c, 2 * h, 2 * w)
    inside = b.numpy().integers(0, 2, (2, c, h, w))
    rows, columns = (2 * np.indices((c, h, w))[k + 1] + inside[k] for k in range(2))
    at = np.arange(c)[:, None, None] * 4 * h * w + rows * 2 * w + columns
    indices = constant(b, at[None].astype(np.int64))
    edges = 2 * x.size * int(np.prod(shape))
    given = {"kernel_shape": [2, 2], "strides": [2, 2]}
    return b.add("MaxUnpool", [x, indices], shape, min(x.low, 0), max(x.high, 0), edges=edges, **given)


@step("ConvInteger", 10)
def integer_convolution(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, picture(b, x, 1, 1, 1), 100.0)
    _, c, h, w = x.shape
    kernel = (min(h, 2), min(w, 3))
    whole = hidden(b, "Cast", [hidden(b, "Abs", [x.name])], to=TensorProto.UINT8)
    weights = b.numpy().integers(-100, 100, (2, c, *kernel)).astype(np.int8)
    zero = [constant(b, np.uint8(7)), constant(b, np.int8(b.random.choice([0, 3])))][: b.random.randint(0, 2)]
    shape = (1, 2, h - kernel[0] + 1, w - kernel[1] + 1)
    edges = int(np.prod(shape)) * c * math.prod(kernel)
    made = hidden(b, "ConvInteger", [whole, constant(b, weights), *zero])
    return as_float(b, made, shape, -3e6, 3e6, edges + 2 * x.size)
