"""The whole way, as a newcomer goes it: a model, its GraphML, NetworkX, and the network's answers from that alone."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import onnxruntime as ort
import pytest

import onnx2graphml as o2g
from onnx2graphml import cli

FIXTURES = Path(__file__).parent.parent / "fixtures"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> nx.DiGraph:
    """What NetworkX reads from the file that the command line writes."""
    out = tmp_path_factory.mktemp("digits") / "digits.graphml"
    assert cli.main([str(FIXTURES / "digits.onnx"), str(out)]) == 0
    return nx.read_graphml(out)


@pytest.fixture(scope="module")
def digits() -> Any:
    return np.load(FIXTURES / "digits.npz")


def evaluate(graph: nx.DiGraph, image: Any) -> dict[str, float]:
    """Every node's value, from the nodes' attributes and the edges alone, in plain Python.

    Knows nothing of this package: only what the documentation says of the attributes.
    """
    value: dict[str, float] = {}
    layers: dict[str, list[str]] = defaultdict(list)
    for node, data in graph.nodes(data=True):
        layers[data["layer"]].append(node)
    for nodes in layers.values():  # in the order of the file
        for node in nodes:
            data = graph.nodes[node]
            terms = [edge["weight"] * value[source] for source, _, edge in graph.in_edges(node, data=True)]
            if data["combine"] == "input":
                value[node] = float(image[tuple(int(i) for i in data["index"].split(","))])
            elif data["combine"] == "max":
                value[node] = max(terms)
            else:
                assert data["combine"] == "sum"
                value[node] = data.get("bias", 0.0) + math.fsum(terms)
        activation = graph.nodes[nodes[0]].get("activation", "")
        if activation == "Relu":
            value |= {n: max(value[n], 0.0) for n in nodes}
        elif activation == "Softmax(axis=0)":
            total = math.fsum(math.exp(value[n]) for n in nodes)
            value |= {n: math.exp(value[n]) / total for n in nodes}
        else:
            assert activation == ""
    return value


@pytest.mark.slow
def test_networkx_reads_exactly_what_info_announces(graph: nx.DiGraph, capsys: pytest.CaptureFixture[str]) -> None:
    assert type(graph) is nx.DiGraph
    assert cli.main(["info", str(FIXTURES / "digits.onnx")]) == 0
    *_, total = capsys.readouterr().out.splitlines()
    assert f"{graph.number_of_nodes():,}" in total
    assert f"{graph.number_of_edges():,}" in total
    assert nx.is_directed_acyclic_graph(graph)


@pytest.mark.slow
def test_ten_digits_from_the_networkx_graph_alone(graph: nx.DiGraph, digits: Any) -> None:
    session = ort.InferenceSession(FIXTURES / "digits.onnx", providers=["CPUExecutionProvider"])
    (name,) = (i.name for i in session.get_inputs())
    outputs = [n for n, data in graph.nodes(data=True) if data["layer"] == "digit"]
    for image, label in zip(digits["x"], digits["y"], strict=True):
        value = evaluate(graph, image)
        got = np.array([value[n] for n in outputs])
        expected = session.run(None, {name: image[None]})[0][0]
        np.testing.assert_allclose(got, expected, atol=1e-5)
        assert got.argmax() == expected.argmax() == label


@pytest.mark.slow
def test_a_wrong_edge_changes_the_answer(graph: nx.DiGraph, digits: Any) -> None:
    """The control of the test above: it notices a single edge."""
    before = evaluate(graph, digits["x"][3])
    target = next(n for n, data in graph.nodes(data=True) if data["layer"] == "digit")
    source = max(graph.predecessors(target), key=before.__getitem__)
    damaged = graph.copy()
    damaged.edges[source, target]["weight"] += 0.01
    after = evaluate(damaged, digits["x"][3])
    assert {n for n in graph if before[n] != after[n]} == {n for n in graph if graph.nodes[n]["layer"] == "digit"}


def test_the_held_out_digits_are_recognised() -> None:
    """The fixture is a trained network: at least 48 of the 50 further digits."""
    digits = np.load(FIXTURES / "digits.npz")
    session = ort.InferenceSession(FIXTURES / "digits.onnx", providers=["CPUExecutionProvider"])
    (name,) = (i.name for i in session.get_inputs())
    right = sum(
        session.run(None, {name: x[None]})[0].argmax() == y
        for x, y in zip(digits["more_x"], digits["more_y"], strict=True)
    )
    assert right >= 48


@pytest.mark.parametrize("detail", ["op", "layer", "neuron"])
@pytest.mark.parametrize("name", ["digits.onnx", "residual.onnx"])
def test_every_level_of_detail_verifies(name: str, detail: str) -> None:
    graph = o2g.load(FIXTURES / name, detail=detail)
    for seed in range(3):
        assert o2g.verify(graph, seed=seed).passed


def test_the_readmes_table_is_what_info_prints() -> None:
    readme = (FIXTURES.parent / "README.md").read_text(encoding="utf-8")
    assert str(o2g.info(o2g.load(FIXTURES / "digits.onnx"))) in readme
