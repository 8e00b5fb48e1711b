"""`manifest.json` of a folder: what it holds; written, and compared with what is there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from onnx2graphml.errors import Error
from onnx2graphml.files.regular import open_regular
from onnx2graphml.files.temporary import NAME, manifest_path
from onnx2graphml.formats.found import FoundLayer
from onnx2graphml.graph.attributes import ABOUT, OPTIONAL, graph_attributes, layer_attributes
from onnx2graphml.graph.graph import Layer, NeuronGraph


def manifest_content(graph: NeuronGraph, **more: Any) -> dict[str, Any]:
    """Where the graph came from, its totals and its layers, and what else the format tells."""
    return {
        **graph_attributes(graph),
        "nodes": graph.neurons,
        "edges": graph.edges,
        "layers": [_layer(layer) for layer in graph.layers],
        **more,
    }


def write_manifest(graph: NeuronGraph, directory: Path, name: str = NAME, **more: Any) -> None:
    """Write the manifest.

    Example:
        >>> write_manifest(graph, Path("digits.parquet"), parts=[])  # doctest: +SKIP
    """
    write_content(manifest_content(graph, **more), directory, name)


def write_content(content: dict[str, Any], directory: Path, name: str = NAME) -> None:
    """Write what a manifest tells."""
    (directory / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


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


LARGEST = 1 << 28  # bytes of a manifest


@contextmanager
def reading_errors(path: Path) -> Iterator[None]:
    """What a damaged file makes others raise, whatever it is, as an `Error` of one line."""
    try:
        yield
    except (Error, MemoryError):
        raise
    except Exception as e:
        message = (str(e).splitlines() or [""])[0][:200]
        raise Error(f"{path}: damaged or not whole: {type(e).__name__}: {message}; write it again") from None


def _read(path: Path) -> Any:
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size  # asked first: room is made for as much as is read
        if size > LARGEST:
            raise ValueError(f"{path.name} has more than {LARGEST:,} bytes")
        return json.loads(file.read(size))


def _check_count(entry: dict[str, Any], name: str) -> None:
    """Numbers only, neither 1.0 nor true: others compare equal to them."""
    if type(entry[name]) is not int or entry[name] < 0:
        raise ValueError(f"{name} is {entry[name]!r}, not a number of 0 or more")


class Manifest:
    """The `manifest.json` of a folder.

    Attributes:
        content: as it stands there; what is missing or of another type makes whoever reads it raise.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder
        if not folder.is_dir():
            raise Error(f"{folder}: not a folder; a graph in this format is one")
        with reading_errors(folder):
            self.content: dict[str, Any] = _read(manifest_path(folder))
            for name in ("nodes", "edges"):
                _check_count(self.content, name)
            for layer in self.content["layers"]:
                for name in ("first_id", "neurons", "in_edges"):
                    _check_count(layer, name)

    def about(self) -> dict[str, str]:
        """The attributes of the graph."""
        with reading_errors(self._path):
            told = [name for name in (*ABOUT, *OPTIONAL) if name in self.content or name in ABOUT]
            return {name: str(self.content[name]) for name in told}

    def check_nodes(self, found: list[FoundLayer], name: str) -> None:
        """`Error` unless the layers in the file of that name are those listed, but for those without neurons."""
        listed = [
            (x["name"], x["op"], x["combine"], x["activation"] or "", tuple(x["shape"]), x["first_id"], x["neurons"])
            for x in self.content["layers"]
            if x["neurons"]
        ]
        there = [
            (x.name, x.op, x.combine, x.activation, x.shape, int(x.id.min()), len(x.id))
            for x in sorted(found, key=lambda x: int(x.id.min()))
        ]
        for manifest, nodes in zip(listed, there, strict=False):
            if manifest != nodes:
                raise Error(f"{self._path}: the manifest has layer {manifest}; {name} has {nodes}")
        total = sum(len(x.id) for x in found)
        if len(listed) != len(there) or self.content["nodes"] != total:
            raise Error(
                f"{self._path}: the manifest says {self.content['nodes']} nodes in {len(listed)} layers; "
                f"{name} has {total} in {len(there)}"
            )

    def check_edges(self, count: int) -> None:
        """`Error` unless that is the number of edges that is stated."""
        if self.content["edges"] != count:
            raise Error(f"{self._path}: {count} edges; the manifest says {self.content['edges']}")
