"""Every registered format is read back by somebody else's reader; and what is particular to each."""

from __future__ import annotations

import csv
import functools
import gzip
import io
import json
import math
import shutil
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from onnx2graphml.errors import Error, MissingExtraError, OutputError, TooLargeError
from onnx2graphml.files import atomic_folder
from onnx2graphml.files.atomic_folder import atomic_directory
from onnx2graphml.files.temporary import manifest_path
from onnx2graphml.formats import columns, registry, writing
from onnx2graphml.formats.npz import write
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.attributes import graph_attributes
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.graph.neurons import activations_text
from onnx2graphml.graph.xmltext import escape
from synthetic import array, conv_graph, dense, dense_graph, every_kind, graph_of, parallel, same
from test_graphml import read as read_graphml_bytes

DIRECTORIES = sorted(suffix for suffix, f in registry.FORMATS.items() if f.out == "directory")


@dataclass
class Read:
    """A graph as a reader found it: edges are (source, target, weight, port); what is None was not in the file."""

    about: dict[str, Any] | None
    nodes: list[dict[str, Any]] | None
    neurons: int
    edges: list[tuple[int, int, float, int | None]]


def read_graphml(path: Path, decompress: Callable[[bytes], bytes] = bytes) -> Read:
    about, nodes, edges = read_graphml_bytes(decompress(path.read_bytes()))
    number = {name: i for i, name in enumerate(nodes)}
    return Read(
        about,
        list(nodes.values()),
        len(nodes),
        [(number[s], number[t], own["weight"], own.get("port")) for s, t, own in edges],
    )


def read_graphml_zst(path: Path) -> Read:
    zstandard = pytest.importorskip("zstandard", reason="decompresses Zstandard")
    return read_graphml(path, lambda data: zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read())


def read_manifest(path: Path) -> dict[str, Any]:
    found = json.loads(manifest_path(path).read_text())
    assert found["nodes"] == sum(layer["neurons"] for layer in found["layers"])
    assert found["edges"] == sum(layer["in_edges"] for layer in found["layers"])
    return found


def read_parquet(path: Path) -> Read:
    pq = pytest.importorskip("pyarrow.parquet", reason="Parquet is written and read with pyarrow")
    manifest = read_manifest(path)
    nodes = pq.read_table(path / "_nodes/part-00000.parquet").to_pylist()
    assert [node.pop("id") for node in nodes] == list(range(manifest["nodes"]))
    for node in nodes:
        node["index"] = ",".join(map(str, node["index"]))
    rows = [row for part in manifest["parts"] for row in pq.read_table(path / part["file"]).to_pylist()]
    edges = [(row["src"], row["dst"], row["weight"], row.get("port")) for row in rows]
    return Read(manifest, [known(node) for node in nodes], len(nodes), edges)


