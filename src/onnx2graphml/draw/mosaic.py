"""Many small pictures as one: tiles in rows with gaps between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from onnx2graphml.model import Array


@dataclass(frozen=True, eq=False)
class Mosaic:
    """Tiles in rows, from left to right, then downwards.

    Attributes:
        image: 2-D, in the tiles' type; a masked array, whose masked values are the gaps and what no tile fills.
        corners: row and column of each tile's upper left value in the image.
        tile: a tile's height and width.
    """

    image: Array
    corners: tuple[tuple[int, int], ...]
    tile: tuple[int, int]


def mosaic(tiles: Array, columns: int | None = None, gap: int | tuple[int, int] = 1) -> Mosaic:
    """Tiles of one size as one image.

    Args:
        tiles: shape (n, rows, columns), of numbers, none of them 0; what is masked stays so.
        columns: tiles in a row; by default so that the image is nearly a square.
        gap: masked values between neighbouring tiles; or two such numbers, between rows and between columns.

    Raises:
        ValueError: the array has another rank, or is empty.

    Example:
        >>> mosaic(np.arange(4).reshape(4, 1, 1)).image.filled(-1).tolist()
        [[0, -1, 1], [-1, -1, -1], [2, -1, 3]]
    """
    if tiles.ndim != 3 or tiles.size == 0:
        raise ValueError(f"tiles have shape {tiles.shape}; expected (n, rows, columns), none of them 0")
    n, height, width = tiles.shape
    below, beside = gap if isinstance(gap, tuple) else (gap, gap)
    high, wide = height + below, width + beside
    across = min(n, columns or square_columns(n, high, wide))
    down = math.ceil(n / across)
    data = np.zeros((down * across, high, wide), tiles.dtype)
    mask = np.ones(data.shape, bool)
    data[:n, :height, :width] = np.ma.getdata(tiles)
    mask[:n, :height, :width] = np.ma.getmaskarray(tiles)

    def arranged(parts: Array) -> Array:
        rows = parts.reshape(down, across, high, wide).swapaxes(1, 2).reshape(down * high, across * wide)
        return rows[: down * high - below, : across * wide - beside]

    corners = tuple((k // across * high, k % across * wide) for k in range(n))
    return Mosaic(np.ma.MaskedArray(arranged(data), arranged(mask)), corners, (height, width))


def square_columns(n: int, height: int, width: int) -> int:
    """How many of n tiles of that size stand in a row where the whole is as near to a square as can be.

    Example:
        >>> square_columns(64, 8, 8), square_columns(4, 1, 100), square_columns(5, 100, 1)
        (8, 1, 5)
    """
    guess = math.sqrt(n * height / width)
    around = {min(n, max(1, k)) for k in (math.floor(guess), math.ceil(guess))}
    return min(sorted(around), key=lambda k: max(k * width, math.ceil(n / k) * height))
