"""A layer's picture: its value as tiles, what their colours mean, and what is to be said about them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnx2graphml.draw.colours import Scale, scale_of
from onnx2graphml.draw.figures import DPI, LARGE, NORMAL, SMALL, figure, shortened, write
from onnx2graphml.draw.passage.panel import (
    BAR,
    Box,
    Layout,
    constant,
    dead,
    draw_tiles,
    draw_vector,
    layout,
    points_in_one,
)
from onnx2graphml.graph.attributes import layer_entry
from onnx2graphml.graph.graph import Layer
from onnx2graphml.model import Array
from onnx2graphml.recording.tiles import Tiles

WIDTH, HEIGHT = 1400, 1250  # pixels that a picture's tiles take at most, with their colour bar
LEAST = 620  # pixels of a picture's width
MARGIN, TITLE, LINE, LETTER = 30, 66, 20, 9.5
VECTOR = 330  # the height of a vector's line
HEAD, NOTES, SMALL_LINE = 48, 3, 17  # on a sheet: the pixels above a picture, the lines below, a line's pixels


@dataclass(frozen=True, eq=False)
class LayerPicture:
    """What is shown of a layer.

    Attributes:
        layer: which.
        value: all that it came to, in its shape.
        tiles: the arrays drawn, and which channels they are.
        scales: of the colours: one for all tiles, or one for each.
        file: the picture's name in its folder.
    """

    layer: Layer
    value: Array
    tiles: Tiles | None
    scales: tuple[Scale, ...]
    file: str

    @property
    def notes(self) -> list[str]:
        """What the picture has to say of what is in it and what is not, a line each."""
        if self.tiles is None:
            return ["no neurons"]
        said = [_vector_note(self.value)] if self.tiles.view.form == "vector" else [self.tiles.statement]
        for count, sign, what in (
            (int(dead(self.tiles.array).sum()), "×", "zero everywhere"),
            (int(constant(self.tiles.array).sum()), "□", "one value everywhere"),
        ):
            if count:
                many = f": {count:,} of {len(self.tiles.array):,} shown" if len(self.tiles.array) > 1 else ""
                said.append(f"{sign} {what}{many}")
        return [*[s for s in said if s], *_not_finite(self.value)]

    def entry(self) -> dict[str, Any]:
        """What the manifest tells of it."""
        limits = [{"low": s.low, "high": s.high, "diverging": s.diverging} for s in self.scales]
        shown = {"tiles": [list(i) for i in self.tiles.indices], "of": self.tiles.of} if self.tiles else {}
        return {**layer_entry(self.layer), "file": self.file, "scales": limits, "notes": self.notes, **shown}


def scales_of(tiles: Tiles | None, value: Array, each: bool, whole: Scale | None = None) -> tuple[Scale, ...]:
    """The scales of a layer's tiles.

    Args:
        each: a scale for each tile; all part at zero if one of them does.
        whole: the scale of all, if that is given.
    """
    if whole is not None:
        return (whole,)
    if not each or tiles is None or len(tiles.array) == 1:
        return (scale_of([value]),)
    scales = [scale_of([tile]) for tile in tiles.array]
    if any(s.diverging for s in scales):
        scales = [Scale(-s.high, s.high, True) for s in scales]
    return tuple(scales)


def layer_figure(picture: LayerPicture) -> Any:
    """A figure of a layer: title, tiles, notes."""
    body = _Body(picture, WIDTH, HEIGHT)
    width = max(LEAST, body.width) + 2 * MARGIN
    below = TITLE + body.height + 12
    lines = wrapped_notes(body.notes, width)
    height = below + LINE * len(lines) + MARGIN
    drawn = figure(width / DPI, height / DPI)
    write_at(drawn, MARGIN, 30, shortened(picture.layer.name, int(width / 15)), LARGE, weight="bold")
    write_at(drawn, MARGIN, 54, shortened(described(picture.layer), int(width / 10)), NORMAL)
    body.draw(drawn, MARGIN, TITLE, width - 2 * MARGIN)
    for k, line in enumerate(lines):
        write_at(drawn, MARGIN, below + LINE * (k + 0.8), line, NORMAL, color="0.25")
    return drawn


def wrapped_notes(notes: Sequence[str], width: float) -> list[str]:
    """Notes in lines that fit into a figure of so many pixels."""
    return [line for note in notes for line in textwrap.wrap(note, int((width - 2 * MARGIN) / LETTER))]


def draw_cell(drawn: Any, box: Box, picture: LayerPicture) -> None:
    """A layer in a rectangle of a sheet: name, shape, picture, and the notes in small."""
    body = _Body(picture, box.width, box.height - HEAD - NOTES * SMALL_LINE - 8)
    write_at(drawn, box.x, box.y + 18, shortened(picture.layer.name, int(box.width / 12)), NORMAL, weight="bold")
    write_at(drawn, box.x, box.y + 38, shape_text(picture.layer), SMALL)
    body.draw(drawn, box.x, box.y + HEAD, box.width)
    lines = textwrap.wrap("; ".join(body.notes), int(box.width / 8.4), max_lines=NOTES, placeholder=" …")
    for k, line in enumerate(lines):
        write_at(drawn, box.x, box.y + HEAD + body.height + 8 + SMALL_LINE * (k + 0.9), line, SMALL, color="0.25")


class _Body:
    """What a picture has between title and notes, within a width and a height."""

    def __init__(self, picture: LayerPicture, width: float, height: float) -> None:
        self._picture, tiles = picture, picture.tiles
        vector = tiles is not None and tiles.view.form == "vector" and picture.value.size > 1
        self._line = min(VECTOR, height * 0.45) if vector else 0.0
        self._made = layout(tiles, width - BAR, height - self._line) if tiles else None
        self.width = self._made.width + BAR if self._made else 0.0
        self.height = self._line + (self._made.height if self._made else 0.0)
        self.notes = [*picture.notes, *(_smaller(self._made) if self._made else [])]

    def draw(self, drawn: Any, x: float, y: float, width: float) -> None:
        picture = self._picture
        if self._line:
            draw_vector(drawn, Box(x, y, width, self._line), picture.value.ravel(), picture.scales[0])
        if picture.tiles is not None and self._made is not None:
            draw_tiles(drawn, x, y + self._line, picture.tiles, picture.scales, self._made)


def _smaller(made: Layout) -> list[str]:
    """That the picture has fewer pixels than there are values, where that is so."""
    means = [f"each pixel is the mean of {made.block}×{made.block} values"] if made.block > 1 else []
    return [*means, *(["drawn smaller than a pixel a value"] if made.zoom < 1 else [])]


def _vector_note(value: Array) -> str:
    if value.size == 1:
        return f"the value is {value.ravel()[0]!s}"
    step = points_in_one(value.size)
    band = f" (the least and the greatest of every {step:,})" if step > 1 else ""
    return f"above by position{band}; below the same, row by row" if value.size > 3 else ""


def _not_finite(value: Array) -> list[str]:
    counts = {"NaN": np.isnan(value), "+inf": np.isposinf(value), "-inf": np.isneginf(value)}
    found = [f"{mask.sum():,} {name}" for name, mask in counts.items() if mask.any()]
    return [f"magenta: {', '.join(found)}, of {value.size:,} values"] if found else []


def write_at(drawn: Any, x: float, y: float, text: str, size: float, **kwargs: Any) -> None:
    """Text at pixels from the upper left corner."""
    width, height = drawn.get_size_inches() * DPI
    write(drawn, x / width, 1 - y / height, text, size, **kwargs)


def described(layer: Layer) -> str:
    """Operator, activation, shape and ids in a line.

    Example:
        >>> described(Layer("conv1", "Conv", (8, 8, 16), first_id=64))
        'Conv   (8, 8, 16)   n64…n1087'
    """
    ids = layer_entry(layer)["neurons"]
    op = "+".join([layer.op, *(a.op for a in layer.activation if a.op != layer.op)])
    return "   ".join([op, shape_text(layer), *(["…".join(dict.fromkeys(ids))] if ids else [])])


def shape_text(layer: Layer) -> str:
    """The shape as Python writes it."""
    return str(tuple(layer.shape))
