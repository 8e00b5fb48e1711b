"""What readers make of files that the writers made, and of damaged folders of Parquet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onnx2graphml.api import load, verify_file
from onnx2graphml.errors import Error
from onnx2graphml.formats import decompressed, registry, writing
from onnx2graphml.formats.pieces import Pieces
from onnx2graphml.formats.reading import open_graph
from onnx2graphml.formats.registry import FORMATS
from onnx2graphml.graph.attributes import graph_attributes, layer_attributes, spatial_dimensions
from onnx2graphml.graph.blocks import Edges
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.xmltext import unescape
from synthetic import conv_graph, dense_graph, every_kind, graph_of, parallel, products

FIXTURES = Path(__file__).parents[1] / "fixtures"
GRAPHML_LINE = Pieces.of(
    '<edge source="n',
    '" target="n',
    ('"><data key="w">', "</data>"),
    ('<data key="p">', "</data>"),
    ('<data key="t">', "</data>"),
    "</edge>\n",
)
GRAPHS: dict[str, Callable[[], NeuronGraph]] = {
    "every kind": every_kind,
    "parallel": parallel,
    "convolution": lambda: conv_graph(3, 9),
    "dense": lambda: dense_graph(30, 41),
    "terms": products,
    "no edges": lambda: graph_of(Layer("x", "Input", (3,), "input")),
}


def terms(edges: Edges) -> list[int]:
    return [-1] * len(edges) if edges.term is None else edges.term.tolist()


def assert_read_back(graph: NeuronGraph, path: Path) -> None:
    """Nodes with their attributes, and edges in their order, each weight as the float that it was."""
    with open_graph(path) as file:
        assert file.about() == graph_attributes(graph)
        layers, edges = file.layers(), list(file.edges())
    assert [unescape(x.name) for x in layers] == [x.name for x in graph.layers]
    for got, layer in zip(layers, graph.layers, strict=True):
        text = layer_attributes(layer)
        assert (got.op, got.combine, got.activation) == (text["op"], text["combine"], text.get("activation", ""))
        assert got.shape == layer.shape
        assert np.array_equal(got.id, layer.first_id + np.arange(layer.neurons))
        assert np.array_equal(got.at, np.array(list(np.ndindex(layer.shape))).reshape(got.at.shape))
        spatial = spatial_dimensions(layer)
        for column, name in enumerate(("channel", "row", "col")):
            assert np.array_equal(
                got.spatial[:, column], got.at[:, spatial[name]] if name in spatial else [-1] * len(got.id)
            )
        assert (got.biased == (layer.bias is not None)).all()
        if layer.bias is not None:
            assert np.array_equal(got.bias.astype(layer.bias.dtype), np.broadcast_to(layer.bias, layer.shape).ravel())
    columns = [
        np.concatenate([getattr(e, c) for e in edges] or [[]]) for c in ("source", "target", "weight", "port", "term")
    ]
    expected = [
        (s + graph.layer(i.source).first_id, t + layer.first_id, w, -1 if i.port is None else i.port, m)
        for layer in graph.layers
        for i, e in graph.edges_into(layer)
        for s, t, w, m in zip(e.source.tolist(), e.target.tolist(), e.weight, terms(e), strict=True)
    ]
    assert len(columns[0]) == len(expected)
    for s, t, w, p, m, edge in zip(*columns, expected, strict=True):
        assert (s, t, edge[2].dtype.type(w), p, m) == edge


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [s for s in FORMATS if "node attributes" not in registry.FORMATS[s].cannot_hold])
@pytest.mark.parametrize("name", GRAPHS)
def test_reads_back(name: str, suffix: str, tmp_path: Path) -> None:
    graph, path = GRAPHS[name](), tmp_path / f"a{suffix}"
    writing.write(graph, path)
    assert_read_back(graph, path)


@pytest.mark.parametrize("suffix", [".graphml", ".gephi.csv", ".neo4j.csv"])
@pytest.mark.parametrize("chunk", [1, 7, 60, 1000])
def test_wherever_chunks_end(chunk: int, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decompressed, "CHUNK", chunk)
    writing.write(every_kind(), tmp_path / f"a{suffix}")
    assert_read_back(every_kind(), tmp_path / f"a{suffix}")


def test_decimals_are_rounded_correctly() -> None:
    random = np.random.default_rng(0)
    values = random.integers(0, 2**63, 20_000).view(np.float64)
    texts = [repr(v) for v in values[np.isfinite(values)].tolist()]
    texts += [f"{v:.{d}g}" for v in random.normal(size=2000) for d in (3, 9, 15, 17)]
    texts += ["0", "-0", "1e-07", "1e+22", "9007199254740993", "123456789012345678901234567890", "5e-324", "1.5E3"]
    line = '<edge source="n0" target="n1"><data key="w">{}</data></edge>\n'
    data = "".join(map(line.format, texts)).encode()
    edges, end = GRAPHML_LINE.read(data, 0)
    assert end == len(data)
    assert edges.weight.tolist() == [float(text) for text in texts]


@pytest.mark.parametrize(
    "text", ["nan", "inf", "", "-", "1.", ".5", "1e", "1e+", "0x1", "1_0", " 1", "1,5", "--1", "1.2.3"]
)
def test_other_numbers_are_left_to_the_parser(text: str) -> None:
    data = f'<edge source="n0" target="n1"><data key="w">{text}</data></edge>\n'.encode()
    assert GRAPHML_LINE.read(data, 0)[1] == 0


def test_every_format_has_a_reader() -> None:
    assert FORMATS.keys() == registry.FORMATS.keys()


def test_what_has_no_reader(tmp_path: Path) -> None:
    with pytest.raises(Error, match=r"no reader for this format; what can be read back: \.graphml"):
        open_graph(tmp_path / "a.gexf")
    with pytest.raises(Error, match="no such file"):
        open_graph(tmp_path / "a.graphml")


# ------------------------------------------------------------------------------------------------------ damaged Parquet


def edited(name: str, change: Callable[[dict[str, list[Any]]], None]) -> Callable[[Path], None]:
    """One file of the folder with other values in its columns."""

    def damage(folder: Path) -> None:
        path = folder / name
        table = pq.read_table(path)
        columns = table.to_pydict()
        change(columns)
        pq.write_table(pa.table(columns, schema=table.schema), path)

    return damage


def listed(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """Another manifest."""

    def damage(folder: Path) -> None:
        path = folder / "_manifest.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return damage


def put(column: str, row: int, value: Any) -> Callable[[dict[str, list[Any]]], None]:
    def change(columns: dict[str, list[Any]]) -> None:
        assert columns[column][row] != value
        columns[column][row] = value

    return change


def cut(name: str, size: int) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size]) and None


def dropped(columns: dict[str, list[Any]]) -> None:
    for values in columns.values():
        del values[5]


def repeated(columns: dict[str, list[Any]]) -> None:
    for values in columns.values():
        values.append(values[5])


EDGES, NODES = "edges/part-00002.parquet", "_nodes/part-00000.parquet"
DAMAGES: dict[str, Callable[[Path], None]] = {
    "another source": edited(EDGES, put("src", 3, 1)),
    "another target": edited(EDGES, put("dst", 3, 1100)),
    "a source that is no node": edited(EDGES, put("src", 3, 1 << 40)),
    "a negative source": edited(EDGES, put("src", 3, -1)),
    "another weight": edited(EDGES, put("weight", 3, 0.25)),
    "a weight that is NaN": edited(EDGES, put("weight", 3, float("nan"))),
    "an edge is missing": edited(EDGES, dropped),
    "an edge is there twice": edited(EDGES, repeated),
    "a node is missing": edited(NODES, dropped),
    "a node is there twice": edited(NODES, repeated),
    "another bias": edited(NODES, put("bias", 70, 0.5)),
    "no bias": edited(NODES, put("bias", 70, None)),
    "another index": edited(NODES, put("index", 70, [0, 0, 0])),
    "an index of fewer coordinates": edited(NODES, put("index", 70, [0, 0])),
    "no index": edited(NODES, put("index", 70, None)),
    "another activation": edited(NODES, put("activation", 3000, "Tanh")),
    "another layer": edited(NODES, put("layer", 70, "elsewhere")),
    "another row": edited(NODES, put("row", 70, 7)),
    "a row of -1, which readers call none": edited(NODES, put("row", 3000, -1)),
    "a part is truncated": cut(EDGES, 300),
    "the nodes are truncated": cut(NODES, 900),
    "the manifest is truncated": cut("_manifest.json", 500),
    "a part is empty": cut(EDGES, 0),
    "a part is missing": lambda folder: (folder / EDGES).unlink(),
    "a part more": lambda folder: shutil.copy(folder / EDGES, folder / "edges/part-00099.parquet") and None,
    "a part is another": lambda folder: shutil.copy(folder / EDGES, folder / "edges/part-00003.parquet") and None,
    "the nodes are missing": lambda folder: (folder / NODES).unlink(),
    "the manifest is missing": lambda folder: (folder / "_manifest.json").unlink(),
    "the manifest is a list": lambda folder: (folder / "_manifest.json").write_text("[]") and None,
    "another model": listed(lambda m: m.update(model_sha256="0" * 64)),
    "another level of detail": listed(lambda m: m.update(detail="op")),
    "another number of nodes": listed(lambda m: m.update(nodes=1)),
    "another number of edges": listed(lambda m: m.update(edges=1)),
    "a part is not listed": listed(lambda m: m["parts"].pop()),
    "a part of another name": listed(lambda m: m["parts"][0].update(file="../a.parquet")),
    "a part of another length": listed(lambda m: m["parts"][0].update(rows=1)),
    "a layer is not listed": listed(lambda m: m["layers"].pop()),
    "a layer of another shape": listed(lambda m: m["layers"][0].update(shape=[64])),
    "a layer of other in-edges": listed(lambda m: m["layers"][0].update(in_edges=1)),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", DAMAGES)
def test_damaged_parquet_is_found(kind: str, tmp_path: Path) -> None:
    graph, folder = load(FIXTURES / "digits.onnx"), tmp_path / "a.parquet"
    writing.write(graph, folder)
    assert verify_file(graph, folder).passed
    DAMAGES[kind](folder)
    try:
        assert not verify_file(graph, folder).passed
    except Error as e:
        assert len(str(e).splitlines()) == 1  # noqa: PT017


def test_a_negative_row_is_told(tmp_path: Path) -> None:
    graph, folder = load(FIXTURES / "digits.onnx"), tmp_path / "a.parquet"
    writing.write(graph, folder)
    DAMAGES["a row of -1, which readers call none"](folder)
    with pytest.raises(Error, match="column row has negative numbers; expected none"):
        verify_file(graph, folder)