def read_csv(path: Path) -> Read:
    manifest = read_manifest(path)
    with (path / "nodes.csv").open(encoding="utf-8", newline="") as file:
        nodes = [{name.split(":")[0]: text for name, text in row.items()} for row in csv.DictReader(file)]
    for i, node in enumerate(nodes):
        assert int(node.pop("Id", None) or node.pop("id")) == i
        node |= {name: int(node[name]) for name in ("channel", "row", "col") if node[name]}
        node |= {"bias": float(node["bias"])} if node["bias"] else {}
    with (path / "edges.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    port = next((i for i, name in enumerate(header) if name.startswith("port")), None)
    edges = [
        (int(row[0]), int(row[1]), float(row[2]), int(row[port]) if port is not None and row[port] else None)
        for row in rows
    ]
    # The one field that may be empty text is the index in a layer that is a single number.
    return Read(manifest, [known(node, "") | {"index": node["index"]} for node in nodes], len(nodes), edges)


def read_npz(path: Path) -> Read:
    sparse = pytest.importorskip("scipy.sparse", reason="an .npz is read with SciPy")
    m = sparse.load_npz(path)
    edges = zip(m.row.tolist(), m.col.tolist(), m.data.tolist(), strict=True)
    return Read(None, None, m.shape[0], [(s, t, w, None) for s, t, w in edges])


FORMATS: dict[str, Callable[[Path], Read]] = {
    ".graphml": read_graphml,
    ".graphml.gz": functools.partial(read_graphml, decompress=gzip.decompress),
    ".graphml.zst": read_graphml_zst,
    ".parquet": read_parquet,
    ".gephi.csv": read_csv,
    ".neo4j.csv": read_csv,
    ".npz": read_npz,
}


def known(node: dict[str, Any], nothing: Any = None) -> dict[str, Any]:
    return {name: value for name, value in node.items() if value != nothing}


def expected_nodes(graph: NeuronGraph) -> Iterable[dict[str, Any]]:
    for layer in graph.layers:
        for at in np.ndindex(layer.shape):
            node: dict[str, Any] = {"layer": escape(layer.name), "op": layer.op, "combine": layer.aggregation}
            node["index"] = ",".join(map(str, at))
            names = {0: (), 2: ("channel", "col"), 3: ("channel", "row", "col"), 4: ("channel", "", "row", "col")}
            spatial = zip(names[len(layer.spatial)], layer.spatial, strict=True)
            node |= {name: at[d] for name, d in spatial if name}
            if layer.bias is not None:
                node["bias"] = layer.bias[at]
            if layer.activation:
                node["activation"] = activations_text(layer.activation)
            yield node


def expected_edges(graph: NeuronGraph) -> list[tuple[int, int, np.floating[Any], int | None]]:
    return [
        (graph.layer(incoming.source).first_id + s, layer.first_id + t, w, incoming.port)
        for layer in graph.layers
        for incoming, e in graph.edges_into(layer)
        for s, t, w in zip(e.source.tolist(), e.target.tolist(), e.weight, strict=True)
    ]


def same_float(got: float, expected: np.floating[Any]) -> bool:
    """Whether both are the same number of the type that was written, with the same sign of zero."""
    mine = expected.dtype.type(got)
    return bool((mine == expected and np.signbit(mine) == np.signbit(expected)) or (mine != mine and math.isnan(got)))


def order(edge: tuple[int, int, Any, int | None]) -> tuple[int, int, int]:
    return edge[0], edge[1], -1 if edge[3] is None else edge[3]


def assert_holds(found: Read, graph: NeuronGraph, cannot_hold: tuple[str, ...]) -> None:
    assert (found.about is None) == ("graph attributes" in cannot_hold)
    if found.about is not None:
        about = graph_attributes(graph)
        assert {name: found.about[name] for name in about} == about
    assert found.neurons == graph.neurons
    assert (found.nodes is None) == ("node attributes" in cannot_hold)
    for got, node in zip(found.nodes or [], expected_nodes(graph) if found.nodes else [], strict=True):
        assert ("bias" in got) == ("bias" in node)
        assert "bias" not in node or same_float(got.pop("bias"), node.pop("bias"))
        assert got == node
    edges = sorted(expected_edges(graph), key=order)
    assert len(found.edges) == len(edges) == graph.edges
    for (s, t, w, p), (source, target, weight, port) in zip(sorted(found.edges, key=order), edges, strict=True):
        assert (s, t, p) == (source, target, None if "ports" in cannot_hold else port)
        assert same_float(w, weight)


def test_every_format_has_a_reader():
    assert FORMATS.keys() == registry.FORMATS.keys()


def holds(suffix: str, graph: NeuronGraph, path: Path) -> None:
    writing.write(graph, path)
    assert_holds(FORMATS[suffix](path), graph, registry.FORMATS[suffix].cannot_hold)


@pytest.mark.parametrize("suffix", registry.FORMATS)
@pytest.mark.parametrize("graph", [every_kind(), conv_graph(3, 5), dense_graph(7, 40), NeuronGraph((), ())])
def test_a_format_holds_the_graph(suffix: str, graph: NeuronGraph, tmp_path: Path):
    holds(suffix, graph, tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", registry.FORMATS)
def test_parallel_edges_are_held_or_refused(suffix: str, tmp_path: Path):
    path = tmp_path / f"a{suffix}"
    if "parallel edges" in registry.FORMATS[suffix].cannot_hold:
        with pytest.raises(OutputError, match="'y'"):
            writing.write(parallel(), path)
        assert not path.exists()
    else:
        holds(suffix, parallel(), path)


@pytest.mark.parametrize("suffix", registry.FORMATS)
def test_non_finite_weights_are_held_or_refused(suffix: str, tmp_path: Path):
    weights = array([np.nan, np.inf, -np.inf])
    graph = graph_of(
        Layer("x", "Input", (3,), "input"),
        Layer("y", "Mul", (3,), incoming=(Incoming("x", EdgeBlock((ax.same(3),), weights)),)),
    )
    path = tmp_path / f"a{suffix}"
    if "non-finite numbers" in registry.FORMATS[suffix].cannot_hold:
        with pytest.raises(OutputError, match="NaN or infinite"):
            writing.write(graph, path)
        assert not list(tmp_path.iterdir())
    else:
        holds(suffix, graph, path)


def changed(**changes: Any) -> NeuronGraph:
    """A layer of a convolution and a bias; each change must be noticed."""
    made = {"weight": 0.1, "target": 1, "bias": 0.5, "name": "y", "model": "m"} | changes
    block = EdgeBlock((ax.relation([0, 1], [0, made["target"]], [0, 1]),), array([made["weight"], 0]))
    layer = Layer(made["name"], "Mul", (3,), bias=array([made["bias"], 0, 0]), incoming=(Incoming("x", block),))
    graph = graph_of(Layer("x", "Input", (3,), "input"), layer)
    return NeuronGraph(graph.layers, graph.outputs, made["model"])


@pytest.mark.parametrize("suffix", registry.FORMATS)
@pytest.mark.parametrize("change", [{"weight": 0.1000001}, {"target": 2}, {"bias": -0.5}, {"name": "z"}, {"model": ""}])
def test_a_different_graph_is_noticed(suffix: str, change: dict[str, Any], tmp_path: Path):
    path, cannot_hold = tmp_path / f"a{suffix}", registry.FORMATS[suffix].cannot_hold
    writing.write(changed(**change), path)
    lost = {"bias": "node attributes", "name": "node attributes", "model": "graph attributes"}
    if lost.get(*change) in cannot_hold:
        assert_holds(FORMATS[suffix](path), changed(), cannot_hold)
    else:
        with pytest.raises(AssertionError):
            assert_holds(FORMATS[suffix](path), changed(), cannot_hold)


@pytest.mark.parametrize("suffix", registry.FORMATS)
def test_a_damaged_file_is_noticed(suffix: str, tmp_path: Path):
    path, graph = tmp_path / f"a{suffix}", conv_graph(3, 5)
    writing.write(graph, path)
    for file in [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file() and "_neo4j" not in f.parts]:
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        broken = (AssertionError, OSError, ValueError, EOFError, zipfile.BadZipFile, ElementTree.ParseError)
        with pytest.raises(broken):
            assert_holds(FORMATS[suffix](path), graph, registry.FORMATS[suffix].cannot_hold)
        file.write_bytes(whole)
    assert_holds(FORMATS[suffix](path), graph, registry.FORMATS[suffix].cannot_hold)


def contents(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.is_file())
    return {str(f.relative_to(path)): f.read_bytes() for f in files}


@pytest.mark.parametrize("suffix", registry.FORMATS)
def test_the_bytes_do_not_depend_on_jobs(suffix: str, tmp_path: Path):
    for jobs in (1, 2, 3):
        writing.write(every_kind(), tmp_path / f"{jobs}{suffix}", jobs=jobs)
    first, *others = (contents(tmp_path / f"{jobs}{suffix}") for jobs in (1, 2, 3))
    assert first
    assert all(other == first for other in others)


@pytest.mark.parametrize("suffix", registry.FORMATS)
def test_progress_adds_up(suffix: str, tmp_path: Path):
    told: list[int] = []
    writing.write(every_kind(), tmp_path / f"a{suffix}", progress=told.append)
    assert sum(told) == every_kind().edges


def test_a_wrong_number_of_jobs_is_told(tmp_path: Path):
    with pytest.raises(Error, match="jobs is 0; expected a whole number, at least 1"):
        writing.write(every_kind(), tmp_path / "a.parquet", jobs=0)
    assert not list(tmp_path.iterdir())


# What becomes of a directory


@pytest.mark.parametrize("suffix", DIRECTORIES)
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("older", [False, True])
def test_nothing_is_left_after_an_exception(suffix: str, error: type[BaseException], older: bool, tmp_path: Path):
    path = tmp_path / f"a{suffix}"
    if older:
        writing.write(conv_graph(3, 5), path)
    before = contents(tmp_path)

    def fail(_: int) -> None:
        raise error

    with pytest.raises(error):
        writing.write(every_kind(), path, progress=fail)
    assert contents(tmp_path) == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name] * older


@pytest.mark.parametrize("suffix", DIRECTORIES)
def test_a_directory_of_ours_is_replaced(suffix: str, tmp_path: Path):
    path, link = tmp_path / f"a{suffix}", tmp_path / f"link{suffix}"
    link.symlink_to(path)
    writing.write(every_kind(), path)
    holds(suffix, conv_graph(3, 5), link)
    assert link.is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == [path.name, link.name]


@pytest.mark.parametrize("content", [None, {"notes.txt": "mine"}, {"manifest.json": "{}"}, {"manifest.json": "?"}])
def test_what_is_not_ours_is_refused(content: dict[str, str] | None, tmp_path: Path):
    path = tmp_path / "a.parquet"
    if content is None:
        path.write_text("mine")
    else:
        path.mkdir()
        for name, text in content.items():
            (path / name).write_text(text)
    before = contents(tmp_path)
    with pytest.raises(OutputError, match=r"a\.parquet': it exists and is no directory that onnx2graphml wrote") as e:
        writing.write(every_kind(), path)
    assert "\n" not in str(e.value)
    assert contents(tmp_path) == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]


