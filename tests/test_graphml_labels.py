"""GraphML with labels: the same graph for every reader, with what people want besides."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml.errors import Error
from onnx2graphml.formats.graphml.labels import depths, placed
from small import FIXTURES
from synthetic import every_kind, parallel


@pytest.fixture(scope="module")
def digits() -> o2g.NeuronGraph:
    return o2g.load(FIXTURES / "digits.onnx")


@pytest.fixture(scope="module")
def read(digits: o2g.NeuronGraph, tmp_path_factory: pytest.TempPathFactory) -> nx.DiGraph:
    path = tmp_path_factory.mktemp("labels") / "digits.graphml"
    o2g.write(digits, path, labels=True)
    return nx.read_graphml(path)


@pytest.mark.slow
def test_nodes_have_a_label_a_depth_and_a_place(digits: o2g.NeuronGraph, read: nx.DiGraph) -> None:
    for layer in digits.layers:
        for id in (layer.first_id, layer.first_id + layer.neurons - 1):
            node = read.nodes[f"n{id}"]
            index = ",".join(map(str, digits.index_of(id)))
            assert node["label"] == f"{layer.name}[{index}]"
            assert node["index"] == index
            assert isinstance(node["depth"], int)
    assert len({(node["x"], node["y"]) for node in read.nodes.values()}) == digits.neurons


def test_depths_are_the_longest_ways(digits: o2g.NeuronGraph) -> None:
    for graph in (digits, o2g.load(FIXTURES / "residual.onnx")):
        layers = nx.DiGraph((i.source, x.name) for x in graph.layers for i in x.incoming)
        found = depths(graph)
        for rank, names in enumerate(nx.topological_generations(layers)):
            assert {found[name] for name in names} == {rank}
        columns = placed(graph).columns
        for layer in graph.layers:
            assert set(columns["depth"][layer.ids]) == {found[layer.name]}


@pytest.mark.slow
def test_networkx_lays_the_layers_out_in_order(digits: o2g.NeuronGraph, read: nx.DiGraph) -> None:
    places = nx.multipartite_layout(read, subset_key="depth")
    x = [places[f"n{layer.first_id}"][0] for layer in digits.layers]
    assert x == sorted(x)
    assert len(set(x)) == len(digits.layers)


@pytest.mark.slow
def test_edges_have_the_magnitude_of_their_weight(digits: o2g.NeuronGraph, read: nx.DiGraph) -> None:
    weights = nx.get_edge_attributes(read, "weight")
    magnitudes = nx.get_edge_attributes(read, "abs_weight")
    assert magnitudes == {edge: abs(weight) for edge, weight in weights.items()}
    assert min(weights.values()) < 0
    plain = {(f"n{a}", f"n{b}"): w for a, b, w in digits.weighted_edges()}
    assert plain.keys() == weights.keys()
    for edge, weight in weights.items():
        assert np.float32(weight) == np.float32(plain[edge])


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".graphml", ".graphml.gz", ".graphml.zst"])
def test_a_file_with_labels_is_verified_as_one_without(digits: o2g.NeuronGraph, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"digits{suffix}"
    o2g.write(digits, path, labels=True, jobs=2)
    assert o2g.verify_file(digits, path).passed


@pytest.mark.slow
@pytest.mark.parametrize("graph", [every_kind(), parallel()], ids=["every kind", "parallel"])
def test_labels_change_nothing_else(graph: o2g.NeuronGraph, tmp_path: Path) -> None:
    """Ports, terms and names of any kind, too: the other attributes are those of the file without labels."""
    for labels in (False, True):
        o2g.write(graph, tmp_path / f"{labels}.graphml", labels=labels)
    plain, labelled = (nx.read_graphml(tmp_path / f"{x}.graphml", force_multigraph=True) for x in (False, True))
    assert plain.nodes.keys() == labelled.nodes.keys()
    for id, node in labelled.nodes.items():
        assert {k: v for k, v in node.items() if k not in ("label", "depth", "x", "y")} == plain.nodes[id]

    def edges(g: nx.MultiDiGraph) -> list[str]:
        return sorted(
            str((a, b, sorted((k, v) for k, v in data.items() if k != "abs_weight")))
            for a, b, data in g.edges(data=True)
        )

    assert edges(plain) == edges(labelled)


def test_other_formats_have_no_labels(digits: o2g.NeuronGraph, tmp_path: Path) -> None:
    with pytest.raises(Error, match=r"labels are for \.graphml, \.graphml\.gz, \.graphml\.zst only"):
        o2g.write(digits, tmp_path / "d.npz", labels=True)
