"""NaN among values of which one is chosen: as ONNX Runtime has it, or not compared where ONNX leaves it open."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from onnx2graphml.api import load, verify, verify_file, write
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.errors import UnsupportedError
from onnx2graphml.functions.selection import ArgMax, ArgMin
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.verification import against_runtime
from onnx2graphml.verification.against_runtime import network_values
from onnx2graphml.verification.unspecified import unspecified
from small import model, node, refusal, runtime

NAN = np.nan


def positions(op: str, rows: list[list[float]], last: int) -> list[int]:
    """What ONNX Runtime says."""
    proto = model([node(op, "x", "y", axis=1, select_last_index=last, keepdims=0)], {"x": [len(rows), len(rows[0])]})
    proto.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
    return list(runtime(proto, {"x": np.array(rows, np.float32)})[0])


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("op", ["ArgMax", "ArgMin"])
def test_the_greatest_of_numbers_and_nan(op: str, last: int) -> None:
    """All rows of four of these values."""
    rows = [list(row) for row in itertools.product([NAN, 0.0, 1.0, -np.inf], repeat=4)]
    function = {"ArgMax": ArgMax, "ArgMin": ArgMin}[op]
    got = function(np.array(rows), bias=np.zeros(len(rows)), select_last_index=last)
    assert got.tolist() == positions(op, rows, last)


def of_roots(*nodes: onnx.NodeProto, **constants: Any) -> NeuronGraph:
    """Of a network whose values are NaN where its input is negative."""
    return load(model([node("Sqrt", "x", "r"), *nodes], {"x": [6, 7]}, constants), detail="op")


NETWORKS = {
    "ArgMax": [node("ArgMax", "r", "a", axis=1), node("Cast", "a", "y", to=1)],
    "ArgMin along rows": [node("ArgMin", "r", "a", axis=0), node("Cast", "a", "y", to=1)],
    "Hardmax": [node("Hardmax", "r", "y", axis=1)],
    "TopK": [node("TopK", "r k", "y i")],
    "ReduceMax": [node("ReduceMax", "r", "y", axes=[1])],
    "Min": [node("Min", "r x", "y")],
    "MaxPool": [node("Unsqueeze", "r u", "p"), node("MaxPool", "p", "y", kernel_shape=[3], strides=[2])],
    "ScatterElements": [node("ScatterElements", "x j r", "y", reduction="max")],
    "GridSample": [node("Unsqueeze", "r v", "p"), node("GridSample", "p g", "y")],
    "GridSample where NaN is": [
        node("Unsqueeze", "x v", "p"),
        node("Reshape", "r shape", "at"),
        node("GridSample", "p at", "y", padding_mode="border"),
    ],
    "a cast": [node("Cast", "r", "i", to=3), node("Cast", "i", "y", to=1)],
    "QuantizeLinear": [node("QuantizeLinear", "r s", "q"), node("DequantizeLinear", "q s", "y")],
}


@pytest.mark.parametrize("name", NETWORKS)
def test_no_alarm_is_false(name: str) -> None:
    constants: dict[str, Any] = {"k": np.array([3]), "u": np.array([0]), "v": np.array([0, 1]), "s": np.float32(0.01)}
    constants["j"] = np.zeros((6, 7), np.int64)
    constants["shape"] = np.array([1, 7, 3, 2])
    constants["g"] = np.linspace(-0.9, 0.9, 40, dtype=np.float32).reshape(1, 4, 5, 2)
    graph = of_roots(*NETWORKS[name], **constants)
    assert verify(graph).passed


def test_what_has_no_nan_is_compared() -> None:
    graph = of_roots(*NETWORKS["ReduceMax"])
    layer, roots = graph.layers[-1], np.sqrt(np.arange(42.0))
    roots[3] = NAN
    assert unspecified(layer, {"r": roots}, np.zeros(6)).tolist() == [True] + [False] * 5
    assert not unspecified(graph.layers[1], {"x": roots}, roots).any()


def test_where_no_position_is_nan_a_sample_is_compared() -> None:
    graph = load(
        model([node("GridSample", "p at", "y")], {"p": [1, 1, 4, 4], "at": [1, 2, 3, 2]}, opset=16), detail="op"
    )
    picture, at = np.full(16, NAN), np.zeros((6, 2))
    at[4, 1] = NAN
    assert unspecified(graph.layers[-1], {"p": picture, "at": at.ravel()}, np.zeros(6)).tolist() == [False] * 4 + [
        True,
        False,
    ]


def wrong(graph: NeuronGraph, name: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether verification sees that a layer's last neuron comes to something else."""

    def values(*args: Any) -> dict[str, np.ndarray]:
        found = network_values(*args)
        found[name][-1] += 1
        return found

    monkeypatch.setattr(against_runtime, "network_values", values)
    return not verify(graph, inputs={"x": np.arange(-3.0, 39.0, dtype=np.float32).reshape(6, 7)}).passed


def test_a_difference_beside_nan_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wrong(of_roots(*NETWORKS["ReduceMax"]), "y", monkeypatch)


LARGE = np.float32([[3e38], [3e38], [-3e38]])