def test_the_older_directory_is_put_back_if_renaming_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.neo4j.csv"
    writing.write(every_kind(), path)
    before = contents(path)
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if self.suffix == ".tmp":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    monkeypatch.setattr(atomic_folder, "exchange", lambda one, other: False)
    with pytest.raises(OutputError, match="Input/output error"):
        writing.write(conv_graph(3, 5), path)
    assert contents(path) == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_missing_parent_is_told(tmp_path: Path):
    with pytest.raises(OutputError, match=r"there is no directory '.*nowhere'; create it first"):
        writing.write(every_kind(), tmp_path / "nowhere" / "a.parquet")


def test_what_came_in_between_is_not_lost(tmp_path: Path):
    path = tmp_path / "a"

    def write_late() -> None:
        with atomic_directory(path, "graph") as new:
            (new / "manifest.json").write_text('{"generator": "onnx2graphml 1"}')
            path.write_text("mine")

    with pytest.raises(OutputError, match="it exists"):
        write_late()
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("suffix", DIRECTORIES)
def test_standard_output_takes_no_directory(suffix: str):
    with pytest.raises(OutputError, match=r"is a folder, which standard output can't take; give a path"):
        writing.write(every_kind(), "-", format=suffix)


# How edges become columns


@pytest.mark.slow
@pytest.mark.parametrize("limit", [1, 7, 100, 2000, 10**6])
def test_a_block_is_cut_in_order(limit: int):
    block = conv_graph(3, 5).layers[1].incoming[0].block
    blocks = list(block.cut(limit))
    assert all(0 < b.count <= limit for b in blocks)
    for side in ("source", "target", "weight"):
        whole, parts = (np.concatenate([getattr(e, side) for b in bs for e in b.expand()]) for bs in ([block], blocks))
        assert np.array_equal(whole, parts)


