"""GraphML: what other readers make of it, its bytes, its memory, and what becomes of the file when something fails."""

from __future__ import annotations

import errno
import io
import math
import os
import re
import stat
import tracemalloc
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Any
from xml.sax import saxutils

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from onnx2graphml.build.walk import walk
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.formats import lines, node_lines, render, writing
from onnx2graphml.formats.graphml import write
from onnx2graphml.formats.lines import FLOAT, NUMBER, EdgeLines
from onnx2graphml.formats.node_lines import NodeLines
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.graph.neurons import activations_text
from onnx2graphml.graph.xmltext import escape, unescape
from onnx2graphml.model import load_model
from synthetic import WEIRD, array, conv_graph, dense, dense_graph, every_kind, graph_of, parallel

MODELS = Path(__file__).parents[2] / "shared" / "models"
FILES = sorted(MODELS.rglob("*.onnx"))
needs_models = pytest.mark.skipif(not FILES, reason="the folder of models beside the project is absent")
NAMESPACE = "{http://graphml.graphdrawing.org/xmlns}"
TYPES = {"string": str, "int": int, "double": float}


def graph_from(path: Path) -> NeuronGraph:
    try:
        graph = walk(load_model(path))
    except Error as e:
        pytest.skip(f"no graph: {e}")
    if graph.edges > 50_000:
        pytest.skip(f"{graph.edges} edges: too slow for the other readers")
    return graph


def written(graph: NeuronGraph, **options: Any) -> bytes:
    file = io.BytesIO()
    write.write_graphml(graph, file, **options)
    return file.getvalue()


def read(data: bytes) -> tuple[dict[str, Any], dict[str, dict[str, Any]], list[tuple[str, str, dict[str, Any]]]]:
    """The graph's attributes, its nodes and its edges, read as a stream; AssertionError where the dialect is broken."""
    keys: dict[str, tuple[str, str, str]] = {}
    about: dict[str, Any] = {}
    nodes: dict[str, dict[str, Any]] = {}
    edges: list[tuple[str, str, dict[str, Any]]] = []
    own: dict[str, Any] = {}
    promised: tuple[int, int] | None = None
    depth: list[str] = []
    for event, element in ET.iterparse(io.BytesIO(data), ("start", "end")):
        assert element.tag.startswith(NAMESPACE)
        tag = element.tag.removeprefix(NAMESPACE)
        if event == "start":
            depth.append(tag)
            if tag == "graph":
                assert depth == ["graphml", "graph"], "one flat graph"
                assert element.get("edgedefault") == "directed"
                assert element.get("parse.order") == "nodesfirst"
                promised = int(element.attrib["parse.nodes"]), int(element.attrib["parse.edges"])
            continue
        depth.pop()
        if tag == "key":
            assert promised is None, "keys stand before the graph"
            assert element.attrib["id"] not in keys
            keys[element.attrib["id"]] = (
                element.attrib["for"],
                element.attrib["attr.name"],
                element.attrib["attr.type"],
            )
        elif tag == "data":
            owner, name, kind = keys[element.attrib["key"]]
            assert owner == depth[-1], "a key is used where it is declared for"
            assert name not in own
            own[name] = TYPES[kind](element.text or "")
            if owner == "graph":
                about, own = about | own, {}
        elif tag == "node":
            assert not edges, "nodes stand before edges"
            assert element.attrib == {"id": f"n{len(nodes)}"}
            nodes[element.attrib["id"]], own = own, {}
        elif tag == "edge":
            assert element.attrib.keys() == {"source", "target"}
            source, target = element.attrib["source"], element.attrib["target"]
            assert source in nodes
            assert target in nodes
            assert math.isfinite(own["weight"])
            edges.append((source, target, own))
            own = {}
        else:
            assert tag in ("graph", "graphml"), tag
        element.clear()
    assert promised == (len(nodes), len(edges)), "parse.nodes and parse.edges are exact"
    return about, nodes, edges


