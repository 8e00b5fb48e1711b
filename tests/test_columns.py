"""Further attributes of nodes, such as measures, in every format and read back by others."""

from __future__ import annotations

from pathlib import Path

import duckdb
import networkx as nx
import numpy as np
import polars as pl
import pytest

from onnx2graphml import write
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.formats.reading import open_graph
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.networkx_graph import to_networkx
from onnx2graphml.graph.select import min_abs_weight, subnetwork
from synthetic import every_kind

HARD = [0.1, -0.0, 1e-300, 1.7976931348623157e308, 1 / 3, 5.0, -12.5]
LARGE = [0, -1, 2**53 + 1, -(2**62)]


@pytest.fixture
def graph() -> NeuronGraph:
    n = every_kind().neurons
    return every_kind().with_column("rank", np.resize(HARD, n)).with_column("w", np.resize(LARGE, n))


def columns(graph: NeuronGraph) -> tuple[list[float], list[int]]:
    return graph.columns["rank"].tolist(), graph.columns["w"].tolist()


@pytest.mark.slow
def test_networkx_reads_them_from_graphml(graph: NeuronGraph, tmp_path: Path) -> None:
    write(graph, tmp_path / "a.graphml")
    file = nx.read_graphml(tmp_path / "a.graphml")
    found = [file.nodes[f"n{n}"] for n in range(graph.neurons)]
    assert ([n["rank"] for n in found], [n["w"] for n in found]) == columns(graph)
    assert {type(n["w"]) for n in found} == {int}


@pytest.mark.slow
def test_duckdb_reads_them_from_parquet(graph: NeuronGraph, tmp_path: Path) -> None:
    write(graph, tmp_path / "a.parquet")
    table = duckdb.sql(f"select rank, w from '{tmp_path}/a.parquet/_nodes/part-00000.parquet' order by id")
    assert table.types == ["DOUBLE", "BIGINT"]
    assert tuple(map(list, zip(*table.fetchall(), strict=True))) == columns(graph)


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "names"), [("gephi", ("rank", "w")), ("neo4j", ("rank:double", "w:long"))])
def test_polars_reads_them_from_csv(graph: NeuronGraph, suffix: str, names: tuple[str, str], tmp_path: Path) -> None:
    write(graph, tmp_path / f"a.{suffix}.csv")
    table = pl.read_csv(tmp_path / f"a.{suffix}.csv" / "nodes.csv", infer_schema_length=None)
    assert tuple(table[name].to_list() for name in names) == columns(graph)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["graphml", "graphml.gz", "graphml.zst", "parquet", "gephi.csv", "neo4j.csv"])
def test_what_is_beside_them_is_read_as_without(graph: NeuronGraph, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    write(graph, path)
    with open_graph(path) as file:
        found = file.layers()
        edges = sum(len(e) for e in file.edges())
    assert [layer.id.tolist() for layer in found] == [
        list(range(layer.first_id, layer.first_id + layer.neurons)) for layer in graph.layers
    ]
    assert edges == graph.edges


def test_a_view_is_written_with_its_columns(tmp_path: Path) -> None:
    G = every_kind().to_networkx(as_view=True)
    G.set_column("rank", range(len(G)))
    write(G, tmp_path / "a.graphml")
    found = nx.read_graphml(tmp_path / "a.graphml").nodes(data="rank")
    assert [rank for _, rank in found] == list(range(len(G)))


def test_they_are_attributes_in_networkx(graph: NeuronGraph) -> None:
    found = to_networkx(graph).nodes
    assert ([found[n]["rank"] for n in found], [found[n]["w"] for n in found]) == columns(graph)


def test_a_part_of_the_graph_has_its_part_of_them(graph: NeuronGraph) -> None:
    part = subnetwork(graph, "flat:hard")
    kept = [graph.columns["w"][graph.layer(layer.name).ids] for layer in part.layers]
    assert part.columns["w"].tolist() == np.concatenate(kept).tolist()
    assert min_abs_weight(graph, 0.1).columns["w"] is graph.columns["w"]


@pytest.mark.parametrize("suffix", ["graphml", "gephi.csv", "neo4j.csv"])
def test_what_is_not_finite_is_refused_where_it_can_not_be_held(suffix: str, tmp_path: Path) -> None:
    graph = every_kind()
    with pytest.raises(OutputError, match="a weight, bias or column is NaN or infinite"):
        write(graph.with_column("rank", np.full(graph.neurons, np.nan)), tmp_path / f"a.{suffix}")


@pytest.mark.parametrize(
    ("suffix", "file", "old", "new", "message"),
    [
        ("graphml", "", 'key="c.w">-1<', 'key="c.w">one<', "'one' where a number is expected"),
        ("gephi.csv", "nodes.csv", ",-1\n", ",one\n", "'one' where a number is expected"),
        ("gephi.csv", "nodes.csv", "rank,w", "page rank,w", "the header has a column 'page rank'"),
        ("neo4j.csv", "nodes.csv", "rank:double", "rank:string", "the header has a column 'rank:string'"),
    ],
)
def test_a_column_that_is_none_is_found(
    suffix: str, file: str, old: str, new: str, message: str, graph: NeuronGraph, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{suffix}"
    write(graph, path)
    text = (path / file).read_text()
    assert old in text
    (path / file).write_text(text.replace(old, new, 1))
    with pytest.raises(Error, match=message), open_graph(path) as opened:
        opened.layers()
