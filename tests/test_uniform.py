"""Constants of one value throughout: a small file may have gigabytes of them, which are never made."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import onnx
import pytest

from onnx2graphml import info, load, verify
from onnx2graphml.errors import TooLargeError
from onnx2graphml.inference import runtime
from onnx2graphml.model import uniform
from onnx2graphml.model.apart import packed
from onnx2graphml.model.nodes import TensorType
from onnx2graphml.model.uniform import each, filled, in_memory, is_uniform, stored
from small import assert_exact, model, node, refusal

HALF = onnx.helper.make_tensor("v", onnx.TensorProto.FLOAT, [1], [0.5])


def fill(shape: str, value: onnx.TensorProto = HALF) -> onnx.NodeProto:
    return node("ConstantOfShape", shape, "c", value=value)


def expand(shape: str) -> onnx.NodeProto:
    return node("Expand", f"v {shape}", "c")


@pytest.fixture
def small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small arrays are treated as large ones."""
    monkeypatch.setattr(uniform, "LARGE", 4)


NETWORKS = {
    "MatMul": ([node("MatMul", "x c", "y")], [1, 4], [4, 3]),
    "a constant times x": ([node("MatMul", "c x", "y")], [4, 1], [3, 4]),
    "Gemm": ([node("Gemm", "x c", "y", alpha=0.7, transB=1)], [1, 4], [3, 4]),
    "Conv": ([node("Conv", "x c", "y", pads=[1, 1, 1, 1])], [1, 2, 4, 4], [3, 2, 3, 3]),
    "a convolution of groups": ([node("Conv", "x c", "y", group=2)], [1, 2, 4, 4], [4, 1, 3, 3]),
    "ConvTranspose": ([node("ConvTranspose", "x c", "y", strides=[2, 2])], [1, 2, 3, 3], [2, 3, 2, 2]),
    "a bias": ([node("Add", "x c", "y")], [1, 2, 3], [2, 3]),
    "a factor": ([node("Mul", "x c", "y"), node("Transpose", "y", "z", perm=[0, 2, 1])], [1, 2, 3], [2, 3]),
    "a constant to be moved first": (
        [node("Transpose", "c", "d", perm=[1, 0]), node("Identity", "d", "e"), node("MatMul", "x e", "y")],
        [1, 4],
        [3, 4],
    ),
    "a constant to be computed with": ([node("Sqrt", "c", "d"), node("MatMul", "x d", "y")], [1, 4], [4, 3]),
    "a part of another": ([node("Concat", "x c", "y", axis=1)], [1, 4], [1, 6]),
    "weights of a recurrent layer": ([node("RNN", "x c r", "y", hidden_size=2)], [2, 1, 3], [1, 2, 3]),
}


@pytest.mark.usefixtures("small_ones")
@pytest.mark.parametrize("made_by", [fill, expand])
@pytest.mark.parametrize("name", NETWORKS)
def test_it_computes_what_onnx_runtime_does(name: str, made_by: Any) -> None:
    nodes, x, c = NETWORKS[name]
    constants = {"n": np.array(c), "v": np.float32([0.5]), "r": np.float32([[[0.1, 0.2], [0.3, 0.4]]])}
    proto = model([made_by("n"), *nodes], {"x": x}, constants, outputs=[nodes[-1].output[0]])
    assert is_uniform(load(proto).model.constants["c"])  # type: ignore[union-attr]
    assert_exact(proto)


@pytest.mark.usefixtures("small_ones")
def test_all_edges_share_one_weight() -> None:
    nodes = [fill("n"), node("MatMul", "x c", "y")]
    graph = load(model(nodes, {"x": [1, 4]}, {"n": np.array([4, 3])}))
    assert graph.layers[-1].incoming[0].block.weights.tolist() == [0.5]
    assert {w for _, _, w in graph.weighted_edges()} == {0.5}
    assert graph.edges == 12


def big(rows: int, columns: int, op: str = "MatMul") -> onnx.ModelProto:
    return model([fill("n"), node(op, "x c", "y")], {"x": [1, rows]}, {"n": np.array([rows, columns])})


def test_a_petabyte_of_weights() -> None:
    proto = big(10**6, 10**9 // 4096)
    assert load(proto).edges == 10**6 * (10**9 // 4096)
    assert "244,140,000,000" in str(info(proto))


def test_what_is_needed_in_full_is_refused() -> None:
    proto = model([fill("n"), node("Add", "x c", "y")], {"x": [1, 1, 1]}, {"n": np.array([300, 300, 300])})
    assert "have 27,000,000 elements; they may have 16,777,248: store such weights" in refusal(proto, TooLargeError)
    nodes = [fill("n"), node("Sqrt", "c", "d"), node("MatMul", "x d", "y")]
    proto = model(nodes, {"x": [1, 3000]}, {"n": np.array([3000, 3000])})
    assert "have 18,000,000 elements; they may have 16,777,232: store such weights" in refusal(proto, TooLargeError)
    proto = model([fill("n"), node("Relu", "x", "y")], {"x": [1, 2]}, {"n": np.array([5000, 5000])}, ["y", "c"])
    assert "have 25,000,000 elements" in refusal(proto, TooLargeError)


def test_onnx_runtime_does_not_fill_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = load(big(300, 300))
    assert verify(graph).passed
    monkeypatch.setattr(runtime, "MOST_FILLED", 4 * 300 * 300 - 1)
    said = "the model fills constants with one value, which takes 0 MB in ONNX Runtime; they may take 0 MB: store"
    with pytest.raises(TooLargeError, match=said):
        verify(graph)


def test_it_stays_small_between_processes() -> None:
    array = np.broadcast_to(np.float32(0.5), (1000, 1000))
    sent = packed({"a": array})
    assert len(sent) < 1000
    back = pickle.loads(sent)["a"]
    assert is_uniform(back)
    np.testing.assert_array_equal(back, array)


def test_what_is_one_value_throughout() -> None:
    row = np.broadcast_to(np.arange(3.0), (5, 3))
    assert [is_uniform(a) for a in (row, row[:, :1], row[:1, :1], np.zeros((2, 2)))] == [False, True, False, False]
    assert [in_memory(a) for a in (row, row[:, :1])] == [15, 1]
    assert stored(row).shape == (1, 3)
    np.testing.assert_array_equal(each(np.sqrt, row), np.sqrt(row))
    assert each(np.sqrt, row).strides[0] == 0


@pytest.mark.usefixtures("small_ones")
@pytest.mark.parametrize(
    ("made", "value"),
    [
        (node("ConstantOfShape", "n", "c"), 0.0),
        (node("Expand", "one n", "c"), 7.0),
        (node("Reshape", "all n", "c"), 3.0),
        (node("Reshape", "other n", "c"), None),
        (node("Sqrt", "all", "c"), None),
    ],
)
def test_what_is_filled(made: onnx.NodeProto, value: float | None) -> None:
    inputs = {"one": np.float32([7]), "all": np.broadcast_to(np.float32(3), (2, 3)), "other": np.ones((2, 3), "f4")}
    found = filled(made, inputs, TensorType((3, 2), np.dtype(np.float32)))
    assert (None if found is None else (found.shape, found.dtype, set(found.ravel().tolist()))) == (
        value if value is None else ((3, 2), np.float32, {value})
    )
