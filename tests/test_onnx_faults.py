"""Faults that were met in use with ONNX files: each case was refused, or computed something else, without need."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto as T
from onnx import helper as h

import onnx2graphml as o2g
from onnx2graphml.errors import Error, ModelError, UnsupportedError

FLOAT = T.FLOAT


def model(nodes, inputs, outputs, imports=(("", 17),), constants=()):
    """Inputs and outputs as name, type, shape."""
    graph = h.make_graph(
        nodes,
        "g",
        [h.make_tensor_value_info(*i) for i in inputs],
        [h.make_tensor_value_info(*o) for o in outputs],
        [onnx.numpy_helper.from_array(np.asarray(a), n) for n, a in constants],
    )
    return h.make_model(graph, opset_imports=[h.make_opsetid(*i) for i in imports], ir_version=9)


def check(proto, shape, **options):
    """It loads, and every layer equals ONNX Runtime's."""
    graph = o2g.load(proto, **options)
    assert graph.layers[-1].shape == shape
    assert o2g.verify(graph).passed
    return graph


# -------------------------------------------------------------------------------------------- what a file may leave out


def test_an_output_without_a_shape_is_inferred():
    proto = model([h.make_node("Relu", ["x"], ["y"])], [("x", FLOAT, [1, 3])], [("y", FLOAT, None)])
    assert not proto.graph.output[0].type.tensor_type.HasField("shape")
    check(proto, (3,))


def test_an_output_without_a_type_is_inferred():
    nodes = [h.make_node("Relu", ["x"], ["y"]), h.make_node("Shape", ["y"], ["s"])]
    proto = model(nodes, [("x", FLOAT, [1, 3])], [("s", T.INT64, [2]), ("y", FLOAT, [1, 3])])
    for output in proto.graph.output:
        output.ClearField("type")
    graph = o2g.load(proto)
    kinds = {o.name: o.type.tensor_type.elem_type for o in graph.model.proto.graph.output}
    assert kinds == {"s": T.INT64, "y": FLOAT}


@pytest.mark.parametrize("size", ["?", "-1", "", -1])
def test_two_dimensions_without_a_name_are_two(size):
    proto = model([h.make_node("Relu", ["x"], ["y"])], [("x", FLOAT, [1, size, size])], [("y", FLOAT, None)])
    check(proto, (3, 5), shapes={"x": (1, 3, 5)})
    named = model([h.make_node("Relu", ["x"], ["y"])], [("x", FLOAT, [1, "n", "n"])], [("y", FLOAT, None)])
    with pytest.raises(ModelError, match="give 'n' both 3 and 5"):
        o2g.load(named, shapes={"x": (1, 3, 5)})


@pytest.mark.parametrize(
    ("shape", "advice"),
    [([1, 3, "h", "w"], "1,3,224,224"), (["n", "s"], "1,16"), (["n", "s", 64], "1,16,64")],
)
def test_a_shape_is_suggested_that_fits_the_rank(shape, advice):
    proto = model([h.make_node("Relu", ["x"], ["y"])], [("x", FLOAT, shape)], [("y", FLOAT, None)])
    with pytest.raises(ModelError, match=f"give --shape x={advice} "):
        o2g.load(proto)


# ----------------------------------------------------------------------------------------------------------- parameters


@pytest.mark.parametrize("opset", [9, 10, 17])
def test_the_scales_of_a_resize_are_not_trained(opset):
    op, scales = ("Upsample" if opset == 9 else "Resize"), np.array([1, 1, 2, 2], np.float32)
    nodes = [h.make_node("Conv", ["x", "w"], ["c"]), h.make_node(op, ["c", *[""] * (opset > 10), "s"], ["y"])]
    inputs, outputs = [("x", FLOAT, [1, 1, 4, 4])], [("y", FLOAT, [1, 2, 4, 4])]
    constants = [("w", np.ones((2, 1, 3, 3), np.float32)), ("s", scales)]
    graph = o2g.load(model(nodes, inputs, outputs, (("", opset),), constants))
    assert [x.parameters for x in graph.layers] == [0, 18, 0]


# --------------------------------------------------------------------------------------------------------------- opsets


