"""Pages painted by Matplotlib: PNG, SVG, PDF and arrays of pixels. The same page gives the same bytes."""

from __future__ import annotations

import functools
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from onnx2graphml.draw.page import Image, Page, Path, Pixels, Rect, Text, flat
from onnx2graphml.errors import Error, MissingExtraError
from onnx2graphml.files.atomic_file import atomic
from onnx2graphml.files.plain_text import printable

KINDS = ("png", "svg", "pdf")
LARGEST = 1 << 15  # pixels of a PNG's side; its renderer's limit is twice that
METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
FASTER: dict[str, dict[str, Any]] = {"png": {"pil_kwargs": {"compress_level": 1}}}
"""The level of compression: a third less time for a page of maps, and a file that is 8 % larger."""

SETTINGS = {
    "svg.hashsalt": "onnx2graphml",
    "text.parse_math": False,
    "text.usetex": False,
    "savefig.bbox": None,
    "path.simplify": False,
}
"""Whatever the user has set."""


def check_kind(kind: str) -> None:
    """`Error` unless it is one of `KINDS`."""
    if kind not in KINDS:
        raise Error(f"kind is {kind!r}; expected {', '.join(KINDS)}")


def save(page: Page, path: FilePath) -> None:
    """Write a page in the kind that its path ends with: whole or not at all.

    Raises:
        Error: the path has another suffix, or the page is too large for a PNG.
        OutputError: it can't be written.
        MissingExtraError: Matplotlib is not installed.

    Example:
        >>> save(Page(600, 400, (Text(20, 40, "hello"),)), FilePath("hello.png"))  # doctest: +SKIP
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise Error(f"{path}: pictures are written as {', '.join(KINDS)}; give one of these suffixes")
    with atomic(path) as file:
        file.write(content(page, kind))


def content(page: Page, kind: str) -> bytes:
    """A page as a file's content: `png`, `svg` or `pdf`.

    Raises:
        Error: the page is too large for a PNG.
        MissingExtraError: Matplotlib is not installed.

    Example:
        >>> content(Page(10, 10, ()), "png")[1:4]
        b'PNG'
    """
    side = round(max(page.width, page.height) * page.dots / page.inch)
    if kind == "png" and side > LARGEST:
        raise Error(f"the drawing is {side:,} pixels long; a .png has at most {LARGEST:,}: write an .svg or a .pdf")
    drawn, out = figure(page), io.BytesIO()
    with _settings():
        drawn.savefig(out, format=kind, dpi=page.dots, metadata=METADATA[kind], **FASTER.get(kind, {}))
    return out.getvalue()


def pixels(page: Page) -> Pixels:
    """A page's pixels, shape (height, width, 3).

    Raises:
        MissingExtraError: Matplotlib is not installed.

    Example:
        >>> pixels(Page(30, 20, ())).shape
        (20, 30, 3)
    """
    drawn = figure(page)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(drawn)
    with _settings():
        canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


@contextmanager
def _settings() -> Iterator[None]:
    import matplotlib as mpl

    with mpl.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a box stands for it; the manifest has the name
        yield


def figure(page: Page) -> Any:
    """A page as a `matplotlib.figure.Figure` with one pair of axes, whose units are the page's pixels.

    Raises:
        MissingExtraError: Matplotlib is not installed.
    """
    try:
        from matplotlib import rcParams  # noqa: F401, it is not only a folder of that name
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", "plot") from None
    made = Figure(
        figsize=(page.width / page.inch, page.height / page.inch), dpi=page.dots, facecolor="white", layout=None
    )
    axes = made.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, page.width), ylim=(page.height, 0), autoscale_on=False)
    point = 72 / page.inch
    for layer, mark in enumerate(flat(page.marks)):
        if isinstance(mark, Text):
            _text(axes, mark, point)
        elif isinstance(mark, Image):
            high, wide = mark.pixels.shape[:2]
            extent = (mark.x, mark.x + wide, mark.y + high, mark.y)
            axes.imshow(mark.pixels, extent=extent, interpolation="none", aspect="auto", zorder=layer)
        else:
            patch = _rectangle(mark) if isinstance(mark, Rect) else _path(mark)
            patch.set(facecolor=mark.fill or "none", edgecolor=mark.stroke or "none")
            patch.set(linewidth=mark.line * point if mark.stroke else 0, zorder=layer)
            axes.add_artist(patch)
    axes.set(xlim=(0, page.width), ylim=(page.height, 0))
    return made


def _text(axes: Any, mark: Text, point: float) -> None:
    axes.text(
        mark.x,
        mark.y,
        printable(mark.text),
        color=mark.colour,
        fontproperties=_font(mark.size * point, mark.bold, mark.mono),
        horizontalalignment=mark.align,
        verticalalignment=mark.base,
        rotation=90 if mark.turned else 0,
        parse_math=False,
        zorder=1 << 20,
    )


def _rectangle(mark: Rect) -> Any:
    from matplotlib.patches import FancyBboxPatch, Rectangle

    box = mark.box
    if mark.radius:
        style = f"round,pad=0,rounding_size={mark.radius}"
        return FancyBboxPatch((box.x, box.y), box.width, box.height, boxstyle=style)
    return Rectangle((box.x, box.y), box.width, box.height, linestyle=(0, (6, 3)) if mark.dashed else "-")


def _path(mark: Path) -> Any:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Line

    codes = {"M": Line.MOVETO, "L": Line.LINETO, "C": Line.CURVE4, "Z": Line.CLOSEPOLY}
    points, of = [], []
    for name, at in mark.commands:
        ends = [(at[k], at[k + 1]) for k in range(0, len(at), 2)] or [(0.0, 0.0)]
        points += ends
        of += [codes[name]] * len(ends)
    return PathPatch(Line(points, of), joinstyle="round")


@functools.cache
def _font(points: float, bold: bool, mono: bool) -> Any:
    from matplotlib.font_manager import FontProperties

    family = ["DejaVu Sans Mono", "DejaVu Sans"] if mono else ["DejaVu Sans"]  # both come with Matplotlib
    return FontProperties(family=family, weight="bold" if bold else "normal", size=points)
