"""Folders of CSV against their models: undamaged ones pass however they are written, and damage is found."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from onnx2graphml.api import verify_file
from onnx2graphml.errors import Error
from onnx2graphml.formats import decompressed, writing
from onnx2graphml.formats.reading import open_graph
from synthetic import every_kind
from test_filecheck import (
    Damage,
    Lines,
    another_number,
    around,
    exchanged,
    graph_of,
    outcome,
    replaced,
    some,
    two,
)

SUFFIXES = [".gephi.csv", ".neo4j.csv"]
POSITIONS = {"digits": 1, "ports": 3, "doubles": 3}
Folder = dict[str, bytes]
FolderDamage = Callable[[Folder, Random], Folder | None]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Folder]:
    """By model and suffix, the files as they were written."""
    made = {}
    for name in POSITIONS:
        for suffix in SUFFIXES:
            path = tmp_path_factory.mktemp("csv") / f"a{suffix}"
            writing.write(graph_of(name), path)
            made[name, suffix] = {file.name: file.read_bytes() for file in path.iterdir()}
    return made


def put(folder: Folder, path: Path) -> Path:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    for name, content in folder.items():
        (path / name).write_bytes(content)
    return path


# ------------------------------------------------------------------------------------------------- what is not damaged


def edges_reordered(folder: Folder) -> Folder:
    header, *rows = folder["edges.csv"].splitlines(keepends=True)
    Random(0).shuffle(rows)
    return folder | {"edges.csv": b"".join([header, *rows])}


def nodes_reordered(folder: Folder) -> Folder:
    header, *rows = folder["nodes.csv"].splitlines(keepends=True)
    return folder | {"nodes.csv": b"".join([header, *reversed(rows)])}


def crlf(folder: Folder) -> Folder:
    return {name: text if name == "manifest.json" else text.replace(b"\n", b"\r\n") for name, text in folder.items()}


def quoted(folder: Folder) -> Folder:
    """Quotes around every field, as Python's own writer makes them."""
    out = dict(folder)
    for name in ("nodes.csv", "edges.csv"):
        text = io.StringIO(newline="")
        rows = csv.reader(io.StringIO(folder[name].decode(), newline=""))
        csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
        out[name] = text.getvalue().encode()
    return out


def one_line_quoted(folder: Folder) -> Folder:
    lines = folder["edges.csv"].split(b"\n")
    lines[7] = re.sub(rb"^(\d+),", rb'"\1",', lines[7])
    return folder | {"edges.csv": b"\n".join(lines)}


def some_lines_end_otherwise(folder: Folder) -> Folder:
    lines = folder["edges.csv"].split(b"\n")
    return folder | {"edges.csv": b"\n".join([*lines[:9], lines[9] + b"\r", *lines[10:]])}


def longer_decimals(folder: Folder) -> Folder:
    return folder | {"edges.csv": re.sub(rb"(?m)^(\d+,\d+,-?[0-9.]+)(?=[,\n])", rb"\1E0", folder["edges.csv"])}


OTHERWISE = (edges_reordered, nodes_reordered, crlf, quoted, one_line_quoted, some_lines_end_otherwise, longer_decimals)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("change", OTHERWISE, ids=lambda f: f.__name__)
@pytest.mark.parametrize("chunk", [1 << 22, 999])
def test_the_same_graph_otherwise_written_passes(
    change: Callable[[Folder], Folder],
    suffix: str,
    chunk: int,
    folders: dict[tuple[str, str], Folder],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decompressed, "CHUNK", chunk)
    whole = folders["ports", suffix]
    other = change(whole)
    assert other != whole
    report = verify_file(graph_of("ports"), put(other, tmp_path / f"a{suffix}"))
    assert report.passed
    assert report.unchecked == ()


# --------------------------------------------------------------------------------------------------------------- damage


