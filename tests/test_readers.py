"""What readers make of files that the writers made."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random

import numpy as np
import pytest

import damage
from damage.files import put, read
from onnx2graphml.api import load, verify_file
from onnx2graphml.errors import Error
from onnx2graphml.formats import decompressed, patterns, registry, writing
from onnx2graphml.formats.patterns import DECIMAL, SIGNED, WHOLE, Gap, Pattern, Patterns
from onnx2graphml.formats.reading import open_graph
from onnx2graphml.formats.registry import FORMATS
from onnx2graphml.graph.attributes import graph_attributes, layer_attributes, spatial_dimensions
from onnx2graphml.graph.blocks import Edges
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.xmltext import unescape
from synthetic import conv_graph, dense_graph, every_kind, graph_of, parallel, products

FIXTURES = Path(__file__).parents[1] / "fixtures"
WEIGHT = Patterns([Pattern((b'<data key="w">', b"</data>\n"), (Gap(DECIMAL),))], 0, 1)
BEHIND = b" " * patterns.BEHIND
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
    texts += [f"{m}e{random.integers(-90, 50)}" for m in random.integers(0, 10**19, 5000, np.uint64)]
    halves = [Decimal(2 * m + 1) * Decimal(2) ** (m % 8 - 3) for m in random.integers(2**52, 2**53, 1000).tolist()]
    texts += [f"{half:f}" for half in halves]  # between two floats: to the even one
    texts += ["0", "-0", "1e-07", "1e+22", "9007199254740993", "123456789012345678901234567890", "5e-324", "1.5E3"]
    data = "".join(f'<data key="w">{text}</data>\n' for text in texts).encode()
    found = WEIGHT.read(data + BEHIND, 0)
    assert (found.end, found.lines) == (len(data), len(texts))
    assert found.floats[0].tolist() == [float(text) for text in texts]


@pytest.mark.parametrize(
    "text",
    ["nan", "inf", "", "-", "1.", ".5", "1e", "1e+", "0x1", "1_0", " 1", "1,5", "--1", "1.2.3", "1e999", "9" * 64],
)
def test_other_numbers_are_left_to_the_parser(text: str) -> None:
    data = f'<data key="w">1</data>\n<data key="w">{text}</data>\n'.encode()
    assert WEIGHT.read(data + BEHIND, 0).end == data.index(b"\n") + 1


@pytest.mark.parametrize(
    ("kind", "texts", "others"),
    [
        (WHOLE, ["0", "1", "12345678", "123456789"], ["", "00", "01", "-1", "1234567890", "1x", "x", "1.0"]),
        (SIGNED, ["0", "-0", "-1", "123456789", "-123456789"], ["", "-", "-01", "+1", "1234567890", "--1"]),
    ],
)
def test_integers(kind: int, texts: list[str], others: list[str]) -> None:
    known = Patterns([Pattern((b"<", b">"), (Gap(kind, 0, 9),))], 1, 0)
    assert known.read("".join(f"<{text}>" for text in texts).encode() + BEHIND, 0).ints[0].tolist() == [
        *map(int, texts)
    ]
    assert [len(known.read(f"<{text}>".encode() + BEHIND, 0)) for text in others] == [0] * len(others)


def test_every_format_has_a_reader() -> None:
    assert FORMATS.keys() == registry.FORMATS.keys()


def test_what_has_no_reader(tmp_path: Path) -> None:
    with pytest.raises(Error, match=r"no reader for this format; what can be read back: \.graphml"):
        open_graph(tmp_path / "a.gexf")
    with pytest.raises(Error, match="no such file"):
        open_graph(tmp_path / "a.graphml")


def test_a_negative_row_is_told(tmp_path: Path) -> None:
    graph, folder = load(FIXTURES / "digits.onnx"), tmp_path / "a.parquet"
    writing.write(graph, folder)
    damaged = damage.FORMATS[".parquet"].damages["a row of -1, which readers call none"](read(folder), Random(0))
    assert damaged
    put(damaged, folder)
    with pytest.raises(Error, match="column row has negative numbers; expected none"):
        verify_file(graph, folder)
