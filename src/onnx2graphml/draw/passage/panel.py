"""One layer in a rectangle of a figure: its tiles with numbers, marks and colour bar; for a vector also a line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.draw.colours import NOT_FINITE, Scale, coloured, shares
from onnx2graphml.draw.figures import DPI, SMALL, colour_bar, number, write
from onnx2graphml.draw.mosaic import Mosaic, mosaic, square_columns
from onnx2graphml.model import Array
from onnx2graphml.recording.tiles import Tiles, reduced

BAR = 110  # pixels to the right of an image, for its colour bar
LABEL = 19  # pixels above a tile, for its number
LABELLED = 34  # pixels of a tile's width from which on it has a number
ZOOM = 48  # pixels that a value takes at most
POINTS = 4000  # of a line; a longer one becomes a band


@dataclass(frozen=True)
class Box:
    """A rectangle of a figure in pixels, from the upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """How tiles fill a room.

    Attributes:
        block: each pixel of a tile is the mean of so many by so many values.
        columns: tiles in a row.
        gap: values between tiles, vertically and horizontally.
        zoom: the pixels that a value takes each way; less than 1 only where nothing else helps.
        labels: whether there is room for numbers.
        width, height: in pixels, with the numbers.
    """

    block: int
    columns: int
    gap: tuple[int, int]
    zoom: float
    labels: bool
    width: float
    height: float


def layout(tiles: Tiles, width: float, height: float) -> Layout:
    """The layout of the largest whole zoom in a room of so many pixels; of means, where values don't fit."""
    n, rows, columns = tiles.array.shape
    lines = tiles.view.form == "lines"
    space = 0 if lines else 1
    for block in range(1, max(rows, columns) + 1):
        high, wide = math.ceil(rows / block), math.ceil(columns / block)
        across = 1 if lines else square_columns(n, high + space, wide + space)
        down = math.ceil(n / across)
        full = (across * (wide + space) - space, down * (high + space) - space)
        if full[0] <= width and full[1] <= height:
            break
    zoom = min(ZOOM, width / full[0], height / full[1])
    zoom = math.floor(zoom) if zoom >= 1 else zoom
    labelled = zoom
    while n > 1 and not lines and labelled >= 1 and labelled * wide >= LABELLED:
        gap = math.ceil(LABEL / labelled)
        tall = labelled * (down * (high + gap) - gap) + LABEL
        if tall <= height:
            return Layout(block, across, (gap, space), labelled, True, labelled * full[0], tall)
        labelled -= 1
    return Layout(block, across, (space, space), zoom, False, zoom * full[0], zoom * full[1])


def draw_tiles(figure: Any, x: float, y: float, tiles: Tiles, scales: tuple[Scale, ...], made: Layout) -> None:
    """Tiles to the right of x and below y, in pixels, and their colour bar to the right of them."""
    whole = mosaic(reduced(tiles.array, made.block), made.columns, made.gap)
    top = LABEL if made.labels else 0
    high, wide = whole.image.shape
    axes = place(figure, Box(x, y + top, made.zoom * wide, made.zoom * high))
    axes.axis("off")
    kind = "none" if made.zoom >= 1 else "antialiased"
    axes.imshow(colours(tiles, whole, made, scales), interpolation=kind, aspect="auto")
    if made.labels:
        for index, (row, column) in zip(tiles.indices, whole.corners, strict=True):
            text = ",".join(map(str, index))
            write(axes, column - 0.5, row - 0.5 - 2 / made.zoom, text, SMALL, va="bottom")
    _mark(axes, tiles, whole, made.zoom)
    scale = scales[0]
    if len(scales) == 1:
        colour_bar(figure, axes, scale)
    else:
        names = ("-max|x|", "0", "max|x|") if scale.diverging else ("0", "max")
        colour_bar(figure, axes, Scale(-1.0 if scale.diverging else 0.0, 1.0, scale.diverging), names)


def place(figure: Any, box: Box) -> Any:
    """Axes on exactly these pixels."""
    wide, high = figure.get_size_inches() * DPI
    return figure.add_axes((box.x / wide, 1 - (box.y + box.height) / high, box.width / wide, box.height / high))