def to(name: str, damage: Damage) -> FolderDamage:
    """Damage to the lines of one file, its header among them."""

    def changed(folder: Folder, random: Random) -> Folder | None:
        lines = damage(folder[name].splitlines(keepends=True), random)
        return None if lines is None else folder | {name: b"".join(lines)}

    return changed


def counted(damage: FolderDamage) -> FolderDamage:
    """With the numbers in the manifest that are there then."""

    def changed(folder: Folder, random: Random) -> Folder | None:
        out = damage(folder, random)
        if out is None:
            return None
        manifest = json.loads(out["manifest.json"])
        manifest["edges"] = out["edges.csv"].count(b"\n") - 1
        return out | {"manifest.json": json.dumps(manifest).encode()}

    return changed


def listed(change: Callable[[dict[str, Any]], Any]) -> FolderDamage:
    def changed(folder: Folder, _: Random) -> Folder:
        manifest = json.loads(folder["manifest.json"])
        change(manifest)
        return folder | {"manifest.json": json.dumps(manifest).encode()}

    return changed


def without(name: str) -> FolderDamage:
    return lambda folder, _: {n: text for n, text in folder.items() if n != name}


def cut(lines: Lines, random: Random) -> Lines:
    text = b"".join(lines)
    return [text[: random.randrange(1, len(text) - 1)]]


def cut_between_lines(lines: Lines, random: Random) -> Lines:
    return lines[: random.randrange(1, len(lines) - 1)]


def garbage(lines: Lines, random: Random) -> Lines:
    text = b"".join(lines)
    at = random.randrange(len(text) - 8)
    return [text[:at], bytes(random.randrange(128, 256) for _ in range(8)), text[at + 8 :]]


def without_column(lines: Lines, _: Random) -> Lines:
    return [re.sub(rb"^[^,]*,", b"", line) for line in lines]


def in_header(pattern: bytes, by: bytes) -> Damage:
    return lambda lines, _: [re.sub(pattern, by, lines[0]), *lines[1:]] if re.search(pattern, lines[0]) else None


def nudged(lines: Lines, random: Random) -> Lines | None:
    """A weight is more by 1e-3 of the largest of its layer, or by less."""
    at = some(lines, random, EDGE)
    assert at is not None
    target = EDGE_FIELDS(lines[at])[1]
    own = [abs(float(EDGE_FIELDS(line)[2])) for line in lines[1:] if EDGE_FIELDS(line)[1] == target]
    more = float(EDGE_FIELDS(lines[at])[2]) + 1e-3 * max(own)
    new = re.sub(WEIGHT, lambda m: m[1] + repr(more).encode(), lines[at], count=1)
    return [*lines[:at], new, *lines[at + 1 :]]


def EDGE_FIELDS(line: bytes) -> list[bytes]:
    return line.rstrip().split(b",")


