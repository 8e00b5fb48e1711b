"""Formats for other tools: each file is read by the tools it is for, and holds the graph."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

import onnx2graphml as o2g
from measured import network
from onnx2graphml.errors import Error, OutputError, TooLargeError
from onnx2graphml.formats import registry
from onnx2graphml.formats.parallel import is_multigraph
from onnx2graphml.graph.attributes import layer_attributes, spatial_dimensions
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from synthetic import array, dense, dense_graph, graph_of


@dataclasses.dataclass
class Read:
    """A graph as a tool found it: nodes by id in order, edges as (source, target, weight, port, term)."""

    nodes: list[dict[str, Any]]
    edges: list[tuple[int, int, float, int | None, int | None]]


def by_networkx(g: Any, number: Callable[[Any], int], names: dict[str, str] | None = None) -> Read:
    """What NetworkX read; `names` are those of attributes that a format has to spell otherwise."""
    own = {other: name for name, other in (names or {}).items()}
    nodes = sorted(g.nodes(data=True), key=lambda node: number(node[0]))
    assert [number(node) for node, _ in nodes] == list(range(len(nodes)))

    def told(data: dict[str, Any], name: str) -> int | None:
        return int(data[name]) if name in data else None

    edges = [
        (number(u), number(v), float(d["weight"]), told(d, "port"), told(d, "term")) for u, v, d in g.edges(data=True)
    ]
    return Read([{own.get(k, k): v for k, v in data.items()} for _, data in nodes], edges)


def of_n(name: str) -> int:
    """`n12`."""
    return int(name.removeprefix("n"))


def read_gexf(path: Path) -> Read:
    return by_networkx(nx.read_gexf(path), of_n)


def read_gml(path: Path) -> Read:
    return by_networkx(nx.read_gml(path, label="id"), int)


def read_cytoscape(path: Path) -> Read:
    content = json.loads(path.read_bytes())
    for k, edge in enumerate(content["elements"]["edges"] if content["multigraph"] else ()):
        edge["data"]["key"] = k  # NetworkX keeps one of those that have none
    return by_networkx(nx.cytoscape_graph(content), of_n)


def read_dot(path: Path) -> Read:
    import pydot

    (g,) = pydot.graph_from_dot_data(path.read_text())
    plain = nx.MultiDiGraph()

    def own(data: dict[str, str]) -> dict[str, str]:
        return {k: re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), v[1:-1]) for k, v in data.items()}

    plain.add_nodes_from((n.get_name(), own(n.get_attributes())) for n in g.get_nodes())
    plain.add_edges_from((e.get_source(), e.get_destination(), own(e.get_attributes())) for e in g.get_edges())
    return by_networkx(plain, of_n)


READERS = {".gexf": read_gexf, ".gml": read_gml, ".cyjs": read_cytoscape, ".dot": read_dot}


def test_every_format_has_its_reader_here() -> None:
    assert READERS.keys() == registry.FOR_OTHERS.keys()


def expected_edges(graph: NeuronGraph) -> list[tuple[int, int, float, int | None, int | None]]:
    found = []
    for layer in graph.layers:
        for incoming in layer.incoming:
            first = graph.layer(incoming.source).first_id
            for e in incoming.block.expand():
                terms = [None] * len(e) if e.term is None else e.term.tolist()
                ends = zip((e.source + first).tolist(), (e.target + layer.first_id).tolist(), strict=True)
                found += [
                    (u, v, float(w), incoming.port, term)
                    for (u, v), w, term in zip(ends, e.weight.tolist(), terms, strict=True)
                ]
    return found


def expected_nodes(layer: Layer) -> list[dict[str, Any]]:
    found = []
    for k, index in enumerate(np.ndindex(layer.shape)):
        node: dict[str, Any] = dict(layer_attributes(layer), index=",".join(map(str, index)))
        node |= {name: index[d] for name, d in spatial_dimensions(layer).items()}
        if layer.bias is not None:
            node["bias"] = np.broadcast_to(layer.bias, layer.shape).ravel()[k]
        found.append(node)
    return found


def assert_holds(found: Read, graph: NeuronGraph, merges: bool = False, nodes: bool = True) -> None:
    """`merges`: of parallel edges without a port or a term, which can't be told apart, one may be left."""
    types = {incoming.block.weights.dtype for layer in graph.layers for incoming in layer.incoming}
    kind = np.float64 if types == {np.dtype(np.float64)} else np.float32  # what shortest decimals read back as
    got, expected = (
        sorted(((u, v, float(kind(w)), *more) for u, v, w, *more in edges), key=str)
        for edges in (found.edges, expected_edges(graph))
    )
    assert got == expected if not merges else set(got) == set(expected)
    every = [node for layer in graph.layers for node in expected_nodes(layer)] if nodes else []
    assert len(found.nodes) == len(every)
    for one, node in zip(found.nodes, every, strict=True):
        for name, value in node.items():
            there = one.get(name, "")
            assert type(value)(there) == value, name
        assert ("bias" in one) == ("bias" in node)


NETWORKS = ["residual", "every kind", "parallel", "random 1", "random 3"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "name"), [(s, n) for s in READERS for n in NETWORKS if (s, n) != (".dot", "residual")]
)  # pydot takes a minute for 10,000 edges
def test_a_file_holds_the_graph(suffix: str, name: str, tmp_path: Path) -> None:
    graph = network(name)
    o2g.write(graph, tmp_path / f"a{suffix}")
    assert_holds(READERS[suffix](tmp_path / f"a{suffix}"), graph, merges=is_multigraph(graph))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [s for s in READERS if s != ".dot"])
