"""Windows over pictures as operators: Conv, MaxPool, Mul."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.export.windows import Taps, Windows
from onnx2graphml.export.writer import Writer

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]
BYTES = 8  # of an edge that is written by itself


@dataclass(frozen=True)
class _Kernel:
    """How a kernel lies along one dimension: its first offset, and what a runtime is told."""

    first: int
    size: int
    dilation: int
    stride: int
    before: int
    after: int


def write_windows(
    w: Writer,
    windows: Windows,
    picture: Callable[[], str],
    aggregation: str,
    sources: Ints,
    targets: Ints,
    edges: int,
    max_edges: int,
) -> str | None:
    """The result of windows over a picture; None where the edges are better written one by one.

    Args:
        picture: gives the tensor (batch, channels, …) that the windows lie over.
        sources, targets: the channels that are kept on either side.
        edges: how many edges the windows stand for, of which `max_edges` may be written one by one.
    """
    taps = [_kept(t, sources, targets) for t in windows.taps]
    taps = [t for t in taps if len(t.weight)]
    kernels = [_kernels(windows, t.offset) for t in taps]
    if not taps or any(k is None for k in kernels):
        return None
    if aggregation == "max":
        only = kernels[0] if len(taps) == 1 else None
        return _max_pool(w, taps[0], only, picture, len(sources), len(targets)) if only else None
    if len(taps) > 1 and (average := _average_pool(w, windows, taps, picture, len(sources), len(targets))):
        return average
    found = [_weights(t, k, len(sources), len(targets)) for t, k in zip(taps, kernels, strict=True) if k]
    if len(taps) > 1 and sum(a.nbytes for a, _ in found) > BYTES * edges <= BYTES * max_edges:
        return None
    total = ""
    for own, kernel, (weights, groups) in zip(taps, kernels, found, strict=True):
        x = _scaled(w, own, picture, len(sources), len(targets)) if _is_plain(windows, own) else None
        x = x or w.Conv(picture(), weights, group=groups, **_attributes(kernel or ()))
        x = x if own.where is None else w.Where(own.where, x, np.zeros((), np.float32))
        total = w.Add(total, x) if total else x
    return total


def _kept(taps: Taps, sources: Ints, targets: Ints) -> Taps:
    """The taps between kept channels, which are counted anew."""
    kept = np.isin(taps.source, sources) & np.isin(taps.target, targets)
    source = np.searchsorted(sources, taps.source[kept])
    target = np.searchsorted(targets, taps.target[kept])
    return Taps(taps.where, taps.offset[kept], source, target, taps.weight[kept])


def _kernels(windows: Windows, offset: Ints) -> tuple[_Kernel, ...] | None:
    """How a kernel that has all taps lies; None where no attributes of a convolution say that."""
    found = []
    for d, (stride, room, positions) in enumerate(zip(windows.stride, windows.room, windows.positions, strict=True)):
        offsets = np.unique(offset[:, d])
        first = min(int(offsets[0]), 0)
        least = room - positions * stride  # a kernel that ends before has more positions: it gets weights of 0
        steps = np.unique(np.r_[first, offsets, max(least, int(offsets[-1]))]) - first
        dilation = math.gcd(*steps.tolist()) or 1
        size = int(steps[-1]) // dilation + 1
        reach = dilation * (size - 1) + 1
        after = max((positions - 1) * stride + first + reach - room, 0)
        if (room - first + after - reach) // stride + 1 != positions:
            return None
        found.append(_Kernel(first, size, dilation, stride, -first, after))
    return tuple(found)


def _attributes(kernels: tuple[_Kernel, ...]) -> dict[str, list[int]]:
    return {
        "kernel_shape": [k.size for k in kernels],
        "strides": [k.stride for k in kernels],
        "dilations": [k.dilation for k in kernels],
        "pads": [*(k.before for k in kernels), *(k.after for k in kernels)],
    }


def _places(taps: Taps, kernels: tuple[_Kernel, ...]) -> tuple[Ints, ...]:
    """Where in the kernel each tap is, by dimension."""
    return tuple((taps.offset[:, d] - k.first) // k.dilation for d, k in enumerate(kernels))


def _weights(taps: Taps, kernels: tuple[_Kernel, ...], sources: int, targets: int) -> tuple[Floats, int]:
    """The kernel of a convolution, and its number of groups."""
    groups = _groups(taps, sources, targets)
    inside = sources // groups
    weights = np.zeros((targets, inside, *(k.size for k in kernels)), np.float32)
    np.add.at(weights, (taps.target, taps.source % inside, *_places(taps, kernels)), taps.weight)
    return weights, groups


def _groups(taps: Taps, sources: int, targets: int) -> int:
    """The greatest number of groups that no tap joins two of."""
    most = math.gcd(sources, targets)
    for groups in sorted((g for g in range(1, most + 1) if most % g == 0), reverse=True):
        if (taps.target // (targets // groups) == taps.source // (sources // groups)).all():
            return groups
    return 1


def _is_plain(windows: Windows, taps: Taps) -> bool:
    """Whether every position reads the same one of the source."""
    return windows.room == windows.positions and set(windows.stride) == {1} and not taps.offset.any()


def _scaled(w: Writer, taps: Taps, picture: Callable[[], str], sources: int, targets: int) -> str | None:
    """Channels that are only taken, or multiplied by a number each."""
    if len(taps.weight) != targets or not np.array_equal(np.sort(taps.target), np.arange(targets)):
        return None
    order = np.argsort(taps.target)
    source, weight = taps.source[order], taps.weight[order].astype(np.float32)
    x = picture()
    x = x if np.array_equal(source, np.arange(sources)) else w.Gather(x, source.astype(np.int32), axis=1)
    return x if (weight == 1).all() else w.Mul(x, weight.reshape(-1, *[1] * taps.offset.shape[1]))


def _average_pool(
    w: Writer, windows: Windows, taps: Sequence[Taps], picture: Callable[[], str], sources: int, targets: int
) -> str | None:
    """An AveragePool, where every channel takes the mean of its window: of as much of it as lies in the picture."""
    kernels = _kernels(windows, np.concatenate([t.offset for t in taps]))
    if kernels is None or sources != targets:
        return None
    inside = _inside(windows, kernels)
    over_kernel = tuple(range(len(kernels)))
    there = np.zeros(inside.shape)
    for own in taps:
        if len(own.weight) % targets or (own.source != own.target).any():
            return None
        order = np.lexsort([own.target, *own.offset.T])
        offset, weight = own.offset[order].reshape(-1, targets, len(kernels)), own.weight[order].reshape(-1, targets)
        if (offset != offset[:, :1]).any() or (weight != weight[:, :1]).any():
            return None
        for o, each in zip(offset[:, 0], weight[:, 0], strict=True):
            place = tuple((int(i) - k.first) // k.dilation for i, k in zip(o, kernels, strict=True))
            there[place] += each * (inside[place] if own.where is None else own.where)
    if not np.allclose(there * inside.sum(axis=over_kernel), inside, rtol=1e-6, atol=1e-6):
        return None
    return w.AveragePool(picture(), count_include_pad=0, **_attributes(kernels))


def _inside(windows: Windows, kernels: Sequence[_Kernel]) -> npt.NDArray[np.bool_]:
    """For each tap of a kernel and each position, whether the tap lies in the picture there."""
    found = np.ones((), bool)
    for k, room, positions in zip(kernels, windows.room, windows.positions, strict=True):
        at = k.first + k.dilation * np.arange(k.size)[:, None] + k.stride * np.arange(positions)
        found = found[..., None, None] & (at >= 0) & (at < room)
    n = len(kernels)
    return found.transpose(*range(0, 2 * n, 2), *range(1, 2 * n, 2))


def _max_pool(
    w: Writer, taps: Taps, kernels: tuple[_Kernel, ...], picture: Callable[[], str], sources: int, targets: int
) -> str | None:
    """A MaxPool, where every channel takes the greatest of a full window over itself."""
    full = math.prod(k.size for k in kernels)
    if taps.where is not None or sources != targets or len(taps.weight) != targets * full:
        return None
    if (taps.weight != 1).any() or (taps.source != taps.target).any():
        return None
    if any(k.before >= k.size or k.after >= k.size for k in kernels):
        return None
    return w.MaxPool(picture(), **_attributes(kernels))
