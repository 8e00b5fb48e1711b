"""Graphs as ONNX models again: from models, from written files, and from graphs that were edited in NetworkX."""

from __future__ import annotations

import dataclasses
import math
import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import onnx
import pytest

import onnx2graphml as o2g
from network import one_node, run
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.cli import main
from onnx2graphml.errors import Error, OutputError, TooLargeError, UnsupportedError
from onnx2graphml.export.float64 import FORMULAS
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.neurons import parse_activations
from onnx2graphml.inference.activations import activations
from onnx2graphml.inference.inputs import resolve
from onnx2graphml.inference.runtime import outputs_of
from small import FIXTURES, model, node, random_feeds, runtime, weights

DIGITS, RESIDUAL = FIXTURES / "digits.onnx", FIXTURES / "residual.onnx"
SHARED = Path(__file__).parents[2] / "shared" / "models"
SUFFIXES = (".graphml", ".parquet", ".gephi.csv", ".neo4j.csv", ".npz")


def by_name(made: onnx.ModelProto, feeds: Mapping[str, Any]) -> dict[str, Any]:
    """What ONNX Runtime makes of the feeds that the model has inputs for."""
    onnx.checker.check_model(made)
    taken = {i.name: feeds[i.name] for i in made.graph.input}
    return dict(zip([o.name for o in made.graph.output], runtime(made, taken), strict=True))


def assert_equal(got: Any, expected: Any) -> None:
    """Equal but for the rounding of float32."""
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    largest = max(1.0, float(np.abs(expected).max(initial=0)))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=2e-6 * largest)


def assert_same_network(source: Any, graph: NeuronGraph) -> None:
    """The graph as a model computes what the file's own model does, under its names and in its shapes."""
    assert graph.model is not None
    feeds = resolve(graph, "random", seed=3)
    expected = dict(zip(graph.model.outputs, runtime(source, feeds), strict=True))
    got = by_name(graph.to_onnx(), feeds)
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        assert_equal(got[name], value)


# ---------------------------------------------------------------------------------------------------------- from models


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("path", [DIGITS, RESIDUAL], ids=lambda p: p.stem)
def test_a_graph_is_the_network_again(path: Path, level: str) -> None:
    assert_same_network(str(path), o2g.load(path, detail=level))


def shared_models() -> list[Any]:
    refused = ("dropout_training_mode_true", "maxpool_2d")
    found = [p for p in sorted(SHARED.rglob("*.onnx")) if p.stem not in refused]
    return [pytest.param(p, id=p.stem) for p in found]


@pytest.mark.slow
@pytest.mark.parametrize("path", shared_models())
def test_a_model_that_others_made_goes_there_and_back(path: Path, tmp_path: Path) -> None:
    graph = o2g.load(path)
    assert_same_network(str(path), graph)
    if graph.edges < 100_000:
        o2g.write(graph, tmp_path / "a.graphml")
        assert_same_network(str(path), o2g.load(tmp_path / "a.graphml", original=path))


def test_a_batch_of_any_size() -> None:
    given = np.load(FIXTURES / "digits.npz")["x"].astype(np.float32)
    expected = np.concatenate([runtime(str(DIGITS), {"image": x[None]})[0] for x in given])
    assert_equal(runtime(o2g.load(DIGITS).to_onnx(), {"image": given})[0], expected)


def test_batches_reach_constants_and_missing_candidates() -> None:
    """A constant layer, and rows of a table that is not full, stand once for each input of the batch."""
    nodes = [node("Concat", "x c", "a", axis=1), node("MaxPool", "a", "y", kernel_shape=[2], pads=[1, 0])]
    proto = model(nodes, {"x": [1, 1, 3]}, {"c": weights(1, 2, 3)})
    made = o2g.load(proto).to_onnx()
    given = weights(4, 1, 3, seed=5)
    expected = np.concatenate([runtime(proto, {"x": x[None]})[0] for x in given])
    assert_equal(runtime(made, {"x": given})[0], expected)


