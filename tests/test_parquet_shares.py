"""A graph that many machines wrote in parts is, byte by byte, the graph that one writes."""

from __future__ import annotations

import filecmp
import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

import onnx2graphml as o2g
from onnx2graphml.cli import main
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.formats.parquet import shares
from onnx2graphml.formats.parquet.write import named_parts, write_parquet
from onnx2graphml.graph.graph import NeuronGraph
from small import FIXTURES
from synthetic import every_kind

DIGITS = FIXTURES / "digits.onnx"
SMALL = {"part": 500, "rows": 200}


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def assert_same(one: Path, other: Path) -> None:
    assert files(one) == files(other)
    assert filecmp.cmpfiles(one, other, files(one), shallow=False)[0] == files(one)


@pytest.fixture(scope="module")
def graph() -> NeuronGraph:
    return o2g.load(DIGITS)


@pytest.mark.slow
def test_sixty_four_parts_of_which_three_were_killed(graph: NeuronGraph, tmp_path: Path) -> None:
    from onnx2graphml.files.atomic_folder import atomic_directory

    with atomic_directory(tmp_path / "whole.parquet", "graph") as folder:
        write_parquet(graph, folder, **SMALL)
    path, order = tmp_path / "parts.parquet", list(range(1, 65))
    Random(0).shuffle(order)
    for number in order:
        assert shares.write_share(graph, path, (number, 64), **SMALL)
    for number in (1, 17, 64):  # as if killed before the record: what is written is not whole
        record = shares.folder_of(path) / f"share-{number:05}-of-00064.json"
        for name in json.loads(record.read_bytes())["files"]:
            (shares.folder_of(path) / name).write_bytes(b"half")
        record.unlink()
    with pytest.raises(Error, match=r"3 of 64 parts are missing or damaged: 1/64, 17/64, 64/64; write them"):
        o2g.merge(path)
    assert [shares.write_share(graph, path, (n, 64), **SMALL) for n in order].count(True) == 3
    assert "25,816" in str(o2g.merge(path))
    assert_same(tmp_path / "whole.parquet", path)
    assert not shares.folder_of(path).exists()
    assert o2g.verify_file(graph, path).passed


def test_shares_have_every_file_once_and_about_as_many_edges(graph: NeuronGraph) -> None:
    parts = named_parts(graph, 100)
    for count in (1, 3, 7, 1000):
        shared = shares.shared_out(parts, count)
        assert sorted(name for names in shared for name in names) == sorted(parts)
        edges = [sum(parts[name].rows for name in names) for names in shared]
        assert max(edges) - min(edges) <= 100 + (max(p.rows for p in parts.values()) if count == 1 else 0)


@pytest.mark.slow
def test_a_share_that_is_killed_leaves_no_record(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    program = (
        "import sys, time, onnx2graphml as o; g = o.load(sys.argv[1]);"
        "o.write(g, sys.argv[2], part=(1, 2), progress=lambda n: (print(n, flush=True), time.sleep(60)))"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(DIGITS), str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.kill()
    process.wait()
    assert not list(shares.folder_of(path).glob("share-*"))
    for number in (1, 2):
        o2g.write(DIGITS, path, part=(number, 2))
    o2g.merge(path)
    o2g.write(DIGITS, tmp_path / "b.parquet")
    assert_same(path, tmp_path / "b.parquet")


def test_parts_of_other_graphs_and_numbers_are_refused(graph: NeuronGraph, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    shares.write_share(graph, path, (1, 2))
    with pytest.raises(OutputError, match=r"holds part 1/2 of another graph"):
        shares.write_share(every_kind(), path, (2, 2))
    with pytest.raises(OutputError, match=r"holds part 1/2 and parts of 3"):
        shares.write_share(graph, path, (2, 3))
    with pytest.raises(Error, match=r"part 3/2: expected a number from 1 to 2"):
        shares.write_share(graph, path, (3, 2))
    with pytest.raises(Error, match=r"1 of 2 parts are missing or damaged: 2/2; write them with --part"):
        o2g.merge(path)
    with pytest.raises(Error, match=r"there are no parts; write them with: onnx2graphml MODEL b.parquet --part 1/N"):
        o2g.merge(tmp_path / "b.parquet")
    with pytest.raises(Error, match=r"part 1/2 of \.graphml: only \.parquet is written in parts"):
        o2g.write(graph, tmp_path / "a.graphml", part=(1, 2))


def test_a_damaged_part_is_found(graph: NeuronGraph, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    for number in (1, 2):
        shares.write_share(graph, path, (number, 2))
    folder = shares.folder_of(path)
    edges = sorted(folder.glob("edges/*"))
    kept = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    edges[0].write_bytes(kept[edges[0]][:-1])
    with pytest.raises(Error, match="1 of 2 parts are missing or damaged"):
        o2g.merge(path)
    edges[0].write_bytes(bytes(len(kept[edges[0]])))
    with pytest.raises(Error, match="damaged or not whole"):
        o2g.merge(path)
    edges[0].write_bytes(kept[edges[0]])

    record = folder / "share-00001-of-00002.json"
    content = json.loads(kept[record])
    content["manifest"]["parts"][0]["rows"] += 1
    for path_of, other in ((p, json.loads(kept[p])) for p in kept if p.suffix == ".json"):
        other["manifest"] = content["manifest"]
        path_of.write_text(json.dumps(other))
    with pytest.raises(Error, match=r"rows, not"):
        o2g.merge(path)
    content["files"]["../../elsewhere"] = 1
    record.write_text(json.dumps(content))
    with pytest.raises(Error, match="its files are none of a graph"):
        o2g.merge(path)


def test_foreign_files_are_left(graph: NeuronGraph, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    shares.write_share(graph, path, (1, 1))
    (shares.folder_of(path) / "notes.txt").write_text("mine")
    o2g.merge(path)
    assert files(shares.folder_of(path)) == ["notes.txt"]


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "a.parquet")
    for number in (1, 2):
        assert main([str(DIGITS), path, "--part", f"{number}/2"]) == 0
    assert main(["merge", path]) == 0
    assert "25,816" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([str(DIGITS), path, "--part", "3/2"])
    assert "'3/2' is no part: expected K/N, such as 3/64" in capsys.readouterr().err
