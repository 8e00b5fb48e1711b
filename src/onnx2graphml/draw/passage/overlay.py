"""A layer's map laid on the network's input: each value at the centre of its receptive field."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.draw.colours import Scale, painted, scale_of
from onnx2graphml.draw.figures import DPI, LARGE, NORMAL, colour_bar, figure, number, shortened
from onnx2graphml.draw.passage.layer_picture import LayerPicture, described, wrapped_notes, write_at
from onnx2graphml.draw.passage.panel import Box, place
from onnx2graphml.graph.attributes import layer_entry
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.model import Array
from onnx2graphml.recording.alignment import Alignment, alignments
from onnx2graphml.recording.tiles import view_of

SIDE = 640  # pixels of the longer side of a picture
MARGIN, TITLE, BAR = 30, 66, 110
OPACITY = 0.6


@dataclass(frozen=True, eq=False)
class Overlay:
    """A layer's map and where it lies on an input.

    Attributes:
        layer: which.
        source: the name of the input.
        picture: the input, shape (rows, columns, 3), 0 to 1.
        map: the root mean square over all but rows and columns; of what has one channel only, the values.
        alignment: the receptive fields of its rows and of its columns.
        extent: left, right, bottom and top of the map's image, where the centre of the input's first row and column
            is (0, 0).
        scale: of the map's colours.
        file: its name in the folder.
    """

    layer: Layer
    source: str
    picture: npt.NDArray[np.float64]
    map: Array
    alignment: Alignment
    extent: tuple[float, float, float, float]
    scale: Scale
    file: str

    def entry(self) -> dict[str, Any]:
        """What the manifest tells of it."""
        rows, columns = (dataclasses.asdict(a) for a in self.alignment)
        return {
            **layer_entry(self.layer),
            "file": self.file,
            "on": self.source,
            "rows": rows,
            "columns": columns,
            "extent": list(self.extent),
            "scale": dataclasses.asdict(self.scale),
        }


def overlays_of(
    graph: NeuronGraph, pictures: Sequence[LayerPicture], values: Mapping[str, Array]
) -> tuple[tuple[Overlay, ...], dict[str, str]]:
    """The overlays of layers, and the names of the layers that have none, with the reason."""
    last = graph.model is not None and graph.model.channels_last
    aligned = alignments(graph)
    found, without = [], {}
    for shown in pictures:
        layer = shown.layer
        if layer.aggregation == "input":
            continue
        if layer.name not in aligned:
            without[layer.name] = "its positions are not windows at even distances over one input's rows and columns"
            continue
        source, alignment = aligned[layer.name]
        flat = flattened(layer, values[layer.name], last)
        file = PurePath(shown.file)
        found.append(
            Overlay(
                layer,
                source,
                _picture(flattened(graph.layer(source), values[source], last)),
                _map(flat),
                alignment,
                extent_of(alignment, flat.shape[1:]),
                scale_of([_map(flat)]),
                f"{file.stem}-overlay{file.suffix}",
            )
        )
    return tuple(found), without


def flattened(layer: Layer, value: Array, channels_last: bool) -> Array:
    """A value as (all but rows and columns, rows, columns)."""
    moved = value.transpose(view_of(layer, channels_last).order)
    return moved.reshape(-1, *moved.shape[-2:])


def extent_of(alignment: Alignment, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of an image of that shape whose pixels are centred on their receptive fields.

    Example:
        >>> from onnx2graphml.recording.alignment import Fields
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


def _picture(flat: Array) -> npt.NDArray[np.float64]:
    """An input in colours if it has three channels, otherwise their mean in grey; from its least to its greatest."""
    values = flat.astype(np.float64) if len(flat) == 3 else flat.astype(np.float64).mean(0, keepdims=True)
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    grey = np.nan_to_num((values - low) / ((high - low) or 1.0), nan=0.0).clip(0, 1)
    return np.array(np.broadcast_to(grey.transpose(1, 2, 0), (*grey.shape[1:], 3)), np.float64)


def overlay_figure(overlay: Overlay) -> Any:
    """A figure: on the left the map over the input, on the right the map alone in the same place."""
    rows, columns = overlay.picture.shape[:2]
    left, right, bottom, top = overlay.extent
    x = (min(left, right, -0.5), max(left, right, columns - 0.5))
    y = (min(top, bottom, -0.5), max(top, bottom, rows - 0.5))
    zoom = SIDE / max(x[1] - x[0], y[1] - y[0])
    wide, high = zoom * (x[1] - x[0]), zoom * (y[1] - y[0])
    width = max(2 * wide + BAR, 620) + 3 * MARGIN
    notes = wrapped_notes(_notes(overlay), width)
    height = TITLE + high + 24 + 20 * len(notes) + MARGIN / 2
    drawn = figure(width / DPI, height / DPI)
    write_at(drawn, MARGIN, 30, shortened(f"{overlay.layer.name} on {overlay.source}", int(width / 15)), LARGE,
             weight="bold")  # fmt: skip
    write_at(drawn, MARGIN, 54, shortened(described(overlay.layer), int(width / 10)), NORMAL)
    colours = painted(overlay.map, overlay.scale)
    for k, opacity in enumerate((OPACITY, 1.0)):
        axes = place(drawn, Box(MARGIN + k * (wide + MARGIN), TITLE, wide, high))
        if k == 0:
            axes.imshow(overlay.picture, interpolation="nearest", aspect="auto")
        axes.imshow(colours, extent=overlay.extent, alpha=opacity, interpolation="nearest", aspect="auto")
        _field(axes, overlay)
        axes.set(xlim=x, ylim=y[::-1], xticks=[], yticks=[])
    colour_bar(drawn, axes, overlay.scale)
    for k, note in enumerate(notes):
        write_at(drawn, MARGIN, TITLE + high + 24 + 20 * k, note, NORMAL, color="0.25")
    return drawn


def _field(axes: Any, overlay: Overlay) -> None:
    """A frame around the receptive field of the greatest value."""
    from matplotlib.patches import Rectangle

    if (found := _greatest(overlay.map)) is None:
        return
    row, column = found
    rows, columns = overlay.alignment
    wide, high = (abs(f.high - f.low) + 1 for f in (columns, rows))
    corner = (columns.centre(column) - wide / 2, rows.centre(row) - high / 2)
    axes.add_patch(Rectangle(corner, wide, high, fill=False, edgecolor="#ff3030", linewidth=1.2))


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
    said = [
        f"left: over the input, {OPACITY:.0%} opaque; right: alone. {what}centred on the receptive fields of "
        f"{rows}×{columns}"
    ]
    if found := _greatest(overlay.map):
        value = number(float(overlay.map[found]))
        said.append(f"framed: the receptive field of the greatest value, {value} at row {found[0]}, column {found[1]}")
    if missing := int((~np.isfinite(overlay.map)).sum()):
        said.append(f"magenta: {missing:,} of {overlay.map.size:,} are not finite")
    return said
