"""The loader: whatever way an ONNX file writes a network down, the graph computes what ONNX Runtime does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnx2graphml.api import load
from onnx2graphml.model import load_model
from small import assert_exact, model, node, weights


def dense(**kwargs: Any) -> onnx.ModelProto:
    """A product, a bias and a Relu."""
    nodes = [node("MatMul", "x w", "p"), node("Add", "p b", "s"), node("Relu", "s", "y")]
    return model(nodes, {"x": [1, 4]}, {"w": weights(4, 3), "b": weights(3, seed=1)}, **kwargs)


# --------------------------------------------------------------------------------------------------- old and new opsets


def of_opset_6(nodes: list[onnx.NodeProto], shape: list[int], constants: dict[str, Any]) -> onnx.ModelProto:
    """As it was then: every initializer is an input as well."""
    proto = model(nodes, {"x": shape}, constants, opset=6, ir_version=3)
    kind = helper.np_dtype_to_tensor_dtype
    proto.graph.input.extend(helper.make_tensor_value_info(n, kind(v.dtype), v.shape) for n, v in constants.items())
    return proto


def test_opset_6_is_what_onnx_runtime_makes_of_it() -> None:
    nodes = [
        node("Conv", "x w", "c", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Relu", "c", "r"),
        node("MaxPool", "r", "m", kernel_shape=[2, 2], strides=[2, 2]),
        node("Sum", "m m", "s"),
        node("Reshape", "s size", "y"),
    ]
    old = of_opset_6(nodes, [1, 3, 6, 6], {"w": weights(2, 3, 3, 3), "size": np.array([1, -1])})
    assert load_model(old).opset > 6
    assert load_model(old).inputs == ("x",)
    assert_exact(old)


OLD_AND_NEW: dict[str, tuple[list[onnx.NodeProto], list[onnx.NodeProto], dict[str, Any]]] = {
    # What ONNX Runtime no longer runs, beside the same in a newer opset.
    "BatchNormalization": (
        [node("BatchNormalization", "x c1 c2 c3 c1", "y", is_test=1, epsilon=1e-3)],
        [node("BatchNormalization", "x c1 c2 c3 c1", "y", epsilon=1e-3)],
        {"c1": np.float32([0.5, 2, 1]), "c2": weights(3, seed=2), "c3": weights(3, seed=3)},
    ),
    "Dropout": ([node("Dropout", "x", "y", is_test=1)], [node("Identity", "x", "y")], {}),
    "Gemm": (
        [node("Flatten", "x", "f"), node("Gemm", "f w c1", "y", broadcast=1, beta=0.5)],
        [node("Flatten", "x", "f"), node("Gemm", "f w c1", "y", beta=0.5)],
        {"w": weights(12, 3), "c1": weights(3, seed=1)},
    ),
    "PRelu with a slope per channel": (
        [node("PRelu", "x c1", "y")],
        [node("PRelu", "x c2", "y")],
        {"c1": weights(3), "c2": weights(3).reshape(3, 1, 1)},
    ),
    "Add to an axis": (
        [node("Add", "x c1", "y", broadcast=1, axis=1)],
        [node("Add", "x c2", "y")],
        {"c1": weights(3), "c2": weights(3).reshape(3, 1, 1)},
    ),
}


@pytest.mark.parametrize("name", OLD_AND_NEW)
def test_opset_6_is_raised(name: str) -> None:
    old, new, constants = OLD_AND_NEW[name]
    shape = [1, 3, 2, 2]
    used = {n for x in old for n in x.input}
    before = of_opset_6(old, shape, {n: v for n, v in constants.items() if n in used})
    assert_exact(before, reference=model(new, {"x": shape}, constants, opset=13))


@pytest.mark.parametrize("opset", range(7, 23))
def test_every_opset_is_read_as_it_is(opset: int) -> None:
    proto = dense(opset=opset)
    assert load_model(proto).opset == opset
    assert_exact(proto)


# ---------------------------------------------------------------------------------------------------- where weights are


def test_initializers_that_are_inputs_as_well_are_constants() -> None:
    proto = dense()
    before = load(proto)
    proto.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 3]))
    proto.graph.input.insert(0, helper.make_tensor_value_info("b", TensorProto.FLOAT, [3]))
    assert load_model(proto).inputs == ("x",)
    assert assert_exact(proto)["layer"].edges == before.edges


def test_weights_in_constant_nodes() -> None:
    value = numpy_helper.from_array(weights(4, 3))
    nodes = [
        node("Constant", "", "w", name="w", value=value),
        node("Constant", "", "b", name="b", value_floats=[1.0, 2.0, 3.0]),
        node("Constant", "", "two", name="two", value_float=2.0),
        node("MatMul", "x w", "p"),
        node("Add", "p b", "s"),
        node("Mul", "s two", "y"),
    ]
    graphs = assert_exact(model(nodes, {"x": [1, 4]}))
    assert graphs["op"].edges == 12 + 3 + 3
    assert all(layer.aggregation != "constant" for layer in graphs["op"].layers)


def test_weights_in_constant_of_shape_nodes() -> None:
    half = helper.make_tensor("half", TensorProto.FLOAT, [1], [0.5])
    nodes = [node("ConstantOfShape", "size", "w", value=half), node("MatMul", "x w", "y")]
    graph = assert_exact(model(nodes, {"x": [1, 4]}, {"size": np.array([4, 3])}))["layer"]
    assert {w for _, _, w in graph.weighted_edges()} == {0.5}


def branch(name: str, *nodes: onnx.NodeProto, **initializers: Any) -> onnx.GraphProto:
    """A branch whose output is named r."""
    made = helper.make_tensor_value_info("r", TensorProto.FLOAT, None)
    constants = [numpy_helper.from_array(v, n) for n, v in initializers.items()]
    return helper.make_graph(list(nodes), name, [], [made], constants)


@pytest.mark.parametrize("condition", [True, False])
def test_a_constant_condition_takes_its_branch(condition: bool) -> None:
    """Its branches read constants from around them and from inside, and hold conditions themselves."""
    inner = node(
        "If",
        "no",
        "r",
        then_branch=branch("c", node("Neg", "w", "r")),
        else_branch=branch("d", node("Mul", "w own", "r"), own=np.float32(3)),
    )
    outer = node("If", "yes", "v", then_branch=branch("a", inner), else_branch=branch("b", node("Abs", "w", "r")))
    constants = {"w": weights(4, 3), "yes": np.bool_(condition), "no": np.bool_(False)}
    proto = model([outer, node("MatMul", "x v", "y")], {"x": [1, 4]}, constants)
    graph = assert_exact(proto)["op"]
    expected = 3 * constants["w"] if condition else np.abs(constants["w"])
    assert sorted(w for _, _, w in graph.weighted_edges()) == sorted(expected.ravel().tolist())


@pytest.mark.parametrize("kind", [np.int64, np.float32])
def test_a_range_is_folded(kind: Any) -> None:
    nodes = [node("Range", "a b c", "r"), node("Cast", "r", "v", to=TensorProto.FLOAT), node("Mul", "x v", "y")]
    graph = assert_exact(model(nodes, {"x": [1, 4]}, {"a": kind(9), "b": kind(1), "c": kind(-2)}))["op"]
    assert [w for _, _, w in graph.weighted_edges()] == [9, 7, 5, 3]


UNTOLD = {  # of which ONNX infers no shape from values
    "NonZero": [node("NonZero", "w", "i"), node("Cast", "i", "v", to=TensorProto.FLOAT)],
    "Compress": [node("Compress", "w which", "v")],
    "Unique": [node("Unique", "w", "v")],
    "OneHot": [node("OneHot", "which_one four values", "v")],
    "MeanVarianceNormalization": [node("MeanVarianceNormalization", "w4", "v")],
}


@pytest.mark.parametrize("op", UNTOLD)
def test_constants_of_sizes_that_onnx_does_not_infer(op: str) -> None:
    constants = {
        "w": weights(6),
        "w4": weights(1, 2, 2, 2),
        "which": np.array([True, False, True]),
        "which_one": np.array([2]),
        "four": np.array(4),
        "values": np.float32([1, 3]),
    }
    used = {i for n in UNTOLD[op] for i in n.input}
    nodes = [*UNTOLD[op], node("ReduceMax", "v", "s", keepdims=0), node("Mul", "x s", "y")]
    assert_exact(model(nodes, {"x": [1, 4]}, {n: v for n, v in constants.items() if n in used}))


def test_weights_that_are_computed_from_constants() -> None:
    nodes = [
        node("Transpose", "v", "t", perm=[1, 0]),
        node("Mul", "t two", "w"),
        node("MatMul", "x w", "y"),
    ]
    constants = {"v": weights(3, 4), "two": np.float32(2)}
    graph = assert_exact(model(nodes, {"x": [1, 4]}, constants))["op"]
    assert [layer.op for layer in graph.layers] == ["Input", "MatMul"]
    assert sorted(w for _, _, w in graph.weighted_edges()) == sorted((2 * constants["v"]).ravel().tolist())


def test_external_data_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "big.onnx"
    expected = sorted(load(dense()).weighted_edges())
    onnx.save(dense(), path, save_as_external_data=True, location="big.data", size_threshold=0)
    assert (tmp_path / "big.data").stat().st_size >= 12 * 4
    assert sorted(assert_exact(path)["layer"].weighted_edges()) == expected


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_weights_of_other_float_types(dtype: Any) -> None:
    w, b = weights(4, 3, dtype=dtype), weights(3, seed=1, dtype=dtype)
    nodes = [node("MatMul", "x w", "p"), node("Add", "p b", "s"), node("Relu", "s", "y")]
    graph = assert_exact(model(nodes, {"x": [1, 4]}, {"w": w, "b": b}, dtype=dtype))["layer"]
    assert sorted(weight for _, _, weight in graph.weighted_edges()) == sorted(w.astype(float).ravel().tolist())


@pytest.mark.parametrize("coordinates", [False, True], ids=["positions", "coordinates"])
def test_sparse_initializer(coordinates: bool) -> None:
    dense_w = np.zeros((4, 3), np.float32)
    dense_w[0, 1], dense_w[2, 0], dense_w[3, 2] = 1.5, -2.0, 0.25
    where = np.argwhere(dense_w) if coordinates else np.flatnonzero(dense_w)
    proto = model([node("MatMul", "x w", "y")], {"x": [1, 4]})
    values = numpy_helper.from_array(dense_w[dense_w != 0], "w")
    proto.graph.sparse_initializer.append(
        helper.make_sparse_tensor(values, numpy_helper.from_array(where.astype(np.int64), "where"), [4, 3])
    )
    proto.ir_version = 11
    as_dense = model([node("MatMul", "x w", "y")], {"x": [1, 4]}, {"w": dense_w})
    assert_exact(proto, reference=as_dense)
    assert list(load(proto).weighted_edges()) == list(load(as_dense).weighted_edges())


# ------------------------------------------------------------------------------------------------------------ functions


def test_local_functions_are_inlined_also_nested() -> None:
    standard = helper.make_opsetid("", 17)
    own = helper.make_opsetid("mine", 1)
    scale = helper.make_function(
        "mine", "Scale", ["a", "f"], ["b"], [helper.make_node("Mul", ["a", "f"], ["b"])], [standard]
    )
    block = helper.make_function(
        "mine",
        "Block",
        ["a", "w", "f"],
        ["d"],
        [
            helper.make_node("MatMul", ["a", "w"], ["b"]),
            helper.make_node("Scale", ["b", "f"], ["c"], domain="mine"),
            helper.make_node("LeakyRelu", ["c"], ["d"], alpha=0.3),
        ],
        [standard, own],
    )
    nodes = [
        helper.make_node("Block", ["x", "w1", "f"], ["h"], domain="mine", name="first"),
        helper.make_node("Block", ["h", "w2", "f"], ["y"], domain="mine", name="second"),
    ]
    constants = {"w1": weights(4, 5), "w2": weights(5, 3), "f": np.float32(1.5)}
    proto = model(nodes, {"x": [1, 4]}, constants, functions=[scale, block], opset_imports=[standard, own])
    graph = assert_exact(proto)["op"]
    assert [layer.op for layer in graph.layers] == ["Input", *["MatMul", "Mul", "LeakyRelu"] * 2]


# --------------------------------------------------------------------------------------------------------------- shapes


def picture(shape: list[Any], **kwargs: Any) -> onnx.ModelProto:
    """A global average, which takes a picture of any size."""
    return model([node("GlobalAveragePool", "x", "y")], {"x": shape}, **kwargs)


@pytest.mark.parametrize("batch", ["N", None])
def test_a_dynamic_batch_is_1(batch: str | None) -> None:
    assert load(picture([batch, 2, 3, 3])).layers[0].shape == (2, 3, 3)


def test_a_given_shape_is_taken() -> None:
    graphs = assert_exact(picture(["N", 2, "height", "width"]), shapes={"x": (1, 2, 3, 5)})
    assert graphs["layer"].layers[0].shape == (2, 3, 5)


def test_a_given_batch_other_than_1() -> None:
    graphs = assert_exact(dense_of(["N", 4]), shapes={"x": (3, 4)})
    assert graphs["op"].layers[0].shape == (3, 4)
    assert graphs["op"].edges == 3 * 4 * 2


def dense_of(shape: list[Any]) -> onnx.ModelProto:
    return model([node("MatMul", "x w", "y")], {"x": shape}, {"w": weights(4, 2)})


def test_a_negative_size_is_an_open_one() -> None:
    """As some exporters write it."""
    assert load(dense_of([-1, 4]), shapes={"x": (2, 4)}).layers[0].shape == (2, 4)


def test_an_input_of_no_known_shape() -> None:
    proto = dense_of([1, 4])
    proto.graph.input[0].type.tensor_type.ClearField("shape")
    assert assert_exact(proto, shapes={"x": (1, 4)})["layer"].edges == 8


def test_a_symbol_has_one_size_in_all_inputs() -> None:
    proto = model([node("Add", "a b", "y")], {"a": [1, "n"], "b": [1, "n"]})
    assert [x.shape for x in assert_exact(proto, shapes={"a": (1, 6)})["op"].layers] == [(6,)] * 3


def test_a_symbolic_batch_of_several_inputs() -> None:
    proto = model([node("Add", "a b", "y")], {"a": ["n", 3], "b": ["n", 3]})
    assert [x.shape for x in assert_exact(proto, shapes={"b": (2, 3)})["op"].layers] == [(2, 3)] * 3


def test_the_given_model_is_not_changed() -> None:
    proto = picture(["N", 2, "h", "w"])
    before = proto.SerializeToString(deterministic=True)
    load(proto, shapes={"x": (1, 2, 3, 3)})
    assert proto.SerializeToString(deterministic=True) == before


def test_shape_arithmetic_is_folded() -> None:
    nodes = [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "n", axis=0),
        node("Unsqueeze", "n axes", "n1"),
        node("Concat", "n1 rest", "to", axis=0),
        node("Reshape", "x to", "f"),
        node("MatMul", "f w", "y"),
    ]
    constants = {"zero": np.int64(0), "axes": np.array([0]), "rest": np.array([-1]), "w": weights(12, 2)}
    proto = model(nodes, {"x": ["N", 3, 4]}, constants)
    graph = assert_exact(proto)["op"]
    assert [layer.op for layer in graph.layers] == ["Input", "Reshape", "MatMul"]


# -------------------------------------------------------------------------------------------------- order and relevance


def test_unsorted_nodes_are_sorted() -> None:
    proto = dense()
    nodes = list(proto.graph.node)[::-1]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    assert [x.op for x in assert_exact(proto, reference=dense())["op"].layers] == ["Input", "MatMul", "Add", "Relu"]


def test_what_no_output_depends_on_is_left_out() -> None:
    proto = dense()
    proto.graph.node.extend(
        [
            node("ArgMax", "s", "best", axis=1),
            node("Cast", "best", "back", to=TensorProto.FLOAT),
            node("Shape", "s", "size"),
            node("Softmax", "s", "unread"),
            node("RandomNormalLike", "s", "noise"),
        ]
    )
    assert [x.name for x in assert_exact(proto, reference=dense())["op"].layers] == ["x", "p", "s", "y"]


def test_an_output_that_is_constant() -> None:
    proto = dense(outputs=("y", "fixed"))
    proto.graph.node.append(node("Identity", "b", "fixed"))
    layer = assert_exact(proto)["layer"].layers[-1]
    assert (layer.aggregation, layer.name) == ("constant", "fixed")
    assert layer.bias is not None
    assert layer.bias.tolist() == weights(3, seed=1).tolist()


def test_a_layer_that_is_an_output_and_goes_on() -> None:
    graphs = assert_exact(dense(outputs=("s", "y")))
    assert all(len(g.outputs) == 2 and len(set(g.outputs)) == 2 for g in graphs.values())


def test_the_file_is_identified(tmp_path: Path) -> None:
    import hashlib

    path = tmp_path / "net.onnx"
    path.write_bytes(dense().SerializeToString())
    graph = load(path)
    assert (graph.model_name, graph.model_sha256) == ("net.onnx", hashlib.sha256(path.read_bytes()).hexdigest())


def test_weights_that_are_only_moved_are_little_work() -> None:
    """Exporters transpose every weight: BERT's base model has 74 matrices of this size and smaller ones."""
    from onnx2graphml.model.work import MOST_WORK, work

    transposed = node("Transpose", "w", "t")
    assert 100 * work(transposed, [np.broadcast_to(np.float32(0), (3072, 768))], [(768, 3072)]) < MOST_WORK
