"""Fewer edges: against a plain choice among the expanded ones."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml import cli
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.select import min_abs_weight, sample, subnetwork, top_k

FIXTURES = Path(__file__).parent.parent / "fixtures"
MODELS = [("digits.onnx", "op"), ("digits.onnx", "layer"), ("residual.onnx", "neuron")]


@pytest.fixture(params=MODELS, ids="-".join)
def graph(request: pytest.FixtureRequest) -> NeuronGraph:
    name, detail = request.param
    return o2g.load(FIXTURES / name, detail=detail)


def edges(graph: NeuronGraph) -> list[tuple[int, int, float]]:
    found = sorted(graph.weighted_edges())
    assert len(found) == graph.edges
    return found


@pytest.mark.parametrize("threshold", [0.0, 0.02, 0.3, 1.0, 1.5, 1e9])
def test_min_abs_weight_keeps_exactly_the_heavy_edges(graph: NeuronGraph, threshold: float) -> None:
    kept = [e for e in edges(graph) if abs(e[2]) >= np.float32(threshold)]
    assert edges(min_abs_weight(graph, threshold)) == kept


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 2, 5, 9, 100_000])
def test_top_k_keeps_the_strongest_of_each_neuron(graph: NeuronGraph, k: int) -> None:
    of_neuron = defaultdict(list)
    for position, edge in enumerate(graph.weighted_edges()):
        of_neuron[edge[1]].append((-abs(edge[2]), position, edge))
    kept = sorted(edge for own in of_neuron.values() for _, _, edge in sorted(own)[:k])
    assert edges(top_k(graph, k)) == kept


def test_a_sample_is_of_the_graph_and_without_repetition(graph: NeuronGraph) -> None:
    every = set(edges(graph))
    chosen = edges(sample(graph, 500, seed=1))
    assert len(set(chosen)) == 500
    assert set(chosen) <= every
    assert chosen == edges(sample(graph, 500, seed=1))
    assert chosen != edges(sample(graph, 500, seed=2))
    assert edges(sample(graph, graph.edges)) == edges(graph)
    assert edges(sample(graph, 0)) == []


@pytest.mark.slow
def test_a_sample_is_uniform(graph: NeuronGraph) -> None:
    """Each layer's share of many samples is its share of the edges, within five standard deviations."""
    n, rounds = 400, 50
    for layer in graph.layers:
        share = layer.in_edges / graph.edges
        got = sum(sample(graph, n, seed=s).layer(layer.name).in_edges for s in range(rounds))
        assert abs(got - n * rounds * share) <= 5 * np.sqrt(n * rounds * share * (1 - share)) + 1e-9


def test_no_edge_is_expanded_to_thin_a_large_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = o2g.load(FIXTURES / "digits.onnx")

    def expanded(*_: object) -> None:
        raise AssertionError("an edge was expanded")

    monkeypatch.setattr("onnx2graphml.graph.blocks.EdgeBlock.expand", expanded)
    assert top_k(graph, 3).layer("dense1").in_edges == 3 * 48
    assert min_abs_weight(graph, 0.1).edges < graph.edges


def test_a_thinned_graph_is_not_verified_nor_thinned_again(graph: NeuronGraph) -> None:
    thin = top_k(graph, 1)
    with pytest.raises(Error, match=r"thinned \(top-k 1\): without all edges"):
        o2g.verify(thin)
    with pytest.raises(Error, match="thinned already"):
        sample(thin, 3)
    with pytest.raises(Error, match="top-k is 0; expected a whole number, at least 1"):
        top_k(graph, 0)
    with pytest.raises(Error, match="sample is -1; expected a whole number from 0 to"):
        sample(graph, -1)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".graphml", ".parquet"])
def test_a_file_says_that_it_is_thinned(tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    model, out = str(FIXTURES / "digits.onnx"), str(tmp_path / f"thin{suffix}")
    assert cli.main([model, out, "--top-k", "2"]) == 0
    assert cli.main(["verify", model, out]) == 2
    assert "thinned (top-k 2)" in capsys.readouterr().err


@pytest.mark.slow
def test_a_subnetwork_computes_what_it_computed_in_the_whole() -> None:
    graph = o2g.load(FIXTURES / "residual.onnx")
    names = [layer.name for layer in graph.layers]
    for first in range(len(names)):
        for last in range(first, len(names), 5):
            part = subnetwork(graph, f"{names[first]}:{names[last]}")
            assert all(x.aggregation == "input" for x in part.layers) or o2g.verify(part).passed
            for layer in part.layers:
                assert layer.aggregation == "input" or layer.in_edges == graph.layer(layer.name).in_edges


def test_a_missing_source_comes_in_as_an_input() -> None:
    graph = o2g.load(FIXTURES / "residual.onnx", detail="neuron")
    add = next(layer for layer in graph.layers if len(layer.incoming) == 2)
    kept, missing = (i.source for i in add.incoming)
    part = subnetwork(graph, f"{kept},{add.name}")
    assert {layer.name: layer.aggregation for layer in part.layers}[missing] == "input"
    assert part.layer(add.name).in_edges == add.in_edges
    assert part.layers[0].first_id == 0


def test_layers_can_be_named_in_several_ways() -> None:
    graph = o2g.load(FIXTURES / "digits.onnx")
    names = [layer.name for layer in graph.layers]
    assert [x.name for x in subnetwork(graph, ":").layers] == names
    assert [x.name for x in subnetwork(graph, "maxpool:").layers] == names[names.index("maxpool") :]
    assert [x.name for x in subnetwork(graph, ":conv1").layers] == ["image", "conv1"]
    assert subnetwork(graph, "dense1").outputs == ("dense1",)
    with pytest.raises(Error, match="'digit' comes after 'conv1'"):
        subnetwork(graph, "digit:conv1")
    with pytest.raises(Error, match="no layer is named 'conv9'; did you mean 'conv"):
        subnetwork(graph, "conv9")
