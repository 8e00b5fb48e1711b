"""Panels of an array as a figure: each under a line that says what it shows, with the original indices beside it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.draw.colours import Scale, painted, scale_of
from onnx2graphml.draw.figures import DPI, NORMAL, SMALL, colour_bar, figure, number, shortened, write
from onnx2graphml.draw.mosaic import mosaic, square_columns
from onnx2graphml.draw.passage.panel import Box, place
from onnx2graphml.draw.weights.panels import Panel
from onnx2graphml.parameters.statistics import Statistics

Array = npt.NDArray[Any]

LEAST, MOST = 760, 1400  # pixels of a figure's width, and of a panel's either way
LEFT, RIGHT = 80, 120  # beside a panel: indices, and a colour bar
ABOVE, BELOW = 46, 14  # a panel: the indices of columns
LINE = 19  # pixels from one line of text to the next
LETTER = 1.12  # pixels of a letter's width for each point of its size, at most for what is written here
BOLD = 1.25  # times as wide are bold letters
ZOOM = 40  # pixels of a number at most
BARS = 160  # a vector's height, and up to as many numbers it has bars


@dataclass(frozen=True, eq=False)
class Drawn:
    """A panel's image: 2-D or with colours, and how large its numbers are.

    Attributes:
        image: masked between tiles.
        corners: the upper left of each tile; empty for a matrix.
        tile: a tile's height and width.
        zoom: pixels of a number, vertically and horizontally.
    """

    image: Array
    corners: tuple[tuple[int, int], ...]
    tile: tuple[int, int]
    zoom: tuple[float, float]

    @property
    def size(self) -> tuple[float, float]:
        """Height and width in pixels."""
        return self.image.shape[0] * self.zoom[0], self.image.shape[1] * self.zoom[1]


def drawn(panel: Panel) -> Drawn:
    """The image of a panel that is no vector."""
    if panel.form == "matrix":
        rows, columns = panel.values.shape
        down, across = (max(1.0, min(ZOOM, math.floor(MOST / 2 / n))) for n in (rows, columns))
        both = min(down, across) if max(rows, columns) < 8 * min(rows, columns) else 0
        return Drawn(panel.values, (), (1, 1), (both, both) if both else (down, across))
    if panel.form == "table":
        ins, outs, high, wide = panel.values.shape
        zoom = max(1, min(24, MOST // (ins * (high + 1)), MOST // (outs * (wide + 1))))
        kernels = mosaic(panel.values.reshape(ins * outs, high, wide), outs, 1)
        return Drawn(kernels.image, kernels.corners, kernels.tile, (zoom, zoom))
    _, high, wide = panel.values.shape[:3]
    zoom = max(2, min(ZOOM, 100 // max(high, wide)))
    gap = math.ceil(LINE / zoom)
    columns = min(square_columns(len(panel.values), high + gap, wide + gap), max(1, MOST // (zoom * (wide + gap))))
    parts = [panel.values] if panel.form == "grid" else [panel.values[..., k] for k in range(3)]
    made = [mosaic(part, columns, gap) for part in parts]
    image = made[0].image if panel.form == "grid" else np.ma.stack([m.image for m in made], axis=-1)
    return Drawn(image, made[0].corners, made[0].tile, (zoom, zoom))


def scale(panel: Panel) -> Scale:
    """The limits of a panel's colours: those of what it shows; for colours, of all three together."""
    found = scale_of([panel.values])
    if panel.form != "colours":
        return found
    limit = max(abs(found.low), abs(found.high))
    return Scale(-limit, limit, True)


def array_figure(head: Sequence[str], panels: Sequence[Panel]) -> Any:
    """A figure of all panels, one below the other.

    Args:
        head: lines above them, the first one bold; long ones are wrapped.
    """
    images = [None if p.form == "vector" else drawn(p) for p in panels]
    sizes = [_vector_size(p) if d is None else d.size for p, d in zip(panels, images, strict=True)]
    width = max(LEAST, max(wide for _, wide in sizes) + LEFT + RIGHT)
    bold = _wrapped(head[0], width, BOLD * NORMAL)
    lines = bold + [part for line in head[1:] for part in _wrapped(line, width, NORMAL)]
    statements = [_wrapped(panel.statement, width, SMALL) for panel in panels]
    text = LINE * sum(len(s) for s in (lines, *statements))
    height = text + 30 + sum(high + ABOVE + BELOW for high, _ in sizes)
    made = figure(width / DPI, height / DPI)
    for k, line in enumerate(lines):
        write(
            made,
            20 / width,
            1 - (16 + LINE * k) / height,
            line,
            NORMAL,
            va="top",
            weight="bold" if k < len(bold) else None,
        )
    y = 16.0 + LINE * len(lines)
    for panel, statement, image, (high, wide) in zip(panels, statements, images, sizes, strict=True):
        for line in statement:
            write(made, 20 / width, 1 - (y + 4) / height, line, SMALL, va="top", color="0.35")
            y += LINE
        box = Box(LEFT, y + ABOVE, wide, high)
        if image is None:
            _draw_vector(made, Box(LEFT, y + 16, wide, high), panel)
        else:
            _draw_image(made, box, panel, image)
        y += high + ABOVE + BELOW
    return made


