"""What has no exact graph is refused: other types than floats, numbers that are none, random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from onnx2graphml.api import load
from onnx2graphml.errors import UnsupportedError
from small import model, node, refusal, weights


def relu(shape: Any = (1, 4), **kwargs: Any) -> onnx.ModelProto:
    return model([node("Relu", "x", "y")], {"x": shape}, **kwargs)


# ---------------------------------------------------------------------------------------------------- what has no edges


def assert_names(message: str, name: str, op: str, opset: int) -> None:
    """Name, operator and opset of the node."""
    assert f"'{name}'" in message
    assert op in message
    assert f"opset {opset}" in message


def branch(name: str, op: str, *inputs: str) -> onnx.GraphProto:
    made = helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4])
    return helper.make_graph([helper.make_node(op, list(inputs), [name])], name, [], [made])


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, np.bool_])
def test_inputs_that_are_no_floats(dtype: Any) -> None:
    proto = model([node("Cast", "i", "f", to=TensorProto.FLOAT), node("Relu", "f", "y")], {"i": [1, 4]}, dtype=dtype)
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    message = refusal(proto, UnsupportedError)
    assert "'i'" in message
    assert np.dtype(dtype).name in message


def test_bfloat16_is_refused() -> None:
    proto = relu()
    for info in (proto.graph.input[0], proto.graph.output[0]):
        info.type.tensor_type.elem_type = TensorProto.BFLOAT16
    assert "bfloat16" in refusal(proto, UnsupportedError)


def test_integers_on_the_way_to_the_output_are_refused() -> None:
    nodes = [
        node("ArgMax", "x", "best", axis=1, name="the_best"),
        node("Cast", "best", "y", to=TensorProto.FLOAT),
    ]
    assert_names(refusal(model(nodes, {"x": [1, 4]}), UnsupportedError), "the_best", "ArgMax", 17)


NAN, INF = np.float32("nan"), np.float32("inf")
SPOILT: dict[str, Callable[[np.float32], tuple[list[onnx.NodeProto], Any]]] = {
    "weight": lambda v: ([node("MatMul", "x w", "y")], np.float32([[1], [v], [0], [2]])),
    "bias": lambda v: ([node("Add", "x w", "y")], np.float32([1, v, 0, 2])),
    "factor": lambda v: ([node("Mul", "x w", "y")], np.float32([1, v, 0, 2])),
    "base": lambda v: ([node("Pow", "w x", "y")], np.float32([1, v, 0, 2])),
    "part": lambda v: ([node("Concat", "x w", "y", axis=1)], np.float32([[1, v]])),
    "output": lambda v: ([node("Relu", "x", "unread"), node("Identity", "w", "y")], np.float32([[1, v]])),
}


@pytest.mark.parametrize("value", [NAN, INF, -INF], ids=str)
@pytest.mark.parametrize("place", SPOILT)
def test_weights_that_are_not_finite(place: str, value: np.float32) -> None:
    nodes, w = SPOILT[place](value)
    assert "finite" in refusal(model(nodes, {"x": [1, 4]}, {"w": w}), UnsupportedError)


@pytest.mark.parametrize(
    "nodes",
    [
        [node("PRelu", "x w", "y")],
        [node("Pow", "x w", "y")],
        [node("Clip", "x w", "y")],
        [node("LeakyRelu", "x", "y", alpha=float("nan"))],
        [node("Pad", "x size w", "y")],
    ],
    ids=lambda nodes: nodes[0].op_type,
)
def test_parameters_that_are_not_a_number(nodes: list[onnx.NodeProto]) -> None:
    constants = {"w": NAN, "size": np.array([0, 1, 0, 1])}
    refusal(model(nodes, {"x": [1, 4]}, constants), UnsupportedError)


@pytest.mark.parametrize(
    "nodes",
    [
        [node("RandomNormal", "", "r", shape=[1, 4], name="dice"), node("Add", "x r", "y")],
        [node("RandomUniform", "", "r", shape=[1, 4], name="dice"), node("Mul", "x r", "y")],
        [node("RandomNormalLike", "x", "r", name="dice"), node("Add", "x r", "y")],
        [node("RandomNormalLike", "w", "r", name="dice"), node("Add", "x r", "y")],
        [node("RandomUniformLike", "w", "r", name="dice"), node("Add", "x r", "y")],
        [node("Bernoulli", "w", "r", name="dice"), node("Add", "x r", "y")],
        [node("Dropout", "w ratio on", "r", name="dice"), node("Add", "x r", "y")],
        [node("Dropout", "x ratio on", "y", name="dice")],
    ],
    ids=lambda nodes: f"{nodes[0].op_type} of {' '.join(nodes[0].input)}",
)
def test_random_numbers_are_refused_not_folded(nodes: list[onnx.NodeProto]) -> None:
    constants = {"w": np.full((1, 4), 0.5, np.float32), "ratio": np.float32(0.5), "on": np.bool_(True)}
    proto = model(nodes, {"x": [1, 4]}, constants, opset=15)
    assert_names(refusal(proto, UnsupportedError), "dice", nodes[0].op_type, 15)


def test_random_numbers_in_a_constant_branch_are_refused() -> None:
    noise = helper.make_node("RandomNormal", [], ["t"], shape=[1, 4])
    then = helper.make_graph([noise], "t", [], [helper.make_tensor_value_info("t", TensorProto.FLOAT, [1, 4])])
    nodes = [
        node("If", "yes", "r", name="fork", then_branch=then, else_branch=branch("e", "Relu", "w")),
        node("Add", "x r", "y"),
    ]
    constants = {"yes": np.bool_(True), "w": weights(1, 4)}
    refusal(model(nodes, {"x": [1, 4]}, constants), UnsupportedError)


def test_names_with_line_breaks_stay_on_one_line() -> None:
    """On the command line; the exception has the name as it is."""
    from onnx2graphml.files.plain_text import printable

    proto = relu()
    proto.graph.node[0].op_type, proto.graph.node[0].name = "Det", "first\nsecond"
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4
    with pytest.raises(UnsupportedError) as caught:
        load(proto)
    assert "\n" not in printable(str(caught.value))
