"""Three libraries that are not ours read the same nodes, edges and weights from a GraphML file, and those of the graph.

NetworkX and igraph read all attributes. NetworKit reads the structure and the weights alone, of the key whose name is
`weight`; it numbers the nodes in the order of the file. All three read the decimals as float64, so that weights are
compared as the floats of the model's type that were written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from damage.graphs import graph_of
from onnx2graphml.formats import writing
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.select import top_k
from synthetic import every_kind, parallel

Array = npt.NDArray[Any]
GRAPHS: dict[str, Callable[[], NeuronGraph]] = {
    "digits, neuron": lambda: graph_of("digits", "neuron"),
    "residual, layer": lambda: graph_of("residual"),
    "ports": lambda: graph_of("ports"),
    "doubles": lambda: graph_of("doubles"),
    "thinned": lambda: top_k(graph_of("digits"), 5),
    "every kind": every_kind,
    "parallel": parallel,
}


@dataclass(frozen=True, eq=False)
class Read:
    """What a library found: edges are sorted by source, target and weight.

    Attributes:
        attributes: of each node, without those that are empty; None where the library has none.
    """

    nodes: int
    source: Array
    target: Array
    weight: Array
    attributes: list[dict[str, Any]] | None = None


def sorted_read(nodes: int, edges: Any, attributes: list[dict[str, Any]] | None = None) -> Read:
    source, target, weight = (np.array(column) for column in zip(*edges, strict=True))
    order = np.lexsort((weight, target, source))
    return Read(nodes, source[order], target[order], weight[order].astype(np.float64), attributes)


def known(own: dict[str, Any]) -> dict[str, Any]:
    """Attributes without those that say that there is none: igraph has all attributes at every node."""
    return {n: v for n, v in own.items() if v is not None and v != "" and v == v and n != "id"}


def with_networkx(path: Path) -> Read:
    nx = pytest.importorskip("networkx")
    g = nx.read_graphml(path)
    assert g.is_directed()
    edges = [(int(s[1:]), int(t[1:]), w) for s, t, w in g.edges(data="weight")]
    return sorted_read(len(g), edges, [known(g.nodes[f"n{i}"]) for i in range(len(g))])


def with_igraph(path: Path) -> Read:
    igraph = pytest.importorskip("igraph", reason="reads GraphML as its users do")
    g = igraph.Graph.Read_GraphML(str(path))
    assert g.is_directed()
    assert g.vs["id"] == [f"n{i}" for i in range(g.vcount())]
    edges = [(s, t, w) for (s, t), w in zip(g.get_edgelist(), g.es["weight"], strict=True)]
    return sorted_read(g.vcount(), edges, [known(v.attributes()) for v in g.vs])


def with_networkit(path: Path) -> Read:
    nk = pytest.importorskip("networkit", reason="reads GraphML as its users do")
    g = nk.graphio.readGraph(str(path), nk.Format.GraphML)
    assert g.isDirected()
    assert g.isWeighted()
    return sorted_read(g.numberOfNodes(), list(g.iterEdgesWeights()))


LIBRARIES = {"networkx": with_networkx, "igraph": with_igraph, "networkit": with_networkit}


def expected(graph: NeuronGraph) -> Read:
    """The graph's own edges, with the weights in float64."""
    return sorted_read(graph.neurons, graph.weighted_edges())


def single(graph: NeuronGraph, target: Array) -> Array:
    """Of each edge, whether it goes into a layer of float32 weights."""
    last = np.cumsum([layer.neurons for layer in graph.layers])
    kinds = [any(i.block.weights.dtype == np.float32 for i in layer.incoming) for layer in graph.layers]
    return np.array(kinds)[np.searchsorted(last, target, side="right")]


def as_written(graph: NeuronGraph, found: Read) -> Array:
    """The weights as floats of the type that was written."""
    return np.where(single(graph, found.target), found.weight.astype(np.float32), found.weight)


def agree(graph: NeuronGraph, found: Read, other: Read) -> bool:
    """Whether two readings have the same nodes, edges and weights."""
    return found.nodes == other.nodes and all(
        np.array_equal(a, b)
        for a, b in (
            (found.source, other.source),
            (found.target, other.target),
            (as_written(graph, found), as_written(graph, other)),
        )
    )


def numbers_rounded(attributes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """igraph has every number as a float64."""
    return [{n: float(v) if isinstance(v, int) else v for n, v in own.items()} for own in attributes]


@pytest.mark.slow
@pytest.mark.parametrize("name", GRAPHS)
def test_all_agree(name: str, tmp_path: Path) -> None:
    graph, path = GRAPHS[name](), tmp_path / "a.graphml"
    writing.write(graph, path)
    read = {library: reads(path) for library, reads in LIBRARIES.items()}
    for library, found in read.items():
        assert agree(graph, found, expected(graph)), library
        assert agree(graph, found, read["networkx"]), library
    ours, theirs = read["networkx"].attributes, read["igraph"].attributes
    assert ours is not None
    assert theirs is not None
    assert numbers_rounded(ours) == numbers_rounded(theirs)
    assert {own["layer"] for own in ours} == {own["layer"] for own in theirs}
    assert len({own["layer"] for own in ours}) == len([layer for layer in graph.layers if layer.neurons])


CHANGED: dict[str, tuple[bytes, bytes]] = {
    "another weight": (rb'(<data key="w">)[^<]*', rb"\g<1>0.123"),
    "another source": (rb'source="n0"', b'source="n1"'),
    "another target": (rb'target="n6"', b'target="n7"'),
    "source and target exchanged": (rb'source="(n\d+)" target="(n\d+)"', rb'source="\2" target="\1"'),
    "an edge is missing": (rb"<edge .*\n", b""),
    "an edge is there twice": (rb"(<edge .*\n)", rb"\1\1"),
    "a node more": (rb"(<edge )", rb'<node id="n14"/>\1'),
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("kind", CHANGED)
def test_a_difference_is_noticed(kind: str, library: str, tmp_path: Path) -> None:
    graph, path = graph_of("doubles"), tmp_path / "a.graphml"
    writing.write(graph, path)
    pattern, by = CHANGED[kind]
    text = path.read_bytes()
    changed = re.sub(pattern, by, text, count=1)
    assert changed != text
    path.write_bytes(changed)
    assert not agree(graph, LIBRARIES[library](path), expected(graph))


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_truncated_file_is_refused_by_each(library: str, tmp_path: Path) -> None:
    path = tmp_path / "a.graphml"
    writing.write(graph_of("doubles"), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(Exception, match=r"(?i)unclosed|no element|parse error|error at|not a valid"):
        LIBRARIES[library](path)
