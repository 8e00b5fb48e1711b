"""What is particular to folders of CSV that are read back: messages, pieces of lines, memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from random import Random

import numpy as np
import pytest

from damage import FORMATS
from damage.csv_tables import EDGE_FIELDS, EDGES, quoted
from damage.files import Files, put, read
from damage.graphs import graph_of
from onnx2graphml.api import verify_file
from onnx2graphml.errors import Error
from onnx2graphml.formats import decompressed, writing
from onnx2graphml.formats.reading import open_graph
from synthetic import every_kind

SUFFIXES = [".gephi.csv", ".neo4j.csv"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Files]:
    """By model and suffix, the files as they were written."""
    made = {}
    for name in ("digits", "ports", "doubles"):
        for suffix in SUFFIXES:
            path = tmp_path_factory.mktemp("csv") / f"a{suffix}"
            writing.write(graph_of(name), path)
            made[name, suffix] = read(path)
    return made


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", FORMATS[".gephi.csv"].otherwise)
def test_lines_are_cut_anywhere_between_pieces(
    kind: str, suffix: str, folders: dict[tuple[str, str], Files], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decompressed, "CHUNK", 999)
    other = FORMATS[suffix].otherwise[kind](folders["ports", suffix])
    assert verify_file(graph_of("ports"), put(other, tmp_path / f"a{suffix}")).passed


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("a weight is no number", r"csv, line \d+: 'one' where a finite number is expected; write the graph again"),
        ("a field too many", r"edges\.csv, line \d+: 5 fields; expected 4"),
        ("an edge is undirected", r"edges\.csv, line \d+: \('Undirected',\) where \('Directed',\) is expected"),
        ("a source is no number", r"edges\.csv, line \d+: id 'n1'; expected a number"),
        ("a column is missing", r"line 1: the header is 'Target,Weight,Type'; expected 'Source,Target,Weight,Type'"),
        ("truncated", r"edges\.csv: it ends within a line: it is truncated; write the graph again"),
        ("the edges are cut between lines", r"a\.gephi\.csv: \d+ edges; the manifest says 45"),
        ("a node has no index", r"the indices of layer '(x|the_[hty])' have \[0, 1\] coordinates; expected one number"),
        ("the manifest is missing", r"manifest\.json: can't be read: No such file or directory"),
        ("another model", r"the graph of another model: its model_sha256 is 0+; that of the model is"),
        ("a port is negative", r"edges\.csv, line \d+: '-1' where an integer is expected"),
        ("a layer of another shape", r"the manifest has layer \('x', .*; nodes\.csv has \('x', "),
        ("a quote within a number", r"edges\.csv, line \d+: "),
        ("a layer is not listed", r"the manifest says 14 nodes in 2 layers; nodes\.csv has 14 in 3"),
    ],
)  # fmt: skip
def test_what_is_told(kind: str, message: str, folders: dict[tuple[str, str], Files], tmp_path: Path) -> None:
    name = {"another model": "digits", "a port is negative": "ports"}.get(kind, "doubles")
    graph = graph_of(name)
    damaged = FORMATS[".gephi.csv"].damages[kind](folders[name, ".gephi.csv"], Random(f"{kind} 0"))
    assert damaged
    with pytest.raises(Error, match=message):
        verify_file(graph, put(damaged, tmp_path / "a.gephi.csv"))


def test_a_line_without_end_is_not_taken_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.gephi.csv"
    writing.write(graph_of("doubles"), path)
    with (path / "edges.csv").open("ab") as file:
        file.write(b"1" * (3 << 20) + b"\n")
    monkeypatch.setattr(decompressed, "CHUNK", 1 << 20)
    with pytest.raises(Error, match=r"line 47: a line of more than 1048576 bytes"):
        verify_file(graph_of("doubles"), path)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.neo4j.csv").write_text("0,1,2\n")
    with pytest.raises(Error, match="not a folder; a graph in this format is one"):
        verify_file(graph_of("doubles"), tmp_path / "a.neo4j.csv")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_edges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.neo4j.csv"
    writing.write(every_kind(), path)
    with open_graph(path) as file:
        whole = sum(len(edges) for edges in file.edges())
    text = (path / "edges.csv").read_bytes()
    header, _, rows = text.partition(b"\n")
    (path / "edges.csv").write_bytes(header + b"\n" + rows * (1 + (8 << 20) // len(rows)))
    monkeypatch.setattr(decompressed, "CHUNK", 1 << 18)
    counts: list[int] = []
    tracemalloc.start()
    try:
        with open_graph(path) as file, pytest.raises(Error, match=f"edges; the manifest says {whole}"):
            counts.extend(len(edges) for edges in file.edges())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(counts) > 300_000
    assert peak < 8 << 20


def test_other_lines_give_the_same_numbers(folders: dict[tuple[str, str], Files], tmp_path: Path) -> None:
    """The parser of quoted lines and the compiled loop agree, each with Python's own reading of the decimals."""
    found = []
    for change in (dict, quoted):
        path = put(change(folders["doubles", ".gephi.csv"]), tmp_path / "a.gephi.csv")
        with open_graph(path) as file:
            edges = list(file.edges())
        found.append([np.concatenate([getattr(e, c) for e in edges]) for c in ("source", "target", "weight", "port")])
    rows = [EDGE_FIELDS(line) for line in folders["doubles", ".gephi.csv"][EDGES].splitlines()[1:]]
    for source, target, weight, port in found:
        assert [(int(s), int(t), float(w)) for s, t, w, _ in rows] == list(
            zip(source.tolist(), target.tolist(), weight.tolist(), strict=True)
        )
        assert set(port.tolist()) == {-1}
