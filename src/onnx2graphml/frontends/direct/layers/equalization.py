"""`keras.layers`, preprocessing: contrast by the histograms of a picture's tiles."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.frontends.direct.activations import clip, select
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.preprocessing import in_range
from onnx2graphml.frontends.direct.registry import layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value

LEVELS = 256
"""Of a channel: whole numbers from 0 to 255."""


@layer(
    "ContrastLimitedAdaptiveHistogramEqualization",
    takes={"value_range": (0, 255), "clip_limit": 4.0, "tile_grid_size": (8, 8)},
    only={"data_format": "channels_last"},
    whole=True,
)
def ContrastLimitedAdaptiveHistogramEqualization(call: Call, x: Value) -> Value:
    """Each level replaced by the share of pixels below it in the tiles around, between which it is interpolated."""
    require(x.rank == 4 and x.dtype == np.float32, f"a picture of {x.shape} in {x.dtype}")
    values, grid = [float(n) for n in call["value_range"]], list(call["tile_grid_size"])
    require(len(grid) == 2 and min(grid) > 0, f"the tiles {grid}")
    require(all(n % g == 0 for n, g in zip(x.shape[1:3], grid, strict=True)), f"{x.shape} in {grid} tiles")
    tile = [n // g for n, g in zip(x.shape[1:3], grid, strict=True)]
    y = in_range(call, x, values, [0.0, 255.0])
    shares = _shares(call, _histograms(call, y, grid, tile), tile[0] * tile[1])
    y = _between(call, y, shares, tile)
    whole = [call.integers(each) for each in ([0, 0], list(x.shape[1:3]), [1, 2])]  # as Keras cuts off padding
    y = call.node("Slice", y, *whole, shape=x.shape)
    return in_range(call, y, [0.0, 255.0], values)


def _histograms(call: Call, y: Value, grid: list[int], tile: list[int]) -> Value:
    """How many pixels of each tile and channel have a level, of which none counts for more than a limit."""
    channels, pixels = y.shape[3], tile[0] * tile[1]
    tiles = call.reshape(y, (1, grid[0], tile[0], grid[1], tile[1], channels))
    tiles = call.reshape(call.transpose(tiles, [0, 1, 3, 5, 2, 4]), (1, *grid, channels, pixels))
    levels = call.cast(clip(call, call.cast(tiles, np.int32), 0, LEVELS - 1), np.int64)
    sizes, on = call.array(np.array([LEVELS], np.int32)), call.array(np.array([0, 1], np.float32))
    hot = call.node("OneHot", levels, sizes, on, shape=(*levels.shape, LEVELS), dtype=y.dtype, axis=-1)
    counts = call.reduce("ReduceSum", hot, [4], False)
    if call["clip_limit"] <= 0:
        return counts
    most = clip(call, counts, 0.0, call["clip_limit"] * pixels / LEVELS)
    above = call.reduce("ReduceSum", call.binary("Sub", counts, most), [4], True)
    return call.binary("Add", most, call.binary("Mul", above, call.inverse(LEVELS, above)))


def _shares(call: Call, counts: Value, pixels: int) -> Value:
    """What share of a tile's pixels have a level or one below it, as a number up to 255."""
    last = call.array(np.array(-1, np.int32))
    below = call.node("CumSum", counts, last, shape=counts.shape, exclusive=0, reverse=0)
    least = call.reduce("ReduceMin", below, [4], True)
    above = call.binary("Mul", call.binary("Sub", below, least), 255.0)
    rest = call.binary("Sub", float(pixels), least)
    one = call.array(np.ones(rest.shape, np.float32))
    rest = select(call, call.compare("Equal", rest, 0.0), one, rest)
    return clip(call, call.binary("Div", above, rest), 0.0, 255.0)


def _between(call: Call, y: Value, shares: Value, tile: list[int]) -> Value:
    """Each pixel's share in the four tiles around it, weighted by how near they are."""
    for axis in (1, 2):
        n = shares.shape[axis]
        ends = [call.slice(shares, axis, k, k + 1) for k in (0, n - 1)]
        shares = call.concat([ends[0], shares, ends[1]], axis)
    flat = call.reshape(shares, (shares.size,))
    channels = y.shape[3]
    step = LEVELS * channels
    rows, columns = (_neighbours(y.shape[k + 1], tile[k], shares.shape[k + 1]) for k in (0, 1))
    levels = call.cast(clip(call, y, 0.0, 255.0), np.int32)
    own = np.arange(channels, dtype=np.int32).reshape(1, 1, 1, -1) * np.int32(LEVELS)
    base = call.binary("Add", call.array(own), levels)
    lines: list[Value] = []
    for row, near_row in rows:
        line: list[Value] = []
        for column, near_column in columns:
            place = row[None, :, None, None] * (step * shares.shape[2]) + column[None, None, :, None] * step
            taken = _taken(call, flat, call.binary("Add", base, call.array(place.astype(np.int32))))
            line.append(call.binary("Mul", taken, call.array(near_column.reshape(1, 1, -1, 1))))
        both = call.binary("Add", line[0], line[1])
        lines.append(call.binary("Mul", both, call.array(near_row.reshape(1, -1, 1, 1))))
    return call.binary("Add", lines[0], lines[1])


def _neighbours(size: int, tile: int, tiles: int) -> list[tuple[npt.NDArray[Any], npt.NDArray[np.float32]]]:
    """For each position along an axis the tile before it and the one behind it, and how much of either it has."""
    one = np.float32(1)
    at = (np.arange(size, dtype=np.float32) - np.float32(tile / 2)) / np.float32(tile) + one
    first = np.floor(at)
    behind = at - first
    both = ((first, one - behind), (first + one, behind))
    return [(np.clip(k, 0, tiles - 1).astype(np.int32), near) for k, near in both]


def _taken(call: Call, flat: Value, place: Value) -> Value:
    """What is in these places, which would count from the end below 0."""
    single = call.cast(place, np.float32)
    below = call.compare("Less", single, 0.0)
    size = call.array(np.array(flat.size, np.int32))
    place = select(call, below, call.binary("Add", place, size), place)
    return call.node("Gather", flat, place, shape=place.shape, axis=0)