@pytest.mark.parametrize("imports", [(13, 12), (12, 13), (13, 12, 13), (12, 12)])
@pytest.mark.parametrize("name", ["", "ai.onnx"])
def test_of_several_imports_the_last_counts_as_in_onnx_runtime(imports, name):
    """Softmax has another default axis from opset 13 on."""
    softmax = h.make_node("Softmax", ["x"], ["y"])
    several = [(name if k else "", version) for k, version in enumerate(imports)]
    proto = model([softmax], [("x", FLOAT, [1, 2, 3])], [("y", FLOAT, [1, 2, 3])], several)
    graph = check(proto, (2, 3))
    assert graph.model.opset == imports[-1]
    sessions = pytest.importorskip("onnxruntime")
    x = np.random.default_rng(0).normal(size=(1, 2, 3)).astype(np.float32)
    (theirs,) = sessions.InferenceSession(proto.SerializeToString()).run(None, {"x": x})
    from onnx2graphml.inference.activations import activations

    np.testing.assert_allclose(activations(graph, {"x": x})["y"], theirs[0], rtol=1e-6)


CLASSICAL = (("ai.onnx.ml", 1), ("", 17))


def test_operators_are_looked_up_in_the_opset_of_their_own_domain():
    nodes = [h.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", n_targets=1)]
    proto = model(nodes, [("x", FLOAT, [1, 4])], [("y", FLOAT, [1, 1])], CLASSICAL)
    with pytest.raises(
        UnsupportedError,
        match=r"\(TreeEnsembleRegressor of ai.onnx.ml\): operator ai.onnx.ml.TreeEnsembleRegressor is not supported",
    ):
        o2g.load(proto)


def test_an_operator_of_a_foreign_domain():
    nodes = [h.make_node("Foo", ["x"], ["y"], domain="com.x")]
    graph = h.make_graph(
        nodes, "g", [h.make_tensor_value_info("x", 1, [1, 3])], [h.make_tensor_value_info("y", 1, [1, 3])]
    )
    given = h.make_model(graph, opset_imports=[h.make_opsetid("", 17), h.make_opsetid("com.x", 2)], ir_version=9)
    with pytest.raises(
        UnsupportedError, match=r"^node 'y' \(Foo of com\.x\): operator com\.x\.Foo is none of ONNX's own$"
    ):
        o2g.load(given)


@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("Scaler", {"offset": [1.0, 2.0, 3.0], "scale": [0.5, 2.0, -1.0]}),
        ("Scaler", {"offset": [0.5], "scale": [3.0]}),
        ("Normalizer", {"norm": "L1"}),
        ("Normalizer", {"norm": "L2"}),
        ("Normalizer", {"norm": "MAX"}),
    ],
)
def test_scalers_of_a_pipeline(op, attributes):
    nodes = [h.make_node(op, ["x"], ["y"], domain="ai.onnx.ml", **attributes)]
    check(model(nodes, [("x", FLOAT, [1, 3])], [("y", FLOAT, [1, 3])], CLASSICAL), (3,))


def test_a_norm_that_there_is_not_is_refused():
    nodes = [h.make_node("Normalizer", ["x"], ["y"], domain="ai.onnx.ml", norm="L3")]
    with pytest.raises(UnsupportedError, match="norm is 'L3'; expected MAX, L1 or L2"):
        o2g.load(model(nodes, [("x", FLOAT, [1, 3])], [("y", FLOAT, [1, 3])], CLASSICAL))


# ---------------------------------------------------------------------------------------------------------------- types


@pytest.mark.parametrize("kind", ["FLOAT8E4M3FN", "FLOAT8E5M2", "FLOAT8E4M3FNUZ", "FLOAT8E5M2FNUZ", "BFLOAT16"])
@pytest.mark.parametrize("saturate", [0, 1])
def test_casts_to_short_floats_are_those_of_onnx_runtime(kind, saturate):
    given = {} if kind == "BFLOAT16" else {"saturate": saturate}
    nodes = [h.make_node("Cast", ["x"], ["c"], to=getattr(T, kind), **given), h.make_node("Cast", ["c"], ["y"], to=1)]
    proto = model(nodes, [("x", FLOAT, [1, 8])], [("y", FLOAT, [1, 8])], (("", 19),))
    x = np.array([[np.inf, -np.inf, 0.3, -0.3, 449, -60000, 1e-3, np.nan]], np.float32)
    for detail in ("op", "layer"):
        assert o2g.verify(o2g.load(proto, detail=detail), {"x": x}).passed


