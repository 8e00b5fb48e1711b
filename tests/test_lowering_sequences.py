"""Sequences of tensors that are known beforehand: no node is left of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from lowered import assert_lowered_exactly
from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model import load_model
from small import model, node, weights

X = weights(2, 5)


def law(nodes: list[onnx.NodeProto], constants: Any = None) -> list[str]:
    """The operators that are left, apart from those that give the output its name."""
    loaded = assert_lowered_exactly(model(nodes, {"x": [2, 5]}, constants), {"x": X})
    return [n.op for n in loaded.nodes if n.op != "Identity"]


@pytest.mark.parametrize("split", [np.array([2, 3]), np.int64(2), np.int64(5)], ids=str)
@pytest.mark.parametrize("position", [0, -1])
def test_a_part_of_a_split(split: Any, position: int) -> None:
    nodes = [node("SplitToSequence", "x sizes", "s", axis=1), node("SequenceAt", "s k", "y")]
    assert set(law(nodes, {"sizes": split, "k": np.int64(position)})) <= {"Slice"}


@pytest.mark.parametrize("keepdims", [0, 1])
def test_a_split_into_single_positions(keepdims: int) -> None:
    nodes = [node("SplitToSequence", "x", "s", axis=1, keepdims=keepdims), node("SequenceAt", "s k", "y")]
    assert law(nodes, {"k": np.int64(2)}) == ["Gather"]


@pytest.mark.parametrize("new_axis", [0, 1])
def test_sequences_are_made_and_joined(new_axis: int) -> None:
    nodes = [
        node("Neg", "x", "a"),
        node("Relu", "x", "b"),
        node("SequenceConstruct", "x a", "s"),
        node("SequenceInsert", "s b one", "t"),
        node("SequenceErase", "t zero", "u"),
        node("SequenceInsert", "u x", "v"),
        node("ConcatFromSequence", "v", "y", axis=1, new_axis=new_axis),
    ]
    law(nodes, {"one": np.int64(1), "zero": np.int64(0)})


def test_how_long_a_sequence_is_is_a_constant() -> None:
    nodes = [
        node("SequenceEmpty", "", "s", dtype=TensorProto.FLOAT),
        node("SequenceInsert", "s x", "t"),
        node("SequenceInsert", "t x", "u"),
        node("SequenceErase", "u", "v"),
        node("SequenceLength", "v", "n"),
        node("Cast", "n", "f", to=TensorProto.FLOAT),
        node("Mul", "x f", "y"),
    ]
    assert law(nodes) == ["Mul"]


def test_a_loop_that_fills_a_sequence() -> None:
    info = helper.make_tensor_value_info
    sequence = helper.make_tensor_sequence_value_info
    body = helper.make_graph(
        [node("Mul", "v two", "u"), node("SequenceInsert", "s u", "t"), node("Identity", "go", "on")],
        "body",
        [
            info("i", TensorProto.INT64, []),
            info("go", TensorProto.BOOL, []),
            info("v", 1, [2, 5]),
            sequence("s", 1, None),
        ],
        [info("on", TensorProto.BOOL, []), info("u", 1, [2, 5]), sequence("t", 1, None)],
    )
    nodes = [
        node("SequenceEmpty", "", "none"),
        node("Loop", "n _ x none", "last all", body=body),
        node("ConcatFromSequence", "all", "y", axis=0),
    ]
    law(nodes, {"n": np.int64(3), "two": np.float32(2)})


def test_a_function_of_every_tensor() -> None:
    info = helper.make_tensor_value_info
    body = helper.make_graph(
        [node("Add", "a b", "c")], "body", [info("a", 1, [2, 5]), info("b", 1, [2, 5])], [info("c", 1, [2, 5])]
    )
    nodes = [
        node("Neg", "x", "m"),
        node("SequenceConstruct", "x m", "s"),
        node("SequenceMap", "s x", "t", body=body),
        node("ConcatFromSequence", "t", "y", axis=0),
    ]
    law(nodes)


def test_a_position_that_is_none() -> None:
    nodes = [node("SequenceConstruct", "x x", "s"), node("SequenceAt", "s k", "y")]
    with pytest.raises(UnsupportedError, match="its position is 2; expected one of the 2"):
        load_model(model(nodes, {"x": [2, 5]}, {"k": np.int64(2)}))


def test_a_position_that_is_computed() -> None:
    nodes = [
        node("Cast", "x", "k", to=TensorProto.INT64),
        node("SequenceConstruct", "x x", "s"),
        node("SequenceAt", "s k", "y"),
    ]
    with pytest.raises(UnsupportedError, match=r"its position \('k'\) is computed by the network"):
        load_model(model(nodes, {"x": []}))


def test_a_sequence_that_comes_from_elsewhere() -> None:
    """The string operator that makes it is refused; a sequence is known only by what made it."""
    proto = model(
        [node("SequenceConstruct", "x x", "s"), node("SequenceAt", "s k", "y")], {"x": [2, 5]}, {"k": np.int64(0)}
    )
    proto.graph.node[0].op_type = "Identity"
    del proto.graph.node[0].input[1:]
    with pytest.raises(Exception, match=r"the sequence 's' is not known beforehand; expected one of tensors|types"):
        load_model(proto)


def test_a_sequence_as_output_is_refused() -> None:
    proto = model([node("SequenceConstruct", "x x", "y")], {"x": [2, 5]})
    proto.graph.output[0].CopyFrom(helper.make_tensor_sequence_value_info("y", 1, None))
    with pytest.raises(UnsupportedError, match="output 'y' is a sequence; expected a tensor"):
        load_model(proto)