def _wrapped(text: str, width: float, size: float) -> list[str]:
    """A text in lines that fit a figure of so many pixels."""
    return textwrap.wrap(text, int((width - 40) / (LETTER * size)))


def _draw_image(made: Any, box: Box, panel: Panel, image: Drawn) -> None:
    limits = scale(panel)
    axes = place(made, box)
    axes.axis("off")
    axes.imshow(_colours(image.image, limits, panel.form), interpolation="none", aspect="auto")
    if panel.form != "colours":
        colour_bar(made, axes, limits)
    if panel.form in ("grid", "colours"):
        for index, (row, column) in zip(panel.columns, image.corners, strict=True):
            write(axes, column - 0.5, row - 0.5 - 2 / image.zoom[0], str(index), SMALL, va="bottom")
        return
    high, wide = image.tile
    step = 0 if panel.form == "matrix" else 1
    columns = _labelled(len(panel.columns), image.zoom[1] * (wide + step))
    turned = 90 if columns.step * image.zoom[1] * (wide + step) < 48 else 0
    for k in columns:
        x = k * (wide + step) + (wide - 1) / 2
        text = str(panel.columns[k])
        write(axes, x, -0.5 - 3 / image.zoom[0], text, SMALL, rotation=turned, ha="center", va="bottom")
    for k in _labelled(len(panel.rows), image.zoom[0] * (high + step)):
        y = k * (high + step) + (high - 1) / 2
        write(axes, -0.5 - 4 / image.zoom[1], y, str(panel.rows[k]), SMALL, ha="right", va="center")


def _labelled(n: int, pixels: float) -> range:
    """Which of n rows or columns of so many pixels say their index: all, or each second, fifth, tenth ...

    Example:
        >>> list(_labelled(3, 20.0)), list(_labelled(20, 7.0))
        ([0, 1, 2], [0, 10])
    """
    if pixels >= 14:
        return range(n)
    return range(0, n, next(f * 10**k for k in range(20) for f in (1, 2, 5) if f * 10**k * pixels >= 48))


def _colours(image: Array, limits: Scale, form: str) -> Array:
    if form != "colours":
        return painted(image, limits)
    share = 0.5 + np.ma.filled(image, 0).astype(np.float64) / (2 * (limits.high or 1))
    share[np.ma.getmaskarray(image)] = 1  # the gaps are white
    return share


def _vector_size(panel: Panel) -> tuple[float, float]:
    return BARS, min(MOST - 300, max(420, 16 * len(panel.values)))


def _draw_vector(made: Any, box: Box, panel: Panel) -> None:
    axes = place(made, box)
    values = panel.values.astype(np.float64)
    x = np.arange(len(values))
    if len(values) <= BARS:
        axes.bar(x, values, width=0.8, color="#31688e")
    else:
        axes.plot(x, values, color="#31688e", linewidth=0.7)
    axes.axhline(0, color="0.4", linewidth=0.6)
    axes.set_xlim(-0.7, len(values) - 0.3)
    shown = _labelled(len(values), box.width / len(values))
    axes.set_xticks(list(shown), [str(panel.columns[k]) for k in shown], rotation=0 if shown.step > 1 else 90)
    axes.tick_params(labelsize=SMALL, length=2)
    axes.spines[["top", "right"]].set_visible(False)


def histogram_figure(head: str, named: Sequence[tuple[str, Statistics]]) -> Any:
    """The distribution of each array of a layer, side by side.

    Args:
        named: arrays with a histogram, at least one.
    """
    across = min(4, len(named))
    down = math.ceil(len(named) / across)
    each, high = 340, 220
    width, height = max(LEAST, 20 + across * each), 50 + down * high
    made = figure(width / DPI, height / DPI)
    write(made, 20 / width, 1 - 16 / height, shortened(head, 60), NORMAL, va="top", weight="bold")
    for k, (name, found) in enumerate(named):
        x, y = 70 + (k % across) * each, 74 + (k // across) * high
        axes = place(made, Box(x, y, each - 90, high - 70))
        edges = np.array(found.edges)
        if edges[0] == edges[-1]:
            edges += (-0.5, 0.5)
        axes.stairs(found.counts, edges, fill=True, color="#31688e")
        if edges[0] < 0 < edges[-1]:
            axes.axvline(0, color="0.4", linewidth=0.6)
        axes.tick_params(labelsize=SMALL, length=2)
        axes.set_yticks([0, max(found.counts)], ["0", f"{max(found.counts):,}"])
        axes.set_xticks([edges[0], edges[-1]], [number(v) for v in (found.edges[0], found.edges[-1])])
        axes.spines[["top", "right"]].set_visible(False)
        write(made, x / width, 1 - (y - 4) / height, shortened(name, 32), SMALL, va="bottom")
    return made
