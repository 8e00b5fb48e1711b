"""Statistics of a record as arrays and pictures: a folder in the record's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from onnx2graphml.draw.bodies import bodies_of
from onnx2graphml.draw.canvas import check_kind, save
from onnx2graphml.draw.colours import Scale, scale_of
from onnx2graphml.draw.page import LARGE, Page, Text
from onnx2graphml.draw.panel import MARGIN, Panel, shape_text, sheet
from onnx2graphml.draw.tiles import alike
from onnx2graphml.errors import Error
from onnx2graphml.files.picture_folder import picture_folder, write_manifest
from onnx2graphml.graph.attributes import layer_entry
from onnx2graphml.graph.graph import Layer
from onnx2graphml.model import Array
from onnx2graphml.progress import Told
from onnx2graphml.recording.folder import MAPS
from onnx2graphml.recording.maps import Labels, Maps, difference, maps
from onnx2graphml.recording.record import Record
from onnx2graphml.text import shortened

LIMIT = 64  # channels that are shown of a layer
CLASSES = 12  # classes that are shown
ACROSS = 3
PANEL = (480, 470)  # pixels

Named = Mapping[str, Array]


def write_maps(
    record: Record,
    *,
    labels: Labels | None = None,
    pair: tuple[int, int] | None = None,
    kind: str = "png",
    limit: int = LIMIT,
    progress: Told | None = None,
) -> Path:
    """Write what a record's inputs have in common to the folder `maps` in its own, which is replaced as a whole.

    Of each layer, as float64: `03-conv1-mean.npy` and `-variance.npy`; with labels `-class-mean.npy`,
    `-class-variance.npy` and `-class-difference.npy` (the class's mean less that of all), a row for each class; with a
    pair `-difference.npy` (the first input's values less the second's). And a picture of each.

    Args:
        labels: shape (inputs,), see `read_labels`.
        pair: two inputs' numbers.
        kind: of the pictures: `png`, `svg` or `pdf`.
        limit: channels of a layer that are shown: those of the greatest sum of squares, the same in each panel.
        progress: told how many layers are done, of how many, and the name of the next.

    Raises:
        Error: there is no such input, the limit is less than 1, or an option is none of those above.
        MissingExtraError: Matplotlib is not installed.
        OutputError: the folder can't be written.

    Example:
        >>> write_maps(record, pair=(3, 17))  # doctest: +SKIP
        PosixPath('out/maps')
    """
    check_kind(kind)
    if limit < 1:
        raise Error(f"the limit of channels is {limit}; expected 1 or more")
    folder = record.folder / MAPS
    classes: tuple[Any, ...] = ()
    with picture_folder(folder, "maps") as new:
        entries = []
        for done, layer in enumerate(record.layers):
            if progress:
                progress(done, len(record.layers), layer.name)
            found = maps(record, layer, labels)
            classes = found.classes
            arrays = _arrays(found)
            if pair is not None:
                arrays["difference"] = difference(record, layer, *pair)
            entries.append(_written(new, record, found, arrays, pair, kind, limit))
        told = {"inputs": record.count, "classes": classes, "difference": pair, "layers": entries}
        write_manifest(new, {"generator": "onnx2graphml maps", "classes_shown": classes[:CLASSES], **told})
    return folder


def _arrays(found: Maps) -> dict[str, Array]:
    arrays = {"mean": found.mean, "variance": found.variance}
    if found.classes:
        arrays |= {
            "class-mean": found.class_means,
            "class-variance": found.class_variances,
            "class-difference": found.class_differences,
        }
    return arrays


def _written(
    folder: Path, record: Record, found: Maps, arrays: Named, pair: tuple[int, int] | None, kind: str, limit: int
) -> dict[str, Any]:
    """Write a layer's arrays and pictures; what the manifest says of them."""
    layer = found.layer
    stem = record.files[layer.name].path.stem
    for name, array in arrays.items():
        np.save(folder / f"{stem}-{name}.npy", array)
    files = {name: f"{stem}-{name}.npy" for name in arrays}
    if not layer.neurons:
        return layer_entry(layer) | {"arrays": files, "pictures": []}
    panels = {f"mean of {record.count:,}": found.mean, f"variance of {record.count:,}": found.variance}
    if pair is not None:
        panels[f"input {pair[0]} less {pair[1]}"] = arrays["difference"]
    pictures = {f"{stem}.{kind}": picture(layer, record.channels_last, panels, {}, limit)}
    if found.classes:
        of_classes, scale = class_panels(found)
        said = (
            f"{len(of_classes)} of {len(found.classes)} classes, the first"
            if len(of_classes) < len(found.classes)
            else ""
        )
        pictures[f"{stem}-classes.{kind}"] = picture(layer, record.channels_last, of_classes, scale, limit, said)
    for name, drawn in pictures.items():
        save(drawn, folder / name)
    return layer_entry(layer) | {"arrays": files, "pictures": list(pictures)}


def class_panels(found: Maps) -> tuple[dict[str, Array], dict[str, Scale]]:
    """How the classes' means differ from that of all, the first `CLASSES` of them, in colours that all share."""
    differences = found.class_differences
    scale = scale_of([differences])
    shown = {f"class {label} less all": differences[k] for k, label in enumerate(found.classes[:CLASSES])}
    return shown, dict.fromkeys(shown, scale)


def picture(
    layer: Layer, channels_last: bool, panels: Named, scales: Mapping[str, Scale], limit: int, said: str = ""
) -> Page:
    """A page of several arrays in a layer's shape, each with its own scale.

    Args:
        scales: of those panels that don't have a scale of their own.
        said: what is to be said beside the layer's name.
    """
    drawn = []
    every = alike(layer, panels.values(), channels_last, limit)
    for (name, values), tiles in zip(panels.items(), every, strict=True):
        scale = (scales.get(name) or scale_of([values]),)
        notes = tuple(filter(None, [tiles.statement]))
        drawn.append(Panel(name, shape_text(layer), bodies_of(tiles, scale), scale, notes))
    across = min(ACROSS, len(panels))
    title = shortened(layer.name, 0.7 * across * PANEL[0], LARGE, bold=True)
    return sheet(drawn, across, PANEL, [Text(MARGIN, 32, f"{title}   {said}".rstrip(), LARGE, bold=True)])
