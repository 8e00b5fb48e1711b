"""Graphs read by others than this package: ElementTree, the csv module, pyarrow and NumPy."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

NAMESPACE = "{http://graphml.graphdrawing.org/xmlns}"


def same(one: Path, other: Path, suffix: str) -> bool:
    """Whether both are the same graph to an independent reader."""
    reader = {".parquet": tables, ".gephi.csv": rows, ".neo4j.csv": rows, ".npz": matrix}.get(suffix, elements)
    try:
        return bool(reader(one) == reader(other))
    except Exception:
        return False


def value(text: str | None) -> Any:
    """A number where it is one: what is written in another way is the same."""
    try:
        return float(text or "")
    except ValueError:
        return text or ""


def unpacked(path: Path) -> tuple[bytes, Callable[[bytes], bytes]]:
    """The text in a file, and what packs it again."""
    import zstandard

    packed = path.read_bytes()
    try:
        if path.suffix == ".gz":
            return gzip.decompress(packed), gzip.compress
        if path.suffix == ".zst":
            text = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed), read_across_frames=True).read()
            return text, zstandard.ZstdCompressor().compress
    except Exception:
        pass
    return packed, bytes


def elements(path: Path) -> Any:
    """Attributes of the graph, nodes and edges, whatever their order; in the root's namespace, which may be none."""
    root = ElementTree.fromstring(unpacked(path)[0])
    space = "" if root.tag == "graphml" else NAMESPACE
    keys = {k.get("id"): k.get("attr.name") for k in root.iter(f"{space}key")}
    (graph,) = root.findall(f"{space}graph")

    def own(element: ElementTree.Element) -> tuple[Any, ...]:
        return tuple(sorted((str(keys[d.get("key")]), value(d.text)) for d in element.findall(f"{space}data")))

    nodes = sorted((str(n.get("id")), own(n)) for n in graph.findall(f"{space}node"))
    edges = sorted((str(e.get("source")), str(e.get("target")), own(e)) for e in graph.findall(f"{space}edge"))
    return nodes, edges


def rows(path: Path) -> Any:
    """The rows of both tables; empty lines are none, as to pandas and to Polars."""
    found = []
    for name in ("nodes.csv", "edges.csv"):
        with open(path / name, encoding="utf-8", newline="") as file:
            head, *body = csv.reader(file)
        found.append((head, sorted([tuple(map(str, map(value, row))) for row in body if row])))
    return found


def tables(path: Path) -> Any:
    """The rows of all tables; whole numbers are others than fractions, text and times."""
    from pyarrow import parquet

    files = sorted(path.rglob("*.parquet"))
    return [(file.name, sorted(map(str, parquet.read_table(file).to_pylist()))) for file in files]


def matrix(path: Path) -> Any:
    """The entries of the matrix."""
    with np.load(path, allow_pickle=False) as file:
        entries = sorted(zip(file["row"].tolist(), file["col"].tolist(), file["data"].tolist(), strict=True))
        return entries, file["shape"].tolist(), file["format"].item()
