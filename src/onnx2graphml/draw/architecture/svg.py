"""A drawing as SVG: the exact numbers are tool tips, and the bytes depend on nothing but the drawing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from onnx2graphml.draw.architecture import colours
from onnx2graphml.draw.architecture.drawing import CORNER, CORNER_OF_END, HEAD, TAB, Arrow, Box, Drawing, Frame, Text
from onnx2graphml.draw.lettering import printable

FONTS = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"


def svg(drawing: Drawing) -> bytes:
    """The drawing as a file's content.

    Example:
        >>> svg(Drawing(10, 10, (), (), (), (), ())).splitlines()[0]
        b'<?xml version="1.0" encoding="UTF-8"?>'
    """
    return ("\n".join(_lines(drawing)) + "\n").encode()


def _lines(drawing: Drawing) -> Iterator[str]:
    size = f'width="{_n(drawing.width)}" height="{_n(drawing.height)}"'
    view = f'viewBox="0 0 {_n(drawing.width)} {_n(drawing.height)}"'
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} font-family="{FONTS}" fill="{colours.INK}">'
    yield f'<rect {size} fill="{colours.PAPER}"/>'
    for frame in drawing.frames:
        yield from _frame(frame)
    yield f'<g fill="none" stroke="{colours.ARROW}" stroke-width="1.3" stroke-linejoin="round">'
    yield from map(_arrow, drawing.arrows)
    yield f'</g>\n<g fill="{colours.ARROW}">'
    for x, y in sorted({arrow.points[-1] for arrow in drawing.arrows}):
        yield f'<path d="M{_n(x)} {_n(y)}l{-HEAD} {-2 * HEAD}h{2 * HEAD}z"/>'
    yield "</g>"
    for box in drawing.boxes:
        yield from _box(box)
    yield from map(_text, drawing.texts)
    yield "</svg>"


def _frame(frame: Frame) -> Iterator[str]:
    sides = f'x="{_n(frame.x)}" y="{_n(frame.y)}" width="{_n(frame.width)}" height="{_n(frame.height)}"'
    tab = f'x="{_n(frame.tab_x)}" y="{_n(frame.y)}" width="{_n(frame.tab_width)}" height="{TAB}"'
    yield f'<g class="repeat"><rect {sides} fill="none" stroke="{colours.REPEAT}" stroke-dasharray="6 3"/>'
    yield f'<rect {tab} fill="{colours.REPEAT}"/>{_text(frame.text, colours.PAPER)}</g>'


def _arrow(arrow: Arrow) -> str:
    title = escape(printable(f"{arrow.source} → {arrow.target}"))
    return f'<path d="{path(arrow)}"><title>{title}</title></path>'


def path(arrow: Arrow) -> str:
    """An arrow's line; where it leads aslant it leaves and arrives upright."""
    parts = [f"M{_n(arrow.points[0][0])} {_n(arrow.points[0][1])}"]
    for (x, y), (to_x, to_y) in itertools.pairwise(arrow.points):
        if x == to_x:
            parts.append(f"V{_n(to_y)}")
        elif y == to_y:
            parts.append(f"H{_n(to_x)}")
        else:
            middle = _n((y + to_y) / 2)
            parts.append(f"C{_n(x)} {middle} {_n(to_x)} {middle} {_n(to_x)} {_n(to_y)}")
    return "".join(parts)


def _box(box: Box) -> Iterator[str]:
    sides = f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}"'
    border = f'stroke="{colours.END}" stroke-width="2.5"' if box.end else f'stroke="{colours.BORDER}"'
    yield f'<g class="layer" id={quoteattr(printable(box.layer))}><title>{escape(box.title)}</title>'
    yield f'<rect {sides} rx="{CORNER_OF_END if box.end else CORNER}" fill="{colours.FILLS[box.kind]}" {border}/>'
    yield "".join(map(_text, box.texts)) + "</g>"


def _text(text: Text, colour: str = "") -> str:
    bold = ' font-weight="bold"' if text.bold else ""
    fill = f' fill="{colour}"' if colour else ""
    place = f'x="{_n(text.x)}" y="{_n(text.y)}" font-size="{text.size}"'
    return f'<text {place} xml:space="preserve"{bold}{fill}>{escape(text.text)}</text>'


def _n(value: float) -> str:
    """A coordinate, to a hundredth."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
