"""A pattern on its way through a network: every layer's values in one forward pass, and a picture of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from onnx2graphml.draw.colours import scale_of
from onnx2graphml.draw.figures import check_kind, save
from onnx2graphml.draw.passage.layer_picture import LayerPicture, layer_figure, scales_of
from onnx2graphml.draw.passage.overlay import Overlay, overlay_figure, overlays_of
from onnx2graphml.draw.passage.sheets import check_grid, sheet_figure, sheets_of
from onnx2graphml.errors import Error
from onnx2graphml.files.picture_folder import file_name, picture_folder, write_manifest
from onnx2graphml.graph.attributes import layer_entry
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.inference.activations import activations
from onnx2graphml.model import Array
from onnx2graphml.recording.tiles import map_size, tiles_of

SCALES = ("layer", "channel", "global")


@dataclass(frozen=True, eq=False)
class Passage:
    """A pattern's way through a network.

    Attributes:
        layers: what is shown of each, in the graph's order.
        left_out: layers that are smaller than `min_size`.
        sheets: the overview's files, in order.
        overlays: layers' maps on the input, where they were asked for.
        not_overlaid: the names of layers that have none, with the reason.
        folder: where the pictures are; None where none were drawn.
    """

    layers: tuple[LayerPicture, ...]
    left_out: tuple[Layer, ...] = ()
    sheets: tuple[str, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    not_overlaid: Mapping[str, str] = dataclasses.field(default_factory=dict)
    folder: Path | None = None

    def layer(self, name: str) -> LayerPicture:
        """What is shown of the layer of that name; `Error` if nothing is."""
        for picture in self.layers:
            if picture.layer.name == name:
                return picture
        names = [p.layer.name for p in self.layers]
        raise Error(f"no layer {name!r} is shown; shown are {', '.join(map(repr, names[:5]))}, {len(names)} in all")


@dataclass(frozen=True)
class _Options:
    grid: tuple[int, int]
    kind: str
    scale: str
    channels: str
    limit: int
    min_size: tuple[int, int] | None


def passage(
    graph: NeuronGraph,
    feeds: Mapping[str, Array],
    folder: Path | str | None = None,
    *,
    grid: tuple[int, int] = (3, 3),
    kind: str = "png",
    scale: str = "layer",
    channels: str = "first",
    limit: int = 64,
    min_size: tuple[int, int] | None = None,
    overlay: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Passage:
    """Run a pattern through a network once, and draw what each layer makes of it.

    Args:
        graph: with the model that it was made from.
        feeds: an array for each of the model's inputs, by name, in its shape, with or without the batch axis of 1.
        folder: for a picture of each layer, sheets of all of them and `manifest.json`; a new or an empty one, or one
            that an earlier call wrote, which is replaced. Without one nothing is drawn.
        grid: rows and columns of layers on a sheet.
        kind: `png`, `svg` or `pdf`.
        scale: of colours: one for each `layer`, for each `channel`, or a `global` one for all layers together. But for
            `channel`, the limits are those of all values, also of channels that are not drawn.
        channels: which are drawn of more than `limit`: the `first`, the `top` ones by energy, that is by the sum of
            squares, or `all`.
        min_size: the rows and columns that a layer's map has at least, or it is left out; a vector has one row.
        overlay: also lay each layer's map on the input.
        progress: told each file's name after it is written.

    Raises:
        Error: an array is missing or has the wrong shape, or an option is none of those above.
        OutputError: the folder can't be written.
        MissingExtraError: Matplotlib is not installed.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> from onnx2graphml.inference.inputs import resolve
        >>> conv2 = passage(graph, resolve(graph)).layer("conv2")
        >>> conv2.value.shape, conv2.tiles.array.shape
        ((2, 2, 24), (24, 2, 2))
    """
    options = _Options(grid, kind, scale, channels, limit, min_size)
    _check(options)
    model = graph.require_model()
    values = activations(graph, feeds)
    small = [x for x in graph.layers if min_size and not _fits(map_size(x, model.channels_last), min_size)]
    kept = [layer for layer in graph.layers if layer not in small]
    if min_size and not kept:
        raise Error(f"no layer has a map of {min_size[0]}x{min_size[1]} or more; choose a smaller min_size")
    found = Passage(tuple(_pictures(graph, kept, values, options)), tuple(small))
    if overlay:
        laid, without = overlays_of(graph, found.layers, values)
        found = dataclasses.replace(found, overlays=laid, not_overlaid=without)
    return found if folder is None else _drawn(graph, found, Path(folder), options, progress or (lambda name: None))


def _check(options: _Options) -> None:
    check_kind(options.kind)
    check_grid(options.grid)
    if options.scale not in SCALES:
        raise Error(f"scale is {options.scale!r}; expected {', '.join(SCALES)}")


def _fits(size: tuple[int, int], least: tuple[int, int]) -> bool:
    return all(n >= m for n, m in zip(size, least, strict=True))


def _pictures(
    graph: NeuronGraph, layers: Sequence[Layer], values: Mapping[str, Array], options: _Options
) -> list[LayerPicture]:
    whole = scale_of(values[layer.name] for layer in layers) if options.scale == "global" else None
    places = {layer.name: k for k, layer in enumerate(graph.layers)}
    last = graph.require_model().channels_last
    pictures = []
    for layer in layers:
        value = values[layer.name]
        file = f"{file_name(places[layer.name], len(places), layer.name)}.{options.kind}"
        tiles = tiles_of(layer, value, channels_last=last, channels=options.channels, limit=options.limit)
        scales = scales_of(tiles, value, options.scale == "channel", whole)
        pictures.append(LayerPicture(layer, value, tiles, scales, file))
    return pictures


def _drawn(
    graph: NeuronGraph, found: Passage, folder: Path, options: _Options, progress: Callable[[str], None]
) -> Passage:
    sheets = sheets_of(found.layers, options.grid)
    names = [f"sheet-{k:0{len(str(len(sheets) - 1))}}.{options.kind}" for k in range(len(sheets))]
    with picture_folder(folder, "passage") as new:
        for picture in found.layers:
            save(layer_figure(picture), new / picture.file)
            progress(picture.file)
        for overlay in found.overlays:
            save(overlay_figure(overlay), new / overlay.file)
            progress(overlay.file)
        for name, sheet in zip(names, sheets, strict=True):
            save(sheet_figure(sheet, options.grid), new / name)
            progress(name)
        found = dataclasses.replace(found, sheets=tuple(names), folder=folder)
        write_manifest(new, _manifest(graph, found, options))
    return found


def _manifest(graph: NeuronGraph, found: Passage, options: _Options) -> dict[str, object]:
    return {
        "model": graph.model_name,
        "options": dataclasses.asdict(options),
        "layers": [p.entry() for p in found.layers],
        "left_out": [layer_entry(layer) for layer in found.left_out],
        "sheets": list(found.sheets),
        "overlays": [o.entry() for o in found.overlays],
        "not_overlaid": dict(found.not_overlaid),
    }