EDGE, NODE = rb"^\d+,\d+,", rb'^\d+,"'
WEIGHT = rb"^(\d+,\d+,)[^,\n]+"
BIAS = rb'("(?:sum|constant)",)([^,\n]+),'
ACTIVATION = rb'"([^",]+)"$'
EDGES, NODES = "edges.csv", "nodes.csv"
DAMAGES: dict[str, FolderDamage] = {
    "an edge is missing": counted(to(EDGES, around(EDGE, lambda _: []))),
    "an edge is missing, the count tells": to(EDGES, around(EDGE, lambda _: [])),
    "an edge is there twice": counted(to(EDGES, around(EDGE, lambda line: [line, line]))),
    "an edge more": counted(to(EDGES, around(EDGE, lambda line: [line, re.sub(rb"^\d+", b"1", line)]))),
    "an edge more, of weight 0": counted(to(EDGES, around(EDGE, lambda x: [x, re.sub(WEIGHT, rb"\g<1>0", x)]))),
    "another source": to(EDGES, replaced(rb"^(\d+),", another_number)),
    "another target": to(EDGES, replaced(rb"^(\d+),(\d+)", lambda m: b"%s,%d" % (m[1], int(m[2]) - 1))),
    "source and target exchanged": to(EDGES, replaced(rb"^(\d+),(\d+)", rb"\2,\1")),
    "two edges exchange their weights": to(EDGES, two(EDGE, exchanged(rb"(?<=\d,)-?[0-9.e-]+(?=[,\n])"))),
    "two edges exchange their sources": to(EDGES, two(EDGE, exchanged(rb"^\d+,"))),
    "a weight is more by 1e-3 of the largest": to(EDGES, nudged),
    "a weight has another sign": to(
        EDGES, replaced(rb"^(\d+,\d+,)(-?)(?=[^,\n]*[1-9])", lambda m: m[1] + b"-"[len(m[2]) :])
    ),
    "a weight is 0": to(EDGES, replaced(rb"^(\d+,\d+,)[^,\n]*[1-9][^,\n]*", rb"\g<1>0")),
    "a weight is NaN": to(EDGES, replaced(WEIGHT, rb"\1nan")),
    "a weight is infinite": to(EDGES, replaced(WEIGHT, rb"\g<1>1e999")),
    "a weight is no number": to(EDGES, replaced(WEIGHT, rb"\1one")),
    "a weight has a comma": to(EDGES, replaced(WEIGHT, rb"\g<1>1,5")),
    "a weight has a quoted comma": to(EDGES, replaced(WEIGHT, rb'\g<1>"1,5"')),
    "a weight is missing": to(EDGES, replaced(WEIGHT, rb"\1")),
    "a source is no number": to(EDGES, replaced(rb"^\d+", b"n1")),
    "a source is negative": to(EDGES, replaced(rb"^\d+", b"-1")),
    "a source has a zero before it": to(EDGES, replaced(rb"^(\d+)", rb"0\1")),
    "an edge from nowhere": to(EDGES, replaced(rb"^\d+", b"999999")),
    "an id beyond all numbers": to(EDGES, replaced(rb"^\d+", b"99999999999999999999")),
    "an edge is undirected": to(EDGES, replaced(rb"Directed", b"Undirected")),
    "a port is another": to(EDGES, replaced(rb",([01])(?=\n)", lambda m: b",%d" % (1 - int(m[1])))),
    "a port is missing": to(EDGES, replaced(rb",[01](?=\n)", b",")),
    "a port is one of a third": to(EDGES, replaced(rb",[01](?=\n)", b",2")),
    "a port is negative": to(EDGES, replaced(rb",[01]?(?=\n)", b",-1")),
    "all ports are missing": to(EDGES, lambda x, _: [re.sub(rb",(port[^,\n]*|[01]?)(?=\n)", b"", n) for n in x]),
    "a field too many": to(EDGES, replaced(rb"(?=\n)", b",7")),
    "a quote does not end": to(EDGES, replaced(rb"^", b'"')),
    "a quote within a number": to(EDGES, replaced(rb"^(\d)", rb'\1"')),
    "an empty line": to(EDGES, around(EDGE, lambda line: [line, b"\n"])),
    "a line of text": to(EDGES, around(EDGE, lambda line: [line, b"edges:\n"])),
    "a column is missing": to(EDGES, without_column),
    "the header is missing": to(EDGES, lambda x, _: x[1:]),
    "a header in other words": to(EDGES, in_header(rb"Weight|weight", b"value")),
    "the header's columns are exchanged": to(EDGES, in_header(rb"^([^,]+),([^,]+)", rb"\2,\1")),
    "the header of another format": lambda f, _: f | {EDGES: b"Source;Target;Weight\n" + f[EDGES].partition(b"\n")[2]},
    "a weight's type is another": to(EDGES, in_header(rb":(float|double)", b":int")),
    "the edges are cut": to(EDGES, cut),
    "the edges are cut between lines": to(EDGES, cut_between_lines),
    "the edges are cut before the last line's end": to(EDGES, lambda x, _: [*x[:-1], x[-1][:-1]]),
    "garbage in the edges": to(EDGES, garbage),
    "the edges are empty": lambda f, _: f | {EDGES: b""},
    "the edges are twice the file": to(EDGES, lambda x, _: [*x, *x]),
    "a bias is another": to(NODES, replaced(BIAS, lambda m: m[1] + repr(float(m[2]) * 1.001 + 1e-4).encode() + b",")),
    "a bias is missing": to(NODES, replaced(BIAS, rb"\1,")),
    "a bias more": to(NODES, replaced(rb'("(?:sum|input)",),', rb"\g<1>1,")),
    "a bias is no number": to(NODES, replaced(BIAS, rb"\1x,")),
    "an activation is missing": to(NODES, replaced(ACTIVATION, b"")),
    "an activation is another": to(NODES, replaced(ACTIVATION, b'"Softsign"')),
    "an activation is unknown": to(NODES, replaced(ACTIVATION, b'"Rleu"')),
    "combine is another": to(NODES, replaced(rb'"(sum|max)"', b'"min"')),
    "op is another": to(NODES, replaced(rb'"(Gemm|Add)"', b'"MatMul"')),
    "a layer has another name": to(NODES, lambda x, _: [re.sub(rb'^(\d+),"', rb'\1,"_', n) for n in x]),
    "a node is in another layer": to(NODES, replaced(rb'^(\d+),"[^"]+"', rb'\1,"elsewhere"')),
    "two nodes exchange their ids": to(NODES, two(NODE, exchanged(rb"^\d+"))),
    "two nodes exchange their indices": to(NODES, two(NODE, exchanged(rb'"\d[0-9,]*"'))),
    "a node has another index": to(NODES, replaced(rb'"(\d+)(?=[",])', another_number)),
    "a node has no index": to(NODES, replaced(rb'"\d[0-9,]*"', b'""')),
    "a node is in another row": to(NODES, replaced(rb'(?<=",)\d+,(\d+),', another_number)),
    "a node is in row -1": to(NODES, replaced(rb'(?<=",)(\d*),(\d*),', rb"\1,-1,")),
    "a node is of no channel": to(NODES, replaced(rb'(?<=",)\d+,', b",")),
    "a node is missing": to(NODES, around(NODE, lambda _: [])),
    "a node is there twice": to(NODES, around(NODE, lambda line: [line, line])),
    "a node has another id": to(NODES, replaced(rb"^\d+", b"999999")),
    "a node's id is no number": to(NODES, replaced(rb"^\d+", b"n1")),
    "a node's field is missing": to(NODES, replaced(rb",(?=[^,]*\n)", b"")),
    "a node's quote does not end": to(NODES, replaced(rb'^(\d+,"[^"]*)"', rb"\1")),
    "the nodes' header is another": to(NODES, in_header(rb"layer", b"label")),
    "a bias's type is another": to(NODES, in_header(rb"bias:(float|double)", b"bias:int")),
    "the nodes' columns are exchanged": to(NODES, in_header(rb"layer,op", b"op,layer")),
    "the nodes are cut": to(NODES, cut),
    "the nodes are cut between lines": to(NODES, cut_between_lines),
    "the nodes are cut before the last line's end": to(NODES, lambda x, _: [*x[:-1], x[-1][:-1]]),
    "garbage in the nodes": to(NODES, garbage),
    "the nodes are empty": lambda f, _: f | {NODES: b""},
    "the edges are missing": without(EDGES),
    "the nodes are missing": without(NODES),
    "the manifest is missing": without("manifest.json"),
    "the manifest is cut": lambda f, _: f | {"manifest.json": f["manifest.json"][:300]},
    "the manifest is a list": lambda f, _: f | {"manifest.json": b"[]"},
    "the manifest is nested without end": lambda f, _: f | {"manifest.json": b"[" * 100_000},
    "another model": listed(lambda m: m.update(model_sha256="0" * 64, model="other.onnx")),
    "another level of detail": listed(lambda m: m.update(detail="op")),
    "another dialect": listed(lambda m: m.update(dialect="1")),
    "no word of the model": listed(lambda m: m.pop("model")),
    "a thinned graph": listed(lambda m: m.update(thinned="top-k 5")),
    "another number of nodes": listed(lambda m: m.update(nodes=1)),
    "another number of edges": listed(lambda m: m.update(edges=1)),
    "a layer is not listed": listed(lambda m: m["layers"].pop()),
    "a layer of another shape": listed(lambda m: m["layers"][0].update(shape=[63])),
    "two layers are exchanged": listed(lambda m: m["layers"].insert(0, m["layers"].pop())),
}  # fmt: skip


