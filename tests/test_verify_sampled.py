"""A few neurons of each layer, each from its own in-edges: the same values as the whole layer's."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnx2graphml.api import load, verify
from onnx2graphml.cli import main
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.inference.activations import activations
from onnx2graphml.verification.recompute import recompute
from onnx2graphml.verification.sampled import positions, recompute_neuron
from small import model, node, random_feeds, weights

DIGITS = str(Path(__file__).parent.parent / "fixtures" / "digits.onnx")


def attention() -> Any:
    """Softmax over an axis within, products of computed tensors, a maximum, a division."""
    nodes = [
        node("Transpose", "x", "t", perm=[0, 2, 1]),
        node("MatMul", "x t", "s"),
        node("Softmax", "s", "p", axis=1),
        node("MatMul", "p x", "c"),
        node("ReduceMax", "c", "m", axes=[2], keepdims=1),
        node("Add", "m w", "d"),
        node("Div", "c d", "y"),
    ]
    return model(nodes, {"x": [1, 4, 3]}, {"w": weights(1, 4, 1) + 5})


@pytest.mark.slow
@pytest.mark.parametrize("source", [DIGITS, attention()], ids=["digits", "attention"])
@pytest.mark.parametrize("detail", ["op", "layer", "neuron"])
def test_a_neuron_alone_comes_to_what_it_does_within_its_layer(source: Any, detail: str) -> None:
    graph = load(source, detail=detail)
    values = {n: np.array(v, np.float64).ravel() for n, v in activations(graph, random_feeds(graph)).items()}
    for layer in graph.layers:
        if layer.aggregation == "input":
            continue
        whole = recompute(layer, values)
        for p in positions(layer, 5, seed=1):
            alone, edges = recompute_neuron(layer, p, values)
            value, tolerance = alone.value.item(), alone.tolerance.item()
            assert value == pytest.approx(whole.value[p], rel=1e-12, abs=1e-12)
            assert 0 <= tolerance <= whole.tolerance[p] * (1 + 1e-9) + 1e-300
            if not any(a.couples for a in layer.activation):
                assert edges == len(graph.in_edges(layer.first_id + p).weight)


def test_a_report_of_a_sample() -> None:
    report = verify(DIGITS, sample_neurons=7, seed=3)
    assert report.passed
    assert max(r.neurons for r in report.rows) == 7
    assert report.about.sampled == 7
    assert "sampled: at most 7 neurons of each layer" in str(report)


@pytest.mark.slow
def test_as_many_as_there_are_is_all_of_them() -> None:
    sampled, whole = verify(DIGITS, sample_neurons=10**9), verify(DIGITS)
    for s, w in zip(sampled.rows, whole.rows, strict=True):
        assert (s.layer, s.neurons) == (w.layer, w.neurons)
        assert s.absolute == pytest.approx(w.absolute, rel=1e-6, abs=1e-12)


def test_another_seed_looks_at_other_neurons() -> None:
    layer = load(DIGITS).layers[1]
    assert positions(layer, 5, 0) != positions(layer, 5, 1)
    assert positions(layer, 5, 0) == positions(layer, 5, 0)


def spoilt(graph: NeuronGraph, name: str) -> NeuronGraph:
    """With one layer whose weights are all a hundredth larger."""
    layers = []
    for layer in graph.layers:
        if layer.name == name:
            moved = [
                dataclasses.replace(i, block=dataclasses.replace(i.block, weights=i.block.weights * 1.01))
                for i in layer.incoming
            ]
            layer = dataclasses.replace(layer, incoming=tuple(moved))
        layers.append(layer)
    return dataclasses.replace(graph, layers=tuple(layers))


def test_a_wrong_layer_is_found_and_its_worst_neuron_is_one_of_it() -> None:
    report = verify(spoilt(load(DIGITS), "conv2"), sample_neurons=4)
    (row,) = [r for r in report.rows if not r.passed]
    assert row.layer == "conv2"
    assert row.worst in positions(load(DIGITS).layer("conv2"), 4, seed=[r.layer for r in report.rows].index("conv2"))


@pytest.mark.parametrize("count", [0, -1])
def test_no_neurons_are_refused(count: int) -> None:
    with pytest.raises(Error, match=f"sample_neurons is {count}; expected 1 or more neurons of each layer"):
        verify(DIGITS, sample_neurons=count)


def test_a_sample_by_planes_is_refused() -> None:
    with pytest.raises(Error, match="fast sums whole layers, and sample_neurons single neurons; leave out one"):
        verify(DIGITS, sample_neurons=3, fast=True)


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", DIGITS, "--sample-neurons", "3"]) == 0
    said = capsys.readouterr().out
    assert "neurons looked at: every layer equals ONNX Runtime" in said
    assert main(["verify", DIGITS, "--sample-neurons", "3", "--fast"]) == 2
    assert "--sample-neurons is for a model alone, edge by edge" in capsys.readouterr().err
