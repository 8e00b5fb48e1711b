"""Overlays on paper: a map over the input and alone, and single channels over the input."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from onnx2graphml.draw.activations.overlay import Overlay, limits_of
from onnx2graphml.draw.colours import Scale, painted
from onnx2graphml.draw.mosaic import Mosaic
from onnx2graphml.draw.page import Box, Page, Piece, Pixels, Rect
from onnx2graphml.draw.panel import Panel, described, page
from onnx2graphml.model import Array
from onnx2graphml.text import number

SIDE = 640  # pixels of the longer side of an input
EACH = 280  # the same where there are many
OPACITY = 0.6


@dataclass(frozen=True)
class _Frame:
    """What is seen of an input and the maps around it: its limits, and the pixels of one of its rows or columns."""

    left: float
    top: float
    right: float
    bottom: float
    zoom: float

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return round(self.zoom * (self.bottom - self.top)), round(self.zoom * (self.right - self.left))

    def sampled(self, image: Array, extent: tuple[float, float, float, float]) -> tuple[Array, npt.NDArray[np.bool_]]:
        """An image that lies at an extent, at each pixel of the frame; and which pixels it covers."""
        left, right, bottom, top = extent
        high, wide = self.size
        x = (self.left + (np.arange(wide) + 0.5) / self.zoom - left) / (right - left) * image.shape[1]
        y = (self.top + (np.arange(high) + 0.5) / self.zoom - top) / (bottom - top) * image.shape[0]
        column, row = np.floor(x).astype(int), np.floor(y).astype(int)
        inside = np.outer((row >= 0) & (row < image.shape[0]), (column >= 0) & (column < image.shape[1]))
        return image[row.clip(0, image.shape[0] - 1)][:, column.clip(0, image.shape[1] - 1)], inside


def _frame(overlay: Overlay, side: float) -> _Frame:
    rows, columns = overlay.picture.shape[:2]
    left, right, bottom, top = overlay.extent
    x = (min(left, right, -0.5), max(left, right, columns - 0.5))
    y = (min(top, bottom, -0.5), max(top, bottom, rows - 0.5))
    return _Frame(x[0], y[0], x[1], y[1], side / max(x[1] - x[0], y[1] - y[0]))


def laid(overlay: Overlay, values: Array, scale: Scale, frame: _Frame, opacity: float) -> Pixels:
    """A map over the input, so opaque; where the input is not, it lies on white."""
    rows, columns = overlay.picture.shape[:2]
    below, there = frame.sampled(overlay.picture, (-0.5, columns - 0.5, rows - 0.5, -0.5))
    under = np.where(there[..., None], below, 255).astype(np.float64)
    over, covered = frame.sampled(painted(values, scale)[..., :3], overlay.extent)
    share = np.where(covered, opacity, 0.0)[..., None]
    return np.asarray((under * (1 - share) + over * share).round().astype(np.uint8))


@dataclass(frozen=True, eq=False)
class _Pair:
    """The map over the input, and alone in the same place; both with a frame around a receptive field."""

    coloured: ClassVar[bool] = True

    overlay: Overlay

    def placed(self, width: float, height: float) -> Piece:
        overlay, side = self.overlay, min(SIDE, (width - 24) / 2, height)
        frame = _frame(overlay, side)
        both = [laid(overlay, overlay.map, overlay.scale, frame, opacity) for opacity in (OPACITY, 1.0)]
        blank = np.full((*frame.size, 3), 255, np.uint8)
        over, covered = frame.sampled(painted(overlay.map, overlay.scale)[..., :3], overlay.extent)
        both[1] = np.where(covered[..., None], over, blank)
        high, wide = frame.size
        piece = Mosaic(np.stack(both), columns=2, zoom=1).placed(2 * wide + 10, high + 8)
        marks = list(piece.marks)
        if (found := _greatest(overlay.map)) is not None:
            box = _field(overlay, frame, found)
            marks += [
                Rect(box, None, "#ff3030", 2.5),
                Rect(dataclasses.replace(box, x=box.x + wide + 4), None, "#ff3030", 2.5),
            ]
        return dataclasses.replace(piece, marks=tuple(marks))


def _field(overlay: Overlay, frame: _Frame, at: tuple[int, int]) -> Box:
    """The receptive field of a position, as far as it is seen."""
    rows, columns = overlay.alignment
    ends = []
    for fields, position, low, high in (
        (columns, at[1], frame.left, frame.right),
        (rows, at[0], frame.top, frame.bottom),
    ):
        half = (abs(fields.high - fields.low) + 1) / 2
        middle = fields.centre(position)
        ends.append([(min(max(end, low), high) - low) * frame.zoom for end in (middle - half, middle + half)])
    (left, right), (top, bottom) = ends
    return Box(left + 1, top + 1, right - left, bottom - top)


def overlay_page(overlay: Overlay) -> Page:
    """On the left the map over the input, on the right the map alone in the same place."""
    title = f"{overlay.layer.name} on {overlay.source}"
    return page(Panel(title, described(overlay.layer), (_Pair(overlay),), (overlay.scale,), tuple(_notes(overlay))))


def channels_page(overlay: Overlay) -> Page:
    """The strongest channels, each over the input, in colours that all share."""
    scale = limits_of(overlay.channels)
    frame = _frame(overlay, EACH)
    tiles = np.stack([laid(overlay, values, scale, frame, OPACITY) for values in overlay.channels])
    labels = tuple(map(str, overlay.numbers))
    others = overlay.layer.neurons // overlay.map.size
    notes = (f"{len(labels)} of {others:,} channels, by energy, {OPACITY:.0%} opaque",)
    title = f"{overlay.layer.name} on {overlay.source}, by channel"
    return page(Panel(title, described(overlay.layer), (Mosaic(tiles, labels, zoom=1),), (scale,), notes))


def _greatest(values: Array) -> tuple[int, int] | None:
    if not np.isfinite(values).any():
        return None
    size = np.where(np.isfinite(values), np.abs(values), -1)
    row, column = np.unravel_index(int(size.argmax()), values.shape)
    return int(row), int(column)


def _notes(overlay: Overlay) -> list[str]:
    rows, columns = (f"{abs(f.high - f.low) + 1:g}" for f in overlay.alignment)
    others = overlay.layer.neurons // overlay.map.size
    what = f"root mean square over {others:,} channels; " if others > 1 else ""
    where = f"centred on the receptive fields of {rows}×{columns}"
    if overlay.assumed:
        where = "it has the input's rows and columns, and lies on them one for one"
    said = [f"left: over the input, {OPACITY:.0%} opaque; right: alone. {what}{where}"]
    if found := _greatest(overlay.map):
        value = number(float(overlay.map[found]))
        said.append(f"framed: the receptive field of the greatest value, {value} at row {found[0]}, column {found[1]}")
    if missing := int((~np.isfinite(overlay.map)).sum()):
        said.append(f"magenta: {missing:,} of {overlay.map.size:,} are not finite")
    return said