def expected_nodes(graph: NeuronGraph) -> dict[str, dict[str, Any]]:
    """What the nodes should be, one neuron after the other."""
    nodes: dict[str, dict[str, Any]] = {}
    for layer in graph.layers:
        for at in np.ndindex(layer.shape):
            node: dict[str, Any] = {"layer": escape(layer.name), "op": layer.op, "index": ",".join(map(str, at))}
            if layer.spatial:
                names = {2: "channel col", 3: "channel row col", 4: "channel depth row col"}[len(layer.spatial)]
                place = dict(zip(names.split(), layer.spatial, strict=True))
                node |= {name: at[place[name]] for name in ("channel", "row", "col") if name in place}
            node["combine"] = layer.aggregation
            if layer.bias is not None:
                node["bias"] = layer.bias[at]
            if layer.activation:
                node["activation"] = activations_text(layer.activation)
            nodes[f"n{len(nodes)}"] = node
    return nodes


def expected_edges(graph: NeuronGraph) -> list[tuple[str, str, np.floating[Any], int | None]]:
    """What the edges should be, with the weight in its own type."""
    return [
        (f"n{graph.layer(incoming.source).first_id + s}", f"n{layer.first_id + t}", w, incoming.port)
        for layer in graph.layers
        for incoming, e in graph.edges_into(layer)
        for s, t, w in zip(e.source.tolist(), e.target.tolist(), e.weight, strict=True)
    ]


def assert_same_float(got: float, expected: np.floating[Any]) -> None:
    """Equal in the type that was written, and with its sign."""
    assert expected.dtype.type(got) == expected
    assert np.signbit(got) == np.signbit(expected)


def assert_reads_back(graph: NeuronGraph) -> None:
    about, nodes, edges = read(written(graph))
    assert about["model"] == escape(graph.model_name)
    assert about["model_sha256"] == graph.model_sha256
    assert about["detail"] == graph.detail
    assert about["dialect"] == "2"
    assert re.fullmatch(r"onnx2graphml \d+\.\d+.*", about["generator"])
    expected = expected_nodes(graph)
    assert nodes.keys() == expected.keys()
    for name, node in nodes.items():
        assert list(node) == list(expected[name])
        for attribute, value in node.items():
            if attribute == "bias":
                assert_same_float(value, expected[name]["bias"])
            else:
                assert value == expected[name][attribute]
    for (s, t, own), (source, target, weight, port) in zip(edges, expected_edges(graph), strict=True):
        assert (s, t, own.get("port")) == (source, target, port)
        assert_same_float(own["weight"], weight)


@pytest.mark.parametrize("graph", [every_kind(), parallel(), graph_of(Layer("x", "Input", (1,), "input"))])
def test_reads_back(graph: NeuronGraph) -> None:
    assert_reads_back(graph)


@pytest.mark.slow
@needs_models
@pytest.mark.parametrize("path", FILES, ids=[p.name for p in FILES])
def test_models_read_back(path: Path) -> None:
    assert_reads_back(graph_from(path))


def test_names_survive() -> None:
    about, nodes, _ = read(written(every_kind()))
    assert unescape(nodes["n0"]["layer"]) == WEIRD
    assert unescape(about["model"]) == f"{WEIRD}.onnx"


def test_only_used_keys_are_declared() -> None:
    head = write.header(graph_of(Layer("x", "Input", (1,), "input"))).decode()
    assert re.findall(r'for="node" attr.name="(\w+)"', head) == ["layer", "op", "index", "combine"]
    assert re.findall(r'for="edge" attr.name="(\w+)" attr.type="(\w+)"', head) == [("weight", "double")]
    head = write.header(every_kind()).decode()
    names = "layer op index channel row col combine bias activation"
    assert re.findall(r'for="node" attr.name="(\w+)"', head) == names.split()
    assert re.findall(r'for="edge" attr.name="(\w+)"', head) == ["weight", "port"]