def colours(tiles: Tiles, whole: Mosaic, made: Layout, scales: tuple[Scale, ...]) -> npt.NDArray[np.uint8]:
    """The colours of a mosaic whose tiles have one scale, or each its own."""
    if len(scales) == 1:
        share = shares(np.ma.getdata(whole.image), scales[0].low, scales[0].high)
    else:
        low, high = (np.array([getattr(s, end) for s in scales])[:, None, None] for end in ("low", "high"))
        each = shares(np.ma.getdata(reduced(tiles.array, made.block)), low, high)
        share = np.ma.getdata(mosaic(each, made.columns, made.gap).image)
    return coloured(whole.image, share, scales[0].diverging)


def _mark(axes: Any, tiles: Tiles, whole: Mosaic, zoom: float) -> None:
    """Signs on tiles that have but one value."""
    height, width = whole.tile
    points = 72 / DPI * min(24.0, 0.6 * zoom * min(height, width))
    for found, marker in ((dead(tiles.array), "x"), (constant(tiles.array), "s")):
        corners = [c for c, f in zip(whole.corners, found, strict=True) if f]
        if corners:
            y, x = np.transpose(corners)
            where = (x + (width - 1) / 2, y + (height - 1) / 2)
            axes.scatter(*where, s=points**2, marker=marker, facecolors="0.55" if marker == "x" else "none",
                         edgecolors=None if marker == "x" else "0.55", linewidths=0.8)  # fmt: skip


def dead(tiles: Array) -> npt.NDArray[np.bool_]:
    """Which tiles, of more than one value, are zero everywhere."""
    return np.asarray((np.ma.filled(tiles, 0) == 0).all((1, 2)) & (tiles[0].size > 1))


def constant(tiles: Array) -> npt.NDArray[np.bool_]:
    """Which tiles, of more than one value, are the same everywhere, but not zero."""
    first = np.ma.getdata(tiles)[:, :1, :1]
    same = (np.ma.getdata(tiles) == first) | np.ma.getmaskarray(tiles)
    known = np.isfinite(first[:, 0, 0]) & (first[:, 0, 0] != 0)
    return np.asarray(same.all((1, 2)) & known & (tiles[0].size > 1))


def points_in_one(values: int) -> int:
    """How many values of a vector a place on its line stands for, with the least and the greatest of them.

    Example:
        >>> points_in_one(1000), points_in_one(25088)
        (1, 13)
    """
    return 1 if values <= POINTS else math.ceil(2 * values / POINTS)


def draw_vector(figure: Any, box: Box, vector: Array, scale: Scale) -> None:
    """A vector's values over their positions: bars if they are few, otherwise a line."""
    from matplotlib.ticker import MaxNLocator

    left = 62
    axes = place(figure, Box(box.x + left, box.y, box.width - left - 20, box.height - 34))
    values = np.asarray(vector, np.float64)
    finite = np.isfinite(values)
    high = max(abs(scale.low), abs(scale.high)) or 1.0
    shown = np.where(finite, values, np.nan) / high  # as shares of the greatest: no number is too great for a plot
    x = np.arange(len(values))
    if len(values) <= 64:
        axes.bar(x, np.nan_to_num(shown), width=0.8, color="#31688e")
    else:
        step = points_in_one(len(values))
        if step == 1:
            axes.plot(x, shown, color="#31688e", linewidth=0.8)
        else:
            starts = np.arange(0, len(values), step)
            ends = [f.reduceat(shown, starts) for f in (np.fmin, np.fmax)]
            axes.fill_between(starts + (step - 1) / 2, *ends, color="#31688e", linewidth=0.8)
    if not finite.all():
        axes.scatter(x[~finite], np.zeros((~finite).sum()), color=[c / 255 for c in NOT_FINITE], marker="x", s=16)
    axes.axhline(0, color="0.4", linewidth=0.6)
    axes.set_xlim(-0.7, len(values) - 0.3)
    low = -1 if scale.diverging else 0
    axes.set_ylim(low * 1.08, 1.08)
    ticks = [low, 0, 1] if low else [0, 1]
    axes.set_yticks(ticks, [number(t * high if scale.high else t) for t in ticks], size=SMALL, parse_math=False)
    positions = sorted({int(p) for p in MaxNLocator(nbins=8, integer=True).tick_values(0, len(values) - 1)})
    axes.set_xticks([p for p in positions if 0 <= p < len(values)])
    axes.tick_params(labelsize=SMALL, length=2)
    axes.spines[["top", "right"]].set_visible(False)
