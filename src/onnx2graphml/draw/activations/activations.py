"""What every layer makes of an input: all values in one forward pass, and a picture of each layer."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from onnx2graphml.draw.activations.overlay import Overlay, overlays_of
from onnx2graphml.draw.activations.overlay_pages import channels_page, overlay_page
from onnx2graphml.draw.activations.pictures import LayerPicture, is_photo, scales_of
from onnx2graphml.draw.activations.sheets import check_grid, overview, sheets_of
from onnx2graphml.draw.canvas import check_kind, save
from onnx2graphml.draw.colours import scale_of
from onnx2graphml.draw.page import Page
from onnx2graphml.draw.panel import page
from onnx2graphml.draw.photo import check_colours
from onnx2graphml.draw.tiles import tiles_of
from onnx2graphml.errors import Error
from onnx2graphml.files.picture_folder import file_name, picture_folder, write_manifest
from onnx2graphml.graph.attributes import layer_entry
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.select import layer_names
from onnx2graphml.inference.activations import activations as values_of
from onnx2graphml.model import Array
from onnx2graphml.recording.views import map_size

SCALES = ("layer", "channel", "global")
OVERLAYS = ("", "layer", "channels")

Progress = Callable[[int, int, str], None]
"""Told how many files are written, of how many, and the last one's name."""


@dataclass(frozen=True, eq=False)
class Activations:
    """What the layers make of an input.

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
        near = difflib.get_close_matches(name, names, n=3) or names[:3]
        raise Error(f"no layer {name!r} is shown; did you mean {', '.join(map(repr, near))}?")


@dataclass(frozen=True)
class _Options:
    grid: tuple[int, int]
    kind: str
    scale: str
    channels: str
    limit: int
    min_size: tuple[int, int] | None
    overlay: str
    colours: str


def activations(
    graph: NeuronGraph,
    feeds: Mapping[str, Array],
    folder: Path | str | None = None,
    *,
    layers: str | Sequence[str] | None = None,
    grid: tuple[int, int] = (3, 3),
    kind: str = "png",
    scale: str = "layer",
    channels: str = "first",
    limit: int = 64,
    min_size: tuple[int, int] | None = None,
    overlay: str = "",
    colours: str = "rgb",
    classes: Sequence[str] = (),
    progress: Progress | None = None,
) -> Activations:
    """Run a network once, and draw what each layer makes of the input.

    Args:
        graph: with the model that it was made from.
        feeds: an array for each of the model's inputs, by name, in its shape, with or without the batch axis of 1.
        folder: for a picture of each layer, sheets of all of them and `manifest.json`; a new or an empty one, or one
            that an earlier call wrote, which is replaced. Without one nothing is drawn.
        layers: which are shown: names, or a text as `subnetwork` takes it; all by default.
        grid: rows and columns of layers on a sheet.
        kind: `png`, `svg` or `pdf`.
        scale: of colours: one for each `layer`, for each `channel`, or a `global` one for all layers together. But for
            `channel`, the limits are those of all values, also of channels that are not drawn.
        channels: which are drawn of more than `limit`: the `first`, the `top` ones by energy, that is by the sum of
            squares, or `all`.
        min_size: the rows and columns that a layer's map has at least, or it is left out; a vector has one row.
        overlay: `layer` lays each layer's map on the input, `channels` its strongest channels, too.
        colours: of an input of three channels: `rgb` or `bgr`, as a photograph; or `channels`, one by one.
        classes: names of the units of the network's outputs.
        progress: told after each file is written.

    Raises:
        Error: an array is missing or has the wrong shape, or an option is none of those above.
        OutputError: the folder can't be written.
        MissingExtraError: Matplotlib is not installed.

    Example:
        >>> import onnx2graphml
        >>> from onnx2graphml.inference.inputs import resolve
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> conv2 = activations(graph, resolve(graph)).layer("conv2")
        >>> conv2.value.shape, conv2.tiles.array.shape
        ((2, 2, 24), (24, 2, 2))
    """
    options = _Options(grid, kind, scale, channels, limit, min_size, overlay, colours)
    _check(options)
    model = graph.require_model()
    chosen = _chosen(graph, layers)
    _check_classes(graph, classes)
    values = values_of(graph, feeds)
    small = [x for x in chosen if min_size and not _fits(map_size(x, model.channels_last), min_size)]
    kept = [layer for layer in chosen if layer not in small]
    if min_size and not kept:
        raise Error(f"no layer has a map of {min_size[0]}x{min_size[1]} or more; choose a smaller min_size")
    found = Activations(tuple(_pictures(graph, kept, values, options, tuple(classes))), tuple(small))
    if overlay:
        laid, without = overlays_of(graph, found.layers, values, colours, by_channel=overlay == "channels")
        found = dataclasses.replace(found, overlays=laid, not_overlaid=without)
    return found if folder is None else _drawn(graph, found, Path(folder), options, progress)


def _check(options: _Options) -> None:
    check_kind(options.kind)
    check_grid(options.grid)
    check_colours(options.colours)
    for what, value, known in (("scale", options.scale, SCALES), ("overlay", options.overlay, OVERLAYS)):
        if value not in known:
            raise Error(f"{what} is {value!r}; expected {', '.join(filter(None, known))}")


def _chosen(graph: NeuronGraph, layers: str | Sequence[str] | None) -> list[Layer]:
    """The layers asked for, in the graph's order."""
    if layers is None:
        return list(graph.layers)
    names = layer_names(graph, layers) if isinstance(layers, str) else [graph.layer(name).name for name in layers]
    return [layer for layer in graph.layers if layer.name in set(names)]


