"""Epochs as pictures that move, and side by side on a strip; a layer has the same colours at each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.draw.epochs.epochs import Recording, Shown
from onnx2graphml.draw.figures import DPI, LARGE, PLAIN, SMALL, colour_bar, figure, shortened, write
from onnx2graphml.draw.mosaic import mosaic
from onnx2graphml.draw.passage.layer_picture import LayerPicture, draw_cell, shape_text
from onnx2graphml.draw.passage.panel import Box, colours, layout, place
from onnx2graphml.errors import Error, MissingExtraError
from onnx2graphml.files.atomic_file import atomic
from onnx2graphml.recording.tiles import Tiles, reduced

FILMS = {"png": "PNG", "gif": "GIF"}
"""Suffixes, and what Pillow calls the format. An animated PNG has the true colours; a GIF has 256 of them."""

PANEL = (385, 390)  # pixels of a layer in a frame
ACROSS = 4  # layers side by side in a frame
IN_A_FRAME = 12
HEAD = 46  # pixels above all layers
FRAMES = 100  # epochs in a film

CELL = 150  # pixels of a layer at an epoch on a strip
GAP, BETWEEN = 12, 24  # beside a layer, and below it
LEFT, RIGHT = 180, 112
MOST = 8  # epochs on a strip
ON_A_STRIP = 8  # layers on a strip


def frames(recording: Recording, layers: Sequence[Shown], most: int = FRAMES) -> Iterator[npt.NDArray[np.uint8]]:
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
    for at in subset(len(recording.epochs), most):
        yield _pixels(_frame(recording, layers, at, most))


def _frame(recording: Recording, layers: Sequence[Shown], at: int, most: int) -> Any:
    across = min(ACROSS, len(layers))
    wide, high = PANEL
    width, height = max(across, 2) * wide + GAP, HEAD + -(-len(layers) // across) * high
    drawn = figure(width / DPI, height / DPI)
    title = f"{shortened(recording.epochs[at], 40)}   ({at + 1} of {len(recording.epochs)})"
    write(drawn, GAP / width, 1 - 12 / height, title, LARGE, va="top", weight="bold")
    about = f"{shortened(recording.model, 30)}: {_count(recording, most)}"
    write(drawn, 1 - GAP / width, 1 - 14 / height, about, SMALL, va="top", ha="right")
    for k, layer in enumerate(layers):
        value = recording.values[layer.layer.name][at]
        box = Box(k % across * wide + GAP, k // across * high + HEAD, wide - GAP, high - GAP)
        draw_cell(drawn, box, LayerPicture(layer.layer, value, layer.tiles[at], (layer.scale,), ""))
    return drawn


def _pixels(picture: Any) -> npt.NDArray[np.uint8]:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(picture)
    with mpl.rc_context(PLAIN):
        canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def save_film(pictures: Iterator[npt.NDArray[np.uint8]], path: Path, seconds: float = 0.5) -> None:
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


def strip(recording: Recording, layers: Sequence[Shown], most: int = MOST) -> Any:
    """A figure with a row for each layer and a column for each epoch, or for some of them, which it says.

    Args:
        most: epochs at most.

    Raises:
        MissingExtraError: Matplotlib is not installed.

    Example:
        >>> strip(recording, [shown(recording, recording.layers[0])]).get_size_inches()  # doctest: +SKIP
    """
    columns = subset(len(recording.epochs), most)
    step = CELL + GAP
    width, height = max(LEFT + len(columns) * step + RIGHT, 600), 2 * HEAD + len(layers) * (CELL + BETWEEN)
    picture = figure(width / DPI, height / DPI)
    title = f"{shortened(recording.model, 40)}: {_count(recording, most)}"
    write(picture, 12 / width, 1 - 12 / height, title, LARGE, va="top", weight="bold")
    for k, at in enumerate(columns):
        x = LEFT + k * step
        write(picture, x / width, 1 - 1.9 * HEAD / height, shortened(recording.epochs[at], 18), SMALL, va="bottom")
    for row, layer in enumerate(layers):
        y = 2 * HEAD + row * (CELL + BETWEEN)
        for k, line in enumerate(_label(layer)):
            write(picture, 12 / width, 1 - (y + 20 * k) / height, line, SMALL, va="top")
        for k, at in enumerate(columns):
            _cell(picture, Box(LEFT + k * step, y, CELL, CELL), layer.tiles[at], layer)
        bar = place(picture, Box(LEFT + len(columns) * step - GAP, y, 1, CELL))
        bar.axis("off")
        colour_bar(picture, bar, layer.scale)
    return picture


def _count(recording: Recording, most: int) -> str:
    """How many epochs are shown."""
    count = len(recording.epochs)
    return f"all {count} epochs" if count <= most else f"{most} of {count} epochs"


def _label(layer: Shown) -> list[str]:
    """The layer's name, its shape, and which channels are shown, a line each."""
    told = layer.tiles[0].statement.split(", ")
    return [line for line in (shortened(layer.layer.name, 22), shape_text(layer.layer), *told) if line]


def _cell(picture: Any, box: Box, tiles: Tiles, layer: Shown) -> None:
    """The tiles alone, in the upper left of a box."""
    made = layout(tiles, box.width, box.height)
    whole = mosaic(reduced(tiles.array, made.block), made.columns, made.gap)
    high, wide = whole.image.shape
    axes = place(picture, Box(box.x, box.y, made.zoom * wide, made.zoom * high))
    axes.axis("off")
    kind = "none" if made.zoom >= 1 else "antialiased"
    axes.imshow(colours(tiles, whole, made, (layer.scale,)), interpolation=kind, aspect="auto")
