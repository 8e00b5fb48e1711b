"""Every GraphML that is written is valid by the schema; and the checker of the schema finds what is not."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from damage.graphs import graph_of
from graphml_schema import problems
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.formats import registry, writing
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.select import top_k
from synthetic import every_kind, parallel

DECOMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    ".graphml": bytes,
    ".graphml.gz": gzip.decompress,
    ".graphml.zst": lambda data: zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read(),
}


def written(graph: NeuronGraph, folder: Path, suffix: str = ".graphml") -> bytes:
    path = folder / f"a{suffix}"
    writing.write(graph, path)
    return DECOMPRESSED[suffix](path.read_bytes())


def test_every_graphml_format_is_checked() -> None:
    assert DECOMPRESSED.keys() == {suffix for suffix in registry.FORMATS if ".graphml" in suffix}


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["digits", "ports", "doubles"])
def test_what_is_written_is_valid(name: str, level: str, tmp_path: Path) -> None:
    assert problems(written(graph_of(name, level), tmp_path)) == []


@pytest.mark.parametrize("suffix", DECOMPRESSED)
@pytest.mark.parametrize("graph", [every_kind(), parallel(), NeuronGraph((), ())], ids=["every", "parallel", "empty"])
def test_odd_graphs_are_valid(graph: NeuronGraph, suffix: str, tmp_path: Path) -> None:
    assert problems(written(graph, tmp_path, suffix)) == []


def test_a_thinned_graph_is_valid(tmp_path: Path) -> None:
    text = written(top_k(graph_of("doubles"), 2), tmp_path)
    assert b'"thinned"' in text
    assert problems(text) == []


BROKEN: dict[str, tuple[bytes, bytes, str]] = {
    "an element without end": (rb"</node>\n", b"\n", "not well-formed"),
    "an unknown root": (rb"graphml (xmlns|>)", rb"gml \1", "not well-formed"),
    "another namespace": (rb'xmlns="[^"]*"', b'xmlns="http://example.org"', "the root is"),
    "an unknown element": (rb"<edge ", b"<hyper/><edge ", "unknown element hyper"),
    "a key after the graph": (rb"</graph>", b'</graph><key id="k" for="node"/>', "graphml has children"),
    "a graph within an edge twice": (
        rb"</edge>", b'<graph edgedefault="directed"/><graph edgedefault="directed"/></edge>', "edge has children"
    ),
    "a node within a node": (rb"</node>", b'<node id="a"/></node>', "node has children"),
    "an element within data": (rb'<data key="op">', b'<data key="op"><desc/>', "data has children"),
    "no edgedefault": (rb' edgedefault="directed"', b"", "graph has no edgedefault"),
    "another edgedefault": (rb'edgedefault="directed"', b'edgedefault="yes"', "edgedefault of a graph is 'yes'"),
    "an edge without target": (rb' target="n\d+"', b"", "edge has no target"),
    "a node without id": (rb'<node id="n3"', b"<node", "node has no id"),
    "a key without id": (rb'<key id="op"', b"<key", "key has no id"),
    "data without key": (rb'<data key="w"', b"<data", "data has no key"),
    "an unknown attribute": (rb"<edge ", b'<edge weight="1" ', "edge has an unknown attribute weight"),
    "an attribute of another namespace": (rb"<edge ", b'<edge xmlns:a="b" a:c="1" ', "edge has an unknown attribute"),
    "an id that is no token": (rb'<node id="n3"', b'<node id="n 3"', "id of a node is 'n 3'"),
    "a node twice": (rb'<node id="n3"', b'<node id="n2"', "node id 'n2' is there twice"),
    "a key twice": (rb'<key id="op"', b'<key id="layer"', "key id 'layer' is there twice"),
    "two keys of one name": (rb'attr.name="op"', b'attr.name="layer"', "two keys are called 'layer' for node"),
    "another type": (rb'attr.type="double"', b'attr.type="number"', "attr.type of a key is 'number'"),
    "another domain": (rb'for="node"', b'for="vertex"', "for of a key is 'vertex'"),
    "an edge from nowhere": (rb'source="n\d+"', b'source="n77777"', "an edge refers to 'n77777', which is no node"),
    "data of no key": (rb'<data key="op"', b'<data key="what"', "data refers to key 'what', which is not declared"),
    "data of another element's key": (rb'<data key="w"', b'<data key="op"', "key 'op', which is for node, within edge"),
    "data twice": (rb'(<data key="op">[^<]*</data>)', rb"\1\1", "node has data of key 'op' twice"),
    "a weight that is no number": (rb'(<data key="w">)[^<]*', rb"\1one", "key 'w' is 'one', not of type double"),
    "an empty weight": (rb'(<data key="w">)[^<]*', rb"\1", "data of key 'w' is '', not of type double"),
    "a row that is no integer": (rb'(<data key="row">)[^<]*', rb"\g<1>1.5", "key 'row' is '1.5', not of type int"),
    "a row beyond 32 bits": (rb'(<data key="row">)[^<]*', rb"\g<1>9999999999", "9999999999, beyond int"),
    "a wrong number of nodes": (rb'parse.nodes="\d+"', b'parse.nodes="1"', "parse.nodes is 1; there are 177"),
    "a wrong number of edges": (rb'parse.edges="\d+"', b'parse.edges="1"', "parse.edges is 1; there are 482"),
    "a node after the edges": (rb"</graph>", b'<node id="last"/></graph>', "a node stands after an edge"),
    "an order of no such name": (rb'"nodesfirst"', b'"edgesfirst"', "parse.order of a graph is 'edgesfirst'"),
    "text between elements": (rb"<edge ", b"edges: <edge ", "text within graph"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_is_found(kind: str, tmp_path: Path) -> None:
    pattern, by, problem = BROKEN[kind]
    whole = written(every_kind(), tmp_path)
    broken = re.sub(pattern, by, whole, count=1)
    assert broken != whole
    found = problems(broken)
    assert any(problem in text for text in found), found[:3]
