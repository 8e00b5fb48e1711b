"""A page as a value: text, images, rectangles and lines, each in its place. Canvases only paint it.

Lengths are in pixels from the upper left corner, y downwards.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Command = tuple[str, tuple[float, ...]]
"""As in an SVG path: `M`, `L` and `C` with absolute coordinates; `Z` closes."""

INCH = 150
"""Pixels to an inch of a picture."""
SMALL, NORMAL, LARGE = (points * INCH / 72 for points in (7, 8, 10))
"""Sizes of letters."""
INK, GREY, LIGHT = "#000000", "#404040", "#b8b8b8"


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Text:
    """A line of text.

    Attributes:
        x, y: the point that `align` and `base` speak of.
        size: of its letters.
        align: which end stands at x: `left`, `center` or `right`.
        base: what stands at y: the `baseline`, the `top`, the `center` or the `bottom`.
        turned: whether it runs upwards.
        mono: whether its letters have a fixed width.
    """

    x: float
    y: float
    text: str
    size: float = NORMAL
    bold: bool = False
    colour: str = INK
    align: Literal["left", "center", "right"] = "left"
    base: Literal["baseline", "top", "center", "bottom"] = "baseline"
    turned: bool = False
    mono: bool = False

    def moved(self, x: float, y: float) -> Text:
        """The same text elsewhere."""
        return dataclasses.replace(self, x=self.x + x, y=self.y + y)


@dataclass(frozen=True, eq=False)
class Image:
    """Colours, one pixel of the page each: shape (height, width, 4), red, green, blue and opacity."""

    x: float
    y: float
    pixels: Pixels

    def moved(self, x: float, y: float) -> Image:
        """The same image elsewhere."""
        return dataclasses.replace(self, x=self.x + x, y=self.y + y)


@dataclass(frozen=True)
class Rect:
    """A rectangle.

    Attributes:
        fill, stroke: colours; None where there is none.
        line: the width of its border.
        radius: of its corners.
        dashed: whether its border is.
    """

    box: Box
    fill: str | None = None
    stroke: str | None = INK
    line: float = 1.0
    radius: float = 0.0
    dashed: bool = False

    def moved(self, x: float, y: float) -> Rect:
        """The same rectangle elsewhere."""
        return dataclasses.replace(self, box=dataclasses.replace(self.box, x=self.box.x + x, y=self.box.y + y))


@dataclass(frozen=True)
class Path:
    """Lines and curves.

    Attributes:
        commands: see `Command`.
        fill, stroke, line: as of a `Rect`.
        title: the tool tip, where the file can have one.
    """

    commands: tuple[Command, ...]
    fill: str | None = None
    stroke: str | None = INK
    line: float = 1.0
    title: str = ""

    def moved(self, x: float, y: float) -> Path:
        """The same path elsewhere."""
        by = (x, y)
        commands = tuple((name, tuple(v + by[k % 2] for k, v in enumerate(at))) for name, at in self.commands)
        return dataclasses.replace(self, commands=commands)


@dataclass(frozen=True)
class Group:
    """Marks that belong together, with a name and a tool tip where the file can have them."""

    marks: tuple[Mark, ...]
    kind: str = ""
    name: str = ""
    title: str = ""

    def moved(self, x: float, y: float) -> Group:
        """The same group elsewhere."""
        return dataclasses.replace(self, marks=moved(self.marks, x, y))


Mark = Text | Image | Rect | Path | Group


@dataclass(frozen=True)
class Piece:
    """A part of a page, placed from its own upper left corner on.

    Attributes:
        width, height: the room that it takes.
        marks: from back to front.
        notes: what is to be said about how it is drawn.
    """

    width: float
    height: float
    marks: tuple[Mark, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """All that is painted.

    Attributes:
        marks: from back to front.
        inch: pixels to an inch.
        dots: of a PNG to an inch.
    """

    width: float
    height: float
    marks: tuple[Mark, ...]
    inch: float = INCH
    dots: float = INCH


def moved(marks: Iterable[Mark], x: float, y: float) -> tuple[Mark, ...]:
    """Marks elsewhere.

    Example:
        >>> moved([Text(1, 2, "a")], 10, 20)[0].y
        22
    """
    return tuple(mark.moved(x, y) for mark in marks)


def flat(marks: Iterable[Mark]) -> Iterator[Text | Image | Rect | Path]:
    """The marks in all groups, from back to front."""
    for mark in marks:
        if isinstance(mark, Group):
            yield from flat(mark.marks)
        else:
            yield mark


def line(points: Iterable[tuple[float, float]], colour: str = INK, width: float = 1.0) -> Path:
    """A line through points.

    Example:
        >>> line([(0, 0), (3, 4)]).commands
        (('M', (0, 0)), ('L', (3, 4)))
    """
    return Path(tuple(("L" if k else "M", point) for k, point in enumerate(points)), stroke=colour, line=width)


def rectangles(boxes: Iterable[Box], colour: str) -> Path:
    """Filled rectangles as one path."""
    commands: list[Command] = []
    for b in boxes:
        right, bottom = b.x + b.width, b.y + b.height
        commands += [("M", (b.x, b.y)), ("L", (right, b.y)), ("L", (right, bottom)), ("L", (b.x, bottom)), ("Z", ())]
    return Path(tuple(commands), fill=colour, stroke=None)
