"""Tiles of one size side by side: as large as the room allows, each with its label and its border."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from onnx2graphml.draw.colours import Scale, painted
from onnx2graphml.draw.page import SMALL, Image, Mark, Path, Piece, Pixels, Text, line
from onnx2graphml.model import Array
from onnx2graphml.text import DIGIT

BORDER = (176, 176, 176, 255)
GAP = 4  # pixels between tiles, their borders among them
LABEL = 15  # pixels above a tile, for its label
SHAPE = 1.4  # width to height of all tiles, if it makes no other difference
ZOOM = 48  # pixels of a value at most
READABLE = 10  # pixels of a tile's side from which on every tile has a label
SIGN = "#8c8c8c"
THINNEST = 6  # pixels of a tile's side at least, where there is room


@dataclass(frozen=True, eq=False)
class Mosaic:
    """Tiles of one size.

    Attributes:
        tiles: values, shape (n, rows, columns), masked where there is none; or colours, (n, rows, columns, 3), uint8.
        labels: of each tile; none, or one for each.
        scales: of the colours of values: one for all, or one for each.
        columns: tiles in a row; None for those that make them largest.
        sides: labels of the rows and of the columns of tiles, instead of labels of tiles.
        marked: whether tiles that have one value everywhere get a sign.
        zoom: pixels of a value at most.
    """

    coloured: ClassVar[bool] = True

    tiles: Array
    labels: tuple[str, ...] = ()
    scales: tuple[Scale, ...] = ()
    columns: int | None = None
    sides: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    marked: bool = True
    zoom: float = ZOOM

    def placed(self, width: float, height: float) -> Piece:
        """The tiles in a room of so many pixels."""
        grid = self.grid(width, height)
        marks: list[Mark] = [self._image(grid)]
        marks += self._labels(grid)
        if self.marked and self.scales:
            marks += _signs(self.tiles, grid)
        return Piece(grid.width, grid.height, tuple(marks), grid.notes(self.tiles.shape))

    def grid(self, width: float, height: float) -> Grid:
        """Where each tile stands."""
        n, rows, columns = self.tiles.shape[:3]
        left, top = (_width(names) + 4 if names else 0 for names in self.sides)
        top = LABEL if top else 0
        room = (width - left - 1, height - top - 1)
        label, least = (LABEL, _width(self.labels)) if self.labels else (0, 0.0)
        across, zoom = _largest(n, (rows, columns), room, label, least, self.columns, self.zoom)
        if label and zoom * max(rows, columns) < READABLE:  # too many for labels: each row says where it begins
            label, least, left = 0, 0.0, _width(self.labels) + 4
            across, zoom = _largest(n, (rows, columns), (width - left - 1, height - 1), 0, 0.0, self.columns, self.zoom)
        high, wide = (max(round(k * zoom), 1) for k in (rows, columns))
        down = math.ceil(n / across)
        high = max(high, min(THINNEST, int(room[1] / down - GAP - label)))
        wide = max(wide, min(THINNEST, int(room[0] / across - GAP)))
        return Grid(n, across, (high, wide), max(wide, math.ceil(least)) + GAP, high + GAP + label, left, top + label)

    def _image(self, grid: Grid) -> Image:
        high, wide = grid.tile
        if self.tiles.ndim == 4:
            every = np.stack([resized(self.tiles[..., k], high, wide) for k in range(3)], axis=-1)
            opaque = np.full((*every.shape[:3], 1), 255, np.uint8)
            coloured = np.concatenate([every.round().astype(np.uint8), opaque], axis=-1)
        else:
            values = resized(self.tiles, high, wide)
            one = len(self.scales) == 1
            coloured = (
                painted(values, self.scales[0])
                if one
                else np.stack([painted(v, s) for v, s in zip(values, self.scales, strict=True)])
            )
        return Image(grid.left, grid.top - 1, _pasted(coloured, grid))

    def _labels(self, grid: Grid) -> list[Mark]:
        marks: list[Mark] = []
        high, wide = grid.tile
        if self.labels and grid.left:
            for k in range(0, grid.count, grid.across):
                x, y = grid.corner(k)
                marks.append(Text(x - 5, y + high / 2, self.labels[k], SMALL, align="right", base="center"))
        elif self.labels:
            marks += [Text(*_above(grid.corner(k)), text, SMALL) for k, text in enumerate(self.labels)]
        rows, columns = self.sides
        for k, text in enumerate(rows):
            _, y = grid.corner(k * grid.across)
            marks.append(Text(grid.left - 4, y + high / 2, text, SMALL, align="right", base="center"))
        for k, text in enumerate(columns):
            x, y = grid.corner(k)
            marks.append(Text(x + wide / 2, y - 4, text, SMALL, align="center"))
        return marks


def _above(corner: tuple[float, float]) -> tuple[float, float]:
    return corner[0], corner[1] - 4


@dataclass(frozen=True)
class Grid:
    """Where tiles stand.

    Attributes:
        count: of tiles.
        across: tiles in a row.
        tile: a tile's height and width in pixels.
        pitch_x, pitch_y: from a tile to the next one.
        left, top: of the first tile's border and of the first tile.
    """

    count: int
    across: int
    tile: tuple[int, int]
    pitch_x: int
    pitch_y: int
    left: float
    top: float

    @property
    def down(self) -> int:
        """The number of rows of tiles."""
        return math.ceil(self.count / self.across)

    @property
    def width(self) -> float:
        """In pixels."""
        return self.left + 2 + (min(self.across, self.count) - 1) * self.pitch_x + max(self.tile[1], self.pitch_x - GAP)

    @property
    def height(self) -> float:
        """In pixels."""
        return self.top + (self.down - 1) * self.pitch_y + self.tile[0] + 1

    def corner(self, k: int) -> tuple[float, float]:
        """The upper left corner of a tile, x and y."""
        row, column = divmod(k, self.across)
        return self.left + 1 + column * self.pitch_x, self.top + row * self.pitch_y

    def notes(self, shape: tuple[int, ...]) -> tuple[str, ...]:
        """That a tile has fewer pixels than values, where that is so."""
        sides = list(zip(shape[1:3], self.tile, strict=True))
        down, across = (math.ceil(n / pixels) for n, pixels in sides)
        some = "up to " if any(n > pixels and n % pixels for n, pixels in sides) else ""
        return (f"each pixel is the mean of {some}{down}×{across} values",) if max(down, across) > 1 else ()


def _largest(
    n: int,
    tile: tuple[int, int],
    room: tuple[float, float],
    label: float,
    least: float,
    columns: int | None,
    most: float,
) -> tuple[int, float]:
    """How many tiles in a row make them largest, and how many pixels a value then takes, `most` at most."""
    best, shape = (columns or 1, 0.0), math.inf
    down = 0
    for across in [columns] if columns else range(1, n + 1):
        if math.ceil(n / across) == down:
            continue  # as many rows as with fewer columns
        down = math.ceil(n / across)
        wide, high = room[0] / across - GAP, room[1] / down - GAP - label
        if across > 1 and wide < least:
            break
        zoom = _whole(min(wide / tile[1], high / tile[0], most))
        ratio = across * (max(zoom * tile[1], least) + GAP) / (down * (zoom * tile[0] + GAP + label))
        off = abs(math.log(ratio / SHAPE)) if zoom > 0 else math.inf
        if zoom > best[1] or (zoom == best[1] and off < shape):
            best, shape = (across, zoom), off
    return best


def _whole(zoom: float) -> float:
    """A whole number of pixels for each value, if that is not much less; then all values are of one size."""
    return math.floor(zoom) if math.floor(zoom) >= 0.85 * zoom else zoom


def _width(names: tuple[str, ...]) -> float:
    """The pixels that the longest of some labels takes."""
    return math.ceil(DIGIT * SMALL * max(map(len, names), default=0))


def resized(tiles: Array, high: int, wide: int) -> Array:
    """Each tile with so many rows and columns: values are repeated, or replaced by the means of blocks.

    Example:
        >>> resized(np.array([[[1.0, 3.0]]]), 2, 1).tolist()
        [[[2.0], [2.0]]]
    """
    sizes = ((1, high), (2, wide))
    starts = {axis: (np.arange(size) * tiles.shape[axis]) // size for axis, size in sizes}
    for axis, size in sizes:
        if tiles.shape[axis] <= size:
            tiles = tiles.take(starts.pop(axis), axis=axis)
    return _means(tiles, starts) if starts else tiles


def _means(tiles: Array, starts: Mapping[int, npt.NDArray[np.int64]]) -> Array:
    """Means over blocks that begin there, along those axes, of what is not masked."""
    sums = np.ma.filled(tiles, 0).astype(np.float64)  # in which the largest values can be added
    counts = (~np.ma.getmaskarray(tiles)).astype(np.float64)
    with np.errstate(all="ignore"):
        for axis, at in starts.items():
            sums, counts = (np.add.reduceat(a, at, axis=axis) for a in (sums, counts))
        means = sums / counts
    return np.ma.MaskedArray(means, counts == 0) if np.ma.isMaskedArray(tiles) else means


def _pasted(coloured: Pixels, grid: Grid) -> Pixels:
    """The tiles on white, each with a border of a pixel."""
    high, wide = grid.tile
    out = np.zeros(
        (int((grid.down - 1) * grid.pitch_y) + high + 2, (grid.across - 1) * grid.pitch_x + wide + 2, 4), np.uint8
    )
    out[..., :3] = 255
    for k, tile in enumerate(coloured):
        row, column = divmod(k, grid.across)
        y, x = row * grid.pitch_y, column * grid.pitch_x
        out[y : y + high + 2, x : x + wide + 2] = BORDER
        out[y + 1 : y + high + 1, x + 1 : x + wide + 1] = tile
    return out


def _signs(tiles: Array, grid: Grid) -> list[Mark]:
    """A cross on tiles that are zero everywhere, a square on those of one value."""
    side = min(24.0, 0.6 * min(grid.tile))
    crosses, squares = [], []
    for k in np.flatnonzero(dead(tiles)).tolist():
        x, y = _middle(grid, k, side)
        crosses += [("M", (x, y)), ("L", (x + side, y + side)), ("M", (x + side, y)), ("L", (x, y + side))]
    for k in np.flatnonzero(constant(tiles)).tolist():
        x, y = _middle(grid, k, side)
        squares += [*line([(x, y), (x + side, y), (x + side, y + side), (x, y + side)]).commands, ("Z", ())]
    return [Path(tuple(commands), stroke=SIGN, line=1.6) for commands in (crosses, squares) if commands]


def _middle(grid: Grid, k: int, side: float) -> tuple[float, float]:
    x, y = grid.corner(k)
    return x + (grid.tile[1] - side) / 2, y + (grid.tile[0] - side) / 2


def dead(tiles: Array) -> npt.NDArray[np.bool_]:
    """Which tiles, of more than one value, are zero everywhere."""
    return np.asarray((np.ma.filled(tiles, 0) == 0).all((1, 2)) & (tiles[0].size > 1))


def constant(tiles: Array) -> npt.NDArray[np.bool_]:
    """Which tiles, of more than one value, are the same everywhere, but not zero."""
    first = np.ma.getdata(tiles)[:, :1, :1]
    same = (np.ma.getdata(tiles) == first) | np.ma.getmaskarray(tiles)
    known = np.isfinite(first[:, 0, 0]) & (first[:, 0, 0] != 0)
    return np.asarray(same.all((1, 2)) & known & (tiles[0].size > 1))
