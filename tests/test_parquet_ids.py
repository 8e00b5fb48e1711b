"""The type of ids in Parquet."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

import onnx2graphml as o2g
from onnx2graphml.cli import main
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.formats.parquet.write import id_type
from onnx2graphml.graph.graph import Layer
from small import FIXTURES
from synthetic import graph_of

DIGITS = FIXTURES / "digits.onnx"


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_ids_of_int32(jobs: int, tmp_path: Path) -> None:
    """The same tables with other types, and the graph is read back from them."""
    graph = o2g.load(DIGITS)
    for ids in ("int64", "int32"):
        o2g.write(graph, tmp_path / f"{ids}.parquet", ids=ids, jobs=jobs)
    wide, narrow = (pq.read_table(tmp_path / f"{ids}.parquet" / "edges") for ids in ("int64", "int32"))
    assert [str(narrow.schema.field(name).type) for name in ("src", "dst")] == ["int32", "int32"]
    assert narrow.cast(wide.schema) == wide
    nodes = pq.read_table(tmp_path / "int32.parquet" / "_nodes" / "part-00000.parquet")
    assert (str(nodes.schema.field("id").type), nodes.num_rows) == ("int32", graph.neurons)
    assert o2g.verify_file(graph, tmp_path / "int32.parquet").passed


def test_ids_that_are_refused(tmp_path: Path) -> None:
    graph = o2g.load(DIGITS)
    with pytest.raises(Error, match="ids is 'int16'; expected int64 or int32"):
        o2g.write(graph, tmp_path / "a.parquet", ids="int16")
    with pytest.raises(Error, match=r"ids of int32 are for .parquet only; give such a name, or leave ids out"):
        o2g.write(graph, tmp_path / "a.graphml", ids="int32")
    with pytest.raises(Error, match="ids of int32 and a part: parts have ids of int64"):
        o2g.write(graph, tmp_path / "a.parquet", ids="int32", part=(1, 2))
    large = graph_of(Layer("x", "Input", (1 << 16, 1 << 15), "input"))
    assert id_type(large, "int64").bit_width == 64
    with pytest.raises(OutputError, match="2,147,483,648 neurons, more than ids of int32; write it with int64"):
        id_type(large, "int32")


@pytest.mark.slow
def test_the_command_and_a_conversion(tmp_path: Path) -> None:
    assert main([str(DIGITS), str(tmp_path / "a.parquet"), "--ids", "int32"]) == 0
    o2g.write(o2g.load(DIGITS), tmp_path / "b.parquet", ids="int32")
    for name in ("edges", "_nodes"):
        assert pq.read_table(tmp_path / "a.parquet" / name) == pq.read_table(tmp_path / "b.parquet" / name)
    assert main([str(tmp_path / "a.parquet"), str(tmp_path / "c.graphml")]) == 0
    o2g.write(o2g.load(DIGITS), tmp_path / "d.graphml")
    assert (tmp_path / "c.graphml").read_bytes() == (tmp_path / "d.graphml").read_bytes()