def mutants(kind: str, name: str, whole: Folder) -> list[Folder]:
    """The folder, damaged in one way at several positions."""
    found: list[Folder] = []
    for position in range(POSITIONS[name]):
        damaged = DAMAGES[kind](whole, Random(f"{kind} {position}"))
        if damaged is not None and damaged != whole and damaged not in found:
            found.append(damaged)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "suffix"), [("digits", ".gephi.csv"), *((n, s) for n in ("ports", "doubles") for s in SUFFIXES)]
)
def test_all_damage_is_found(
    name: str,
    suffix: str,
    folders: dict[tuple[str, str], Folder],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, how, missed, kinds = tmp_path / f"a{suffix}", Counter[str](), [], set()
    for kind in DAMAGES:
        for damaged in mutants(kind, name, folders[name, suffix]):
            end = outcome(graph_of(name), put(damaged, path))
            how[end] += 1
            kinds.add(kind)
            missed += [kind] if end in ("not found", "refused in other than one line") else []
    total = how.total()
    with capsys.disabled():
        found = 100 - 100 * len(missed) / total
        print(f"\n{name}{suffix}: {total} mutants of {len(kinds)} kinds, {found:.1f} % found: {how}")
    assert not missed
    assert len(kinds) >= 75


def test_every_kind_of_damage_is_one_of_some_model(folders: dict[tuple[str, str], Folder]) -> None:
    never = [
        kind for kind in DAMAGES if not any(mutants(kind, at[0], folder) for at, folder in reversed(folders.items()))
    ]
    assert never == []


# ------------------------------------------------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("a weight is no number", r"csv, line \d+: 'one' where a finite number is expected; write the graph again"),
        ("a field too many", r"edges\.csv, line \d+: 5 fields; expected 4"),
        ("an edge is undirected", r"edges\.csv, line \d+: \('Undirected',\) where \('Directed',\) is expected"),
        ("a source is no number", r"edges\.csv, line \d+: id 'n1'; expected a number"),
        ("a column is missing", r"line 1: the header is 'Target,Weight,Type'; expected 'Source,Target,Weight,Type'"),
        ("the edges are cut", r"edges\.csv: it ends within a line: it is truncated; write the graph again"),
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
def test_what_is_told(kind: str, message: str, folders: dict[tuple[str, str], Folder], tmp_path: Path) -> None:
    name = {"another model": "digits", "a port is negative": "ports"}.get(kind, "doubles")
    graph = graph_of(name)
    (damaged, *_) = mutants(kind, name, folders[name, ".gephi.csv"])
    with pytest.raises(Error, match=message):
        verify_file(graph, put(damaged, tmp_path / "a.gephi.csv"))


def test_a_line_without_end_is_not_taken_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.gephi.csv"
    writing.write(graph_of("doubles"), path)
    with (path / "edges.csv").open("ab") as file:
        file.write(b"1" * (3 << 20) + b"\n")
    monkeypatch.setattr(decompressed, "CHUNK", 1 << 20)
    with pytest.raises(Error, match=r"line 47: more than 1048576 bytes; expected an edge in each line"):
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


def test_other_lines_give_the_same_numbers(folders: dict[tuple[str, str], Folder], tmp_path: Path) -> None:
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
