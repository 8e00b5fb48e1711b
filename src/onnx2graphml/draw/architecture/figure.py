"""A drawing as PNG or PDF, by matplotlib."""

from __future__ import annotations

import functools
import io
import itertools
import warnings
from collections.abc import Mapping
from typing import Any

from onnx2graphml.draw.architecture import colours
from onnx2graphml.draw.architecture.drawing import CORNER, CORNER_OF_END, HEAD, TAB, Arrow, Box, Drawing, Text
from onnx2graphml.errors import Error, MissingExtraError

INCH = 96  # pixels of a drawing
DPI = 120  # of a PNG
LARGEST = 1 << 15  # pixels of a PNG's side; its renderer's limit is twice that
PLAIN = {"text.usetex": False, "savefig.bbox": None, "path.simplify": False}  # whatever the user has set
FONTS = ["DejaVu Sans Mono", "DejaVu Sans"]  # both come with matplotlib


def png(drawing: Drawing) -> bytes:
    """The drawing as a PNG's content, 5 pixels of it for 4 of the drawing's. What the fonts lack becomes boxes.

    Raises:
        MissingExtraError: matplotlib is not installed.
        Error: the drawing is too large.

    Example:
        >>> png(Drawing(10, 10, (), (), (), (), ()))[1:4]
        b'PNG'
    """
    side = round(max(drawing.width, drawing.height) * DPI / INCH)
    if side > LARGEST:
        raise Error(f"the drawing is {side:,} pixels long; a .png has at most {LARGEST:,}: write an .svg or a .pdf")
    return _figure(drawing, "png", {"Software": None})


def pdf(drawing: Drawing) -> bytes:
    """The drawing as a PDF's content, of one page. What the fonts lack becomes boxes.

    Raises:
        MissingExtraError: matplotlib is not installed.

    Example:
        >>> pdf(Drawing(10, 10, (), (), (), (), ()))[:4]
        b'%PDF'
    """
    return _figure(drawing, "pdf", {"CreationDate": None})


def _figure(drawing: Drawing, format: str, metadata: Mapping[str, None]) -> bytes:
    """Nothing in the file depends on the day: the same drawing is the same bytes."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", "plot") from None

    out = io.BytesIO()
    with rc_context(PLAIN), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        fig = Figure(figsize=(drawing.width / INCH, drawing.height / INCH), facecolor=colours.PAPER)
        axes = fig.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, drawing.width), ylim=(drawing.height, 0))
        axes.set_axis_off()
        _draw(drawing, axes)
        fig.savefig(out, format=format, dpi=DPI, metadata=metadata)
    return out.getvalue()


def _draw(drawing: Drawing, axes: Any) -> None:
    from matplotlib.patches import Polygon, Rectangle

    for frame in drawing.frames:
        sides = Rectangle((frame.x, frame.y), frame.width, frame.height, fill=False)
        sides.set(edgecolor=colours.REPEAT, linestyle=(0, (6, 3)), linewidth=0.75)
        axes.add_artist(sides)
        axes.add_artist(Rectangle((frame.tab_x, frame.y), frame.tab_width, TAB, color=colours.REPEAT, linewidth=0))
        _text(axes, frame.text, colours.PAPER)
    for arrow in drawing.arrows:
        axes.add_artist(_line(arrow))
    for x, y in sorted({arrow.points[-1] for arrow in drawing.arrows}):
        corners = [(x, y), (x - HEAD, y - 2 * HEAD), (x + HEAD, y - 2 * HEAD)]
        axes.add_artist(Polygon(corners, closed=True, color=colours.ARROW, linewidth=0))
    for box in drawing.boxes:
        axes.add_artist(_shape(box))
        for text in box.texts:
            _text(axes, text, colours.INK)
    for text in drawing.texts:
        _text(axes, text, colours.INK)


def _line(arrow: Arrow) -> Any:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    points, codes = [arrow.points[0]], [Path.MOVETO]
    for (x, y), (to_x, to_y) in itertools.pairwise(arrow.points):
        if x == to_x or y == to_y:
            points.append((to_x, to_y))
            codes.append(Path.LINETO)
        else:
            points += [(x, (y + to_y) / 2), (to_x, (y + to_y) / 2), (to_x, to_y)]
            codes += [Path.CURVE4] * 3
    return PathPatch(Path(points, codes), facecolor="none", edgecolor=colours.ARROW, linewidth=1)


def _shape(box: Box) -> Any:
    from matplotlib.patches import FancyBboxPatch

    corners = f"round,pad=0,rounding_size={CORNER_OF_END if box.end else CORNER}"
    shape = FancyBboxPatch((box.x, box.y), box.width, box.height, boxstyle=corners)
    shape.set(facecolor=colours.FILLS[box.kind])
    shape.set(edgecolor=colours.END if box.end else colours.BORDER, linewidth=1.9 if box.end else 0.75)
    return shape


def _text(axes: Any, text: Text, colour: str) -> None:
    axes.text(
        text.x,
        text.y,
        text.text,
        color=colour,
        fontproperties=_font(text.size, text.bold),
        verticalalignment="baseline",
        parse_math=False,
    )


@functools.cache
def _font(size: int, bold: bool) -> Any:
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=FONTS, weight="bold" if bold else "normal", size=size * 72 / INCH)
