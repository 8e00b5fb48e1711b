"""A layer's maps laid on the network's input: each value at the centre of its receptive field."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from onnx2graphml.draw.activations.pictures import LayerPicture
from onnx2graphml.draw.colours import Scale, limits, scale_of
from onnx2graphml.draw.page import Pixels
from onnx2graphml.draw.photo import photo
from onnx2graphml.draw.tiles import energy
from onnx2graphml.graph.attributes import layer_entry
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.model import Array
from onnx2graphml.recording.alignment import Alignment, Fields, alignments
from onnx2graphml.recording.views import view_of

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
                limits_of(_map(flat)),
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


def limits_of(values: Array) -> Scale:
    """From the least to the greatest value, so that small differences are seen; about 0 where there are both signs."""
    low, high = limits(values)
    return Scale(low, high, False) if 0 <= low < high else scale_of([values])


def _picture(flat: Array, colours: str) -> Pixels:
    """An input in colours if it has three channels, otherwise their mean in grey."""
    if len(flat) == 3:
        return photo(flat, "bgr" if colours == "bgr" else "rgb")
    return photo(np.broadcast_to(flat.astype(np.float64).mean(0), (3, *flat.shape[1:])))