@pytest.mark.parametrize("rows", [1, 10, 64, 10**4])
@pytest.mark.parametrize("tile", [1, 9, 100, 10**5])
def test_chunks_have_exactly_so_many_rows(rows: int, tile: int):
    graph = every_kind()
    every = [piece for layer in graph.layers for piece in columns.pieces(graph, layer)]
    found: list[tuple[int, int, float, int | None]] = []
    lengths = []
    for c in columns.chunks(every, rows, np.dtype(np.float64), tile):
        ports = [None if p == columns.NO_PORT else p for p in c.port.tolist()]
        found += zip(c.source.tolist(), c.target.tolist(), c.weight.tolist(), ports, strict=True)
        lengths.append(len(c))
    assert found == [(s, t, float(w), p) for s, t, w, p in expected_edges(graph)]
    assert set(lengths[:-1]) <= {rows}
    assert 0 < lengths[-1] <= rows


# Parquet


@pytest.fixture
def pq() -> Any:
    return pytest.importorskip("pyarrow.parquet", reason="Parquet is written and read with pyarrow")


@pytest.fixture
def duckdb() -> Any:
    return pytest.importorskip("duckdb", reason="reads Parquet as its users do")


def parquet(graph: NeuronGraph, path: Path, **options: Any) -> Path:
    from onnx2graphml.formats.parquet.write import write_parquet

    path.mkdir()
    write_parquet(graph, path, **options)
    return path


