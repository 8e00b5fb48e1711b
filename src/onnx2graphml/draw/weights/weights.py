"""Every layer's trained arrays: explained, in a chosen order of outputs, drawn, measured, and set against another's."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.draw.figures import check_kind, save
from onnx2graphml.draw.weights import tables as weight_tables
from onnx2graphml.draw.weights.figures import array_figure, histogram_figure, scale
from onnx2graphml.draw.weights.found import ArrayWeights, LayerWeights, Weights
from onnx2graphml.draw.weights.panels import LIMIT, Panel, panels
from onnx2graphml.errors import Error
from onnx2graphml.files.atomic_file import atomic
from onnx2graphml.files.picture_folder import file_name, picture_folder, write_manifest
from onnx2graphml.graph.attributes import layer_entry
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.inference.inputs import resolve
from onnx2graphml.parameters.arrays import LayerArrays, layer_arrays, unread
from onnx2graphml.parameters.differences import Matches, difference, matches
from onnx2graphml.parameters.orders import ORDERS, Order, mean_activations, order_of
from onnx2graphml.parameters.statistics import statistics

Array = npt.NDArray[Any]

BY = {
    "index": "outputs in their own order",
    "norm": "outputs by the L2 norm of their weights, largest first",
    "similarity": "each output followed by the one most like it (cosine) that is left, from the largest norm on",
    "activation": "outputs by their mean magnitude for the pattern, largest first",
}


def weights(
    graph: NeuronGraph,
    folder: str | Path | None = None,
    *,
    order: str = "index",
    kind: str = "png",
    feeds: Mapping[str, Array] | None = None,
    against: NeuronGraph | None = None,
    limit: int = LIMIT,
) -> Weights:
    """Name, explain, measure and draw every layer's trained arrays.

    Args:
        graph: with the model that it was made from.
        folder: where pictures, `README.md`, `weights.csv`, `weights.json`, `permutation.json` and `manifest.json` go;
            it is written whole. None draws nothing.
        order: of each layer's outputs: `index`, `norm` (L2, largest first, ties by index), `similarity` or
            `activation`.
        kind: of the pictures: `png`, `svg` or `pdf`.
        feeds: for `activation`, an array for each input, in its shape; by default random ones.
        against: a second checkpoint: the differences are other - this.
        limit: the most inputs and outputs whose kernels are drawn one by one; 8 times as many where there is one input.

    Raises:
        Error: the graph has no model, or an argument is none of those that there are.
        MissingExtraError: Matplotlib is not installed.
        OutputError: the folder holds something else, or can't be written.

    Example:
        >>> import onnx2graphml
        >>> found = weights(onnx2graphml.load("fixtures/digits.onnx"), order="norm")
        >>> found.array("conv1/kernel").array.values.shape, found.permutations["digit"]
        ((3, 3, 1, 16), [7, 2, 0, 1, 4, 6, 3, 9, 5, 8])
    """
    check_kind(kind)
    if limit < 1:
        raise Error(f"limit is {limit}; expected 1 or more")
    if order not in ORDERS:
        raise Error(f"order is {order!r}; expected one of {', '.join(ORDERS)}")
    layers = layer_arrays(graph)
    pairs = None if against is None else matches(layers, layer_arrays(against))
    means = _activations(graph, layers, feeds) if order == "activation" else {}
    found = Weights(
        graph.model_name,
        tuple(_measured(x, order_of(x, order, means), pairs, limit) for x in layers),
        order,
        unread(graph, layers),
        pairs,
        "" if against is None else against.model_name,
    )
    return found if folder is None else _written(found, Path(folder), kind)


def _activations(
    graph: NeuronGraph, layers: Sequence[LayerArrays], feeds: Mapping[str, Array] | None
) -> dict[str, Array]:
    given = resolve(graph) if feeds is None else feeds
    return mean_activations(graph, [x.layer for x in layers if x.arrays], given)


def _measured(of: LayerArrays, order: Order | None, pairs: Matches | None, limit: int) -> LayerWeights:
    permutation = None if order is None else order.permutation
    arrays = []
    for array in of.arrays:
        drawable = array.values.ndim > 0 and array.values.size > 0
        entry = ArrayWeights(
            array,
            statistics(array.values, array.kernels),
            panels(array, permutation, limit) if drawable else (),
        )
        other = pairs.other.get(array.name) if pairs is not None and array.values.size else None
        if other is not None:
            kind = np.result_type(array.values, np.float32)
            moved = dataclasses.replace(array, values=np.subtract(other.values, array.values, dtype=kind))
            entry = dataclasses.replace(
                entry,
                difference=difference(array.values, other.values),
                difference_panels=panels(moved, permutation, limit) if drawable else (),
            )
        arrays.append(entry)
    return LayerWeights(of, order, tuple(arrays))


def _written(found: Weights, folder: Path, kind: str) -> Weights:
    with picture_folder(folder, "weights") as new:
        drawn = dataclasses.replace(found, layers=tuple(_drawn(x, found, new, kind) for x in found.layers))
        for name, text in (
            ("README.md", weight_tables.markdown(drawn)),
            ("weights.csv", weight_tables.as_csv(drawn)),
            ("weights.json", weight_tables.as_json(drawn)),
            ("permutation.json", json.dumps(drawn.permutations, indent=1) + "\n"),
        ):
            with atomic(new / name) as file:
                file.write(text.encode())
        write_manifest(new, {"model": found.model, "order": found.order, "layers": [_entry(x) for x in drawn.layers]})
    return drawn


def _drawn(x: LayerWeights, found: Weights, folder: Path, kind: str) -> LayerWeights:
    """The layer with its pictures written; those of shared arrays are written with their first layer."""
    start = file_name(x.of.position, len(found.layers), x.of.layer.name)
    arrays = []
    for k, a in enumerate(x.arrays):
        if not a.panels or a.array.layer != x.of.layer.name:
            arrays.append(a)
            continue
        role = re.sub(r"[^A-Za-z0-9]+", "_", a.array.role)
        file = f"{start}-{k}-{role}.{kind}"
        moved = f"{start}-{k}-{role}-difference.{kind}" if a.difference_panels else ""
        save(array_figure(_head(x, a), a.panels), folder / file)
        if moved:
            save(array_figure(_difference_head(x, a, found), a.difference_panels), folder / moved)
        arrays.append(dataclasses.replace(a, file=file, difference_file=moved))
    named = [(a.array.name, a.statistics) for a in arrays if a.file and a.statistics.counts]
    histograms = f"{start}-histograms.{kind}" if named else ""
    if named:
        save(histogram_figure(f"{x.of.layer.name}: histograms", named), folder / histograms)
    return dataclasses.replace(x, arrays=tuple(arrays), histograms=histograms)


def _head(x: LayerWeights, a: ArrayWeights) -> list[str]:
    return [f"{x.of.layer.name}: {a.array.name}", a.array.text, BY[x.order.by] if x.order else ""]


def _difference_head(x: LayerWeights, a: ArrayWeights, found: Weights) -> list[str]:
    assert a.difference is not None
    of = a.difference
    text = f"L2 {of.l2:.4g}, {of.relative:.4g} of this one's; largest change {of.largest:.4g} at {of.index}"
    return [f"{x.of.layer.name}: {a.array.name}, {found.against} - {found.model}", text, *_head(x, a)[1:]]


def _entry(x: LayerWeights) -> dict[str, Any]:
    """A layer in the manifest."""
    pictures = [
        {"array": a.array.name, "file": file, "panels": [_panel_entry(p) for p in shown]}
        for a in x.arrays
        for file, shown in ((a.file, a.panels), (a.difference_file, a.difference_panels))
        if file
    ]
    order = None if x.order is None else {"by": x.order.by, "array": x.order.array}
    shared = {a.array.name: a.array.layer for a in x.arrays if a.array.layer != x.of.layer.name}
    return {
        **layer_entry(x.of.layer),
        "pictures": pictures,
        "histograms": x.histograms,
        "order": order,
        "shared": shared,
    }


def _panel_entry(panel: Panel) -> dict[str, Any]:
    if panel.form == "vector":
        limits = [float(np.nanmin(panel.values)), float(np.nanmax(panel.values))]
    else:
        limits = [scale(panel).low, scale(panel).high]
    return {"form": panel.form, "shown": panel.statement, "limits": limits}
