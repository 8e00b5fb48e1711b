"""The arrays of models written by hand: any operator's, any way to its node."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from onnx2graphml.api import load
from onnx2graphml.model import load_model
from onnx2graphml.parameters.arrays import layer_arrays, unread
from onnx2graphml.parameters.traces import Traces
from small import model, node, weights
from test_weights_arrays import by_name, check_laws


def test_products_from_either_side():
    made = model(
        [
            node("MatMul", "left x", "a"),
            node("Gemm", "a w c", "b", transB=1),
            node("MatMul", "b v", "y"),
        ],
        {"x": [3, 4]},
        {"left": weights(2, 3), "w": weights(5, 4), "c": weights(5), "v": weights(5)},
    )
    found = by_name(load(made))
    check_laws(load(made))
    assert found["left"].axes == ("out", "in")
    assert found["w"].axes == ("out", "in")
    assert found["v"].axes == ("in",)
    assert found["c"].role == "bias"


def test_what_has_no_name_is_listed_by_its_operator():
    made = model(
        [node("Mul", "x m", "a"), node("Sub", "a s", "b"), node("PRelu", "b p", "y")],
        {"x": [1, 3, 4, 5]},
        {"m": weights(4, 5), "s": weights(3, 1, 1), "p": weights(3, 1, 1), "idle": weights(2, 2)},
    )
    graph = load(made)
    arrays = {a.name: a for of in check_laws(graph) for a in of.arrays}
    assert arrays["m"].text == "constant of Mul: 4×5, (axis 1, axis 2)"
    assert arrays["s"].role == "constant of Sub"
    assert arrays["p"].role == "slope"
    assert set(unread(graph, layer_arrays(graph))) == {"idle"}


def test_the_same_axes_in_a_picture_have_names():
    made = model(
        [node("Conv", "x w", "a"), node("Mul", "a m", "y")],
        {"x": [1, 3, 4, 5]},
        {"w": weights(2, 3, 1, 1), "m": weights(2, 4, 1)},
    )
    assert by_name(load(made))["m"].axes == ("channel", "row", "column")


def test_values_of_constant_nodes_and_dequantized_ones_are_arrays():
    w = numpy_helper.from_array(weights(4, 3), "w")
    made = model(
        [
            helper.make_node("Constant", [], ["w"], value=w),
            node("DequantizeLinear", "q scale", "v"),
            node("Transpose", "v", "vt", perm=[1, 0]),
            node("Gemm", "x w", "a", transB=1),
            node("MatMul", "a vt", "y"),
        ],
        {"x": [1, 3]},
        {"q": np.arange(8, dtype=np.int8).reshape(2, 4), "scale": np.float32(0.5)},
        opset=21,
    )
    graph = load(made)
    check_laws(graph)
    found = by_name(graph)
    assert found["w"].axes == ("out", "in")
    assert found["v"].axes == ("out", "in")
    np.testing.assert_array_equal(found["v"].values, np.arange(8).reshape(2, 4) / 2)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_axes_go_where_index_codes_go(data: st.DataObject):
    """Transpositions, and reshapes that merge neighbours or add axes of 1: numpy with coded indices is the judge."""
    shape = data.draw(st.lists(st.integers(2, 4), min_size=1, max_size=4))
    codes = np.arange(math.prod(shape)).reshape(shape)
    nodes, constants, name = [], {"w": codes.astype(np.float32)}, "w"
    for k in range(data.draw(st.integers(0, 4))):
        if data.draw(st.booleans()):
            perm = data.draw(st.permutations(range(codes.ndim)))
            codes = codes.transpose(perm)
            nodes.append(node("Transpose", name, f"t{k}", perm=perm))
        else:
            at = data.draw(st.integers(0, codes.ndim - 1))
            sizes = list(codes.shape)
            merged = [*sizes[:at], math.prod(sizes[at : at + 2]), *sizes[at + 2 :]]
            sizes = data.draw(st.sampled_from([merged, [*sizes[:at], 1, *sizes[at:]]]))
            codes = codes.reshape(sizes)
            constants[f"s{k}"] = np.array(sizes)
            nodes.append(node("Reshape", f"{name} s{k}", f"t{k}"))
        name = f"t{k}"
    made = model([*nodes, node("Mul", f"x {name}", "y")], {"x": codes.shape}, constants)
    (trace,) = Traces(load_model(made)).into(name)
    for axis, size in enumerate(shape):
        step = math.prod(shape[axis + 1 :])
        first, second = (np.argwhere(codes == c)[0] for c in (0, step))
        (moved,) = np.flatnonzero(first != second)
        assert size > 1
        assert trace.axes[axis] == moved
        if len(nodes) and any(n.op_type == "Reshape" for n in nodes):
            assert trace.steps[axis] == second[moved]
    assert trace.array == "w"
    assert trace.alone


def test_types_that_numpy_lacks_are_taken_as_they_are_read():
    """A bfloat16 array reaches its node through a cast: what the cast gives is the array."""
    half = helper.make_tensor("w", TensorProto.BFLOAT16, [4, 3], weights(4, 3).ravel())
    made = model([node("Cast", "w", "wf", to=TensorProto.FLOAT), node("Gemm", "x wf", "y", transB=1)], {"x": [1, 3]})
    made.graph.initializer.append(half)
    found = by_name(load(made))
    assert found["wf"].axes == ("out", "in")


def test_a_transposed_convolution_in_groups_whose_kernel_was_transposed():
    """Which is no kernel for each channel, though each group reads one."""
    kernel = weights(1, 3, 2, 6)  # (column, row, out of a group, in)
    turned = node("Transpose", "k", "w", perm=[3, 2, 1, 0])
    made = load(model([turned, node("ConvTranspose", "x w", "y", group=6)], {"x": [1, 6, 4, 4]}, {"k": kernel}))
    found = by_name(made)["k"]
    assert found.axes == ("column", "row", "out", "in")
    assert found.kernels.shape == (12, 1, 3, 1)
    assert np.array_equal(found.kernels[:, 0], kernel.transpose(3, 2, 1, 0).reshape(12, 3, 1))