@pytest.mark.parametrize("detail", LEVELS)
def test_sums_that_overflow_in_one_order(detail: str) -> None:
    """Of x, x and -x: what ONNX Runtime makes of them is one of these, and none is a difference."""
    graph = load(model([node("MatMul", "x w", "y")], {"x": [2, 3]}, {"w": LARGE}), detail=detail)
    feeds = {"x": np.float32([[1, 1, 1], [1e-9, 1e-9, 2e-9]])}
    assert verify(graph, inputs=feeds).passed
    assert verify(graph, inputs=feeds, sample_neurons=2).passed
    values = {"x": feeds["x"].astype(float).ravel()}
    assert unspecified(graph.layers[-1], values, np.zeros(2)).tolist() == [True, False]


@pytest.mark.parametrize("detail", LEVELS)
@pytest.mark.parametrize("nodes", [
    [node("Neg", "x", "n"), node("Reciprocal", "n", "y")],
    [node("Mul", "x m", "n"), node("Pow", "n m", "y")],
    [node("Add", "x x", "n"), node("Reciprocal", "n", "y")],
])  # fmt: skip
def test_a_zero_keeps_its_sign(nodes: list[onnx.NodeProto], detail: str, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    onnx.save(model(nodes, {"x": [1, 3]}, {"m": np.float32(-1)}), path)
    graph = load(path, detail=detail)
    feeds = {"x": np.float32([[0.0, -0.0, 2.0]])}
    assert verify(graph, inputs=feeds).passed
    write(graph, tmp_path / "g.graphml")
    assert verify_file(graph, tmp_path / "g.graphml", inputs=feeds).passed


def test_a_state_of_zeros_does_not_hide_nan() -> None:
    """The weights that it is multiplied by are left out; ONNX Runtime multiplies."""
    arrays = {"w": np.ones((1, 2, 3), np.float32), "r": np.full((1, 2, 2), NAN, np.float32)}
    proto = model([node("RNN", "x w r", "y", hidden_size=2)], {"x": [1, 1, 3]}, arrays)
    assert "its weights are not all finite: NaN or infinity has no place" in refusal(proto, UnsupportedError)


def test_a_normalization_of_one_number() -> None:
    """ONNX Runtime's kernel scales before it takes the mean away, which leaves a rounding where all should cancel."""
    arrays = {"s": np.float32([-0.6]), "b": np.float32([9.1e-7])}
    nodes = [node("InstanceNormalization", "x s b", "y")]
    graph = load(model(nodes, {"x": [1, 1, 1, 1]}, arrays))
    assert verify(graph, inputs={"x": np.full((1, 1, 1, 1), 0.1, np.float32)}).passed


def test_a_layer_normalization_of_equal_numbers() -> None:
    """Found by the fuzzer: what one kernel leaves of them is not what several operators leave."""
    nodes = [node("Mul", "x zero", "z"), node("Add", "z c", "e"), node("LayerNormalization", "e s", "y", epsilon=1e-3)]
    arrays = {"zero": np.float32([1e-7]), "c": np.float32([0.70710678]), "s": np.float32([1, -0.0, 1])}
    graph = load(model(nodes, {"x": [1, 3, 3]}, arrays, opset=20))
    assert graph.model is not None
    assert graph.model.original is not None
    assert verify(graph).passed


@pytest.mark.parametrize(
    ("count", "value", "more", "scale"), [(300, 2.9, 0.02, 0.0123), (45, 5, 0, 0.123), (200, 20, 0.1, 0.123)]
)
def test_a_normalization_of_nearly_equal_numbers(count: int, value: float, more: float, scale: float) -> None:
    """Quantized, so that no change of the input shows how much the output answers to a rounding."""
    quantized = [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "d")]
    nodes = [*quantized, node("LayerNormalization", "d g", "y", axis=-1, epsilon=1e-3)]
    arrays = {"s": np.float32(scale), "z": np.uint8(3), "g": np.ones(count, np.float32)}
    x = np.full((1, count), value, np.float32)
    x[0, :3] += np.float32(more)
    report = verify(load(model(nodes, {"x": [1, count]}, arrays, opset=17)), {"x": x})
    assert report.passed
    assert any(row.layer == "original y" and row.share > 0 for row in report.rows)


def test_outputs_beside_nan_are_compared_as_others() -> None:
    """Of a composite operator, whose outputs are compared as a whole."""
    graph = of_roots(node("Unsqueeze", "r u", "p"), node("LRN", "p", "y", size=1), u=np.array([0, 1]))
    report = verify(graph)
    assert report.passed
    (row,) = (row for row in report.rows if row.layer == "original y")
    assert row.tolerance > 0


def test_the_end_of_a_functions_domain() -> None:
    """A Softmax comes to 1 in float32, and to a little less in float64, of which Acosh makes NaN."""
    one = model([node("Softmax", "x", "s"), node("Acosh", "s", "y")], {"x": [1, 3]})
    near = np.array([[30, 0, 0.75]], np.float32)
    assert np.isfinite(runtime(one, {"x": near})[0][0, 0])
    for options in ({}, {"sample_neurons": 3}):
        assert verify(load(one), {"x": near}, **options).passed
    away = load(model([node("Acosh", "x", "y")], {"x": [1, 2]}))
    values = {
        n: v.astype(np.float64).ravel() for n, v in network_values(away, {"x": np.array([[0.5, 2]], "f")}).items()
    }
    values["the_y"][0] = 0.0  # no rounding makes a value of what lies far outside
    (row,) = (against_runtime._row(layer, values, None, False) for layer in away.layers[1:])
    assert not row.passed