def test_what_a_part_computes() -> None:
    """Its inputs and outputs are named as the layers, and have their shapes."""
    graph = o2g.load(DIGITS)
    part = o2g.select(graph, "maxpool:dense1")
    values = activations(graph, resolve(graph, "random"))
    (name,) = [i.name for i in part.to_onnx().graph.input]
    got = by_name(part.to_onnx(), {name: values["maxpool"][None].astype(np.float32)})
    assert name == "maxpool"
    assert_equal(got["dense1"], values["dense1"][None].astype(np.float32))


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"top_k": 7}, {"min_abs_weight": 0.08}], ids=str)
def test_a_thinned_graph_computes_what_its_edges_say(options: dict[str, Any]) -> None:
    graph = o2g.select(RESIDUAL, **options)
    feeds = random_feeds(graph)
    got = by_name(graph.to_onnx(), feeds)
    for name, expected in zip(graph.outputs, run(graph, feeds), strict=True):
        np.testing.assert_allclose(next(iter(got.values())).ravel(), expected, rtol=1e-4, atol=1e-5, err_msg=name)


FUNCTION_CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "Softmax": ({"x": weights(2, 3, 4)}, {}, {"axis": 1}),
    "LogSoftmax": ({"x": weights(2, 3, 4)}, {}, {"axis": 2}),
    "Clip": ({"x": weights(1, 9)}, {"low": np.float32(-0.5), "high": np.float32(0.25)}, {}),
    "Mish": ({"x": weights(1, 9)}, {}, {}),
    "HardSwish": ({"x": 4 * weights(1, 9)}, {}, {}),
    "PRelu": ({"x": weights(1, 9)}, {"slope": weights(9, seed=1)}, {}),
    "LeakyRelu": ({"x": weights(1, 9)}, {}, {"alpha": 0.3}),
    "Div": ({"x": weights(1, 5), "z": 2 + np.abs(weights(1, 5, seed=1))}, {}, {}),
    "Pow": ({"x": np.abs(weights(1, 5)), "z": weights(1, 5, seed=1)}, {}, {}),
    "Mod": ({"x": 9 * weights(1, 5), "z": 2 + np.abs(weights(1, 5, seed=1))}, {}, {"fmod": 1}),
    "Where": ({"c": np.array([[True, False, True]]), "x": weights(1, 3), "z": weights(1, 3, seed=1)}, {}, {}),
    "Greater": ({"x": weights(1, 9), "z": weights(1, 9, seed=1)}, {}, {}),
    "Xor": ({"x": np.array([[True, False, True]]), "z": np.array([[True, True, False]])}, {}, {}),
    "Not": ({"x": np.array([[True, False, True]])}, {}, {}),
    "IsNaN": ({"x": np.array([[1, np.nan, 2]], np.float32)}, {}, {}),
    "BitwiseAnd": ({"x": np.array([[5, 12]], np.int32), "z": np.array([[6, 10]], np.int32)}, {}, {}),
    "BitShift": ({"x": np.array([[200, 3]], np.uint8), "z": np.array([[2, 9]], np.uint8)}, {}, {"direction": "LEFT"}),
    "MatMul": ({"x": weights(2, 3), "z": weights(3, 4, seed=1)}, {}, {}),
    "ArgMax": ({"x": weights(2, 5)}, {}, {"axis": 1}),
    "ArgMin": ({"x": np.array([[1, 0, 0], [2, 2, 1]], np.float32)}, {}, {"axis": 1, "select_last_index": 1}),
    "Hardmax": ({"x": np.array([[1, 3, 3], [2, 2, 1]], np.float32)}, {}, {"axis": 1}),
    "GatherElements": ({"x": weights(2, 4), "i": np.array([[3, -1], [0, 1]])}, {}, {"axis": 1}),
    "ScatterElements": (
        {"x": weights(2, 4), "i": np.array([[3, -3], [0, 0]]), "u": weights(2, 2, seed=1)}, {},
        {"axis": 1, "reduction": "add"},
    ),
    "ScatterND": ({"x": weights(3, 2), "i": np.array([[2], [0]]), "u": weights(2, 2, seed=1)}, {}, {}),
    "ReduceL1": ({"x": weights(2, 5)}, {}, {"keepdims": 0}),
    "ReduceL2": ({"x": weights(2, 5)}, {}, {"keepdims": 0}),
    "ReduceSumSquare": ({"x": weights(2, 5)}, {}, {"keepdims": 0}),
    "ReduceLogSumExp": ({"x": weights(2, 5)}, {}, {"keepdims": 0}),
    "LpPool": ({"x": weights(1, 2, 4)}, {}, {"kernel_shape": [2], "p": 3}),
    "Det": ({"x": weights(2, 3, 3)}, {}, {}),
    "GridSample": ({"x": weights(1, 2, 4, 3), "g": weights(1, 2, 2, 2, seed=1)}, {}, {"mode": "linear"}),
    "Add": ({"x": np.array([[120, 7]], np.int8), "z": np.array([[10, 1]], np.int8)}, {}, {}),
    "QuantizeLinear": ({"x": 9 * weights(1, 6)}, {"s": np.float32(0.2), "z": np.int8(3)}, {}),
    "CumSum": ({"x": weights(2, 4)}, {"axis": np.int64(1)}, {}),
}  # fmt: skip


