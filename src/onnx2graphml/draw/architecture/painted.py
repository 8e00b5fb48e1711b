"""A drawing of layers as a page: what every file but Graphviz' is painted from."""

from __future__ import annotations

import itertools

from onnx2graphml.draw.architecture import colours
from onnx2graphml.draw.architecture.drawing import CORNER, CORNER_OF_END, HEAD, TAB, Arrow, Box, Drawing, Frame, Line
from onnx2graphml.draw.page import Box as Area
from onnx2graphml.draw.page import Command, Group, Mark, Page, Path, Rect, Text

INCH = 96  # pixels of a drawing
DOTS = 120  # of a PNG, to an inch


def painted(drawing: Drawing) -> Page:
    """The page of a drawing.

    Example:
        >>> painted(Drawing(10, 20, (), (), (), (), ())).height
        20
    """
    marks: list[Mark] = [_frame(frame) for frame in drawing.frames]
    marks += [_arrow(arrow) for arrow in drawing.arrows]
    marks += [_head(x, y) for x, y in sorted({arrow.points[-1] for arrow in drawing.arrows})]
    marks += [_box(box) for box in drawing.boxes]
    marks += [_text(line) for line in drawing.texts]
    return Page(drawing.width, drawing.height, tuple(marks), INCH, DOTS)


def _frame(frame: Frame) -> Group:
    sides = Rect(Area(frame.x, frame.y, frame.width, frame.height), None, colours.REPEAT, dashed=True)
    tab = Rect(Area(frame.tab_x, frame.y, frame.tab_width, TAB), colours.REPEAT, None)
    return Group((sides, tab, _text(frame.text, colours.PAPER)), "repeat")


def _arrow(arrow: Arrow) -> Path:
    colour = colours.SKIPS[arrow.skip % len(colours.SKIPS)] if arrow.skip >= 0 else colours.ARROW
    title = f"{arrow.source} → {arrow.target}"
    return Path(line_of(arrow), stroke=colour, line=1.8 if arrow.skip >= 0 else 1.3, title=title)


def line_of(arrow: Arrow) -> tuple[Command, ...]:
    """An arrow's line; where it leads aslant it leaves and arrives upright."""
    found: list[Command] = [("M", arrow.points[0])]
    for (x, y), (to_x, to_y) in itertools.pairwise(arrow.points):
        if x == to_x or y == to_y:
            found.append(("L", (to_x, to_y)))
        else:
            middle = (y + to_y) / 2
            found.append(("C", (x, middle, to_x, middle, to_x, to_y)))
    return tuple(found)


def _head(x: float, y: float) -> Path:
    corners: tuple[Command, ...] = (("M", (x, y)), ("L", (x - HEAD, y - 2 * HEAD)), ("L", (x + HEAD, y - 2 * HEAD)))
    return Path((*corners, ("Z", ())), fill=colours.ARROW, stroke=None)


def _box(box: Box) -> Group:
    border = (colours.END, 2.5, CORNER_OF_END) if box.end else (colours.BORDER, 1.0, CORNER)
    stroke, line, radius = border
    shape = Rect(Area(box.x, box.y, box.width, box.height), colours.FILLS[box.kind], stroke, line, radius)
    return Group((shape, *(_text(text) for text in box.texts)), "layer", box.layer, box.title)


def _text(text: Line, colour: str = colours.INK) -> Text:
    return Text(text.x, text.y, text.text, text.size, text.bold, colour, mono=True)