DAMAGES = {
    "a node is missing": (rb'<node id="n3">.*\n', b""),
    "a node has another id": (rb'<node id="n3">', b'<node id="n4">'),
    "an edge is missing": (rb"<edge .*\n", b""),
    "an edge is there twice": (rb"(<edge .*\n)", rb"\1\1"),
    "an edge from nowhere": (rb'<edge source="n\d+"', b'<edge source="n999999"'),
    "a weight is no number": (rb'<data key="w">[^<]*', b'<data key="w">x'),
    "a weight is not finite": (rb'<data key="w">[^<]*', b'<data key="w">inf'),
    "a weight is missing": (rb'<data key="w">[^<]*</data>', b""),
    "a key is not declared": (rb'<key id="w".*\n', b""),
    "a key is declared for edges": (rb'<key id="op" for="node"', b'<key id="op" for="edge"'),
    "the count is another": (rb'parse.edges="(\d+)"', rb'parse.edges="1\1"'),
    "the end is missing": (rb"</graph>\n</graphml>\n", b""),
    "a raw control character": (rb'<data key="op">', b'<data key="op">\x01'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_checker_notices_damage(damage: str) -> None:
    pattern, replacement = DAMAGES[damage]
    whole = written(every_kind())
    damaged, count = re.subn(pattern, replacement, whole, count=1)
    assert count == 1
    read(whole)
    with pytest.raises((AssertionError, ET.ParseError, KeyError, ValueError)):
        read(damaged)


def test_networkx_reads_it(tmp_path: Path) -> None:
    graph = every_kind()
    writing.write(graph, tmp_path / "a.graphml")
    g = nx.read_graphml(tmp_path / "a.graphml")
    assert type(g) is nx.DiGraph
    assert g.number_of_edges() == graph.edges
    for name, node in expected_nodes(graph).items():
        got = {"index": ""} | g.nodes[name]  # some versions drop what is empty
        assert got.keys() == node.keys()
        if "bias" in node:
            assert_same_float(got.pop("bias"), node.pop("bias"))
        assert got == node
    for source, target, weight, port in expected_edges(graph):
        assert_same_float(g.edges[source, target]["weight"], weight)
        assert g.edges[source, target].get("port") == port
    assert g.graph["dialect"] == "2"


def test_networkx_keeps_parallel_edges(tmp_path: Path) -> None:
    writing.write(parallel(), tmp_path / "a.graphml")
    g = nx.read_graphml(tmp_path / "a.graphml")
    assert type(g) is nx.MultiDiGraph
    assert sorted(port for _, _, port in g.edges(data="port")) == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("graph", [every_kind(), parallel()])
def test_igraph_reads_it(tmp_path: Path, graph: NeuronGraph) -> None:
    igraph = pytest.importorskip("igraph", reason="igraph, another reader of GraphML, is not installed")
    writing.write(graph, tmp_path / "a.graphml")
    g = igraph.Graph.Read_GraphML(str(tmp_path / "a.graphml"))
    assert g.is_directed()
    assert g.vs["id"] == [f"n{i}" for i in range(graph.neurons)]
    assert g.vs["index"] == [node["index"] for node in expected_nodes(graph).values()]
    assert unescape(g.vs[0]["layer"]) == graph.layers[0].name
    edges = expected_edges(graph)
    assert [(f"n{e.source}", f"n{e.target}") for e in g.es] == [edge[:2] for edge in edges]
    for got, (_, _, weight, _) in zip(g.es["weight"], edges, strict=True):
        assert_same_float(got, weight)


@pytest.mark.parametrize("graph", [every_kind(), conv_graph(3, 9), dense_graph(30, 41)])
@pytest.mark.parametrize("tile", [1, 7, 100, 1 << 20])
def test_bytes_do_not_depend_on_tiles(graph: NeuronGraph, tile: int) -> None:
    assert written(graph, tile=tile) == written(graph)


def test_bytes_do_not_depend_on_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = conv_graph(3, 9)
    whole = written(graph)
    monkeypatch.setattr(lines, "TABLE", 0)
    assert written(graph) == whole


def test_bytes_do_not_depend_on_the_length_of_names(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graph_of(Layer("x" * 3000, "Input", (40,), "input"))
    whole = written(graph)
    monkeypatch.setattr(node_lines, "ROOM", 10_000)
    assert written(graph) == whole
    assert_reads_back(graph)


def test_progress_adds_up() -> None:
    graph, told = every_kind(), []
    written(graph, progress=told.append)
    assert sum(told) == graph.edges
    assert all(type(n) is int for n in told)


@pytest.mark.parametrize("digits", range(1, 17))
def test_ids_of_any_length(digits: int) -> None:
    first = max(0, 10 ** (digits - 1) - 3)
    layer = Layer("x", "Input", (6,), "input", first_id=first)
    text = NodeLines.of(NeuronGraph((layer,), ()), layer, f"n{NUMBER} {NUMBER}{FLOAT}\n").render(0, 6).tobytes()
    assert re.findall(rb"n(\d+)", text) == [str(first + i).encode() for i in range(6)]
    incoming = Incoming("x", dense(3, 2, array([1, 2, 3, 4, 5, 6])))
    edges = EdgeLines.of(incoming, first, first + 1, f"n{NUMBER} n{NUMBER} {FLOAT}\n")
    text = edges.render(next(incoming.block.tiles())).tobytes()
    found = [tuple(map(int, pair)) for pair in re.findall(rb"n(\d+) n(\d+)", text)]
    assert found == [(first + s, first + 1 + t) for s in range(3) for t in range(2)]


def pieces(texts: render.Texts) -> list[str]:
    return [texts.data[a:b].tobytes().decode() for a, b in zip(texts.start, texts.stop, strict=True)]


finite = {"allow_nan": False, "allow_infinity": False}


@pytest.mark.slow
@given(
    st.sampled_from([16, 32, 64]).flatmap(
        lambda width: hnp.arrays(f"f{width // 8}", st.integers(0, 40), elements=st.floats(width=width, **finite))
    )
)
def test_decimals_are_exact_and_shortest(values: np.ndarray) -> None:
    texts = pieces(render.decimals(values))
    assert len(texts) == len(values)
    for text, value in zip(texts, values, strict=True):
        assert_same_float(float(text), value)
        assert len(text) <= render.FLOAT
        shortest = re.sub(r"\D", "", np.format_float_scientific(value, unique=True, trim="-").split("e")[0]).strip("0")
        assert re.sub(r"\D", "", text.split("e")[0]).strip("0") == shortest
        assert not text.endswith(".0")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_decimals_of_random_bits(dtype: Any) -> None:
    bits = np.random.default_rng(0).integers(0, 2**63, 20_000).view(np.float64 if dtype is np.float64 else np.float32)
    values = bits[np.isfinite(bits)].astype(dtype)
    got = np.array([float(text) for text in pieces(render.decimals(values))]).astype(dtype)
    np.testing.assert_array_equal(got, values)


@pytest.mark.parametrize("order", [">f4", "<f4"])
def test_decimals_of_any_layout(order: str) -> None:
    values = np.array(range(8), order)[::2]
    assert pieces(render.decimals(values)) == ["0", "2", "4", "6"]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["weight", "bias"])
def test_refuses_what_is_not_finite(bad: float, where: str) -> None:
    x = Layer("x", "Input", (1,), "input")
    if where == "weight":
        y = Layer("y", "Mul", (1,), incoming=(Incoming("x", dense(1, 1, array([bad]))),))
    else:
        y = Layer("y", "Mul", (1,), bias=array([bad]))
    if where == "bias" and math.isinf(bad):
        text = "INF" if bad > 0 else "-INF"
        assert f'<data key="bias">{text}</data>'.encode() in written(graph_of(x, y))
        return
    with pytest.raises(OutputError, match="NaN or infinite"):
        written(graph_of(x, y))


@given(st.text(st.characters()) | st.binary())
def test_escape_is_reversible_and_legal(name: str | bytes) -> None:
    escaped = escape(name)
    back = unescape(escaped)
    assert (back.encode("utf-8", "surrogateescape") if isinstance(name, bytes) else back) == name
    element = ET.fromstring(f"<a>{saxutils.escape(escaped)}</a>".encode())
    assert (element.text or "") == escaped


@pytest.mark.parametrize("plain", ["conv1/Relu:0", "größe 🧠", "tab\tand\nline"])
def test_escape_leaves_the_rest_alone(plain: str) -> None:
    assert escape(plain) == plain


class Sink(io.RawIOBase):
    """A file that forgets."""

    def write(self, data: Any) -> int:
        return len(data)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("small", "large"),
    [(conv_graph(8, 44), conv_graph(40, 44)), (dense_graph(1000, 1000), dense_graph(4000, 1000))],
    ids=["shared weights", "a weight an edge"],
)
def test_memory_does_not_grow_with_edges(small: NeuronGraph, large: NeuronGraph) -> None:
    assert large.edges >= 4 * small.edges >= 4_000_000
    peaks = []
    write.write_graphml(small, Sink())  # compiled code is not counted
    for graph in (small, large):
        tracemalloc.start()
        write.write_graphml(graph, Sink())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 20e6
    assert peaks[1] < 50e6


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_failure_leaves_the_older_file(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "a.graphml").write_bytes(b"older")

    def fail(_: int) -> None:
        raise error

    for target in ("a.graphml", "b.graphml"):
        with pytest.raises(error):
            writing.write(every_kind(), tmp_path / target, progress=fail)
    assert names(tmp_path) == ["a.graphml"]
    assert (tmp_path / "a.graphml").read_bytes() == b"older"


def test_full_disk_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.graphml").write_bytes(b"older")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"a\.graphml': No space left on device") as caught:
        writing.write(every_kind(), tmp_path / "a.graphml")
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == ["a.graphml"]
    assert (tmp_path / "a.graphml").read_bytes() == b"older"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_full_device(tmp_path: Path) -> None:
    (tmp_path / "a.graphml").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space left on device"):
        writing.write(every_kind(), tmp_path / "a.graphml")
    assert names(tmp_path) == ["a.graphml"]


def test_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"there is no directory '.*nowhere'; create it first"):
        writing.write(every_kind(), tmp_path / "nowhere" / "a.graphml")
    assert names(tmp_path) == []