@pytest.mark.parametrize("op", FUNCTION_CASES)
def test_functions_of_neurons(op: str) -> None:
    """One node of an operator whose neurons are functions, as ONNX Runtime has it and from its graph."""
    inputs, constants, attributes = FUNCTION_CASES[op]
    proto = one_node(op, inputs, constants, **attributes)
    proto.graph.output[0].ClearField("type")
    inferred = onnx.shape_inference.infer_shapes(proto)
    (expected,) = runtime(inferred, inputs)
    (got,) = by_name(o2g.load(inferred).to_onnx(), inputs).values()
    assert_equal(got, expected)


@pytest.mark.parametrize("op", FORMULAS)
def test_activations_in_float64(op: str) -> None:
    """ONNX Runtime has none of them: against the package's own functions, whose definitions are ONNX's."""
    x = np.linspace(-6, 6, 25).reshape(1, 25)
    parameters = "(alpha=0.7)" if op in ("LeakyRelu", "Elu", "Celu", "ThresholdedRelu") else ""
    graph = o2g.load(model([node("Neg", "x", "y")], {"x": [1, 25]}, dtype=np.float64))
    layer = dataclasses.replace(graph.layers[-1], activation=parse_activations(op + parameters))
    (got,) = by_name(dataclasses.replace(graph, layers=(graph.layers[0], layer)).to_onnx(), {"x": x}).values()
    assert got.dtype == np.float64
    (function,) = layer.activation
    weight = graph.layers[-1].incoming[0].block.weights[0]
    np.testing.assert_allclose(got, function(x * float(weight)), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("mode", ["linear", "circular"])
def test_a_cache_that_is_written_into(mode: str) -> None:
    """ONNX Runtime has no TensorScatter here: the graph's own recomputation says what comes of it."""
    feeds = {"x": weights(1, 2, 4, 3), "u": weights(1, 2, 2, 3, seed=1), "w": np.array([1 if mode == "linear" else 3])}
    proto = one_node("TensorScatter", feeds, opset=24, mode=mode)
    graph = o2g.load(proto)
    (got,) = by_name(graph.to_onnx(), feeds).values()
    np.testing.assert_allclose(got.ravel(), run(graph, feeds)[0], rtol=1e-6)


def test_top_k_has_values_and_positions() -> None:
    proto = one_node("TopK", {"x": weights(2, 5)}, {"k": np.array([3])}, ("y", "i"))
    proto.graph.output[1].type.tensor_type.elem_type = onnx.TensorProto.INT64
    feeds = {"x": np.array([[1, 3, 3, 2, 0], [5, 4, 3, 2, 1]], np.float32)}
    got = by_name(o2g.load(proto).to_onnx(), feeds)
    for value, expected in zip(got.values(), runtime(proto, feeds), strict=True):
        assert_equal(value, expected)


def test_coupling_over_several_axes() -> None:
    softmax = parse_activations("Softmax(axis=0+1)")
    graph = o2g.load(model([node("Relu", "x", "y")], {"x": [1, 2, 3]}))
    layer = dataclasses.replace(graph.layers[-1], activation=softmax)
    changed = dataclasses.replace(graph, layers=(graph.layers[0], layer))
    x = weights(1, 2, 3)
    (got,) = by_name(changed.to_onnx(), {"x": x}).values()
    np.testing.assert_allclose(got, np.exp(x) / np.exp(x).sum(), rtol=1e-5)


def test_a_softmax_of_which_a_part_is_read() -> None:
    nodes = [node("Softmax", "x", "s", axis=2), node("Slice", "s from to axes", "y")]
    proto = model(nodes, {"x": [1, 3, 4]}, {"from": np.array([1]), "to": np.array([2]), "axes": np.array([1])})
    for level in LEVELS:
        assert_same_network(proto, o2g.load(proto, detail=level))
    scalar = model([node("Softmax", "x", "s", axis=0), node("Slice", "s from to", "y")], {"x": [3]},
                   {"from": np.array([1]), "to": np.array([3])}, opset=11)  # fmt: skip
    assert_same_network(scalar, o2g.load(scalar))


# ----------------------------------------------------------------------------------------------------------- from files


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_written_graph_is_the_network_again(suffix: str, tmp_path: Path) -> None:
    graph = o2g.load(DIGITS)
    o2g.write(graph, tmp_path / f"a{suffix}")
    again = o2g.load(tmp_path / f"a{suffix}", original=DIGITS)
    assert (again.neurons, again.edges, again.outputs) == (graph.neurons, graph.edges, graph.outputs)
    assert_same_network(str(DIGITS), again)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [s for s in SUFFIXES if s != ".npz"])
