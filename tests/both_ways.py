"""A graph's files, as Python puts their lines together and as the compiled loops do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onnx2graphml.compiled import many
from onnx2graphml.formats.registry import WRITTEN
from onnx2graphml.formats.writing import write
from onnx2graphml.graph.graph import NeuronGraph

LINES = (".graphml", ".gephi.csv", ".neo4j.csv", ".gexf", ".gml", ".cyjs", ".dot")
"""Formats that are lines of text."""


@contextmanager
def few(edges: int) -> Iterator[None]:
    """So many edges, lines and decimals are gone through by Python, before the compiled loops are."""
    before = many.few, many.done
    many.few, many.done = edges, 0
    try:
        yield
    finally:
        many.few, many.done = before


def differing(graph: NeuronGraph, suffix: str, folder: Path, labels: bool = False) -> list[str]:
    """The files that are not the same both ways."""
    found = []
    for name, lines in (("python", 1 << 62), ("loops", 0)):
        out = folder / f"{name}{suffix}"
        with few(lines):
            write(graph, out, jobs=1, labels=labels)
        files = [out] if WRITTEN[suffix].out == "file" else sorted(out.iterdir())
        found.append({path.name.removeprefix(name): path.read_bytes() for path in files})
    assert found[0].keys() == found[1].keys()
    return [name for name in found[0] if found[0][name] != found[1][name]]
