"""A panel: title, subtitle, what is drawn, the scale of its colours, notes. And pages of one or of many panels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from onnx2graphml.draw.colours import Scale, painted
from onnx2graphml.draw.page import (
    GREY,
    LARGE,
    NORMAL,
    SMALL,
    Box,
    Image,
    Mark,
    Page,
    Piece,
    Rect,
    Text,
    moved,
)
from onnx2graphml.graph.attributes import layer_entry
from onnx2graphml.graph.graph import Layer
from onnx2graphml.text import BOLD, DIGIT, filled, number, shortened

MARGIN = 24  # pixels around a page
BETWEEN = 18  # pixels between panels of a sheet
WIDEST, HIGHEST = 1400, 1250  # pixels of what is drawn on a page of its own
LEAST = 620  # pixels of such a page's width
BAR = (96, 12)  # pixels of a bar of colours
LINE = 18  # pixels of a line of notes
SPACE = 6  # pixels below what is drawn
NOTES = 2  # lines of notes in a cell


class Body(Protocol):
    """What can be drawn in a panel.

    Attributes:
        coloured: whether its colours stand for values, so that a panel shows their scale.
    """

    coloured: ClassVar[bool]

    def placed(self, width: float, height: float) -> Piece:
        """The same in a room of so many pixels."""
        ...


@dataclass(frozen=True, eq=False)
class Panel:
    """One drawing.

    Attributes:
        title, subtitle: the lines above.
        bodies: what is drawn, from top to bottom.
        scales: of the colours: one for all, or one for each tile.
        notes: what is to be said below.
    """

    title: str
    subtitle: str
    bodies: tuple[Body, ...]
    scales: tuple[Scale, ...] = ()
    notes: tuple[str, ...] = ()


def placed(panel: Panel, width: float, height: float, large: bool = False) -> Piece:
    """A panel in a room of so many pixels, as high as it needs to be.

    Args:
        large: for a page of its own: larger letters, and all of the subtitle and the notes.
    """
    small = NORMAL if large else SMALL
    marks = list[Mark]()
    y = 0.0
    if panel.title:
        size = LARGE if large else NORMAL
        marks.append(Text(0, 1.05 * size, shortened(panel.title, width, size, bold=True), size, bold=True))
        y = 1.4 * size
    y = _head(panel, width, y, small, large, marks)
    below = LINE * (4 if large else NOTES if panel.notes else 1)
    said = list(panel.notes)
    wide = 0.0
    for k, body in enumerate(panel.bodies):
        left = len(panel.bodies) - k
        piece = body.placed(width, max((height - y - below) / left - SPACE * (left - 1), 1))
        marks += moved(piece.marks, 0, y)
        said += piece.notes
        wide = max(wide, piece.width)
        y = round(y + piece.height + SPACE)
    lines = [line for note in said for line in filled(note, width, small)] if large else []
    lines = lines or filled("; ".join(said), width, small, NOTES)
    step = 1.1 * small
    marks += [Text(0, y + step * (k + 0.8), line, small, colour=GREY) for k, line in enumerate(lines)]
    return Piece(wide, y + step * len(lines), tuple(marks))


def _head(panel: Panel, width: float, y: float, size: float, large: bool, marks: list[Mark]) -> float:
    """Put the subtitle and the bar of colours below y, side by side if there is room; what is below them."""
    bar = scale_bar(panel.scales)
    lines = filled(panel.subtitle, width, size) if large else [shortened(panel.subtitle, width, size)]
    step = 1.2 * size
    marks += [Text(0, y + step * (k + 0.75), line, size) for k, line in enumerate(lines) if line]
    y += step * len(lines)
    if bar.marks:
        beside = len(lines[-1]) * DIGIT * size + bar.width + 12 < width if lines else False
        y += 0 if beside else step
        marks += moved(bar.marks, round(max(width - bar.width, 0)), round(y - 0.85 * step))
    return round(y + 5)  # images stand on whole pixels


def page(panel: Panel) -> Page:
    """A page of one panel.

    Example:
        >>> page(Panel("conv1", "(8, 8, 16)", ())).width
        668
    """
    width = max([LEAST, *(body.placed(WIDEST, HIGHEST).width for body in panel.bodies)])
    piece = placed(panel, width, HIGHEST + 150, large=True)
    return Page(math.ceil(width) + 2 * MARGIN, math.ceil(piece.height) + 2 * MARGIN, moved(piece.marks, MARGIN, MARGIN))


def column(title: str, lines: Sequence[str], panels: Sequence[Panel]) -> Page:
    """A page of panels one below the other, under a title and more lines."""
    width = max([LEAST, *(body.placed(WIDEST, HIGHEST).width for panel in panels for body in panel.bodies)])
    marks: list[Mark] = []
    y = float(MARGIN)
    for size, bold, text in ((LARGE, True, title), *((NORMAL, False, line) for line in lines)):
        for line in filled(text, width / (BOLD if bold else 1), size):
            marks.append(Text(MARGIN, y + 0.9 * size, line, size, bold))
            y += 1.3 * size
    for panel in panels:
        y = round(y + SPACE)
        piece = placed(panel, width, HIGHEST, large=True)
        marks += moved(piece.marks, MARGIN, y)
        y += piece.height + SPACE
    return Page(math.ceil(width) + 2 * MARGIN, math.ceil(y) + MARGIN, tuple(marks))


def sheet(panels: Sequence[Panel], across: int, cell: tuple[float, float], head: Sequence[Text] = ()) -> Page:
    """A page of panels in rows; a row is as high as its highest panel.

    Args:
        across: panels in a row.
        cell: the width of a panel, and its height at most, in pixels.
        head: what stands above them; its last line's base gives the room.
    """
    wide, high = cell
    width = min(across, len(panels)) * (wide + BETWEEN) - BETWEEN + 2 * MARGIN
    marks: list[Mark] = list(head)
    y = round(max((text.y for text in head), default=0) + MARGIN)
    for first in range(0, len(panels), across):
        row = [placed(panel, wide, high) for panel in panels[first : first + across]]
        for k, piece in enumerate(row):
            marks += moved(piece.marks, MARGIN + k * (wide + BETWEEN), y)
        y = round(y + max(piece.height for piece in row) + BETWEEN)
    return Page(math.ceil(width), y, tuple(marks))


def scale_bar(scales: Sequence[Scale]) -> Piece:
    """A bar of a scale's colours with its limits at its ends; nothing where there is no scale."""
    if not scales:
        return Piece(0, 0, ())
    scale = scales[0]
    low, high = number(scale.low), number(scale.high)
    if len(scales) > 1:
        low, high = ("-max|x|", "max|x|") if scale.diverging else ("0", "max")
        scale = Scale(-1.0 if scale.diverging else 0.0, 1.0, scale.diverging)
    if scale.low == scale.high:
        low = ""
    wide, tall = BAR
    left, right = (DIGIT * SMALL * len(text) + 5 for text in (low, high))
    values = np.linspace(scale.low, scale.high, wide)
    pixels = np.repeat(painted(values[None], scale), tall, axis=0)
    marks = (
        Text(left - 5, tall - 1, low, SMALL, align="right"),
        Image(round(left), 0, pixels),
        Rect(Box(round(left) - 0.5, -0.5, wide + 1, tall + 1), None, "#909090"),
        Text(round(left) + wide + 5, tall - 1, high, SMALL),
    )
    return Piece(left + wide + right, tall, marks)


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
