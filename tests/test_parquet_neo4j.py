"""The headers with which Neo4j imports a Parquet folder: every column once, under the names that its CSV import has."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import onnx2graphml as o2g
from onnx2graphml.formats.parquet.neo4j import write_headers
from onnx2graphml.graph.graph import NeuronGraph
from small import FIXTURES
from synthetic import products

FIELD = re.compile(r"(\w*):?(ID|START_ID|END_ID|int|long|float|double|boolean|int\[\])?")


def digits() -> NeuronGraph:
    graph = o2g.load(FIXTURES / "digits.onnx").with_input("random")
    return graph.with_column("rank", np.arange(graph.neurons))


@pytest.mark.parametrize("made", [digits, products], ids=lambda made: made.__name__)
def test_every_column_has_its_name_and_type(made: object, tmp_path: Path) -> None:
    assert callable(made)
    graph, path = made(), tmp_path / "a.parquet"
    o2g.write(graph, path)
    o2g.write(graph, tmp_path / "a.neo4j.csv")
    for name in ("nodes", "edges"):
        told, columns = csv.reader((path / "_neo4j" / f"{name}.csv").read_text().splitlines())
        files = path / ("edges" if name == "edges" else "_nodes")
        assert columns == pq.read_table(files).schema.names
        assert all(FIELD.fullmatch(field) for field in told), told
        plain = next(csv.reader((tmp_path / "a.neo4j.csv" / f"{name}.csv").read_text().splitlines()))
        as_csv = {re.sub(":(double|float|int|long)$", "", field) for field in plain}
        ours = {re.sub(r":(double|float|int|long|int\[\])$", "", field) for field in told}
        assert ours == as_csv
    assert told[:3] == [":START_ID", ":END_ID", "weight:float"]
    assert o2g.load(path).edges == graph.edges


def test_merged_parts_have_them_too(tmp_path: Path) -> None:
    graph = products()
    o2g.write(graph, tmp_path / "whole.parquet")
    for k in (2, 1):
        o2g.write(graph, tmp_path / "parts.parquet", part=(k, 2))
    o2g.merge(tmp_path / "parts.parquet")
    for name in ("nodes.csv", "edges.csv"):
        one, other = (tmp_path / folder / "_neo4j" / name for folder in ("whole.parquet", "parts.parquet"))
        assert one.read_bytes() == other.read_bytes()
    with pytest.raises(FileExistsError):
        write_headers(tmp_path / "parts.parquet")