def test_digits(suffix: str, tmp_path: Path) -> None:
    graph = network("digits")
    o2g.write(graph, tmp_path / f"a{suffix}", jobs=1)
    assert_holds(READERS[suffix](tmp_path / f"a{suffix}"), graph)
    o2g.write(graph, tmp_path / f"b{suffix}", jobs=3)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", READERS)
def test_a_wrong_edge_is_seen(suffix: str, tmp_path: Path) -> None:
    graph = dense_graph(3, 4)
    path = tmp_path / f"a{suffix}"
    o2g.write(graph, path)
    found = READERS[suffix](path)
    u, v, w, *more = found.edges[7]
    found.edges[7] = (u, v, w + 1, *more)
    with pytest.raises(AssertionError):
        assert_holds(found, graph)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", READERS)
def test_any_name(suffix: str, tmp_path: Path) -> None:
    name = "a\"b\\c<&>'\n\té漢 [x]"
    graph = dense_graph(2, 3)
    layers = [dataclasses.replace(x, name=name) if not x.incoming else x for x in graph.layers]
    layers = [
        dataclasses.replace(x, incoming=tuple(dataclasses.replace(i, source=name) for i in x.incoming)) for x in layers
    ]
    graph = dataclasses.replace(graph, layers=tuple(layers))
    path = tmp_path / f"a{suffix}"
    o2g.write(graph, path)
    assert_holds(READERS[suffix](path), graph)


@pytest.mark.parametrize("suffix", READERS)
def test_places_and_labels(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    graph = dense_graph(3, 2)
    o2g.write(graph, path)
    text = path.read_text()
    label = f"x[{','.join('0' for _ in graph.layers[0].shape)}]"
    told = {".gml": f'label "{label}"', ".cyjs": f'"name":"{label}"'}.get(suffix, f'label="{label}"')
    assert told in text
    found = READERS[suffix](path).nodes
    places = {
        ".gexf": lambda n: n["viz"]["position"]["x"],
        ".gml": lambda n: n["graphics"]["x"],
        ".dot": lambda n: float(n["pos"].split(",")[0]),
    }
    if suffix in places:
        assert {float(places[suffix](n)) / 100 for n in found} == {float(n["depth"]) for n in found}
    else:
        assert {n["position"]["x"] / 100 for n in json.loads(text)["elements"]["nodes"]} == {n["depth"] for n in found}


@pytest.mark.parametrize("suffix", READERS)
def test_numbers_that_are_small_large_and_whole(suffix: str, tmp_path: Path) -> None:
    weights = array([3e20, 1e-7, -0.0, 1.5e-300, 7, 2.5e17, 1e22, -3], np.float64)
    graph = graph_of(
        Layer("x", "Input", (2,), "input"), Layer("y", "Gemm", (4,), incoming=(Incoming("x", dense(2, 4, weights)),))
    )
    path = tmp_path / f"a{suffix}"
    o2g.write(graph, path)
    assert_holds(READERS[suffix](path), graph)
    signed = any(math.copysign(1, w) < 0 and w == 0 for _, _, w, *_ in READERS[suffix](path).edges)
    assert signed or suffix in (".gml", ".cyjs")  # read as an integer


@pytest.mark.slow
@pytest.mark.parametrize("suffix", READERS)
def test_a_graph_with_an_input(suffix: str, tmp_path: Path) -> None:
    graph = network("random 0").with_input("random")
    path = tmp_path / f"a{suffix}"
    o2g.write(graph, path)
    text = path.read_text()
    assert text.count("contribution") >= graph.edges
    found = READERS[suffix](path)
    name = "input_value" if suffix == ".cyjs" else "value"
    assert [float(n[name]) for n in found.nodes] == pytest.approx(graph.columns["value"].tolist(), rel=1e-6)


def test_igraph_reads_gml(tmp_path: Path) -> None:
    igraph = pytest.importorskip("igraph", reason="one of the readers of GML")
    graph = network("residual")
    o2g.write(graph, tmp_path / "a.gml")
    g = igraph.Graph.Read_GML(str(tmp_path / "a.gml"))
    assert (g.vcount(), g.ecount()) == (graph.neurons, graph.edges)
    found = [(u, v, w, None, None) for (u, v), w in zip(g.get_edgelist(), g.es["weight"], strict=True)]
    assert_holds(Read([], found), graph, nodes=False)


def test_an_infinite_bias(tmp_path: Path) -> None:
    graph = dense_graph(2, 2)
    last = dataclasses.replace(graph.layers[-1], bias=np.array([-np.inf, 1.0], np.float32))
    graph = dataclasses.replace(graph, layers=(*graph.layers[:-1], last))
    for suffix in (".gexf", ".gml", ".dot"):
        o2g.write(graph, tmp_path / f"a{suffix}")
        assert "-INF" in (tmp_path / f"a{suffix}").read_text()
    with pytest.raises(OutputError, match=r"has an infinite bias, which JSON can't hold; write \.graphml"):
        o2g.write(graph, tmp_path / "a.cyjs")


def test_what_is_not_read_back(tmp_path: Path) -> None:
    o2g.write(network("residual"), tmp_path / "a.gexf")
    with pytest.raises(Error, match=r"no reader for this format; what can be read back: \.graphml"):
        o2g.verify_file(network("residual"), tmp_path / "a.gexf")


def test_dot_is_for_small_graphs(tmp_path: Path) -> None:
    from onnx2graphml.formats.exchange.dot import write_dot

    with pytest.raises(TooLargeError, match=r"1,210,000 edges, more than the 1,000,000 that Graphviz is good for"):
        write_dot(dense_graph(1100, 1100), (tmp_path / "a.dot").open("wb"))