@pytest.mark.slow
def test_parquet_bytes_do_not_depend_on_tiles(pq: Any, tmp_path: Path):
    ways = [(1, 1 << 16), (2, 1 << 16), (2, 1000), (3, 77)]
    graph = conv_graph(4, 12)
    found = [
        contents(parquet(graph, tmp_path / f"{i}", jobs=jobs, tile=tile, part=3000, rows=500))
        for i, (jobs, tile) in enumerate(ways)
    ]
    assert len(found[0]) > 5
    assert all(f == found[0] for f in found)


def test_parts_and_row_groups_have_their_sizes(pq: Any, tmp_path: Path):
    graph = conv_graph(4, 12)
    path = parquet(graph, tmp_path / "a", part=3000, rows=500)
    files = [pq.ParquetFile(f).metadata for f in sorted(path.glob("edges/part-*.parquet"))]
    assert len(files) > 5
    for about in files:
        sizes = [about.row_group(i).num_rows for i in range(about.num_row_groups)]
        assert sum(sizes) <= 3000
        assert set(sizes[:-1]) <= {500}
        assert sizes[-1] <= 500
    nodes = pq.ParquetFile(path / "_nodes/part-00000.parquet").metadata
    assert [nodes.row_group(i).num_rows for i in range(nodes.num_row_groups)] == [500, 500, 152]


def test_the_folder_is_read_as_the_edges(tmp_path: Path):
    """As pandas does, which leaves it to pyarrow."""
    pq = pytest.importorskip("pyarrow.parquet", reason="Parquet is written and read with pyarrow")
    graph, path = every_kind(), tmp_path / "d.parquet"
    writing.write(graph, path)
    edges, nodes = pq.read_table(path).to_pydict(), pq.read_table(path / "_nodes").to_pydict()
    parts = [pq.read_table(p).to_pydict() for p in sorted((path / "edges").iterdir())]
    assert len(edges["src"]) == graph.edges
    for name in ("src", "dst", "weight"):
        assert edges[name] == [value for part in parts for value in part[name]]
    assert nodes["id"] == list(range(graph.neurons))
    writing.write(graph, path)  # which this package may replace
    (path / "manifest.json").write_text("mine")
    with pytest.raises(OutputError, match=r"it has files that onnx2graphml did not write.*'manifest\.json'"):
        writing.write(graph, path)


@pytest.mark.parametrize("graph", [every_kind(), conv_graph(4, 12), graph_of(Layer("x", "Input", (2,), "input"))])
def test_the_manifest_counts_what_the_parts_have(pq: Any, graph: NeuronGraph, tmp_path: Path):
    path = parquet(graph, tmp_path / "a", part=3000)
    manifest = read_manifest(path)
    assert manifest["edges"] == graph.edges == sum(part["rows"] for part in manifest["parts"])
    files = sorted(str(f.relative_to(path)) for f in path.glob("edges/*"))
    assert [part["file"] for part in manifest["parts"]] == files != []
    for part in manifest["parts"]:
        assert pq.ParquetFile(path / part["file"]).metadata.num_rows == part["rows"]
    for layer, told in zip(graph.layers, manifest["layers"], strict=True):
        rows = sum(part["rows"] for part in manifest["parts"] if part["layer"] == told["name"])
        assert rows == told["in_edges"] == layer.in_edges
        assert (told["name"], told["shape"]) == (escape(layer.name), list(layer.shape))
        assert (told["first_id"], told["neurons"]) == (layer.first_id, layer.neurons)


def test_columns_and_encodings(pq: Any, tmp_path: Path):
    path = parquet(conv_graph(3, 5), tmp_path / "a")
    file = pq.ParquetFile(path / "edges" / "part-00000.parquet")
    assert [(f.name, str(f.type), f.nullable) for f in file.schema_arrow] == [
        ("src", "int64", False),
        ("dst", "int64", False),
        ("weight", "float", False),
    ]
    group = file.metadata.row_group(0)
    assert [group.column(i).compression for i in range(3)] == ["ZSTD"] * 3
    assert ["DELTA_BINARY_PACKED" in group.column(i).encodings for i in range(3)] == [True, True, False]
    assert [group.column(i).is_stats_set for i in range(3)] == [True, True, False]