def test_nodes_and_edges_alone_make_the_network(suffix: str, tmp_path: Path) -> None:
    """Without the model: named as the layers, in their shapes."""
    o2g.write(DIGITS, tmp_path / f"a{suffix}")
    feeds = random_feeds(o2g.load(DIGITS))
    got = by_name(o2g.to_onnx(tmp_path / f"a{suffix}"), feeds)
    assert_equal(got["digit"], runtime(str(DIGITS), feeds)[0])


def test_outputs_that_are_read_come_back(tmp_path: Path) -> None:
    """A file says which layers are outputs where these are not just those that none reads."""
    proto = model([node("Relu", "x", "h"), node("Neg", "h", "y")], {"x": [1, 3]}, outputs=("h", "y"))
    o2g.write(o2g.load(proto), tmp_path / "a.graphml")
    assert o2g.load(tmp_path / "a.graphml").outputs == ("the_h", "the_y")
    assert o2g.load(o2g.load(proto).to_networkx()).outputs == ("the_h", "the_y")


@pytest.mark.slow
def test_the_file_is_whole_or_not_there(tmp_path: Path) -> None:
    made = o2g.to_onnx(DIGITS, tmp_path / "a.onnx")
    assert onnx.load(tmp_path / "a.onnx") == made
    with pytest.raises(TooLargeError):
        o2g.to_onnx(o2g.select(RESIDUAL, sample=20_000), tmp_path / "b.onnx", max_edges=100)
    assert [p.name for p in tmp_path.iterdir()] == ["a.onnx"]


# --------------------------------------------------------------------------------------------------- edited in NetworkX


def recomputed(g: nx.DiGraph, given: Mapping[Any, float]) -> dict[Any, float]:
    """Every node's value, one after the other in plain Python; a softmax at the end."""
    value: dict[Any, float] = {}
    coupled: dict[str, list[Any]] = {}
    for n in nx.topological_sort(g):
        own = g.nodes[n]
        terms = [data["weight"] * value[u] for u, _, data in g.in_edges(n, data=True)]
        if own["combine"] == "input":
            value[n] = given[n]
            continue
        total = max(terms) if own["combine"] == "max" else own.get("bias", 0.0) + math.fsum(terms)
        for function in own.get("activation", "").split("|"):
            total = max(total, 0.0) if function == "Relu" else total
            if function.startswith("Softmax"):
                coupled.setdefault(own["layer"], []).append(n)
        value[n] = total
    for nodes in coupled.values():
        most = max(value[n] for n in nodes)
        size = math.fsum(math.exp(value[n] - most) for n in nodes)
        value |= {n: math.exp(value[n] - most) / size for n in nodes}
    return value


