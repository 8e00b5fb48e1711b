"""Operators on quantized tensors, against ONNX Runtime: the integers are the same, every one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lowered import assert_lowered_exactly, feeds, one_operator
from network import run
from onnx2graphml.build.walk import walk
from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model import load_model
from onnx2graphml.model.lowering.registry import MICROSOFT
from small import runtime

random = np.random.default_rng(0)
TYPES = [np.uint8, np.int8]


def integers(dtype: Any, *shape: int) -> Any:
    info = np.iinfo(dtype)
    return random.integers(info.min, info.max + 1, shape).astype(dtype)


def scales(n: int) -> Any:
    return (random.random(n) * 0.03 + 0.01).astype(np.float32)


def law(op: str, inputs: str, arrays: Any, computed: str, domain: str = MICROSOFT, **attributes: Any) -> None:
    names = computed.split()
    proto = one_operator(op, inputs, arrays, names, domain=domain, **attributes)
    assert_lowered_exactly(proto, feeds(arrays, names))


def picture(dtype: Any) -> dict[str, Any]:
    return {
        "x": integers(dtype, 2, 6, 20, 20),
        "last": integers(dtype, 2, 20, 20, 6),
        "xs": np.float32(0.013),
        "xz": np.array(37, dtype),
        "w": integers(np.int8, 8, 6, 3, 3),
        "ws": np.float32(0.021),
        "wz": np.array(0, np.int8),
        "wz3": np.array(3, np.int8),
        "ws8": scales(8),
        "wz8": np.zeros(8, np.int8),
        "b": random.integers(-9000, 9000, 8).astype(np.int32),
        "ys": np.float32(0.31),
        "yz": np.array(100, dtype),
    }


@pytest.mark.parametrize("inputs", ["xs xz w ws wz ys yz", "xs xz w ws8 wz8 ys yz b", "xs xz w ws wz3 ys yz b"])
@pytest.mark.parametrize("dtype", TYPES)
def test_qlinear_conv(dtype: Any, inputs: str) -> None:
    law("QLinearConv", f"x {inputs}", picture(dtype), "x", "", pads=[1, 1, 1, 1])


def test_qlinear_conv_of_channels_last() -> None:
    law("QLinearConv", "last xs xz w ws wz ys yz b", picture(np.uint8), "last", channels_last=1, pads=[1, 1, 1, 1])


@pytest.mark.parametrize("inputs", ["x w xz", "x w xz wz3"])
@pytest.mark.parametrize("dtype", TYPES)
def test_conv_integer_with_a_computed_zero_point(dtype: Any, inputs: str) -> None:
    law("ConvInteger", inputs, picture(dtype), "x xz", "", pads=[1, 1, 1, 1], strides=[2, 2])


def test_conv_integer_with_a_constant_zero_point_is_a_primitive() -> None:
    proto = one_operator("ConvInteger", "x w xz", picture(np.uint8), ["x"], domain="")
    assert load_model(proto).original is None


def test_conv_integer_with_a_computed_kernel_is_refused() -> None:
    proto = one_operator("ConvInteger", "x w xz", picture(np.uint8), ["x", "w"], domain="")
    with pytest.raises(UnsupportedError, match=r"its kernel \('w'\) is computed by the network; it must be constant"):
        load_model(proto)


@pytest.mark.parametrize("attributes", [{}, {"pads": [2, 1, 0, 1]}, {"strides": [2, 3], "dilations": [2, 1]}], ids=str)
@pytest.mark.parametrize("inputs", ["x w", "x w xz", "x w xz wz3"])
@pytest.mark.parametrize("dtype", TYPES)
def test_conv_integer_from_its_edges(dtype: Any, inputs: str, attributes: Any) -> None:
    """Equal, every integer of it."""
    arrays = picture(dtype)
    proto = one_operator("ConvInteger", inputs, arrays, ["x"], domain="", **attributes)
    (got,) = run(walk(load_model(proto)), {"x": arrays["x"]})
    np.testing.assert_array_equal(got, runtime(proto, {"x": arrays["x"]})[0].ravel())


def test_conv_integer_with_a_computed_zero_point_of_the_kernel_is_refused() -> None:
    proto = one_operator("ConvInteger", "x w xz wz3", picture(np.uint8), ["x", "wz3"], domain="")
    with pytest.raises(UnsupportedError, match=r"its kernel's zero point .'wz3'. is computed by the network;"):
        load_model(proto)


def matrices(dtype: Any) -> dict[str, Any]:
    return {
        "a": integers(dtype, 50, 70),
        "at": integers(dtype, 70, 50),
        "as": np.float32(0.013),
        "az": np.array(37, dtype),
        "b": integers(np.int8, 70, 60),
        "bt": integers(np.int8, 60, 70),
        "bs": np.float32(0.021),
        "bz": np.array(0, np.int8),
        "bs60": scales(60),
        "bz0": np.zeros(60, np.int8),
        "bz60": integers(np.int8, 60),
        "ys": np.float32(2.3),
        "yz": np.array(100, dtype),
        "c": random.integers(-9000, 9000, 60).astype(np.int32),
        "f": random.standard_normal(60).astype(np.float32),
    }


@pytest.mark.parametrize("computed", ["a", "a b"])
@pytest.mark.parametrize("inputs", ["bs bz ys yz", "bs60 bz0 ys yz", "bs60 bz60 ys yz"])
@pytest.mark.parametrize("dtype", TYPES)
def test_qlinear_matmul(dtype: Any, inputs: str, computed: str) -> None:
    law("QLinearMatMul", f"a as az b {inputs}", matrices(dtype), computed, "")


@pytest.mark.parametrize(
    ("inputs", "computed"), [("a b", "a"), ("a b az", "a az"), ("a b az bz60", "a"), ("a b", "a b")]
)
@pytest.mark.parametrize("dtype", TYPES)
def test_matmul_integer(dtype: Any, inputs: str, computed: str) -> None:
    law("MatMulInteger", inputs, matrices(dtype), computed, "")


QGEMM = ["bs bz c ys yz", "bs60 bz0 c ys yz", "bs bz _ ys yz", "bs bz c", "bs60 bz60 c ys yz"]


@pytest.mark.parametrize("inputs", QGEMM)
@pytest.mark.parametrize("dtype", TYPES)
def test_qgemm(dtype: Any, inputs: str) -> None:
    law("QGemm", f"a as az b {inputs}", matrices(dtype), "a", transB=0, alpha=0.7)
    law("QGemm", f"a as az bt {inputs}", matrices(dtype), "a", transB=1)
    law("QGemm", f"at as az b {inputs}", matrices(dtype), "at", transA=1)


@pytest.mark.parametrize("inputs", ["a b as bs", "a b as bs az bz", "a b as bs60 az bz60 f"])
@pytest.mark.parametrize("dtype", TYPES)
def test_matmul_integer_to_float(dtype: Any, inputs: str) -> None:
    law("MatMulIntegerToFloat", inputs, matrices(dtype), "a")


@pytest.mark.parametrize("inputs", ["x b bs", "x b bs bz", "x b bs bz f"])
def test_dynamic_quantize_matmul(inputs: str) -> None:
    arrays = {
        "x": random.standard_normal((5, 70)).astype(np.float32),
        "b": integers(np.uint8, 70, 60),
        "bs": np.float32(0.02),
        "bz": np.array(3, np.uint8),
        "f": random.standard_normal(60).astype(np.float32),
    }
    law("DynamicQuantizeMatMul", inputs, arrays, "x")


def pointwise(dtype: Any) -> dict[str, Any]:
    return {
        "a": integers(dtype, 50, 70),
        "as": np.float32(0.013),
        "az": np.array(37, dtype),
        "b": integers(dtype, 50, 70),
        "row": integers(dtype, 70),
        "bs": np.float32(0.021),
        "bz": np.array(90, dtype),
        "ys": np.float32(0.03),
        "yz": np.array(100, dtype),
        "share": np.float32(1 / 256),
        "least": np.array(np.iinfo(dtype).min, dtype),
        "p": integers(dtype, 2, 3, 7, 7),
        "last": integers(dtype, 2, 5, 5, 3),
        "yes": random.random((50, 70)) < 0.5,
        "x": (3 * random.standard_normal((50, 70))).astype(np.float32),
    }


@pytest.mark.parametrize("op", ["QLinearAdd", "QLinearMul"])
@pytest.mark.parametrize("dtype", TYPES)
def test_sums_and_products(dtype: Any, op: str) -> None:
    arrays = pointwise(dtype)
    law(op, "a as az b bs bz ys yz", arrays, "a b")
    law(op, "a as az row bs bz ys yz", arrays, "a")
    law(op, "a as az b bs bz ys", arrays, "a b")


@pytest.mark.parametrize("dtype", TYPES)
def test_functions_of_one_number(dtype: Any) -> None:
    arrays = pointwise(dtype)
    law("QLinearSigmoid", "a as az share least", arrays, "a")
    law("QLinearLeakyRelu", "a as az ys yz", arrays, "a", alpha=0.3)
    law("QuantizeLinear", "x as az", arrays, "x")
    law("DequantizeLinear", "a as az", arrays, "a")


@pytest.mark.parametrize(("axis", "opset"), [(-1, 13), (0, 13), (1, 11)])
@pytest.mark.parametrize("dtype", TYPES)
def test_qlinear_softmax(dtype: Any, axis: int, opset: int) -> None:
    arrays = pointwise(dtype)
    made = {"axis": axis, "opset": opset}
    proto = one_operator("QLinearSoftmax", "a as az share least", arrays, ["a"], attributes=made)
    assert_lowered_exactly(proto, feeds(arrays, ["a"]))


def test_a_softmax_of_several_axes_is_refused() -> None:
    made = {"axis": 0, "opset": 11}
    proto = one_operator("QLinearSoftmax", "a as az share least", pointwise(np.uint8), ["a"], attributes=made)
    with pytest.raises(UnsupportedError, match="it is of an opset before 13 and of more axes than the last"):
        load_model(proto)


@pytest.mark.parametrize("dtype", TYPES)
def test_pools(dtype: Any) -> None:
    arrays, window = pointwise(dtype), {"kernel_shape": [2, 2], "strides": [2, 2]}
    for more in ({}, {"pads": [1, 1, 1, 1]}, {"pads": [1, 1, 1, 1], "count_include_pad": 1}, {"ceil_mode": 1}):
        law("QLinearAveragePool", "p as az ys yz", arrays, "p", **window, **more)
    law("QLinearAveragePool", "last as az ys yz", arrays, "last", channels_last=1, **window)
    law("QLinearGlobalAveragePool", "p as az ys yz", arrays, "p", channels_last=0)
    law("QLinearGlobalAveragePool", "last as az ys yz", arrays, "last", channels_last=1)


@pytest.mark.parametrize("dtype", TYPES)
def test_joins_and_choices(dtype: Any) -> None:
    arrays = pointwise(dtype)
    law("QLinearConcat", "ys yz a as az b bs bz", arrays, "a b", axis=1)
    law("QLinearWhere", "yes a as az b bs bz ys yz", arrays, "yes a b")