def test_wider_columns_only_where_needed(pq: Any, tmp_path: Path):
    weights = np.random.default_rng(0).normal(size=6)
    wide = graph_of(
        Layer("x", "Input", (2,), "input"),
        Layer("y", "Gemm", (3,), bias=np.array([0.1] * 3), incoming=(Incoming("x", dense(2, 3, weights)),)),
    )
    for name, graph, types in (
        ("wide", wide, ["int64", "int64", "double"]),
        ("ports", parallel(), ["int64", "int64", "float", "int32"]),
    ):
        path = parquet(graph, tmp_path / name)
        assert [str(t) for t in pq.read_schema(path / "edges" / "part-00000.parquet").types] == types
    assert str(pq.read_schema(tmp_path / "wide" / "_nodes/part-00000.parquet").field("bias").type) == "double"
    assert str(pq.read_schema(tmp_path / "ports" / "_nodes/part-00000.parquet").field("bias").type) == "float"


def test_all_parts_of_a_graph_have_one_schema(pq: Any, tmp_path: Path):
    path = parquet(every_kind(), tmp_path / "a")
    schemas = {str(pq.read_schema(f)) for f in path.glob("edges/*")}
    assert len(schemas) == 1
    assert "port: int32" in schemas.pop()


def test_duckdb_counts_in_degrees(duckdb: Any, tmp_path: Path):
    channels, side = 3, 6
    path = tmp_path / "a.parquet"
    writing.write(conv_graph(channels, side), path)
    edges, nodes = f"'{path}/edges/*.parquet'", f"'{path}/_nodes/part-00000.parquet'"
    found = duckdb.sql(
        f'select "index"[2] as r, "index"[3] as c, count(*) from {edges} join {nodes} on dst = id '
        f"where layer = 'y' group by id, r, c"
    ).fetchall()
    reach = [2] + [3] * (side - 2) + [2]  # rows that a padded window of three has
    assert sorted(found) == sorted(
        (r, c, channels * reach[r] * reach[c]) for r in range(side) for c in range(side) for _ in range(channels)
    )
    at = duckdb.sql(f'select "index"[1], "index"[2], "index"[3], layer from {nodes} where id = 7').fetchall()
    assert at == [(0, 1, 1, "x")]


def test_polars_reads_it(tmp_path: Path):
    pl = pytest.importorskip("polars", reason="reads Parquet as its users do")
    graph, path = every_kind(), tmp_path / "a.parquet"
    writing.write(graph, path)
    edges = pl.scan_parquet(path / "edges" / "*.parquet")
    assert edges.select(pl.len()).collect().item() == graph.edges
    degree = edges.group_by("src").len().collect()
    assert degree["len"].sum() == graph.edges
    assert pl.read_parquet(path / "_nodes/part-00000.parquet")["index"].to_list()[4] == [0, 1, 1]


@pytest.mark.slow
def test_parquet_memory_is_bounded(pq: Any, tmp_path: Path):
    graph = conv_graph(24, 32)
    assert graph.edges > 5_000_000
    parquet(conv_graph(2, 8), tmp_path / "warm")
    tracemalloc.start()
    try:
        parquet(graph, tmp_path / "a", rows=1 << 15, tile=1 << 12, jobs=2)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 << 20


def test_a_full_disk_is_told(pq: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(OutputError, match=r"can't write '.*a\.parquet': No space left on device"):
        writing.write(every_kind(), tmp_path / "a.parquet")
    assert not list(tmp_path.iterdir())


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "onnx2graphml.formats.parquet.write", raising=False)
    with pytest.raises(MissingExtraError, match=r"needs pyarrow.*pip install 'onnx2graphml\[parquet\]'"):
        registry.find("a.parquet")
    with pytest.raises(MissingExtraError):
        writing.write(every_kind(), tmp_path / "a.parquet")
    assert not list(tmp_path.iterdir())


# CSV


