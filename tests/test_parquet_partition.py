"""Parquet in a folder for each layer: read by others as Hive's, read back here, and pruned."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import onnx2graphml as o2g
from onnx2graphml.cli import main
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.files.atomic_folder import atomic_directory
from onnx2graphml.formats.parquet import shares
from onnx2graphml.formats.parquet.layout import layer_folder
from onnx2graphml.formats.parquet.write import write_parquet
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.xmltext import escape
from small import FIXTURES
from synthetic import dense_graph, graph_of
from test_parquet_shares import assert_same, files

DIGITS = FIXTURES / "digits.onnx"
ODD = "a/b:c=d%e 'f' \"g\" [é]{^}*?#\\h"


@pytest.fixture(scope="module")
def graph() -> NeuronGraph:
    return o2g.load(DIGITS)


@pytest.fixture(scope="module")
def folder(graph: NeuronGraph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("a") / "digits.parquet"
    o2g.write(graph, path, partition="layer")
    return path


def odd_names() -> NeuronGraph:
    """A graph whose layer has a name that no folder can have."""
    small = dense_graph(3, 4)
    first, last = small.layers
    return dataclasses.replace(small, layers=(first, dataclasses.replace(last, name=ODD)), outputs=(ODD,))


def hive(path: Path, schema: Any = None) -> Any:
    return ds.dataset(path / "edges", partitioning=ds.partitioning(flavor="hive", schema=schema))


def by_pyarrow(path: Path) -> dict[str, int]:
    names, counts = np.unique(hive(path).to_table()["layer"].to_numpy().astype(str), return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def by_polars(path: Path) -> dict[str, int]:
    import polars as pl

    frame = pl.scan_parquet(path / "edges/**/*.parquet", hive_partitioning=True)
    return dict(frame.group_by("layer").len().collect().rows())


def by_duckdb(path: Path) -> dict[str, int]:
    import duckdb

    query = f"SELECT layer, count(*) FROM read_parquet('{path}/edges/*/*.parquet', hive_partitioning = true) GROUP BY 1"
    return dict(duckdb.sql(query).fetchall())


@pytest.mark.parametrize("read", [by_pyarrow, by_polars, by_duckdb], ids=lambda read: read.__name__)
def test_engines_read_the_layer_from_the_folder(read: Any, graph: NeuronGraph, folder: Path, tmp_path: Path) -> None:
    assert read(folder) == {layer.name: layer.in_edges for layer in graph.layers if layer.in_edges}
    o2g.write(odd_names(), tmp_path / "odd.parquet", partition="layer")
    assert read(tmp_path / "odd.parquet") == {escape(ODD): 12}


@pytest.mark.slow
def test_a_condition_on_the_layer_opens_its_files_alone(graph: NeuronGraph, folder: Path, tmp_path: Path) -> None:
    """All other files are damaged: who opened them would see it."""
    import duckdb
    import polars as pl

    path = Path(shutil.copytree(folder, tmp_path / "a.parquet"))
    first = min(path.glob("edges/*/*.parquet"))
    for file in path.glob("edges/*/*.parquet"):
        if file.parent.name != "layer=conv2" and file != first:  # of which engines take the columns
            file.write_bytes(b"no Parquet")
    expected, wanted = graph.layer("conv2").in_edges, ds.field("layer") == "conv2"
    fragments = hive(path).get_fragments(wanted)
    assert [Path(fragment.path).parent.name for fragment in fragments] == ["layer=conv2"]
    assert hive(path).to_table(filter=wanted).num_rows == expected
    frame = pl.scan_parquet(path / "edges/**/*.parquet", hive_partitioning=True)
    assert frame.filter(pl.col("layer") == "conv2").collect().height == expected
    query = f"FROM read_parquet('{path}/edges/*/*.parquet', hive_partitioning = true) WHERE layer = 'conv2'"
    assert len(duckdb.sql(query).fetchall()) == expected
    with pytest.raises(Exception, match=r"magic bytes not found"):
        by_pyarrow(path)


def test_the_manifest_has_the_least_and_the_greatest_ids(graph: NeuronGraph, tmp_path: Path) -> None:
    """Of each part, so that a program knows which files it needs before it opens one."""
    path = tmp_path / "a.parquet"
    path.mkdir()
    write_parquet(graph, path, part=700, rows=300, partition="layer")
    parts = json.loads((path / "_manifest.json").read_bytes())["parts"]
    assert len(parts) > len(graph.layers)
    for part in parts:
        table = pq.ParquetFile(path / part["file"]).read()
        for name in ("src", "dst"):
            ids = table[name].to_numpy()
            assert part[name] == [ids.min(), ids.max()]
        assert f"layer={part['layer']}/" in part["file"]


def test_it_is_read_back(graph: NeuronGraph, folder: Path, tmp_path: Path) -> None:
    assert o2g.verify_file(graph, folder).passed
    o2g.convert(folder, tmp_path / "a.graphml")
    o2g.write(graph, tmp_path / "b.graphml")
    assert (tmp_path / "a.graphml").read_bytes() == (tmp_path / "b.graphml").read_bytes()
    o2g.write(odd_names(), tmp_path / "odd.parquet", partition="layer")
    assert [layer.name for layer in o2g.load(tmp_path / "odd.parquet").layers][-1] == ODD


@pytest.mark.slow
def test_convert_and_write_make_the_same(folder: Path, tmp_path: Path) -> None:
    assert main([str(DIGITS), str(tmp_path / "a.parquet"), "--partition", "layer"]) == 0
    assert_same(tmp_path / "a.parquet", folder)
    assert main([str(DIGITS), str(tmp_path / "plain.parquet")]) == 0
    assert main([str(tmp_path / "plain.parquet"), str(tmp_path / "b.parquet"), "--partition", "layer"]) == 0
    assert_same(tmp_path / "b.parquet", folder)


@pytest.mark.slow
def test_sixty_four_parts_of_which_three_were_killed(graph: NeuronGraph, tmp_path: Path) -> None:
    small: dict[str, Any] = {"part": 500, "rows": 200}
    whole, path = tmp_path / "whole.parquet", tmp_path / "parts.parquet"
    with atomic_directory(whole, "graph") as new:
        write_parquet(graph, new, partition="layer", **small)
    for number in range(64, 0, -1):
        shares.write_share(graph, path, (number, 64), partition="layer", **small)
    for number in (2, 33, 64):
        record = shares.folder_of(path) / f"share-{number:05}-of-00064.json"
        for name in json.loads(record.read_bytes())["files"]:
            (shares.folder_of(path) / name).write_bytes(b"half")
        record.unlink()
    with pytest.raises(Error, match="3 of 64 parts are missing or damaged"):
        o2g.merge(path)
    with pytest.raises(OutputError, match="holds part 1/64 in other files; all parts need the same partition"):
        shares.write_share(graph, path, (2, 64), **small)
    again = [shares.write_share(graph, path, (n, 64), partition="layer", **small) for n in range(1, 65)]
    assert again.count(True) == 3
    o2g.merge(path)
    assert_same(whole, path)
    assert not shares.folder_of(path).exists()


@pytest.mark.slow
def test_parts_by_the_command(folder: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        assert main([str(DIGITS), str(tmp_path / "a.parquet"), "--partition", "layer", "--part", f"{number}/2"]) == 0
    assert main(["merge", str(tmp_path / "a.parquet")]) == 0
    assert_same(tmp_path / "a.parquet", folder)


def test_what_was_moved_or_changed_is_found(graph: NeuronGraph, folder: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(folder, tmp_path / "a.parquet"))
    manifest = path / "_manifest.json"
    content = json.loads(manifest.read_bytes())
    content["parts"][3]["dst"][1] += 1
    manifest.write_text(json.dumps(content))
    with pytest.raises(Error, match=r"part-00003.parquet has dst \[\d+, \d+\]; the manifest says"):
        o2g.verify_file(graph, path)
    content["parts"][3]["dst"][1] -= 1
    old = content["parts"][3]["file"]
    content["parts"][3]["file"] = old.replace("layer=", "layer=x")
    manifest.write_text(json.dumps(content))
    (path / old).parent.rename((path / content["parts"][3]["file"]).parent)
    with pytest.raises(Error, match="is not in the folder of 'maxpool'"):
        o2g.verify_file(graph, path)


def test_names_of_folders() -> None:
    assert layer_folder("conv1") == "layer=conv1"
    assert layer_folder("a/b:c%") == "layer=a%2Fb%3Ac%25"
    assert layer_folder("") == "layer=__HIVE_DEFAULT_PARTITION__"
    with pytest.raises(OutputError, match="has a name of 300 characters, too long for a folder; leave partition out"):
        layer_folder("x" * 300)


def test_a_graph_without_edges(tmp_path: Path) -> None:
    graph = graph_of(Layer("x", "Input", (2,), "input"))
    o2g.write(graph, tmp_path / "a.parquet", partition="layer")
    assert "edges/layer=__HIVE_DEFAULT_PARTITION__/part-00000.parquet" in files(tmp_path / "a.parquet")
    assert o2g.load(tmp_path / "a.parquet").edges == 0


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Error, match="partition is 'op'; expected 'layer' or None"):
        o2g.write(DIGITS, tmp_path / "a.parquet", partition="op")
    with pytest.raises(Error, match=r"a partition is for .parquet only; give such a name, or leave partition out"):
        o2g.write(DIGITS, tmp_path / "a.graphml", partition="layer")