def edited(g: nx.DiGraph, seed: int, spared: set[Any]) -> nx.DiGraph:
    """100 edges and 3 neurons less, none of which leaves a maximum without a candidate; and 5 weights changed."""
    chance = random.Random(seed)
    for u, v in chance.sample(sorted(g.edges), len(g.edges)):
        if g.graph["gone"] == 100:
            break
        if g.nodes[v]["combine"] != "max" or g.in_degree(v) > 1:
            g.remove_edge(u, v)
            g.graph["gone"] += 1
    hidden = [n for n in sorted(g) if g.nodes[n]["layer"] in ("conv1", "conv2", "dense1") and n not in spared]
    g.remove_nodes_from(chance.sample(hidden, 3))
    for u, v in chance.sample(sorted(g.edges), 5):
        g.edges[u, v]["weight"] *= 2
    return g


@pytest.mark.slow
def test_digits_edited_in_networkx_and_saved_again(tmp_path: Path) -> None:
    """Read and written by NetworkX; equal to a recomputation that knows nothing of this package."""
    o2g.write(DIGITS, tmp_path / "digits.graphml")
    g = nx.read_graphml(tmp_path / "digits.graphml")
    g.graph["gone"] = 0
    before = g.number_of_nodes(), g.number_of_edges()
    edited(g, 0, set())
    assert g.graph.pop("gone") == 100
    assert before[0] - g.number_of_nodes() == 3
    assert before[1] - g.number_of_edges() > 100
    nx.write_graphml(g, tmp_path / "edited.graphml")
    made = o2g.to_onnx(tmp_path / "edited.graphml", tmp_path / "edited.onnx")
    x = np.load(FIXTURES / "digits.npz")["x"].astype(np.float32)[:2]
    got = runtime(str(tmp_path / "edited.onnx"), {"image": x})[0]
    assert [o.name for o in made.graph.output] == ["digit"]
    for picture, row in zip(x, got, strict=True):
        value = recomputed(g, {f"n{k}": float(p) for k, p in enumerate(picture.ravel())})
        expected = [value[n] for n in g if g.nodes[n]["layer"] == "digit"]
        np.testing.assert_allclose(row, expected, rtol=1e-4, atol=1e-6)
    assert np.abs(got - runtime(o2g.load(DIGITS).to_onnx(), {"image": x})[0]).max() > 1e-6


@pytest.mark.slow
def test_the_last_neurons_of_inputs_and_outputs_may_go() -> None:
    """With the original, shapes are known: the pixel is not looked at, and the class has no share."""
    graph = o2g.load(DIGITS)
    g = graph.to_networkx()
    g.remove_nodes_from([63, 3737])
    feeds = random_feeds(graph)
    (got,) = by_name(o2g.load(g, original=DIGITS).to_onnx(), feeds).values()
    value = recomputed(g, dict(enumerate(feeds["image"].ravel().astype(float).tolist())))
    np.testing.assert_allclose(got[0], [value.get(3728 + k, 0.0) for k in range(10)], rtol=1e-4, atol=1e-6)
    assert got[0, 9] == 0