@pytest.mark.parametrize(
    ("suffix", "nodes", "edges"),
    [
        (
            ".gephi.csv",
            "Id,layer,op,index,channel,row,col,combine,bias,activation",
            ["Source,Target,Weight,Type", "0,3,1,Directed"],
        ),
        (
            ".neo4j.csv",
            "id:ID,layer,op,index,channel:int,row:int,col:int,combine,bias:float,activation",
            [":START_ID,:END_ID,weight:float", "0,3,1"],
        ),
    ],
)
def test_csv_headers(suffix: str, nodes: str, edges: list[str], tmp_path: Path):
    graph = graph_of(
        Layer('a "b", c', "Input", (3,), "input"),
        Layer("y", "Sum", (3,), incoming=(Incoming('a "b", c', same(3)),)),
    )
    writing.write(graph, tmp_path / f"a{suffix}")
    found = (tmp_path / f"a{suffix}" / "nodes.csv").read_text().splitlines()
    assert found[:2] == [nodes, '0,"a ""b"", c","Input","0",,,,"input",,']
    assert (tmp_path / f"a{suffix}" / "edges.csv").read_text().splitlines()[:2] == edges


def test_csv_types_follow_the_weights(tmp_path: Path):
    writing.write(every_kind(), tmp_path / "a.neo4j.csv")
    assert (tmp_path / "a.neo4j.csv" / "edges.csv").read_text().startswith(":START_ID,:END_ID,weight:double,port:int\n")
    assert "bias:double" in (tmp_path / "a.neo4j.csv" / "nodes.csv").open().readline()


@pytest.mark.parametrize("suffix", [".gephi.csv", ".neo4j.csv"])
def test_csv_bytes_do_not_depend_on_tiles(suffix: str, tmp_path: Path):
    for tile in (1, 7, 1 << 15):
        out = tmp_path / f"{tile}"
        out.mkdir()
        registry.FORMATS[suffix].load()(every_kind(), out, jobs=2, tile=tile)
    first, *others = (contents(tmp_path / f"{tile}") for tile in (1, 7, 1 << 15))
    assert all(other == first for other in others)


def test_duckdb_reads_csv(duckdb: Any, tmp_path: Path):
    path = tmp_path / "a.gephi.csv"
    writing.write(every_kind(), path)
    assert duckdb.sql(f"select count(*) from read_csv('{path}/nodes.csv')").fetchall() == [(every_kind().neurons,)]
    assert duckdb.sql(f"select count(*) from read_csv('{path}/edges.csv')").fetchall() == [(every_kind().edges,)]


# NPZ


def test_npz_refuses_a_graph_that_is_too_large(tmp_path: Path):
    graph = conv_graph(512, 56)
    assert graph.edges > write.NPZ_EDGES
    with pytest.raises(TooLargeError, match=r"more than the 200,000,000 .* write it as \.parquet"):
        writing.write(graph, tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())


def test_npz_keeps_zero_weights_and_multiplies(tmp_path: Path):
    sparse = pytest.importorskip("scipy.sparse", reason="an .npz is read with SciPy")
    weights = array([0, 2, -0.0, 4, 5, 6])
    graph = graph_of(
        Layer("x", "Input", (2,), "input"), Layer("y", "Gemm", (3,), incoming=(Incoming("x", dense(2, 3, weights)),))
    )
    writing.write(graph, tmp_path / "a.npz")
    m = sparse.load_npz(tmp_path / "a.npz")
    assert (m.nnz, m.shape, m.dtype, m.row.dtype) == (6, (5, 5), np.float32, np.int32)
    assert m.tocsr().nnz == 6
    assert (m.T @ np.array([1, 10, 0, 0, 0])).tolist() == [0, 0, 40, 52, 60]


def test_npz_two_blocks_that_share_no_pair_are_no_parallel_edges(tmp_path: Path):
    """Both join all of x to all of y, each neuron to another."""
    crossed = EdgeBlock((ax.relation([0, 1], [1, 0], 0),))
    graph = graph_of(
        Layer("x", "Input", (2,), "input"),
        Layer("y", "Sum", (2,), incoming=(Incoming("x", same(2)), Incoming("x", crossed))),
    )
    holds(".npz", graph, tmp_path / "a.npz")


def test_npz_is_the_same_each_time(tmp_path: Path):
    for name in ("a.npz", "b.npz"):
        writing.write(every_kind(), tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    shutil.rmtree(tmp_path)
