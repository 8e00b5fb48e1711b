"""Every layer's trained arrays, measured and drawn: a folder of pictures and tables."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.draw.canvas import check_kind, save
from onnx2graphml.draw.weights.figures import array_page, histogram_page, scale
from onnx2graphml.draw.weights.parts import LIMIT, Part, parts
from onnx2graphml.errors import Error
from onnx2graphml.files.atomic_file import atomic
from onnx2graphml.files.picture_folder import file_name, picture_folder, write_manifest
from onnx2graphml.graph.attributes import layer_entry
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.parameters import tables
from onnx2graphml.parameters.arrays import TrainedArray
from onnx2graphml.parameters.found import ArrayWeights, LayerWeights, Weights
from onnx2graphml.parameters.measure import measure, moved

Array = npt.NDArray[Any]
Tell = Callable[[str], None]

BY = {
    "index": "outputs in their own order",
    "norm": "outputs by the L2 norm of their weights, largest first",
    "similarity": "each output followed by the one most like it (cosine) that is left, from the largest norm on",
    "activation": "outputs by their mean magnitude for the input, largest first",
}


def weights(
    graph: NeuronGraph,
    folder: str | Path | None = None,
    *,
    layers: str | Sequence[str] | None = None,
    order: str = "index",
    kind: str = "png",
    feeds: Mapping[str, Array] | None = None,
    against: NeuronGraph | None = None,
    limit: int = LIMIT,
    progress: Callable[[int, int, str], None] | None = None,
) -> Weights:
    """Name, explain, measure and draw every layer's trained arrays.

    Args:
        graph: with the model that it was made from.
        folder: where pictures, `README.md`, `weights.csv`, `weights.json`, `permutation.json` and `manifest.json` go;
            it is written whole. None draws nothing.
        layers: names, or a text as `subnetwork` takes it; all by default.
        order: of each layer's outputs: `index`, `norm` (L2, largest first, ties by index), `similarity` or
            `activation`.
        kind: of the pictures: `png`, `svg` or `pdf`.
        feeds: for `activation`, an array for each input, in its shape; by default random ones.
        against: a second checkpoint: the differences are other - this.
        limit: the most inputs and outputs whose kernels are drawn one by one; of more, the norms of all and the
            strongest are drawn.
        progress: told after each picture how many are written, of how many, and its name.

    Raises:
        Error: the graph has no model, or an argument is none of those that there are.
        MissingExtraError: Matplotlib is not installed.
        OutputError: the folder holds something else, or can't be written.

    Example:
        >>> import onnx2graphml
        >>> found = weights(onnx2graphml.load("fixtures/digits.onnx"), order="norm")
        >>> found.array("conv1/kernel").shape, found.permutations["digit"]
        ((3, 3, 1, 16), [7, 2, 0, 1, 4, 6, 3, 9, 5, 8])
    """
    check_kind(kind)
    if limit < 1:
        raise Error(f"limit is {limit}; expected 1 or more")
    found = measure(graph, layers=layers, order=order, feeds=feeds, against=against)
    return found if folder is None else _written(found, Path(folder), kind, limit, progress)


def _written(
    found: Weights, folder: Path, kind: str, limit: int, progress: Callable[[int, int, str], None] | None
) -> Weights:
    planned = dataclasses.replace(found, layers=tuple(_named(x, found, kind) for x in found.layers))
    total = sum(bool(file) for x in planned.layers for file in _files(x))
    done = 0

    def tell(file: str) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total, file)

    with picture_folder(folder, "weights") as new:
        entries = [_drawn(x, planned, new, limit, tell) for x in planned.layers]
        for name, text in (
            ("README.md", tables.markdown(planned)),
            ("weights.csv", tables.as_csv(planned)),
            ("weights.json", tables.as_json(planned)),
            ("permutation.json", json.dumps(planned.permutations, indent=1) + "\n"),
        ):
            with atomic(new / name) as file:
                file.write(text.encode())
        write_manifest(new, {"model": found.model, "order": found.order, "layers": entries})
    return planned


def _named(x: LayerWeights, found: Weights, kind: str) -> LayerWeights:
    """The layer with the names of its pictures; those of shared arrays are written with their first layer."""
    start = file_name(x.of.position, found.count, x.of.layer.name)
    arrays = []
    for k, a in enumerate(x.arrays):
        values = a.array.values
        if not values.ndim or not values.size or a.array.layer != x.of.layer.name:
            arrays.append(a)
            continue
        role = re.sub(r"[^A-Za-z0-9]+", "_", a.array.role)
        other = f"{start}-{k}-{role}-difference.{kind}" if a.difference is not None else ""
        arrays.append(dataclasses.replace(a, file=f"{start}-{k}-{role}.{kind}", difference_file=other))
    measured = any(a.file and a.statistics.counts for a in arrays)
    return dataclasses.replace(x, arrays=tuple(arrays), histograms=f"{start}-histograms.{kind}" if measured else "")


def _files(x: LayerWeights) -> list[str]:
    return [*(file for a in x.arrays for file in (a.file, a.difference_file)), x.histograms]


def _drawn(x: LayerWeights, found: Weights, folder: Path, limit: int, tell: Tell) -> dict[str, Any]:
    """Write a layer's pictures; what the manifest says of them."""
    order = None if x.order is None else x.order.permutation
    pictures: list[dict[str, Any]] = []

    def draw(name: str, file: str, head: Sequence[str], array: TrainedArray) -> None:
        shown = parts(array, order, limit)
        save(array_page(head, shown), folder / file)
        tell(file)
        pictures.append({"array": name, "file": file, "panels": [_entry(part) for part in shown]})

    for a in x.arrays:
        if a.file:
            draw(a.array.name, a.file, _head(x, a), a.array)
        if a.difference_file and found.matches is not None:
            draw(a.array.name, a.difference_file, _difference_head(x, a, found), moved(a.array, found.matches))
    if x.histograms:
        named = [(a.array.name, a.statistics) for a in x.arrays if a.file and a.statistics.counts]
        save(histogram_page(f"{x.of.layer.name}: histograms", named), folder / x.histograms)
        tell(x.histograms)
    return {
        **layer_entry(x.of.layer),
        "pictures": pictures,
        "histograms": x.histograms,
        "order": None if x.order is None else {"by": x.order.by, "array": x.order.array},
        "shared": {a.array.name: a.array.layer for a in x.arrays if a.array.layer != x.of.layer.name},
    }


def _head(x: LayerWeights, a: ArrayWeights) -> list[str]:
    return [f"{x.of.layer.name}: {a.array.name}", a.array.text, BY[x.order.by] if x.order else ""]


def _difference_head(x: LayerWeights, a: ArrayWeights, found: Weights) -> list[str]:
    assert a.difference is not None
    of = a.difference
    text = f"L2 {of.l2:.4g}, {of.relative:.4g} of this one's; largest change {of.largest:.4g} at {of.index}"
    return [f"{x.of.layer.name}: {a.array.name}, {found.against} - {found.model}", text, *_head(x, a)[1:]]


def _entry(part: Part) -> dict[str, Any]:
    if part.form == "vector":
        limits = [float(np.nanmin(part.values)), float(np.nanmax(part.values))]
    else:
        limits = [scale(part).low, scale(part).high]
    return {"form": part.form, "shown": part.statement, "limits": limits}
