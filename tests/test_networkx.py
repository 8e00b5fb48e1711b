"""The graph in memory for NetworkX."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from onnx2graphml.errors import TooLargeError
from onnx2graphml.formats import writing
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.networkx_graph import to_networkx
from synthetic import conv_graph, every_kind, parallel


@pytest.mark.parametrize("graph", [every_kind(), conv_graph(2, 5)])
def test_is_what_weighted_edges_make(graph: NeuronGraph) -> None:
    by_hand = nx.DiGraph()
    by_hand.add_weighted_edges_from(graph.weighted_edges())
    g = graph.to_networkx()
    assert type(g) is nx.DiGraph
    assert list(g.nodes) == list(range(graph.neurons))
    assert g.number_of_edges() == graph.edges
    assert sorted(g.edges(data="weight")) == sorted(by_hand.edges(data="weight"))


@pytest.mark.parametrize("graph", [every_kind(), parallel()])
def test_is_what_the_file_holds(graph: NeuronGraph, tmp_path: Path) -> None:
    writing.write(graph, tmp_path / "a.graphml")
    file, g = nx.read_graphml(tmp_path / "a.graphml"), to_networkx(graph)
    assert type(g) is type(file)
    assert g.graph.items() <= file.graph.items()  # NetworkX adds defaults of its own
    for n, own in g.nodes(data=True):
        read = {"index": ""} | file.nodes[f"n{n}"]  # some versions drop what is empty
        assert {name: type(value) for name, value in own.items()} == {n: type(value) for n, value in read.items()}
        assert all(read[k] == v for k, v in own.items() if k != "bias")
        if "bias" in own:
            assert read["bias"] == pytest.approx(own["bias"], rel=1e-3 if own["layer"] == "halves" else 1e-7)
    ours = sorted((f"n{s}", f"n{t}", d.get("port", -1), d["weight"]) for s, t, d in g.edges(data=True))
    theirs = sorted((s, t, d.get("port", -1), d["weight"]) for s, t, d in file.edges(data=True))
    assert [e[:3] for e in ours] == [e[:3] for e in theirs]
    ours_weights, theirs_weights = (np.array([e[3] for e in edges], np.float32) for edges in (ours, theirs))
    np.testing.assert_array_equal(ours_weights, theirs_weights)


def test_attributes_are_plain_python() -> None:
    g = every_kind().to_networkx()
    for attributes in (*(d for _, d in g.nodes(data=True)), *(d for *_, d in g.edges(data=True)), g.graph):
        assert {type(value) for value in attributes.values()} <= {int, float, str}


def test_can_be_written_by_networkx(tmp_path: Path) -> None:
    g = every_kind().to_networkx()
    nx.write_graphml(g, tmp_path / "a.graphml")
    back = nx.read_graphml(tmp_path / "a.graphml", node_type=int)
    assert sorted(back.edges(data="weight")) == sorted(g.edges(data="weight"))


def test_ports_tell_parallel_edges_apart() -> None:
    g = parallel().to_networkx()
    assert type(g) is nx.MultiDiGraph
    assert sorted(g.edges(data="port")) == [(i, 3 + i, port) for i in range(3) for port in (0, 1)]


def test_limit_names_the_ways_round() -> None:
    graph = every_kind()
    assert graph.to_networkx(max_edges=graph.edges).number_of_edges() == graph.edges
    with pytest.raises(TooLargeError) as caught:
        graph.to_networkx(max_edges=graph.edges - 1)
    message = str(caught.value)
    assert "\n" not in message
    for part in (f"{graph.edges:,}", f"max_edges is {graph.edges - 1:,}", "to_networkx(as_view=True)", "193 kB"):
        assert part in message