def test_selu_at_infinity():
    proto = model([h.make_node("Selu", ["x"], ["y"])], [("x", FLOAT, [1, 4])], [("y", FLOAT, [1, 4])])
    x = np.array([[np.inf, -np.inf, 100, -100]], np.float32)
    graph = o2g.load(proto)
    assert o2g.verify(graph, {"x": x}).passed
    from onnx2graphml.inference.activations import activations

    gamma, alpha = 1.0507010221481323, 1.6732631921768188
    expected = [np.inf, -gamma * alpha, 100 * gamma, -gamma * alpha]
    np.testing.assert_allclose(activations(graph, {"x": x})["y"], expected, rtol=1e-6)
    np.testing.assert_allclose(graph.layer("y").activation[0](x[0]), expected, rtol=1e-6)


def test_random_operators_are_refused_as_such():
    nodes = [h.make_node("RandomNormalLike", ["x"], ["r"]), h.make_node("Add", ["x", "r"], ["y"])]
    with pytest.raises(UnsupportedError, match="RandomNormalLike draws random numbers, so that no two predictions"):
        o2g.load(model(nodes, [("x", FLOAT, [1, 3])], [("y", FLOAT, [1, 3])]))
    free = [h.make_node("RandomUniform", [], ["r"], shape=[1, 3], seed=1.0), h.make_node("Add", ["x", "r"], ["y"])]
    with pytest.raises(UnsupportedError, match="RandomUniform draws random numbers"):
        o2g.load(model(free, [("x", FLOAT, [1, 3])], [("y", FLOAT, [1, 3])]))


def test_the_first_step_of_a_recurrent_layer_multiplies_constants():
    """Gemm of two constants and a computed summand."""
    rng = np.random.default_rng(0)
    constants = [("a", rng.normal(size=(2, 3)).astype("f")), ("b", rng.normal(size=(4, 3)).astype("f"))]
    gemm = h.make_node("Gemm", ["a", "b", "x"], ["y"], alpha=0.5, beta=2.0, transB=1)
    proto = model([gemm], [("x", FLOAT, [2, 4])], [("y", FLOAT, [2, 4])], constants=constants)
    assert check(proto, (2, 4)).edges == 8


# --------------------------------------------------------------------------------------------- parts that are asked for

DIGITS = str(Path(__file__).parent.parent / "fixtures" / "digits.onnx")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"layers": "conv1,dense1"}, "no edge joins two of the layers 'conv1,dense1'; conv1:dense1 has all"),
        ({"layers": "conv1:conv9"}, "no layer is named 'conv9'; did you mean '"),
        ({"layers": "conv9:dense1"}, "no layer is named 'conv9'"),
        ({"layers": ["conv1", "dense1"]}, "no edge joins two of the layers"),
        ({"layers": ["conv1", "bm1"]}, "no layer is named 'bm1'; did you mean 'bn1'"),
        ({"layers": []}, "layers are none; expected one or more names"),
        ({"min_abs_weight": float("nan")}, "min-abs-weight is nan; expected a number that is 0 or more"),
        ({"min_abs_weight": -1.0}, r"min-abs-weight is -1.0; expected a number that is 0 or more"),
        ({"top_k": 2.5}, "top_k is 2.5; expected a whole number"),
        ({"sample": 2.5}, "sample is 2.5; expected a whole number"),
    ],
)
def test_a_part_that_there_is_not_is_refused(asked, message):
    with pytest.raises(Error, match=message):
        o2g.select(DIGITS, **asked)


def test_a_value_may_begin_with_a_minus(tmp_path, capsys):
    Image = pytest.importorskip("PIL.Image")

    from onnx2graphml.cli import main

    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "black.png")
    command = ["activations", DIGITS, str(tmp_path / "black.png"), "-o", str(tmp_path / "out"), "--preprocess", "-1..1"]
    assert main([*command, "--layers", "conv1"]) == 0
    assert "scaled by -1..1" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["net.pt", "net.PTH"])
def test_a_file_of_torch_save_is_told(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(ModelError, match=r"a PyTorch pickle, .*torch\.export\.save\("):
        o2g.load(tmp_path / name)