def small() -> nx.DiGraph:
    """Two inputs, two hidden sums with Relu, a maximum and an output of two neurons."""
    g = nx.DiGraph()
    for k in range(2):
        g.add_node(f"x{k}", layer="x", index=str(k), combine="input")
        g.add_node(f"h{k}", layer="h", index=str(k), combine="sum", bias=0.5 * k, activation="Relu")
        g.add_node(f"y{k}", layer="y", index=str(k), combine="sum", bias=0.25)
    g.add_node("m", layer="m", index="0", combine="max")
    g.add_weighted_edges_from(
        [("x0", "h0", 1.0), ("x1", "h0", -2.0), ("x0", "h1", 0.5), ("h0", "m", 1), ("h1", "m", 1)]
    )
    g.add_weighted_edges_from([("m", "y0", 3.0), ("h1", "y1", -1.0), ("m", "y1", 0.125)])
    return g


EDITS: dict[str, Callable[[nx.DiGraph], Any]] = {
    "nothing": lambda g: None,
    "an edge over layers": lambda g: g.add_edge("x0", "y1", weight=4.0),
    "an edge within a layer": lambda g: g.add_edge("y0", "y1", weight=-1.5),
    "another activation for one neuron": lambda g: g.nodes["h1"].pop("activation"),
    "another combination for one neuron": lambda g: g.nodes["y0"].update(combine="max"),
    "an output less": lambda g: g.remove_node("y0"),
    "a hidden neuron less": lambda g: g.remove_node("h0"),
    "an input less": lambda g: g.remove_node("x0"),
    "a candidate less": lambda g: g.remove_edge("h0", "m"),
    "a neuron without edges": lambda g: g.remove_edges_from(list(g.in_edges("h0"))),
    "a softmax, and one neuron less": lambda g: (
        [g.nodes[f"y{k}"].update(activation="Softmax(axis=0)") for k in range(2)], g.remove_node("y0")
    ),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_any_edit_computes_what_the_graph_says(edit: str) -> None:
    g = small()
    EDITS[edit](g)
    made = o2g.to_onnx(g)
    for seed in range(4):
        x = weights(1, 2, seed=seed)
        value = recomputed(g, {f"x{k}": float(x[0, k]) for k in range(2)})
        (got,) = by_name(made, {"x": x}).values()
        np.testing.assert_allclose(got[0], [value.get(f"y{k}", 0.0) for k in range(2)][: got.shape[1]], atol=1e-6)


def test_a_multigraph_keeps_ports() -> None:
    """Div of a tensor with itself has two edges between the same two neurons."""
    graph = o2g.load(model([node("Sub", "x c", "h"), node("Div", "h h", "y")], {"x": [1, 3]}, {"c": weights(3)}))
    g = graph.to_networkx()
    assert g.is_multigraph()
    (got,) = by_name(o2g.to_onnx(g), {"x": weights(1, 3, seed=1)}).values()
    np.testing.assert_allclose(got, 1.0)


# ------------------------------------------------------------------------------------------------------------- refusals


def wrong(edit: Callable[[nx.DiGraph], Any]) -> nx.DiGraph:
    g = small()
    edit(g)
    return g


REFUSED: dict[str, tuple[Callable[[nx.DiGraph], Any], str]] = {
    "cycle": (lambda g: g.add_edge("y0", "h0", weight=1.0), r"cycle: node '\w+' -> .*; remove one of its edges"),
    "loop": (lambda g: g.add_edge("m", "m", weight=1.0), r"cycle: node 'm' -> node 'm'"),
    "no candidate": (
        lambda g: g.remove_edges_from([("h0", "m"), ("h1", "m")]), r"layer 'm': neuron n4 \(index 0\) takes a maximum"
    ),
    "no combine": (lambda g: g.nodes["h0"].pop("combine"), "node 'h0' has no 'combine'; expected layer, index"),
    "no index": (lambda g: g.nodes["h0"].pop("index"), "node 'h0' has no 'index'"),
    "no layer": (lambda g: g.nodes["h0"].pop("layer"), "node 'h0' has no 'layer'"),
    "no attributes": (lambda g: g.add_node("new"), "node 'new' has no 'layer'"),
    "no weight": (lambda g: g.edges["m", "y0"].pop("weight"), "edge 'm' -> 'y0' has no 'weight'"),
    "weight": (lambda g: g.edges["m", "y0"].update(weight=math.inf), "weight is inf; expected a finite number"),
    "weight as text": (lambda g: g.edges["m", "y0"].update(weight="3"), "weight is '3'; expected a finite number"),
    "port": (lambda g: g.edges["m", "y0"].update(port=0.5), "port is 0.5; expected an integer of 0 or more"),
    "bias": (lambda g: g.nodes["h0"].update(bias="big"), "node 'h0': bias is 'big'; expected a number"),
    "index": (lambda g: g.nodes["h0"].update(index="a"), "index is 'a'; expected integers"),
    "ranks": (lambda g: g.nodes["h0"].update(index="0,0"), "indices of layer 'h' have"),
    "twice": (lambda g: g.nodes["h0"].update(index="1"), r"index \(1,\) is there twice in layer 'h'"),
    "text": (lambda g: g.nodes["h0"].update(activation=3), "expected text"),
    "function": (lambda g: g.nodes["h0"].update(activation="Reluu"), "layer 'h': function 'Reluu' is not known"),
    "combine": (lambda g: g.nodes["h0"].update(combine="mean"), "layer 'h': function 'mean' is not known"),
    "into an input": (lambda g: g.add_edge("x1", "x0", weight=1.0), "node 'x0' has combine 'input' and an edge into"),
    "constant": (lambda g: (g.remove_edges_from(list(g.in_edges("h0"))), g.nodes["h0"].update(combine="constant"),
                            g.nodes["h0"].pop("bias")), "1 of its neurons are constant and have no bias"),
    "coupled": (lambda g: g.nodes["y0"].update(activation="Softmax(axis=0)"), "neurons are coupled by Softmax, and"),
    "gone and coupled": (lambda g: ([g.nodes[f"y{k}"].update(activation="Relu|Softmax(axis=0)") for k in range(2)],
                                    g.remove_node("y0")), "gone that Softmax couples behind another function"),
    "no output": (lambda g: g.remove_nodes_from(["y0", "y1", "m", "h0", "h1"]), "the graph has no output"),
    "no such output": (lambda g: g.graph.update(outputs='["z"]'), "output 'z' has no neuron left"),
    "outputs": (lambda g: g.graph.update(outputs="z"), "outputs is 'z'; expected a list of layers' names"),
    "port missing": (lambda g: g.nodes["m"].update(combine="Div"), "computes Div and has an edge without a port"),
    "value missing": (lambda g: (g.nodes["m"].update(combine="Div"), g.remove_edge("h1", "m"),
                                 g.edges["h0", "m"].update(port=0)), "computes Div and has no edge with port 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_graph_that_is_no_network_is_refused_in_one_line(case: str) -> None:
    edit, message = REFUSED[case]
    with pytest.raises(Error, match=message) as caught:
        o2g.to_onnx(wrong(edit))
    assert "\n" not in str(caught.value)


def test_an_undirected_graph_is_refused() -> None:
    with pytest.raises(Error, match="undirected; expected a DiGraph"):
        o2g.to_onnx(small().to_undirected())


def test_an_edge_to_nowhere_is_refused(tmp_path: Path) -> None:
    o2g.write(o2g.load(model([node("Relu", "x", "y")], {"x": [1, 2]})), tmp_path / "a.graphml")
    text = (tmp_path / "a.graphml").read_text()
    (tmp_path / "a.graphml").write_text(text.replace('target="n3"', 'target="n9"'))
    with pytest.raises(Error, match="an edge ends at n9, which is no node of the graph"):
        o2g.load(tmp_path / "a.graphml")


def test_a_node_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    o2g.write(o2g.load(model([node("Relu", "x", "y")], {"x": [1, 2]})), tmp_path / "a.graphml")
    text = (tmp_path / "a.graphml").read_text()
    (tmp_path / "a.graphml").write_text(text.replace('<node id="n3"', '<node id="n2"'))
    with pytest.raises(Error, match="node n2 is there 2 times"):
        o2g.load(tmp_path / "a.graphml")


def test_what_needs_its_model_says_so(tmp_path: Path) -> None:
    o2g.write(DIGITS, tmp_path / "a.npz")
    with pytest.raises(Error, match="it has no attributes of nodes; give the model that it was made from as original"):
        o2g.load(tmp_path / "a.npz")
    with pytest.raises(Error, match=r"it has 3738 nodes; the model's graph has \d+, at detail 'layer'"):
        o2g.load(tmp_path / "a.npz", original=RESIDUAL)
    with pytest.raises(Error, match="original is for a written graph"):
        o2g.load(DIGITS, original=DIGITS)


@pytest.mark.slow
def test_what_can_t_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from onnx2graphml.export import choices
    from onnx2graphml.export import model as export

    with pytest.raises(OutputError, match=r"must end in \.onnx"):
        o2g.to_onnx(DIGITS, tmp_path / "a.graphml")
    with pytest.raises(TooLargeError, match="edges that have to be written one by one, about 0 MB; at most 100"):
        o2g.select(RESIDUAL, sample=20_000).to_onnx(max_edges=100)
    monkeypatch.setattr(export, "MOST_BYTES", 100)
    with pytest.raises(TooLargeError, match="holds less than 2"):
        o2g.to_onnx(DIGITS, tmp_path / "a.onnx")
    monkeypatch.undo()
    monkeypatch.setattr(choices, "CHOICES", {})
    with pytest.raises(UnsupportedError, match="ArgMax of candidates can't be written as ONNX"):
        o2g.to_onnx(one_node("ArgMax", {"x": weights(2, 5)}))
    graph = o2g.load(model([node("Relu", "x", "y")], {"x": [1, 3]}))
    odd = dataclasses.replace(graph.layers[-1], activation=parse_activations("BitCast(of=float32,to=int32)"))
    with pytest.raises(UnsupportedError, match="BitCast can't be written as ONNX: opset 20 does not have it"):
        dataclasses.replace(graph, layers=(graph.layers[0], odd)).to_onnx()


# -------------------------------------------------------------------------------------------------------- command line


def test_the_command_writes_a_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.onnx"
    assert main([str(DIGITS), str(tmp_path / "a.graphml")]) == 0
    assert main([str(tmp_path / "a.graphml"), str(out), "--original", str(DIGITS), "--layers", "image:maxpool"]) == 0
    assert "1,408 neurons" not in capsys.readouterr().out
    assert [o.name for o in onnx.load(out).graph.output] == ["maxpool"]
    before = out.read_bytes()
    capsys.readouterr()
    assert main([str(DIGITS), str(out), "--dry-run"]) == 0
    assert re.fullmatch(r"3,738 neurons, 25,816 edges: about 3\d\.\d kB, \d+ s\n", capsys.readouterr().out)
    assert main([str(out), str(out)]) == 2
    assert "it is" in capsys.readouterr().err
    assert main([str(DIGITS), str(out), "--labels"]) == 2
    assert "labels are for GraphML; leave them out" in capsys.readouterr().err
    assert out.read_bytes() == before


def test_a_graphml_file_of_somebody_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Made by NetworkX from nothing: no operators, no ids of ours, nothing told of the graph."""
    nx.write_graphml(small(), tmp_path / "a.graphml")
    x = weights(1, 2)
    value = recomputed(small(), {f"x{k}": float(x[0, k]) for k in range(2)})
    (got,) = by_name(o2g.to_onnx(tmp_path / "a.graphml"), {"x": x}).values()
    np.testing.assert_allclose(got[0], [value["y0"], value["y1"]], atol=1e-6)
    broken = small()
    del broken.nodes["h0"]["combine"]
    nx.write_graphml(broken, tmp_path / "a.graphml")
    assert main([str(tmp_path / "a.graphml"), str(tmp_path / "a.onnx")]) == 2
    assert "a node has no 'combine'" in capsys.readouterr().err


def test_a_model_that_does_not_run_is_refused_in_one_line() -> None:
    broken = o2g.load(DIGITS).to_onnx()
    broken.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(o2g.ModelError, match=r"^ONNX Runtime can't run this model: .*NoSuchOperator"):
        outputs_of(broken, [{}])
