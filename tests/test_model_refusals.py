"""What has no exact graph is refused: other types than numbers, numbers that are none, random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from onnx2graphml.api import load, verify
from onnx2graphml.errors import ModelError, UnsupportedError
from onnx2graphml.graph import axes as ax
from onnx2graphml.ops import OPERATORS, NodeContext, OutputSpec, Tensor
from onnx2graphml.ops.registry import incoming
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


@pytest.mark.parametrize("kind", [TensorProto.STRING, TensorProto.COMPLEX64])
def test_inputs_that_are_no_numbers(kind: int) -> None:
    proto = model([node("Identity", "i", "y")], {"i": [1, 4]})
    for info in (proto.graph.input[0], proto.graph.output[0]):
        info.type.tensor_type.elem_type = kind
    message = refusal(proto, UnsupportedError)
    assert "'i'" in message
    assert "neurons are numbers" in message


def test_integers_beyond_what_float64_holds_are_refused() -> None:
    proto = model([node("Add", "x w", "y")], {"x": [2]}, {"w": np.array([1, 2**53 + 2])}, dtype=np.int64)
    assert "integers beyond 2^53" in refusal(proto, UnsupportedError)
    graph = load(model([node("Mul", "x x", "y")], {"x": [2]}, dtype=np.int64))
    with pytest.raises(UnsupportedError, match=r"an integer comes to 1e\+20; expected at most 2\^53"):
        verify(graph, np.array([1, 10**10]))


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
    """An infinite bias is legal, as in a mask; NaN is nowhere."""
    nodes, w = SPOILT[place](value)
    proto = model(nodes, {"x": [1, 4]}, {"w": w})
    if place in ("weight", "factor"):
        assert "not all finite" in refusal(proto, UnsupportedError)
    elif np.isnan(value):
        assert "has NaN, which has no place in a graph" in refusal(proto, UnsupportedError)
    else:
        assert verify(load(proto)).passed


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


def test_axes_that_are_none() -> None:
    """Found by the fuzzer: ONNX's inference for older opsets takes them."""
    proto = model([node("Squeeze", "i", "y", axes=[100, 1])], {"i": [1, 1, 3]}, opset=8)
    assert "an axis is 100; expected one of 3" in refusal(proto, ModelError)


GRID, CROP = weights(1, 2, 2, 2), np.float32([0, 0, 0, 0, 1, 1, 0.7, 0.7])
PLACES: dict[str, tuple[onnx.NodeProto, list[int], dict[str, Any], str]] = {
    "GridSample": (node("GridSample", "i p", "y"), [1, 1, 4, 4], {"p": GRID}, "its grid has a coordinate"),
    "DeformConv": (node("DeformConv", "i w p", "y"), [1, 1, 4, 4],
                   {"p": weights(1, 8, 3, 3), "w": weights(1, 1, 2, 2)}, "its grid has a coordinate"),
    "RoiAlign": (node("RoiAlign", "i p b", "y", output_height=2, sampling_ratio=1), [1, 1, 6, 6],
                 {"p": np.float32([[0, 0, 4, 4]]), "b": np.zeros(1, np.int64)}, "its grid has a coordinate"),
    "Resize": (node("Resize", "i p s", "y", coordinate_transformation_mode="tf_crop_and_resize"), [1, 1, 4, 4],
               {"p": CROP, "s": np.float32([1, 1, 2, 2])}, "its region, roi, has an end"),
    "QuantizeLinear": (node("QuantizeLinear", "i p z", "y"), [1, 4],
                       {"p": np.float32([1, 0.5, 0.25, 0.5]), "z": np.zeros(4, np.int8)}, "its scale is 0, infinite"),
}  # fmt: skip
"""Found by the fuzzer: what no runtime says what it makes of."""


@pytest.mark.parametrize(
    ("op", "value"),
    [(op, v) for op in PLACES for v in (NAN, -INF)]
    + [("GridSample", np.float32(1e30)), ("QuantizeLinear", np.float32(-0.0))],
)
def test_places_and_scales_that_are_none(op: str, value: np.float32) -> None:
    of, shape, arrays, says = PLACES[op]
    spoilt = arrays["p"].copy()
    spoilt.flat[1] = value
    assert says in refusal(model([of], {"i": shape}, arrays | {"p": spoilt}, opset=20), UnsupportedError)
    assert verify(load(model([of], {"i": shape}, arrays, opset=20))).passed


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
    proto.graph.node[0].op_type, proto.graph.node[0].name = "Bernoulli", "first\nsecond"
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4
    with pytest.raises(UnsupportedError) as caught:
        load(proto)
    assert "\n" not in printable(str(caught.value))


def test_edges_to_where_no_neuron_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator that does not check what it is given is caught."""

    def Abs(node: NodeContext, X: Tensor) -> OutputSpec:
        return OutputSpec((incoming(X, ax.same(3).strided(1, 1), ax.shift(target=9)),))

    monkeypatch.setitem(OPERATORS, "Abs", {1: Abs})
    proto = model([node("Abs", "x", "y")], {"x": [1, 3]})
    assert "its edges join positions 9 to 11 of 'y', which has 3 neurons" in refusal(proto, ModelError)
