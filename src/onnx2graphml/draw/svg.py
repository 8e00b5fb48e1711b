"""Pages as SVG, without Matplotlib: text, rectangles, lines, tool tips. The same page gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from onnx2graphml.draw.page import INK, Group, Mark, Page, Path, Rect, Text
from onnx2graphml.files.plain_text import printable

MONO = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
SANS = "'DejaVu Sans', Verdana, Arial, sans-serif"
ANCHOR = {"left": "start", "center": "middle", "right": "end"}


def svg(page: Page) -> bytes:
    """A page without images as a file's content.

    Example:
        >>> svg(Page(10, 10, ())).splitlines()[0]
        b'<?xml version="1.0" encoding="UTF-8"?>'
    """
    size = f'width="{_n(page.width)}" height="{_n(page.height)}"'
    view = f'viewBox="0 0 {_n(page.width)} {_n(page.height)}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} font-family="{MONO}" fill="{INK}">',
        f'<rect {size} fill="#ffffff"/>',
        *(line for mark in page.marks for line in _mark(mark)),
        "</svg>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _mark(mark: Mark) -> Iterator[str]:
    if isinstance(mark, Group):
        kind = f' class="{mark.kind}"' if mark.kind else ""
        name = f" id={quoteattr(printable(mark.name))}" if mark.name else ""
        title = f"<title>{escape(mark.title)}</title>" if mark.title else ""
        yield f"<g{kind}{name}>{title}"
        for inner in mark.marks:
            yield from _mark(inner)
        yield "</g>"
    elif isinstance(mark, Text):
        yield _text(mark)
    elif isinstance(mark, Rect):
        yield _rect(mark)
    elif isinstance(mark, Path):
        title = f"<title>{escape(printable(mark.title))}</title>" if mark.title else ""
        yield f'<path d="{commands(mark)}" {_style(mark)}>{title}</path>'
    else:
        raise TypeError(f"an SVG page has no {type(mark).__name__}")


def commands(path: Path) -> str:
    """A path's line.

    Example:
        >>> commands(Path((("M", (0, 0)), ("L", (2.5, 0)), ("Z", ()))))
        'M0 0L2.5 0Z'
    """
    return "".join(name + " ".join(map(_n, at)) for name, at in path.commands)


def _rect(mark: Rect) -> str:
    box = mark.box
    place = f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}"'
    radius = f' rx="{_n(mark.radius)}"' if mark.radius else ""
    dashes = ' stroke-dasharray="6 3"' if mark.dashed else ""
    return f"<rect {place}{radius} {_style(mark)}{dashes}/>"


def _style(mark: Rect | Path) -> str:
    stroke = f' stroke="{mark.stroke}" stroke-width="{_n(mark.line)}" stroke-linejoin="round"' if mark.stroke else ""
    return f'fill="{mark.fill or "none"}"{stroke}'


def _text(mark: Text) -> str:
    bold = ' font-weight="bold"' if mark.bold else ""
    fill = f' fill="{mark.colour}"' if mark.colour != INK else ""
    font = "" if mark.mono else f' font-family="{SANS}"'
    anchor = f' text-anchor="{ANCHOR[mark.align]}"' if mark.align != "left" else ""
    place = f'x="{_n(mark.x)}" y="{_n(mark.y)}" font-size="{_n(mark.size)}"'
    return f'<text {place} xml:space="preserve"{font}{bold}{fill}{anchor}>{escape(printable(mark.text))}</text>'


def _n(value: float) -> str:
    """A coordinate, to a hundredth."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
