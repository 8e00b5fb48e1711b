"""A drawing of a network's layers as values: where each box stands and what it says. Renderers only put it on paper.

Lengths are in pixels of a screen (96 to an inch), from the upper left corner, y downwards.
"""

from __future__ import annotations

from dataclasses import dataclass

from onnx2graphml.draw.architecture.repeats import Fold

Point = tuple[float, float]

FONT = 11  # the size of all text but the heading
HEAD = 4  # half of the width of an arrow's head, which is as long as it is wide
LINE = 14  # from one line of text to the next
TAB = 16  # the height of a frame's tab
CORNER, CORNER_OF_END = 3, 12  # the radius of a box's corners, and of those of the network's ends
PADDING = 8  # beside the text in a box, and half of it above and below


@dataclass(frozen=True)
class Line:
    """A line of text.

    Attributes:
        x, y: where it begins, on its base line.
        text: the line.
        size: of its letters.
        bold: whether they are.
    """

    x: float
    y: float
    text: str
    size: int = FONT
    bold: bool = False


@dataclass(frozen=True)
class Box:
    """A layer.

    Attributes:
        layer: its name.
        kind: what it does with its in-edges, which its colour shows; a key of `architecture_colours.FILLS`.
        end: whether it is an input or an output of the network.
        lines: the text in it; the first `name_lines` of them are the name.
        title: the layer's name, operator, activation, shape and exact numbers.
        x, y, width, height: the rectangle.
    """

    layer: str
    kind: str
    end: bool
    lines: tuple[str, ...]
    name_lines: int
    title: str
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0

    @property
    def texts(self) -> tuple[Line, ...]:
        """The lines in their places."""
        x, y = self.x + PADDING, self.y + PADDING / 2 - 3  # letters reach 3 below their base line
        return tuple(
            Line(x, y + LINE * k, line, bold=k <= self.name_lines) for k, line in enumerate(self.lines, start=1)
        )


@dataclass(frozen=True)
class Arrow:
    """All edges from one layer to another.

    Attributes:
        source, target: the layers' names.
        points: from the lower side of the source's box to the upper side of the target's. Between two in a row that
            differ in x and y is an S-curve, which stays in the rectangle between them.
        skip: of an arrow that leads past other layers, the number of its source among such sources; otherwise -1.
    """

    source: str
    target: str
    points: tuple[Point, ...]
    skip: int = -1


@dataclass(frozen=True)
class Frame:
    """Around the boxes of a repeat, or around those of them that stand in one column.

    Attributes:
        fold: what repeats.
        x, y, width, height: the rectangle.
        label: what its tab says, and `tab_x`, `tab_width`: where; its upper side is the frame's.
    """

    fold: Fold
    x: float
    y: float
    width: float
    height: float
    label: str
    tab_x: float
    tab_width: float

    @property
    def text(self) -> Line:
        """The label in its place."""
        return Line(self.tab_x + PADDING / 2, self.y + LINE - 2, self.label, bold=True)


@dataclass(frozen=True)
class Drawing:
    """A network's layers, placed.

    Attributes:
        width, height: of the whole.
        boxes: in the graph's order; the layers that a fold stands for have none.
        arrows: each pair of boxes that edges lead between, once.
        folds: what was folded; together with the boxes, every layer of the graph.
        frames: the folds' places.
        texts: the heading above the network, and below it the notes on what was folded.
    """

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    folds: tuple[Fold, ...]
    frames: tuple[Frame, ...]
    texts: tuple[Line, ...]
