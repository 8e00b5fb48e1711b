"""Composite operators in graphs: their parts' layers, and what `verify` says of the model that they came from."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from onnx2graphml.api import load, verify
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.verification.unspecified import tossed
from small import levels, model, node, weights


def recurrent(op: str, gates: int, layer: str = "") -> onnx.ModelProto:
    """Three steps of three inputs, four neurons, and a linear layer of two after the last step."""
    made = node(op, "x W R B", "_ h", hidden_size=4, name="node_1")
    if layer:
        made.metadata_props.add(key="onnx2graphml.layer", value=layer)
    constants = {"W": weights(1, gates * 4, 3), "R": weights(1, gates * 4, 4), "B": weights(1, 2 * gates * 4)}
    nodes = [made, node("Reshape", "h flat", "z"), node("Gemm", "z V", "y")]
    return model(nodes, {"x": [3, 1, 3]}, constants | {"V": weights(4, 2), "flat": np.array([1, 4])})


@pytest.mark.slow
@pytest.mark.parametrize(("op", "gates"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_a_recurrent_layer_verifies_at_every_level(op: str, gates: int) -> None:
    proto = recurrent(op, gates)
    shapes = {"x": [3, 1, 3]}
    constants = {t.name: numpy_helper.to_array(t) for t in proto.graph.initializer}
    graphs = levels(list(proto.graph.node), shapes, constants)
    for graph in graphs.values():
        assert verify(graph).rows[-1].layer == "original y"


def test_an_rnn_has_an_edge_for_every_weight_of_every_step() -> None:
    """The first step begins with zeros, which have none."""
    graph = load(recurrent("RNN", 1, "rnn"))
    assert [x.name for x in graph.layers] == ["x", "rnn/t0/hidden", "rnn/t1/hidden", "rnn", "the_z", "the_y"]
    assert graph.edges == 3 * (4 * 3) + 2 * (4 * 4) + 4 + 4 * 2


def test_the_parts_of_an_lstm_have_its_name() -> None:
    names = [x.name for x in load(recurrent("LSTM", 4, "encoder/lstm")).layers]
    for part in ("input_gate", "forget_gate", "output_gate", "candidate", "cell", "hidden"):
        assert f"encoder/lstm/t1/{part}" in names
    assert "encoder/lstm" in names


def test_without_a_layer_the_parts_have_the_name_of_the_node() -> None:
    assert "1/t1/cell" in [x.name for x in load(recurrent("LSTM", 4)).layers]


def with_original(graph: NeuronGraph, original: onnx.ModelProto | None) -> NeuronGraph:
    assert graph.model is not None
    return dataclasses.replace(graph, model=dataclasses.replace(graph.model, original=original))


def test_an_original_that_computes_something_else_is_found() -> None:
    graph = load(recurrent("GRU", 3))
    other = recurrent("GRU", 3)
    other.graph.initializer[0].CopyFrom(numpy_helper.from_array(weights(1, 12, 3, seed=1), "W"))
    report = verify(with_original(graph, other))
    assert [r.layer for r in report.rows if not r.passed] == ["original y"]
    assert not report.passed


def test_an_original_that_is_off_by_a_thousandth_is_found() -> None:
    graph = load(recurrent("GRU", 3))
    other = recurrent("GRU", 3)
    other.graph.initializer[0].CopyFrom(numpy_helper.from_array(weights(1, 12, 3) * np.float32(1.001), "W"))
    assert not verify(with_original(graph, other)).passed


def test_an_original_that_onnx_runtime_cannot_run_is_not_checked() -> None:
    """It has no kernel for layout 1; the parts are checked all the same."""
    proto = recurrent("RNN", 1)
    proto.graph.node[0].attribute.append(onnx.helper.make_attribute("layout", 1))
    proto.graph.node[1].input[0] = "h"
    for info in proto.graph.input:
        info.type.tensor_type.shape.dim[0].dim_value = 1
        info.type.tensor_type.shape.dim[1].dim_value = 3
    report = verify(load(proto))
    assert report.passed
    assert report.unchecked[0].startswith(
        "the model before its composite operators were replaced: ONNX Runtime can't run"
    )


def test_a_model_without_composite_operators_has_no_such_row() -> None:
    rows: Any = verify(load(model([node("Relu", "x", "y")], {"x": [1, 4]}))).rows
    assert [r.layer for r in rows] == ["the_y"]


def test_an_output_of_a_loop_that_is_left_out() -> None:
    """ONNX Runtime crashes there."""
    info = onnx.helper.make_tensor_value_info
    kinds = [info("i", 7, []), info("go", 9, []), info("v", 1, [1, 4])]
    body = onnx.helper.make_graph(
        [node("Tanh", "v", "u"), node("Neg", "u", "c"), node("Identity", "go", "on")],
        "body",
        kinds,
        [info("on", 9, []), info("u", 1, [1, 4]), info("c", 1, [1, 4])],
    )
    report = verify(load(model([node("Loop", "n _ x", "_ y", body=body)], {"x": [1, 4]}, {"n": np.int64(3)})))
    assert report.passed
    assert report.rows[-1].layer == "original y"


def test_a_recurrent_layer_of_tiny_values() -> None:
    """ONNX Runtime's own computes Tanh through values around 1: it is off by their rounding, not by the result's."""
    constants = {"w": 1e-6 * weights(1, 2, 15), "r": np.float32([[[1, 0], [0, -0.2]]])}
    graph = load(model([node("RNN", "x w r", "y", hidden_size=2)], {"x": [1, 1, 15]}, constants))
    assert verify(graph).passed


# ---------------------------------------------------------------------------------------------- choices of equal values


def choosing(op: str, size: int = 4, **attributes: Any) -> NeuronGraph:
    kind = np.int64 if op.startswith("Arg") else np.float32
    outputs = "y i" if op == "TopK" else "y"
    arrays = {"k": np.array([2])} if op == "TopK" else {}
    proto = model([node(op, "x k" if arrays else "x", outputs, axis=1, **attributes)], {"x": [1, size]}, arrays)
    proto.graph.output[0].type.tensor_type.elem_type = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    return load(proto)


@pytest.mark.parametrize(
    ("op", "values", "is_tossed"),
    [
        ("Hardmax", [1, 1 + 1e-8, 0, 0.5], True),
        ("Hardmax", [1, 0.9, 0.2, 0.2], False),
        ("Hardmax", [0, 0, -1, -1], False),
        ("ArgMax", [3, 3, 1, 1], True),
        ("ArgMax", [3, 2, 1, 1], False),
        ("ArgMin", [3, 2, 1, 1], True),
        ("ArgMin", [3, 3, 2, 1], False),
        ("TopK", [3, 3, 2, 1], True),
        ("TopK", [3, 2.5, 2, 1], False),
    ],
)
def test_choices_that_rounding_decides(op: str, values: list[float], is_tossed: bool) -> None:
    graph = choosing(op)
    read = {layer.name: np.zeros(layer.neurons) for layer in graph.layers} | {"x": np.array(values)}
    assert (tossed(graph, read, 1e-7) is not None) == is_tossed


@pytest.mark.parametrize("tie", [True, False])
def test_a_choice_between_equal_values_is_not_compared(tie: bool) -> None:
    """Found by the fuzzer: another kernel rounds otherwise, and another value is the greatest."""
    nodes = [node("LayerNormalization", "x s", "n"), node("Hardmax", "n", "y")]
    graph = load(model(nodes, {"x": [1, 3]}, {"s": np.ones(3, np.float32)}))
    assert graph.model is not None
    assert graph.model.original is not None
    other = onnx.ModelProto()
    other.CopyFrom(graph.model.original)
    y = other.graph.node[-1].output[0]
    other.graph.node[-1].output[0] = "chosen"  # then the first two change places
    other.graph.node.append(helper.make_node("Constant", [], ["order"], value_ints=[1, 0, 2]))
    other.graph.node.append(helper.make_node("Gather", ["chosen", "order"], [y], axis=1))
    x = np.float32([[2, 2, 0]] if tie else [[2, 1, 0]])
    report = verify(with_original(graph, other), inputs={"x": x})
    assert report.passed == tie
    told = [u for u in report.unchecked if "chooses between values that are equal but for rounding" in u]
    assert len(told) == tie
