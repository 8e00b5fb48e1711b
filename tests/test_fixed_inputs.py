"""Inputs that the user fixes, shapes that a model declares: what is left is the network of the other inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import onnx2graphml as o2g
from onnx2graphml import cli
from onnx2graphml.errors import Error, ModelError, UnsupportedError
from small import model, node, weights

W = weights(4, 2)
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def branch(name: str, weight: np.ndarray) -> onnx.GraphProto:
    nodes = [helper.make_node("MatMul", ["x", f"w_{name}"], [f"y_{name}"])]
    constants = [numpy_helper.from_array(weight, f"w_{name}")]
    return helper.make_graph(nodes, name, [], [helper.make_tensor_value_info(f"y_{name}", FLOAT, [1, 2])], constants)


def speech(shape: list[int | str] | None = None) -> onnx.ModelProto:
    """As a detector of speech: its branch is chosen by the sampling rate, which is an input."""
    nodes = [
        node("Equal", "sr rate", "is_16k"),
        helper.make_node(
            "If",
            ["is_16k"],
            ["y"],
            then_branch=branch("then", weights(4, 2)),
            else_branch=branch("else", -weights(4, 2)),
        ),
    ]
    inputs = [
        helper.make_tensor_value_info("x", FLOAT, [1, 4]),
        helper.make_tensor_value_info("sr", INT64, shape or []),
    ]
    graph = helper.make_graph(
        nodes, "g", inputs, [helper.make_tensor_value_info("y", FLOAT, [1, 2])],
        [numpy_helper.from_array(np.array(16000, np.int64), "rate")],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("rate", [16000, 8000])
def test_an_input_that_chooses_a_branch_is_fixed(rate: int) -> None:
    """The graph computes what ONNX Runtime does with that value as an input."""
    proto = speech()
    both = o2g.load(proto)
    assert [x.name for x in both.layers if x.aggregation == "input"] == ["x", "sr"]
    graph = o2g.load(proto, fixed={"sr": rate})
    assert [x.name for x in graph.layers if x.aggregation == "input"] == ["x"]
    assert graph.edges == 8 < both.edges  # one branch, not both and a choice
    assert o2g.verify(graph).passed
    x = weights(1, 4, seed=3)
    expected = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {"x": x, "sr": np.array(rate)})[0]
    w = W if rate == 16000 else -W
    np.testing.assert_allclose(expected, x @ w, rtol=1e-6)  # the two branches differ
    np.testing.assert_allclose(o2g.activations(graph, {"x": x}).layer(graph.outputs[0]).value, expected[0], rtol=1e-6)


@pytest.mark.slow
def test_the_command_line_fixes_it_and_reads_an_onnx_pb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "vad.onnx.pb", tmp_path / "vad.graphml"
    onnx.save(speech(), path)
    assert cli.main([str(path), str(out), "--set", "sr=16000"]) == 0
    assert cli.main(["verify", str(path), str(out), "--set", "sr=16000"]) == 0
    assert cli.main(["verify", str(path), str(out), "--set", "sr=8000"]) != 0  # the control: another branch
    assert cli.main(["verify", str(path), str(out)]) == 2
    with pytest.raises(SystemExit):
        cli.main(["info", str(path), "--set", "sr=fast"])
    assert "got 'sr=fast'; expected NAME=16000, or NAME=1,0.5,2" in capsys.readouterr().err


def test_a_number_stands_at_every_place_and_an_array_at_its_own() -> None:
    proto = model([node("Add", "x b", "y")], {"x": (1, 3), "b": ("n", 3)})
    assert o2g.load(proto, fixed={"b": 2}).layers[-1].bias.tolist() == [2, 2, 2]
    assert o2g.load(proto, fixed={"b": [[1, 2.5, 3]]}).layers[-1].bias.tolist() == [1, 2.5, 3]
    rows = model([node("MatMul", "x b", "y")], {"x": (1, 3), "b": ("n", 3)})
    assert o2g.load(rows, fixed={"b": 1}, shapes={"b": (3, 3)}).edges == 9


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"srr": 1}, "a value is given for 'srr'; the model's inputs are x, sr; did you mean 'sr'"),
        ({"sr": 16000.5}, "the value of 'sr' is 16000.5, which its type, int64, can't hold"),
        ({"sr": "fast"}, "the value of 'sr' is 'fast'; expected a number, or an array of numbers"),
        ({"sr": [1, 2]}, r"the value of 'sr' has shape \[2\]; expected \[\]"),
        ({"x": 1, "sr": 1}, "a value is given for 'sr', the only input: nothing would be left to compute"),
    ],
)
def test_what_does_not_fit_is_refused(fixed: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        o2g.load(speech(), fixed=fixed)


def test_only_onnx_models_have_fixed_inputs(tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(b"")
    with pytest.raises(Error, match="fixed inputs are for ONNX models alone; export the model to ONNX"):
        o2g.load(tmp_path / "m.keras", fixed={"x": 1})


# ------------------------------------------------------------------------------------------------------ declared shapes


def expanded(declared: list[int | str]) -> onnx.ModelProto:
    """A shape that follows from data, as far as inference goes; the model says what comes out."""
    nodes = [
        node("Relu", "x", "r"),
        node("Gather", "x zero", "first"),
        node("Cast", "first", "start", to=INT64),
        node("Unsqueeze", "start axes", "from"),
        node("Add", "from one", "to"),
        node("Slice", "ones from to", "part"),
        node("Shape", "part", "shape"),
        node("Expand", "r shape", "y"),
    ]
    constants = {"zero": np.array(0), "axes": np.array([0]), "one": np.array([1]), "ones": np.ones(4, np.float32)}
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", FLOAT, [4])],
        [helper.make_tensor_value_info("y", FLOAT, declared)],
        [numpy_helper.from_array(v, n) for n, v in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_shape_that_the_model_declares_need_not_be_inferred() -> None:
    graph = o2g.load(expanded([4]))
    assert [(x.name, x.shape) for x in graph.layers] == [("x", (4,)), ("the_r", (4,)), ("the_y", (4,))]
    x = np.array([0.5, -1, 2, 3], np.float32)
    report = o2g.verify(graph, {"x": x})
    assert report.passed
    assert [row.layer for row in report.rows] == ["the_r", "the_y", "original y"]


def test_a_shape_that_nobody_declares_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="the shape of its input can't be inferred"):
        o2g.load(expanded(["n"]))


def test_an_operator_that_onnx_does_not_have_is_told_with_the_nearest() -> None:
    proto = model([node("Relu", "x", "y", name="act")], {"x": (1, 4)})
    proto.graph.node[0].op_type = "Rellu"
    with pytest.raises(ModelError, match=r"node 'act' \(Rellu, opset 17\): ONNX has no operator 'Rellu'; did you mean"):
        o2g.load(proto)
