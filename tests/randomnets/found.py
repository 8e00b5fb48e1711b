"""Models that broke the law, minimized; and what random networks leave out, as ONNX Runtime is wrong about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper

from small import model, node, weights


@dataclass(frozen=True)
class Found:
    """A model that broke the law.

    Attributes:
        reason: what was wrong.
        value: of its input, where a random one does not show it.
    """

    reason: str
    proto: onnx.ModelProto
    value: Any = None


def one(op: str, shape: list[int], constants: Any = None, kind: Any = np.float32, opset: int = 17, **given: Any) -> Any:
    """A model of one node."""
    names = " ".join(["x", *(constants or {})])
    return model([node(op, names, "y", **given)], {"x": shape}, constants, opset=opset, dtype=kind)


def half_gemm() -> onnx.ModelProto:
    nodes = [node("Relu", "c", "d"), node("Gemm", "x w d", "y")]
    return model(nodes, {"x": [2, 3], "c": [4]}, {"w": weights(3, 4, dtype=np.float16)}, dtype=np.float16)


def channel_in_front() -> onnx.ModelProto:
    nodes = [node("Conv", "x w", "a"), node("Transpose", "a", "y", perm=[1, 0, 2, 3])]
    return model(nodes, {"x": [1, 2, 3, 3]}, {"w": weights(1, 2, 1, 1)})


def channels_last() -> onnx.ModelProto:
    nodes = [node("GlobalAveragePool", "x", "a"), node("Unsqueeze", "x", "u", axes=[0]), node("Transpose", "a", "y")]
    proto = model(nodes, {"x": [1, 6, 2, 1]}, outputs=("u", "y"), opset=12)
    helper.set_model_props(proto, {"onnx2graphml.channels_last": "true"})
    return proto


def cast_from_half() -> onnx.ModelProto:
    nodes = [node("LogSoftmax", "x", "a", axis=1), node("Cast", "a", "c", to=1), node("Dropout", "c", "y")]
    proto = model(nodes, {"x": [1, 4]}, dtype=np.float16)
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 4]))
    return proto


def large_bias() -> Found:
    constants = {"w": weights(480, 16, dtype=np.float64) * 1e-6, "c": np.linspace(1, 2, 16)}
    value = np.abs(weights(1, 480, dtype=np.float64))
    return Found("it takes part in all roundings of the sum", one("Gemm", [1, 480], constants, float), value)


def scalar_transposed() -> onnx.ModelProto:
    nodes = [node("ReduceMean", "x", "s", keepdims=0), node("Transpose", "s", "y")]
    return model(nodes, {"x": [1, 3]}, opset=12)


def ceil_mode(opset: int) -> onnx.ModelProto:
    pool = {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1}
    proto = one("MaxPool", [1, 1, 3, 3], opset=opset, **pool)
    for side in proto.graph.output[0].type.tensor_type.shape.dim[2:]:
        side.dim_value = 2
    return proto


DEFAULT = "a default is a float64 number; ONNX's is the float32 number nearest to it"
FUNCTION = "without a kernel ONNX Runtime takes ONNX's own definition, whose constants are float32 numbers"
CEIL = "before opset 22 ONNX's inference counts a window that begins in the padding, ONNX Runtime does not"
TINY = {"w": (3e-41 * weights(2, 1, 2, 2, seed=5)).astype(np.float32), "offset": 0.6 * weights(1, 8, 7, 7)}
STATISTICS = {name: np.full(2, 0.1) for name in "sbmv"}
ONLY_PADDING = {"kernel_shape": [2], "dilations": [2], "pads": [1, 1]}
FOUND = {
    "input of rank 0": Found(
        "its value is given a batch axis",
        one("Relu", []),
        np.ones((), np.float32),
    ),
    "Gemm in float16 that adds a computed tensor": Found("the weight of what is added is a float16", half_gemm()),
    "channel axis of size 1 in front": Found("it is dropped, and still counted as position -1", channel_in_front()),
    "the same, channels last": Found("position -1 is looked up: a KeyError", channels_last()),
    "HardSigmoid's default": Found(DEFAULT, one("HardSigmoid", [8], kind=float, opset=18)),
    "LeakyRelu's default": Found(DEFAULT, one("LeakyRelu", [8], kind=float, opset=16)),
    "BatchNormalization's default": Found(DEFAULT, one("BatchNormalization", [1, 2, 3, 3], STATISTICS, float)),
    "HardSwish in float64": Found(FUNCTION, one("HardSwish", [8], kind=float, opset=18)),
    "Gelu in float64": Found(FUNCTION, one("Gelu", [8], kind=float, opset=20, approximate="tanh")),
    "Gemm that adds what it multiplies": Found(
        "it made two edges between the same neurons",
        model([node("Gemm", "x w x", "y", beta=0.5)], {"x": [2, 3]}, {"w": weights(3, 3)}),
    ),
    "the same of infinity": Found(
        "two weights of different signs were added up, and infinity minus infinity is not a number",
        model([node("Gemm", "x w x", "y")], {"x": [1, 1]}, {"w": np.float32([[-0.5]])}),
        np.float32([[np.inf]]),
    ),
    "Gemm that multiplies a tensor by itself and adds it": Found(
        "its edges are told apart by ports and terms", model([node("Gemm", "x x x", "y")], {"x": [3, 3]})
    ),
    "infinite value in a Clip without a bound": Found(
        "the bound then is the type's lowest or greatest number",
        model([node("Clip", "x _ high", "y")], {"x": [3]}, {"high": np.float32(5)}),
        np.float32([-np.inf, 0, np.inf]),
    ),
    "maximum over padding only": Found(
        "ONNX Runtime's greatest of none is the lowest number",
        one("MaxPool", [1, 1, 1], **ONLY_PADDING),
    ),
    "ceil_mode in opset 10": Found(CEIL, ceil_mode(10)),
    "ceil_mode in opset 21": Found(CEIL, ceil_mode(21)),
    "cast from float16": Found("ONNX Runtime leaves out a rounding unless it is asked for", cast_from_half()),
    "logarithm of zero": Found(
        "infinity has no distance to itself, and no rounding moves it",
        model([node("Log", "x", "a"), node("Selu", "a", "y")], {"x": [1, 3]}),
        np.zeros((1, 3), np.float32),
    ),
    "exponential that overflows within a layer": Found(
        "in float64 it does not, and its logarithm is finite",
        model([node("Exp", "x", "a"), node("Relu", "a", "b"), node("Log", "b", "y")], {"x": [1, 3]}),
        np.float32([[100, 1, -1000]]),
    ),
    "one infinite value beside finite ones": Found(
        "only those that a LogSoftmax couples it with are not finite",
        one("LogSoftmax", [1, 2, 3], axis=-1),
        np.float32([[[1, 2, 3], [4, np.inf, 6]]]),
    ),
    "cast to its own type": Found(
        "the value that stands for a tensor of which only the type is read stood for the one that is cast, too",
        model([node("CastLike", "x x", "a"), node("Neg", "a", "y")], {"x": [1, 3]}, opset=19),
    ),
    "bias far above the products": large_bias(),
    "scalar transposed in opset 12": Found("before opset 13 ONNX infers no shape for it", scalar_transposed()),
    "determinant of equal columns": Found(
        "its terms cancel, and their roundings stay",
        one("Det", [2, 2], opset=11),
        np.float32([[0.2, 0.2], [0.1, 0.1]]),
    ),
    "values near the smallest number": Found(
        "they are whole multiples of it: a rounding there is no share of the value",
        one("DeformConv", [1, 1, 8, 8], TINY, opset=19),
    ),
}
LEFT_OUT = {
    "NaN into LogSoftmax in float64": Found(
        "ONNX Runtime's kernel for float64 makes numbers of it",
        one("LogSoftmax", [2, 3], kind=np.float64, axis=1),
        np.array([[0, np.nan, 2], [3, 4, 5]]),
    ),
    "MaxPool of minus infinity along one dimension": Found(
        "ONNX Runtime's kernels for one and three dimensions begin with the lowest number",
        one("MaxPool", [1, 1, 2], kernel_shape=[2]),
        np.full((1, 1, 2), -np.inf, np.float32),
    ),
}
