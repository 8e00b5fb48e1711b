"""A few bytes from which huge constants would be computed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from hostile.cases import ELEMENTS, FLOAT, HUGE, Build, add, case, model, node


def folded(op: str, constants: Mapping[str, Any], **attributes: Any) -> Build:
    """The input plus something small that is made of something huge."""
    nodes = [node(op, " ".join(constants), "c", **attributes), node("ReduceSum", "c", "s"), node("Add", "x s", "y")]
    return lambda _: model(nodes, constants=constants)


SIDE = np.array([10**6, 10**6])
ONE = np.ones((1, 1), np.float32)
add("ConstantOfShape of 10^12", folded("ConstantOfShape", {"n": SIDE}), f"1,000,000,000,000 {ELEMENTS}")
add("ConstantOfShape that overflows", folded("ConstantOfShape", {"n": np.array([2**62, 2**62])}), ELEMENTS)
add("ConstantOfShape of a negative size", folded("ConstantOfShape", {"n": np.array([-5])}), "the_ConstantOfShape")
add("constant Expand to 10^12", folded("Expand", {"v": ONE, "n": SIDE}), f"1,000,000,000,000 {ELEMENTS}")
add("constant Tile to 10^12", folded("Tile", {"v": ONE, "n": SIDE}), f"1,000,000,000,000 {ELEMENTS}")
add("constant Pad to 10^12", folded("Pad", {"v": ONE, "n": np.array([0, 0, 10**6, 10**6])}), ELEMENTS)
add("Range of 10^12", folded("Range", {"a": np.float32(0), "b": np.float32(1e12), "d": np.float32(1)}), ELEMENTS)
add("Range in steps of 0", folded("Range", {"a": np.float32(0), "b": np.float32(9), "d": np.float32(0)}), "the_Range")
add("Range to infinity", folded("Range", {"a": np.float32(0), "b": np.float32("inf"), "d": np.float32(1)}), "the_Range")
add("OneHot of 10^12", folded("OneHot", {"i": np.array([1]), "d": np.array(HUGE), "v": np.float32([0, 1])}), ELEMENTS)
add(
    "EyeLike of 10^12",
    lambda _: model([node("ConstantOfShape", "n", "e"), node("EyeLike", "e", "y")], constants={"n": SIDE}),
    ELEMENTS,
)
add(
    "outer product of 10^12",
    folded("MatMul", {"a": np.ones((10**6, 1), np.float32), "b": np.ones((1, 10**6), np.float32)}),
    ELEMENTS,
)
add(
    "ImageDecoder of whatever size",
    lambda _: model([node("ImageDecoder", "i", "y")], constants={"i": np.zeros(9, np.uint8)}, opset=20),
    "the_ImageDecoder.*operators of text and sequences, as ImageDecoder, are not computed",
)


@case("constants that grow sixteenfold, again and again", ELEMENTS)
def _(_: Path) -> onnx.ModelProto:
    nodes = [node("Concat", " ".join([f"d{k}"] * 16), f"d{k + 1}", axis=0) for k in range(20)]
    constants = {"d0": np.ones(1, np.float32)}
    return model([*nodes, node("ReduceSum", "d20", "s"), node("Add", "x s", "y")], constants=constants)


@case(
    "a Loop without end",
    "checking it takes more than 4 s|unrolled, the model's loops and composite operators are more than 32,768 nodes",
)
def _(_: Path) -> onnx.ModelProto:
    info = helper.make_tensor_value_info
    body = helper.make_graph(
        [node("Identity", "go", "on"), node("Identity", "v", "u")],
        "body",
        [info("i", TensorProto.INT64, []), info("go", TensorProto.BOOL, []), info("v", FLOAT, [1])],
        [info("on", TensorProto.BOOL, []), info("u", FLOAT, [1])],
    )
    constants = {"n": np.array(2**62), "yes": np.array(True), "v0": np.ones(1, np.float32)}
    return model([node("Loop", "n yes v0", "c", body=body), node("Add", "x c", "y")], constants=constants)


@case("an If that makes 10^12", ELEMENTS)
def _(_: Path) -> onnx.ModelProto:
    info = [helper.make_tensor_value_info("s", FLOAT, None)]
    then = helper.make_graph([node("ConstantOfShape", "n", "e"), node("ReduceSum", "e", "s")], "then", [], info)
    other = helper.make_graph([node("Constant", "", "s", value_float=1.0)], "else", [], info)
    nodes = [node("If", "yes", "c", then_branch=then, else_branch=other), node("Add", "x c", "y")]
    return model(nodes, constants={"yes": np.array(True), "n": SIDE})
