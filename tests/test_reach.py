"""Receptive fields against all ancestors of a neuron in the expanded graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from onnx2graphml.api import load
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.receptive_field import receptive_field
from small import SIDE, model, node, weights

FIXTURES = Path(__file__).parents[1] / "fixtures"
F = np.float32


def expanded(graph: NeuronGraph) -> nx.DiGraph:
    """The graph, and for an activation that couples a layer's neurons what each of them reads."""
    g = nx.DiGraph()
    g.add_nodes_from(range(graph.neurons))
    g.add_edges_from((s, t) for s, t, _ in graph.weighted_edges())
    for layer in graph.layers:
        for activation in (a for a in layer.activation if a.couples):
            axes = [int(a) for a in str(dict(activation.parameters)["axis"]).split("+") if a]
            ids = np.arange(layer.first_id, layer.first_id + layer.neurons).reshape(layer.shape)
            lines = np.moveaxis(ids, axes, range(-len(axes), 0)) if axes else ids
            for every in lines.reshape(-1, int(np.prod([layer.shape[a] for a in axes]))).tolist():
                before = {s for t in every for s in g.predecessors(t)}
                g.add_edges_from((s, t) for s in before for t in every)
    return g


def by_search(graph: NeuronGraph, g: nx.DiGraph, neuron: int) -> dict[str, set[tuple[int, ...]]]:
    """The indices of the input neurons from which a path leads to a neuron, by input."""
    found: dict[str, set[tuple[int, ...]]] = {}
    for ancestor in nx.ancestors(g, neuron) | {neuron}:
        if graph.layer_of(ancestor).aggregation == "input":
            found.setdefault(graph.layer_of(ancestor).name, set()).add(graph.index_of(ancestor))
    return found


def as_sets(fields: dict[str, Any]) -> dict[str, set[tuple[int, ...]]]:
    found = {n: {tuple(map(int, i)) for i in np.argwhere(mask)} for n, mask in fields.items()}
    return {n: indices for n, indices in found.items() if indices}


CONV = {"w": weights(2, 2, 3, 3), "v": weights(2, 1, 2, 2, seed=1)}
NETWORKS: dict[str, tuple[list[Any], Any, Any]] = {
    "padded convolutions": (
        [node("Conv", "x w", "c", **SIDE), node("Conv", "c v", "y", group=2, strides=[2, 2], dilations=[2, 1])],
        {"x": [1, 2, 6, 5]},
        CONV,
    ),
    "a pool with padding": (
        [node("MaxPool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 1, 1])],
        {"x": [1, 2, 5, 4]},
        {},
    ),
    "a residual branch": (
        [node("Conv", "x w", "c", **SIDE), node("Relu", "c", "r"), node("Add", "x r", "y")],
        {"x": [1, 2, 4, 4]},
        CONV,
    ),
    "a softmax along rows": (
        [node("Relu", "x", "r"), node("Softmax", "r", "y", axis=1)],
        {"x": [1, 3, 4]},
        {},
    ),
    "routing": (
        [
            node("Transpose", "x", "t", perm=[0, 2, 1]),
            node("Slice", "t start stop axes steps", "s"),
            node("Concat", "s s", "c", axis=2),
            node("Pad", "c pads", "p"),
            node("Relu", "p", "r"),
            node("Reshape", "r to", "y"),
        ],
        {"x": [1, 4, 5]},
        {
            "start": np.array([-1]),
            "stop": np.array([-9]),
            "axes": np.array([1]),
            "steps": np.array([-2]),
            "pads": np.array([0, 1, 0, 0, 0, 1]),
            "to": np.array([1, 9, 4]),
        },
    ),
    "two inputs": (
        [node("MatMul", "a w", "p"), node("Concat", "p b", "c", axis=1), node("Mul", "c k", "y")],
        {"a": [1, 2], "b": [1, 3]},
        {"w": weights(2, 2), "k": weights(5, seed=1)},
    ),
    "an unused input": ([node("Relu", "a", "y")], {"a": [1, 2], "b": [1, 3]}, {}),
    "ports and a constant": (
        [node("Exp", "b", "e"), node("Div", "a e", "d"), node("Div", "k d", "y")],
        {"a": [2, 3], "b": [3]},
        {"k": weights(3)},
    ),
    "softmax": ([node("MatMul", "x w", "p"), node("Softmax", "p", "y")], {"x": [1, 4]}, {"w": np.eye(4, dtype=F)}),
    "a transposed convolution": (
        [node("ConvTranspose", "x w", "y", strides=[2, 2], output_padding=[1, 1])],
        {"x": [1, 2, 3, 3]},
        CONV,
    ),
    "means": (
        [node("AveragePool", "x", "a", kernel_shape=[2, 2]), node("ReduceMean", "a", "y", axes=[2])],
        {"x": [1, 2, 4, 3]},
        {},
    ),
    "a batch": ([node("MatMul", "x w", "y")], {"x": [3, 4]}, {"w": weights(4, 2)}),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_neuron(name: str, level: str) -> None:
    nodes, shapes, constants = NETWORKS[name]
    graph = load(model(nodes, shapes, constants), detail=level)
    g = expanded(graph)
    for neuron in range(graph.neurons):
        assert as_sets(receptive_field(graph, neuron)) == by_search(graph, g, neuron), graph.layer_of(neuron).name


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["digits", "residual"])
def test_neurons_of_the_fixtures(name: str, level: str) -> None:
    graph = load(FIXTURES / f"{name}.onnx", detail=level)
    g = expanded(graph)
    random = np.random.default_rng(0)
    for layer in graph.layers:
        picked = {0, layer.neurons - 1, *random.integers(0, layer.neurons, 2).tolist()}
        for position in picked:
            neuron = layer.first_id + position
            fields = receptive_field(graph, neuron)
            assert as_sets(fields) == by_search(graph, g, neuron), (layer.name, position)
            assert all(mask.shape == graph.layer(n).shape for n, mask in fields.items())
            assert all(mask.dtype == bool for mask in fields.values())


def test_the_field_of_an_input_is_itself() -> None:
    graph = load(FIXTURES / "digits.onnx")
    neuron = graph.neuron("image", (3, 5, 0))
    assert as_sets(receptive_field(graph, neuron)) == {"image": {(3, 5, 0)}}


def test_the_field_grows_with_depth() -> None:
    """Two windows of 3 with stride 1 see 5, three see 7."""
    nodes = [node("Conv", f"{i} w", o) for i, o in (("x", "a"), ("a", "b"), ("b", "y"))]
    graph = load(model(nodes, {"x": [1, 1, 9, 9]}, {"w": weights(1, 1, 3, 3)}))
    seen = [int(receptive_field(graph, x.first_id)["x"].sum()) for x in graph.layers]
    assert seen == [1, 9, 25, 49]


def test_an_input_that_is_not_reached_is_missing() -> None:
    nodes, shapes, constants = NETWORKS["an unused input"]
    graph = load(model(nodes, shapes, constants))
    assert set(receptive_field(graph, graph.neurons - 1)) == {"a"}


@pytest.mark.parametrize("neuron", [-1, 3738, 10**12])
def test_no_such_neuron(neuron: int) -> None:
    with pytest.raises(Error, match=f"neuron {neuron} is not in the graph: ids run from 0 to 3737"):
        receptive_field(load(FIXTURES / "digits.onnx"), neuron)
