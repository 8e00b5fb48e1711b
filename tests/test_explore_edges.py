"""The page's JavaScript and Python agree: edges and receptive fields of random neurons of random networks."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from browser import as_modules, run_node
from onnx2graphml.api import load
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.errors import Error
from onnx2graphml.explorer.page import packed
from onnx2graphml.explorer.runs import Explored
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.receptive_field import layer_fields
from randomnets.draw import draw_network

SCRIPT = Path(__file__).with_name("explore_agreement.mjs")
NEURONS = int(os.environ.get("EXPLORE_NEURONS", "300"))
"""How many are compared; 10,000 take some minutes."""
EACH = 10  # neurons of a network


def case(graph: NeuronGraph, neurons: list[int]) -> str:
    """A line for the script."""
    meta, pool = packed(Explored((graph,), (graph.model_name,), ()))
    arrays = [base64.b64encode(a.tobytes()).decode() for a in pool.arrays]
    return json.dumps({"meta": meta, "arrays": arrays, "neurons": neurons})


def told_by_the_page(cases: list[str], folder: Path) -> list[dict[str, Any]]:
    (folder / "cases.json").write_text("\n".join(cases))
    out = run_node(SCRIPT, as_modules(folder), folder / "cases.json")
    return [json.loads(line) for line in out.splitlines()]


def numbers(values: list[Any]) -> list[float]:
    return [float(v.replace("Infinity", "inf")) if isinstance(v, str) else v for v in values]


def same(a: Any, b: Any) -> bool:
    return bool(np.array_equal(np.asarray(a, np.float64), np.asarray(b, np.float64), equal_nan=True))


def assert_agree(graph: NeuronGraph, neuron: int, told: dict[str, Any]) -> None:
    """The edges in the same order, with the same weights and terms; the same field in every layer."""
    for edges, there in ((graph.in_edges(neuron), told["into"]), (graph.out_edges(neuron), told["out"])):
        assert edges.source.tolist() == there["source"]
        assert edges.target.tolist() == there["target"]
        assert same(edges.weight, numbers(there["weight"]))
        assert ([-1] * len(edges) if edges.term is None else edges.term.tolist()) == there["term"]
    assert list(graph.index_of(neuron)) == told["index"]
    layer = graph.layer_of(neuron)
    bias = None if layer.bias is None else np.broadcast_to(layer.bias, layer.shape)[graph.index_of(neuron)]
    assert (told["bias"] is None) == (bias is None)
    assert bias is None or same([bias], numbers([told["bias"]]))
    fields = {graph.layers[int(k)].name: np.frombuffer(base64.b64decode(m), bool) for k, m in told["field"].items()}
    expected = layer_fields(graph, neuron)  # of the inputs, and of every layer between
    assert fields.keys() == expected.keys()
    for name, field in expected.items():
        assert np.array_equal(field, fields[name])


@pytest.mark.slow
def test_random_neurons_of_random_networks(tmp_path: Path) -> None:
    cases: list[str] = []
    asked: list[tuple[NeuronGraph, int]] = []
    number = 0
    while len(asked) < NEURONS:
        random = Random(f"explore:{number}")
        number += 1
        with contextlib.suppress(Error):
            graph = load(draw_network(random).proto, detail=random.choice(LEVELS))
            neurons = [random.randrange(graph.neurons) for _ in range(EACH)] if graph.neurons else []
            cases.append(case(graph, neurons))
            asked += [(graph, neuron) for neuron in neurons]
    for (graph, neuron), told in zip(asked, told_by_the_page(cases, tmp_path), strict=True):
        assert_agree(graph, neuron, told)


def test_a_difference_is_found(tmp_path: Path) -> None:
    graph = load(Path(__file__).parents[1] / "fixtures" / "digits.onnx")
    neuron = graph.neuron("conv2", (0, 1, 5))
    (told,) = told_by_the_page([case(graph, [neuron])], tmp_path)
    assert_agree(graph, neuron, told)
    told["into"]["weight"][3] += 1e-6
    with pytest.raises(AssertionError):
        assert_agree(graph, neuron, told)
    told["into"]["weight"][3] -= 1e-6
    maxpool = str([layer.name for layer in graph.layers].index("maxpool"))
    mask = bytearray(base64.b64decode(told["field"][maxpool]))
    mask[-1] ^= 1
    told["field"][maxpool] = base64.b64encode(mask).decode()
    with pytest.raises(AssertionError):
        assert_agree(graph, neuron, told)