def read_classes(path: Path) -> tuple[str, ...]:
    """The names of units, one a line; lines of blanks don't count.

    Raises:
        Error: the file can't be read, or holds no names.

    Example:
        >>> read_classes(Path("imagenet.txt"))[281]  # doctest: +SKIP
        'tabby'
    """
    try:
        names = tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as e:
        why = e.strerror if isinstance(e, OSError) and e.strerror else "it is no UTF-8 text"
        raise Error(f"{path}: can't read the classes: {why}; expected a text file with a name on each line") from None
    if not names:
        raise Error(f"{path}: it holds no names; expected one on each line")
    return names


def _check_classes(graph: NeuronGraph, classes: Sequence[str]) -> None:
    sizes = {graph.layer(name).neurons for name in graph.outputs}
    if classes and len(classes) not in sizes:
        has = ", ".join(f"{n:,}" for n in sorted(sizes))
        raise Error(f"{len(classes):,} classes are named; the network's outputs have {has} units")


def _fits(size: tuple[int, int], least: tuple[int, int]) -> bool:
    return all(n >= m for n, m in zip(size, least, strict=True))


def _pictures(
    graph: NeuronGraph,
    layers: Sequence[Layer],
    values: Mapping[str, Array],
    options: _Options,
    classes: tuple[str, ...],
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
        coloured = options.colours != "channels" and is_photo(layer, tiles)
        names = classes if layer.name in graph.outputs and layer.neurons == len(classes) else ()
        pictures.append(LayerPicture(layer, value, tiles, scales, file, options.colours if coloured else "", names))
    return pictures


def _drawn(
    graph: NeuronGraph, found: Activations, folder: Path, options: _Options, progress: Progress | None
) -> Activations:
    sheets = sheets_of(found.layers, options.grid)
    names = [f"sheet-{k:0{len(str(len(sheets) - 1))}}.{options.kind}" for k in range(len(sheets))]
    pages: dict[str, Callable[[], Page]] = {p.file: partial(_page, p) for p in found.layers}
    pages |= {o.file: partial(overlay_page, o) for o in found.overlays}
    pages |= {o.channel_file: partial(channels_page, o) for o in found.overlays if o.channel_file}
    pages |= {name: partial(overview, sheet, options.grid) for name, sheet in zip(names, sheets, strict=True)}
    with picture_folder(folder, "activations") as new:
        for done, (name, made) in enumerate(pages.items(), start=1):
            save(made(), new / name)
            if progress:
                progress(done, len(pages), name)
        found = dataclasses.replace(found, sheets=tuple(names), folder=folder)
        write_manifest(new, _manifest(graph, found, options))
    return found


def _page(picture: LayerPicture) -> Page:
    return page(picture.panel(large=True))


def _manifest(graph: NeuronGraph, found: Activations, options: _Options) -> dict[str, object]:
    return {
        "model": graph.model_name,
        "options": dataclasses.asdict(options),
        "layers": [p.entry() for p in found.layers],
        "left_out": [layer_entry(layer) for layer in found.left_out],
        "sheets": list(found.sheets),
        "overlays": [o.entry() for o in found.overlays],
        "not_overlaid": dict(found.not_overlaid),
    }
