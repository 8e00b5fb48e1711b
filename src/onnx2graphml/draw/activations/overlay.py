"""A layer's maps laid on the network's input: each value at the centre of its receptive field."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.draw.activations.pictures import LayerPicture
from onnx2graphml.draw.colours import Scale, limits, painted, scale_of
from onnx2graphml.draw.mosaic import Mosaic
from onnx2graphml.draw.page import Box, Page, Piece, Pixels, Rect
from onnx2graphml.draw.panel import Panel, described, page
from onnx2graphml.draw.photo import photo
from onnx2graphml.draw.tiles import energy
from onnx2graphml.graph.attributes import layer_entry
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.model import Array
from onnx2graphml.recording.alignment import Alignment, Fields, alignments
from onnx2graphml.recording.views import view_of
from onnx2graphml.text import number

SIDE = 640  # pixels of the longer side of an input
EACH = 280  # the same where there are many
OPACITY = 0.6
CHANNELS = 16  # of a layer that are laid on the input one by one
SAME = (Fields(1, 0, 0), Fields(1, 0, 0))
"""The alignment of what has the input's own rows and columns."""


@dataclass(frozen=True, eq=False)
class Overlay:
    """A layer's map and where it lies on an input.

    Attributes:
        layer: which.
        source: the name of the input.
        picture: the input, shape (rows, columns, 3), uint8.
        map: the root mean square over all but rows and columns; of what has one channel only, the values.
        alignment: the receptive fields of its rows and of its columns.
        assumed: whether the alignment is that of equal sizes alone, because the edges tell none.
        scale: of the map's colours.
        file: its name in the folder.
        channels: maps of single channels, the strongest first, and `numbers`: which they are.
        channel_file: the name of their picture; empty where there is none.
    """

    layer: Layer
    source: str
    picture: Pixels
    map: Array
    alignment: Alignment
    assumed: bool
    scale: Scale
    file: str
    channels: Array
    numbers: tuple[int, ...] = ()
    channel_file: str = ""

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of the map, where the centre of the input's first row and column is (0, 0)."""
        return extent_of(self.alignment, self.map.shape)

    def entry(self) -> dict[str, Any]:
        """What the manifest tells of it."""
        rows, columns = (dataclasses.asdict(a) for a in self.alignment)
        channels = {"channels": self.numbers, "channel_file": self.channel_file} if self.channel_file else {}
        return {
            **layer_entry(self.layer),
            "file": self.file,
            "on": self.source,
            "rows": rows,
            "columns": columns,
            "extent": list(self.extent),
            "scale": dataclasses.asdict(self.scale),
            **channels,
        }


def overlays_of(
    graph: NeuronGraph,
    pictures: Sequence[LayerPicture],
    values: Mapping[str, Array],
    colours: str = "rgb",
    by_channel: bool = False,
) -> tuple[tuple[Overlay, ...], dict[str, str]]:
    """The overlays of layers, and the names of the layers that have none, with the reason.

    Args:
        colours: of an input of three channels; see `photo`.
        by_channel: whether the strongest channels are laid on the input one by one, too.
    """
    last = graph.model is not None and graph.model.channels_last
    aligned = alignments(graph)
    found, without = [], {}
    for shown in pictures:
        layer = shown.layer
        if layer.aggregation == "input":
            continue
        source, alignment = aligned.get(layer.name) or (_of_equal_size(graph, layer, last), None)
        if source is None:
            without[layer.name] = "its positions are not windows at even distances over one input's rows and columns"
            continue
        flat = flattened(layer, values[layer.name], last)
        file = PurePath(shown.file)
        most = CHANNELS if by_channel and len(flat) > 1 else 0
        strongest = np.argsort(-energy(flat), kind="stable")[:most]
        found.append(
            Overlay(
                layer,
                source,
                _picture(flattened(graph.layer(source), values[source], last), colours),
                _map(flat),
                alignment or SAME,
                alignment is None,
                _limits(_map(flat)),
                f"{file.stem}-overlay{file.suffix}",
                flat[strongest],
                tuple(int(k) for k in strongest),
                f"{file.stem}-overlay-channels{file.suffix}" if most else "",
            )
        )
    return tuple(found), without


def _of_equal_size(graph: NeuronGraph, layer: Layer, last: bool) -> str | None:
    """The only input, if the layer's map has its rows and columns."""
    inputs = [x for x in graph.layers if x.aggregation == "input"]
    if len(inputs) != 1 or not layer.neurons:
        return None
    views = [view_of(x, last) for x in (inputs[0], layer)]
    if any(view.form not in ("pictures", "map") for view in views):
        return None
    sizes = [[x.shape[a] for a in view.order[-2:]] for x, view in zip((inputs[0], layer), views, strict=True)]
    return inputs[0].name if sizes[0] == sizes[1] else None


def flattened(layer: Layer, value: Array, channels_last: bool) -> Array:
    """A value as (all but rows and columns, rows, columns)."""
    moved = value.transpose(view_of(layer, channels_last).order)
    return moved.reshape(-1, *moved.shape[-2:])


def extent_of(alignment: Alignment, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of an image of that shape whose pixels are centred on their receptive fields.

    Example:
        >>> half = Fields(2.0, -1.0, 1.0)  # stride 2, three wide, padded by 1: centred on 0, 2, 4, 6
        >>> extent_of((half, half), (4, 4))
        (-1.0, 7.0, 7.0, -1.0)
    """
    (top, bottom), (left, right) = (
        (fields.centre(-0.5), fields.centre(n - 0.5)) for fields, n in zip(alignment, shape, strict=True)
    )
    return left, right, bottom, top


def _map(flat: Array) -> Array:
    if len(flat) == 1:
        return np.asarray(flat[0])
    values = flat.astype(np.float64)
    most = np.abs(values[np.isfinite(values)]).max(initial=0) or 1.0
    with np.errstate(invalid="ignore"):
        return np.asarray(np.sqrt(np.mean((values / most) ** 2, axis=0)) * most)


def _limits(values: Array) -> Scale:
    """From the least to the greatest value, so that small differences are seen; about 0 where there are both signs."""
    low, high = limits(values)
    return Scale(low, high, False) if 0 <= low < high else scale_of([values])


def _picture(flat: Array, colours: str) -> Pixels:
    """An input in colours if it has three channels, otherwise their mean in grey."""
    if len(flat) == 3:
        return photo(flat, "bgr" if colours == "bgr" else "rgb")
    return photo(np.broadcast_to(flat.astype(np.float64).mean(0), (3, *flat.shape[1:])))


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
    scale = _limits(overlay.channels)
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
