"""Graph files that are not what they seem: edges that only this package would see, columns of other types, devices."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from fuzzing import graphs, models
from fuzzing.outcome import Outcome
from onnx2graphml import cli
from onnx2graphml.api import load
from onnx2graphml.errors import Error
from onnx2graphml.formats import decompressed
from onnx2graphml.formats.graphml import elements
from onnx2graphml.formats.reading import open_graph
from onnx2graphml.formats.writing import write
from small import model, node, weights

CHUNK = 1 << 22


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and its graph in all formats."""
    folder = tmp_path_factory.mktemp("dense")
    proto = model([node("MatMul", "x w", "y"), node("Pow", "c y", "z")], {"x": [1, 5]},
                  {"w": weights(5, 4), "c": weights(4) ** 2 + 1}, outputs=["z"])  # fmt: skip
    (folder / "m.onnx").write_bytes(proto.SerializeToString())
    graph = load(folder / "m.onnx")
    for suffix in (".graphml", ".graphml.gz", ".graphml.zst", ".parquet", ".gephi.csv", ".neo4j.csv"):
        write(graph, folder / f"g{suffix}")
    return folder


def said_of(folder: Path, path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What `verify` says of a graph that it must refuse."""
    assert cli.main(["verify", str(folder / "m.onnx"), str(path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


# -------------------------------------------------------------------------------------------------------------- GraphML


@pytest.mark.parametrize("at", ["the first piece", "the second piece"])
@pytest.mark.parametrize(
    "around", [(b"<?pi x", b"?>"), (b'<desc x="', b'"/>'), (b"<!--", b"-->"), (b"<![CDATA[", b"]]>")]
)
def test_edges_that_no_parser_sees(
    dense: Path, tmp_path: Path, at: str, around: tuple[bytes, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the instruction begins exactly with a piece that is read."""
    text = (dense / "g.graphml").read_bytes()
    edge, end = text.index(b"<edge "), text.index(b"</graph>")
    before, behind = around
    fill = b" " * (CHUNK - edge) if at == "the second piece" else b""
    (tmp_path / "g.graphml").write_bytes(
        text[:edge] + fill + before + b"\n" + text[edge:end] + behind + b"\n" + text[end:]
    )
    said = said_of(dense, tmp_path / "g.graphml", capsys)
    assert "0 edges" in said or "not well-formed" in said or "element 'desc" in said or "outside an attribute" in said


NAMESPACE = b'xmlns="http://graphml.graphdrawing.org/xmlns"'
PREFIXED = [(b"<graphml ", b"<g:graphml "), (b"</graphml>", b"</g:graphml>"), (b"xmlns=", b"xmlns:g="),
            (b"<graph ", b"<g:graph "), (b"</graph>", b"</g:graph>"), (b"<key ", b"<g:key "), (b"<node ", b"<g:node "),
            (b"</node>", b"</g:node>")]  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        [(b"<graphml ", b'<graphml xmlns:o="o" '), (NAMESPACE, b""), (b"<edge ", b'<edge xmlns="o" ')],
        [(b"<graph ", b'<graph xmlns="" ')],
        [(b"<edge ", b'<edge xmlns="" ')],
        [*PREFIXED, (b"<data", b"<g:data"), (b"</data", b"</g:data")],
    ],
    ids=["none but of edges", "the graph", "edges", "all but edges"],
)
def test_edges_of_another_namespace(
    dense: Path, tmp_path: Path, changes: list[tuple[bytes, bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Found by the fuzzer: no other program sees them."""
    text = (dense / "g.graphml").read_bytes()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "g.graphml").write_bytes(text)
    assert "expected one flat graph" in said_of(dense, tmp_path / "g.graphml", capsys)


def test_a_prefix_for_all(dense: Path, tmp_path: Path) -> None:
    """It is another way to write the same."""
    text = (dense / "g.graphml").read_bytes()
    for old, new in [
        *PREFIXED,
        (b"<data", b"<g:data"),
        (b"</data", b"</g:data"),
        (b"<edge", b"<g:edge"),
        (b"</edge", b"</g:edge"),
    ]:
        text = text.replace(old, new)
    (tmp_path / "g.graphml").write_bytes(text)
    assert cli.main(["verify", str(dense / "m.onnx"), str(tmp_path / "g.graphml")]) == 0


@pytest.mark.parametrize("encoding", ["cp037", "utf-16", "utf_7", "no-such"])
def test_another_encoding(dense: Path, tmp_path: Path, encoding: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (dense / "g.graphml").read_bytes().replace(b"UTF-8", encoding.encode(), 1)
    (tmp_path / "g.graphml").write_bytes(text)
    said_of(dense, tmp_path / "g.graphml", capsys)


@pytest.mark.parametrize("key", [b"parse.nodes", b"parse.edges"])
@pytest.mark.parametrize("change", [b"0%s", b" %s", b"%s.0", b"+%s", b"%s_0"])
def test_counts_are_written_one_way(
    dense: Path, tmp_path: Path, key: bytes, change: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    text = re.sub(
        key + b'="([0-9]+)"', lambda m: key + b'="' + change % m[1] + b'"', (dense / "g.graphml").read_bytes()
    )
    (tmp_path / "g.graphml").write_bytes(text)
    assert "where a number is expected" in said_of(dense, tmp_path / "g.graphml", capsys)


def test_a_tag_without_end(dense: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser begins anew with each piece of it."""
    monkeypatch.setattr(elements, "LONGEST_TAG", 1 << 16)
    path = tmp_path / "g.graphml"
    path.write_bytes(b'<?xml version="1.0"?><graphml x="' + b"a" * (2 * CHUNK))
    with pytest.raises(Error, match="an element or a name of more than 65,536 bytes"), open_graph(path) as file:
        file.layers()


@pytest.mark.slow
def test_a_compressed_file_that_is_a_bomb(tmp_path: Path) -> None:
    """What is held at a time does not grow with what it unpacks to."""
    import zstandard

    path = tmp_path / "g.graphml.zst"
    path.write_bytes(zstandard.ZstdCompressor(level=19).compress(b" " * (1 << 28)))
    assert path.stat().st_size < 1 << 16
    with open(path, "rb") as file:
        assert max(len(piece) for piece in decompressed.unzstd(file)) <= CHUNK + (1 << 25)


# -------------------------------------------------------------------------------------------------------------- Parquet


def rewritten(
    folder: Path, path: Path, change: Callable[[Any, Any], Any], name: str = "edges/part-00000.parquet"
) -> Path:
    """A copy of the graph with one table changed."""
    import shutil

    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    shutil.copytree(folder / "g.parquet", path)
    parts = sorted((path / "edges").iterdir())
    part = next((p for p in parts if "port" in parquet.read_table(p).column_names), parts[0])
    parquet.write_table(change(parquet.read_table(part), pa), part)
    return path


def cast(column: str, kind: str, plus: Any = 0) -> Callable[[Any, Any], Any]:
    def change(table: Any, pa: Any) -> Any:
        at = table.column_names.index(column)
        values = table.column(at).to_pylist()
        made = pa.array([str(v) if kind == "string" else v + plus for v in values]).cast(getattr(pa, kind)())
        return table.set_column(at, column, made)

    return change


def timestamps(table: Any, pa: Any) -> Any:
    at = table.column_names.index("src")
    return table.set_column(at, "src", table.column(at).cast(pa.timestamp("us")))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (cast("src", "float64", 0.7), "column src is of type double"),
        (cast("src", "float64"), "column src is of type double"),
        (cast("dst", "string"), "column dst is of type string"),
        (timestamps, "column src is of type timestamp"),
        (cast("weight", "float16"), "column weight is of type halffloat"),
        (cast("src", "uint64"), "column src is of type uint64"),
    ],
)
def test_columns_of_other_types(
    dense: Path, tmp_path: Path, change: Any, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = rewritten(dense, tmp_path / "g.parquet", change)
    assert says in said_of(dense, path, capsys)


def test_any_bits_of_a_weight(dense: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Found by the fuzzer: a signalling NaN is a number that differs, without a warning of NumPy's."""

    def change(table: Any, pa: Any) -> Any:
        bits = np.full(table.num_rows, 0x7FA00000, np.uint32).view(np.float32)
        return table.set_column(table.column_names.index("weight"), "weight", pa.array(bits))

    path = rewritten(dense, tmp_path / "g.parquet", change)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cli.main(["verify", str(dense / "m.onnx"), str(path)]) == 1
    assert "MISMATCH" in capsys.readouterr().out


def test_ports_that_do_not_fit(dense: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(table: Any, pa: Any) -> Any:
        at = table.column_names.index("port")
        return table.set_column(at, "port", pa.array([2**32 - 1] * table.num_rows, pa.int64()))

    said = said_of(dense, rewritten(dense, tmp_path / "g.parquet", change), capsys)
    assert " is 4294967295; expected one below 2,147,483,648" in said


def test_more_rows_than_the_manifest_says(dense: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table of billions of equal rows takes a few bytes; they are counted before they are read."""
    path = rewritten(dense, tmp_path / "g.parquet", lambda table, pa: pa.concat_tables([table, table]))
    assert "rows; the manifest says" in said_of(dense, path, capsys)


@pytest.mark.parametrize(
    "name", ["a\\b", *(pytest.param(n, marks=pytest.mark.slow) for n in ("a\x01b", "\\u0041", 'a"b', "a,b"))]
)
def test_names_in_parquet(tmp_path: Path, name: str) -> None:
    proto = model([node("MatMul", "x w", name), node("Relu", name, "y")], {"x": [1, 5]}, {"w": weights(5, 4)})
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    for suffix in (".parquet", ".gephi.csv"):
        assert cli.main([str(tmp_path / "m.onnx"), str(tmp_path / f"g{suffix}"), "--detail", "op"]) == 0
        assert cli.main(["verify", str(tmp_path / "m.onnx"), str(tmp_path / f"g{suffix}")]) == 0


def test_a_path_that_is_not_utf8(dense: Path, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"o\xff.parquet")
    assert cli.main([str(dense / "m.onnx"), str(path)]) == 0
    assert cli.main(["verify", str(dense / "m.onnx"), str(path)]) == 0


# --------------------------------------------------------------------------------------------- manifests, special files


@pytest.mark.parametrize(
    ("key", "value"),
    [("nodes", 17.0), ("nodes", True), ("edges", 28.0), ("edges", "28"), ("edges", -1), ("nodes", None)],
)
def test_counts_that_are_no_integers(
    dense: Path, tmp_path: Path, key: str, value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    path = tmp_path / "g.gephi.csv"
    shutil.copytree(dense / "g.gephi.csv", path)
    content = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(content | {key: value}))
    assert f"{key} is {value!r}, not a number of 0 or more" in said_of(dense, path, capsys)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "missing"])
@pytest.mark.parametrize(
    "name",
    ["g.gephi.csv/nodes.csv", "g.gephi.csv/edges.csv", "g.neo4j.csv/manifest.json",
     "g.parquet/_nodes/part-00000.parquet", "g.parquet/edges/part-00000.parquet", "g.graphml", "g.graphml.gz", "g.npz"],
)  # fmt: skip
def test_members_that_are_no_files(
    dense: Path, tmp_path: Path, name: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    for each in dense.iterdir():
        (shutil.copytree if each.is_dir() else shutil.copy)(each, tmp_path / each.name)
    path = tmp_path / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    said_of(dense, tmp_path / name.split("/")[0], capsys)


def test_a_line_without_end(dense: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shutil

    path = tmp_path / "g.gephi.csv"
    shutil.copytree(dense / "g.gephi.csv", path)
    with open(path / "nodes.csv", "ab") as file:
        file.write(b"a" * (1 << 21) + b"\n")
    assert "a line of more than 1048576 bytes" in said_of(dense, path, capsys)


# --------------------------------------------------------------------------------------------------------------- inputs


def header(shape: str, version: bytes = b"\x01\x00", descr: str = "<f4") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (header("(1000000000000, 5)"), "an array of shape [1000000000000, 5], which is larger than the inputs"),
        (header("(1, 5)") + bytes(19), "it has 19 bytes; expected 20"),
        (header("(1, 5)", b"\x63\x00"), "version"),
        (header("(1, 5)", descr="|O"), "it holds Python objects"),
        (b"PK\x03\x04" + bytes(99), "zip"),
        (b"", ""),
        (b"\x93NUMPY\x01\x00\xff\xff", ""),
    ],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_inputs_that_are_damaged(
    dense: Path, tmp_path: Path, content: bytes, says: str, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / f"p{suffix}").write_bytes(content)
    command = ["verify", str(dense / "m.onnx"), f"--input={tmp_path / f'p{suffix}'}"]
    assert cli.main(command) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert says in said
    assert "expected the input" in said


@pytest.mark.slow
def test_members_of_an_archive_that_are_not_needed(dense: Path, tmp_path: Path) -> None:
    """They are not unpacked."""
    np.savez_compressed(tmp_path / "p.npz", x=np.ones((1, 5), np.float32), other=np.zeros(1 << 27, np.uint8))
    assert cli.main(["verify", str(dense / "m.onnx"), f"--input={tmp_path / 'p.npz'}"]) == 0


# ----------------------------------------------------------------------------------------------- a little of the fuzzer


@pytest.mark.slow
@pytest.mark.parametrize("number", range(120))
def test_a_changed_graph(number: int) -> None:
    """What passes is the same graph to an independent reader."""
    found = graphs.outcome(20261126, number)
    assert not found.is_fault, found


@pytest.mark.slow
@pytest.mark.parametrize("number", range(120))
def test_a_changed_model(number: int) -> None:
    found = models.outcome(20261126, number)
    assert not found.is_fault, found


def test_faults_are_faults() -> None:
    """Of the fuzzer itself: a graph that is accepted wrongly is seen."""
    assert Outcome(0, "accepted").is_fault
    assert not Outcome(0, "refused").is_fault
    path = graphs.written() / "conv.graphml"
    text = path.read_bytes()
    other = path.with_name("other.graphml")
    other.write_bytes(text.replace(b'source="n1"', b'source="n2"', 1))
    assert not graphs.readers.same(path, other, ".graphml")
    other.write_bytes(text.replace(b'"', b"'"))
    assert graphs.readers.same(path, other, ".graphml")
    assert graphs.number(b"a 12 b", Random(0)) != b"a 12 b"