def test_directory_as_target(tmp_path: Path) -> None:
    (tmp_path / "a.graphml").mkdir()
    with pytest.raises(OutputError, match="it is a directory"):
        writing.write(every_kind(), tmp_path / "a.graphml")


def test_file_as_directory(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(OutputError, match="Not a directory"):
        writing.write(every_kind(), tmp_path / "f" / "a.graphml")


def test_forbidden_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: Any) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", forbid)
    with pytest.raises(OutputError, match="Permission denied"):
        writing.write(every_kind(), tmp_path / "a.graphml")


def test_replaces_and_keeps_mode_and_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.graphml", tmp_path / "link.graphml"
    real.write_bytes(b"older")
    real.chmod(0o640)
    link.symlink_to(real)
    writing.write(every_kind(), link)
    assert link.is_symlink()
    assert real.read_bytes() == written(every_kind())
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_new_file_respects_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        writing.write(every_kind(), tmp_path / "a.graphml")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.graphml").stat().st_mode) == 0o640


def test_longest_possible_name(tmp_path: Path) -> None:
    name = "x" * (255 - len(".graphml")) + ".graphml"
    writing.write(every_kind(), tmp_path / name)
    assert names(tmp_path) == [name]


def test_standard_output(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    writing.write(every_kind(), "-")
    assert capsysbinary.readouterr().out == written(every_kind())


def test_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no format is known for 'a\.xgmml'.*\.graphml"):
        writing.write(every_kind(), tmp_path / "a.xgmml")
    assert names(tmp_path) == []


def test_format_overrides_suffix(tmp_path: Path) -> None:
    writing.write(every_kind(), tmp_path / "a.GraphML")
    writing.write(every_kind(), str(tmp_path / "b.xml"), format=".graphml")
    assert (tmp_path / "a.GraphML").read_bytes() == (tmp_path / "b.xml").read_bytes()


def test_synthetic_graph_is_whole() -> None:
    """The graph that all this is tested with has what it promises: otherwise the tests prove little."""
    graph = every_kind()
    assert {layer.aggregation for layer in graph.layers} >= {"input", "constant", "sum", "max", "product", "Div"}
    weights = [i.block.weights.dtype for layer in graph.layers for i in layer.incoming]
    assert set(weights) == {np.dtype(np.float32), np.dtype(np.float64)}
    biases = {layer.bias.dtype for layer in graph.layers if layer.bias is not None}
    assert biases == {np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)}
    pairs = Counter(edge[:2] for edge in expected_edges(graph))
    assert max(pairs.values()) == 1
    assert any(isinstance(i.block, EdgeBlock) and i.block.count == 0 for layer in graph.layers for i in layer.incoming)
