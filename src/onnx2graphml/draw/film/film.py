"""Epochs as pictures that move, and side by side on a strip; a layer has the same colours at each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from onnx2graphml.draw.bodies import bodies_of, thumbnail
from onnx2graphml.draw.canvas import pixels
from onnx2graphml.draw.film.shown import Shown
from onnx2graphml.draw.page import LARGE, SMALL, Mark, Page, Pixels, Text, moved
from onnx2graphml.draw.panel import BAR, MARGIN, Panel, scale_bar, shape_text, sheet
from onnx2graphml.draw.panel import BETWEEN as APART
from onnx2graphml.errors import Error, MissingExtraError
from onnx2graphml.files.atomic_file import atomic
from onnx2graphml.recording.epochs import Recording
from onnx2graphml.text import filled, shortened

FILMS = {"png": "PNG", "gif": "GIF"}
"""Suffixes, and what Pillow calls the format. An animated PNG has the true colours; a GIF has 256 of them."""

PANEL = (373, 378)  # pixels of a layer in a frame
ACROSS = 4  # layers side by side in a frame
IN_A_FRAME = 12
FRAMES = 100  # epochs in a film

CELL = 150  # pixels of a layer at an epoch on a strip
GAP, BETWEEN = 12, 20  # beside a layer, and below it
LEFT = 250  # pixels for a layer's name
HEAD = 84  # pixels above the first layer
MOST = 8  # epochs on a strip
ON_A_STRIP = 8  # layers on a strip


def frames(recording: Recording, layers: Sequence[Shown], most: int = FRAMES) -> Iterator[Pixels]:
    """A picture for each epoch, or for some of them, which it says; shape (height, width, 3).

    Args:
        layers: those in the picture, `IN_A_FRAME` of them at most if it is to fit a screen.
        most: epochs at most: a film is held in memory until it is written.

    Raises:
        MissingExtraError: Matplotlib is not installed.

    Example:
        >>> [frame.ndim for frame in frames(recording, [shown(recording, recording.layers[0])])]  # doctest: +SKIP
        [3, 3, 3]
    """
    places = subset(len(recording.epochs), most)
    pages = [frame(recording, layers, at, most) for at in places]
    high = max(page.height for page in pages)
    for page in pages:
        yield pixels(Page(page.width, round(high), page.marks))


def frame(recording: Recording, layers: Sequence[Shown], at: int, most: int = FRAMES) -> Page:
    """The page of an epoch."""
    panels = [
        Panel(x.layer.name, shape_text(x.layer), bodies_of(x.tiles[at], (x.scale,)), (x.scale,), _notes(x, at))
        for x in layers
    ]
    across = max(min(ACROSS, len(layers)), 2)
    width = across * (PANEL[0] + APART) + MARGIN
    title = f"{shortened(recording.epochs[at], 0.6 * width, LARGE, bold=True)}   ({at + 1} of {len(recording.epochs)})"
    about = f"{shortened(recording.model, 0.3 * width, SMALL)}: {_count(recording, most)}"
    head = [Text(MARGIN, 30, title, LARGE, bold=True), Text(width, 30, about, SMALL, align="right")]
    page = sheet(panels, across, PANEL, head)
    return Page(width + MARGIN, page.height, page.marks)


def _notes(shown: Shown, at: int) -> tuple[str, ...]:
    return tuple(filter(None, [shown.tiles[at].statement]))


def save_film(pictures: Iterator[Pixels], path: Path, seconds: float = 0.5) -> None:
    """Write pictures of one size as a film that starts again at its end; the same bytes each time.

    Args:
        path: ends with .png for an animated PNG, or with .gif.
        seconds: how long each picture stays.

    Raises:
        Error: the path has another suffix.
        MissingExtraError: Pillow is not installed.
        OutputError: it can't be written.

    Example:
        >>> save_film(frames(recording, layers), Path("film.gif"))  # doctest: +SKIP
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FILMS:
        raise Error(f"{path}: films are written as {', '.join(FILMS)}; give one of these suffixes")
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("Pillow", "plot") from None
    first, *others = [Image.fromarray(p) for p in pictures]  # Pillow goes through them twice
    with atomic(path) as file:
        first.save(file, FILMS[kind], save_all=True, append_images=others, duration=round(1000 * seconds), loop=0)


def subset(count: int, most: int) -> list[int]:
    """Positions at even distances, the first and the last among them.

    Example:
        >>> subset(30, 4), subset(3, 8)
        ([0, 10, 19, 29], [0, 1, 2])
    """
    return [round(k) for k in np.linspace(0, count - 1, min(count, most)).tolist()]


def strip(recording: Recording, layers: Sequence[Shown], most: int = MOST) -> Page:
    """A page with a row for each layer and a column for each epoch, or for some of them, which it says.

    Args:
        most: epochs at most.

    Example:
        >>> strip(recording, [shown(recording, recording.layers[0])]).width  # doctest: +SKIP
        736
    """
    columns = subset(len(recording.epochs), most)
    step = CELL + GAP
    width = max(MARGIN + LEFT + len(columns) * step + MARGIN, 600)
    title = f"{shortened(recording.model, 0.6 * width, LARGE, bold=True)}: {_count(recording, most)}"
    marks: list[Mark] = [Text(MARGIN, 36, title, LARGE, bold=True)]
    for k, at in enumerate(columns):
        name = shortened(recording.epochs[at], CELL, SMALL)
        marks.append(Text(MARGIN + LEFT + k * step, HEAD - 10, name, SMALL))
    for row, shown in enumerate(layers):
        y = HEAD + row * (CELL + BETWEEN)
        marks += _label(shown, y)
        for k, at in enumerate(columns):
            piece = thumbnail(shown.tiles[at], shown.scale).placed(CELL, CELL)
            marks += moved(piece.marks, MARGIN + LEFT + k * step, y)
    return Page(width, HEAD + len(layers) * (CELL + BETWEEN), tuple(marks))


def _count(recording: Recording, most: int) -> str:
    """How many epochs are shown."""
    count = len(recording.epochs)
    return f"all {count} epochs" if count <= most else f"{most} of {count} epochs"


def _label(shown: Shown, y: float) -> list[Mark]:
    """The layer's name, its shape, which channels are shown, and the scale of its colours."""
    room = LEFT - GAP
    marks: list[Mark] = [Text(MARGIN, y + 14, shortened(shown.layer.name, room, SMALL, bold=True), SMALL, bold=True)]
    told = [shape_text(shown.layer), *filled(shown.tiles[0].statement, room, SMALL)]
    marks += [Text(MARGIN, y + 34 + 18 * k, line, SMALL) for k, line in enumerate(told)]
    bar = scale_bar((shown.scale,))
    return [*marks, *moved(bar.marks, MARGIN, y + 40 + 18 * len(told) + BAR[1])]
