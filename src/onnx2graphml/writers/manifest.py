"""`manifest.json`: what a folder that was written holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from onnx2graphml.atomic_directory import NAME
from onnx2graphml.graph import Layer, NeuronGraph
from onnx2graphml.writers.dialect import graph_attributes, layer_attributes


def write_manifest(graph: NeuronGraph, directory: Path, **more: Any) -> None:
    """Write the manifest: where the graph came from, its totals and its layers, and what else the format tells.

    Example:
        >>> write_manifest(graph, Path("digits.parquet"), parts=[])  # doctest: +SKIP
    """
    content = {
        **graph_attributes(graph),
        "nodes": graph.neurons,
        "edges": graph.edges,
        "layers": [_layer(layer) for layer in graph.layers],
        **more,
    }
    (directory / NAME).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _layer(layer: Layer) -> dict[str, Any]:
    shared = layer_attributes(layer)
    return {
        "name": shared["layer"],
        "op": shared["op"],
        "shape": list(layer.shape),
        "first_id": layer.first_id,
        "neurons": layer.neurons,
        "in_edges": layer.in_edges,
        "combine": shared["combine"],
        "activation": shared.get("activation"),
    }
