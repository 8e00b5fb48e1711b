"""An analysis as files: a column for each measure, a row for each layer, and everything that is one number."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onnx2graphml.analysis.analysis import Analysis, Summary
from onnx2graphml.analysis.chosen import MEASURES
from onnx2graphml.files.json_file import write_json
from onnx2graphml.graph.attributes import graph_attributes
from onnx2graphml.graph.xmltext import escape

NUMBERS = ("min", "median", "mean", "max", "std", "sum", "share")


def write_tables(found: Analysis, folder: Path) -> list[str]:
    """Write `nodes.parquet` (as that of a graph, a further column for each measure), `layers.csv` and `analysis.json`.

    Returns:
        The names of the files.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    from onnx2graphml.formats.parquet.write import write_nodes

    write_nodes(found.with_columns(), folder / "nodes.parquet")
    write_layers(folder / "layers.csv", [("", found)])
    write_json(folder / "analysis.json", content(found))
    return ["nodes.parquet", "layers.csv", "analysis.json"]


def write_layers(path: Path, found: Sequence[tuple[str, Analysis]]) -> None:
    """A row for each measure of each layer; of several checkpoints, with their names."""
    named = [("epoch",)] if len(found) > 1 else [()]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([*named[0], "layer", "op", "shape", "neurons", "measure", *NUMBERS])
        for epoch, analysis in found:
            for s in analysis.layers:
                layer = analysis.graph.layer(s.layer)
                text = [escape(layer.name), escape(layer.op), "x".join(map(str, layer.shape))]
                about = [*text, layer.neurons, s.measure]
                rows.writerow([*([epoch] if named[0] else []), *about, *(getattr(s, n) for n in NUMBERS)])


def content(found: Analysis) -> dict[str, Any]:
    """All that is not a number for each neuron."""
    return {
        "graph": graph_attributes(found.graph) | dict(found.numbers),
        "weight": found.weight,
        "measures": {name: MEASURES[name].about for name in found.values},
        "left_out": dict(found.left_out),
        "layers": [dataclasses.asdict(s) | {"layer": escape(s.layer)} for s in found.layers],
    }


def by_layer(found: Analysis, measure: str) -> list[Summary]:
    """A measure's summaries, layer by layer."""
    return [s for s in found.layers if s.measure == measure]
