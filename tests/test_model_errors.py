"""What can't be loaded is refused with one line that says what was found and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnx2graphml.api import load
from onnx2graphml.errors import ModelError, UnsupportedError
from onnx2graphml.model import load_model
from small import model, node, refusal, weights


def relu(shape: Any = (1, 4), **kwargs: Any) -> onnx.ModelProto:
    return model([node("Relu", "x", "y")], {"x": shape}, **kwargs)


# ---------------------------------------------------------------------------------------------------------------- files


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_missing_file(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "nowhere.onnx", ModelError).lower()


def test_empty_file(tmp_path: Path) -> None:
    message = refusal(written(tmp_path / "a.onnx", b""), ModelError)
    assert "a.onnx" in message
    assert "empty" in message


@pytest.mark.parametrize(
    "content",
    [b"This is not a model.\n", b"\x00" * 100, b"\xff" * 100, b"\x89PNG\r\n\x1a\n" + bytes(range(256))],
    ids=["text", "zeros", "ones", "picture"],
)
@pytest.mark.parametrize("suffix", [".onnx", ".txt", ".json", ".textproto", ".onnxtxt", ".onnxjson", ""])
def test_files_that_are_no_model(tmp_path: Path, content: bytes, suffix: str) -> None:
    """Also under those suffixes for which the onnx package has other readers than that of its binary format."""
    path = written(tmp_path / f"notes{suffix}", content)
    assert "notes" in refusal(path, ModelError)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated_file(tmp_path: Path, share: float) -> None:
    proto = model([node("MatMul", "x w", "y")], {"x": [1, 50]}, {"w": weights(50, 50)})
    content = proto.SerializeToString()
    refusal(written(tmp_path / "cut.onnx", content[: int(share * len(content))]), ModelError)


def test_directory(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        load_model(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_external_data_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "big.onnx"
    proto = model([node("MatMul", "x w", "y")], {"x": [1, 4]}, {"w": weights(4, 3)})
    onnx.save(proto, path, save_as_external_data=True, location="big.data", size_threshold=0)
    (tmp_path / "big.data").unlink()
    assert "big.data" in refusal(path, ModelError)


def test_external_data_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "big.onnx"
    proto = model([node("MatMul", "x w", "y")], {"x": [1, 4]}, {"w": weights(4, 3)})
    onnx.save(proto, path, save_as_external_data=True, location="big.data", size_threshold=0)
    data = tmp_path / "big.data"
    data.write_bytes(data.read_bytes()[:20])
    refusal(path, ModelError)


@pytest.mark.parametrize("location", ["../secret.data", "/etc/hostname"])
def test_external_data_outside_of_the_folder(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.data").write_bytes(bytes(48))
    proto = model([node("MatMul", "x w", "y")], {"x": [1, 4]}, {"w": weights(4, 3)})
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    refusal(written(folder / "m.onnx", proto.SerializeToString()), ModelError)


def test_other_objects() -> None:
    assert "int" in refusal(3, ModelError)


# -------------------------------------------------------------------------------------------------------- broken graphs


def test_a_model_without_a_graph(tmp_path: Path) -> None:
    proto = onnx.ModelProto(ir_version=8)
    refusal(written(tmp_path / "m.onnx", proto.SerializeToString()), ModelError)
    refusal(proto, ModelError)


def test_a_graph_without_nodes() -> None:
    proto = relu()
    del proto.graph.node[:]
    message = refusal(proto, ModelError)
    assert "y" in message


def test_cycle() -> None:
    proto = relu()
    del proto.graph.node[:]
    proto.graph.node.extend([node("Add", "x b", "a", name="one"), node("Relu", "a", "b", name="two")])
    proto.graph.node.append(node("Relu", "b", "y"))
    message = refusal(proto, ModelError)
    assert "cycle" in message
    assert "one" in message
    assert "two" in message


def test_a_node_that_reads_itself() -> None:
    proto = relu()
    proto.graph.node[0].input[0] = "y"
    refusal(proto, ModelError)


def test_two_tensors_of_one_name() -> None:
    proto = relu()
    proto.graph.node.append(node("Sigmoid", "x", "y", name="again"))
    assert "y" in refusal(proto, ModelError)


def test_an_input_that_nothing_makes() -> None:
    proto = relu()
    proto.graph.node[0].input[0] = "nothing"
    assert "nothing" in refusal(proto, ModelError)


def test_an_output_that_nothing_makes() -> None:
    proto = relu()
    proto.graph.output[0].name = "nothing"
    assert "nothing" in refusal(proto, ModelError)


def test_shapes_that_do_not_fit() -> None:
    proto = relu((1, 4))
    proto.graph.initializer.append(numpy_helper.from_array(weights(5, 3), "w"))
    del proto.graph.node[:]
    proto.graph.node.append(node("MatMul", "x w", "y", name="product"))
    message = refusal(proto, ModelError)
    assert "product" in message
    assert "MatMul" in message


def test_an_unknown_attribute() -> None:
    proto = relu()
    proto.graph.node[0].attribute.append(helper.make_attribute("steepness", 2.0))
    assert "steepness" in refusal(proto, ModelError)


# --------------------------------------------------------------------------------------------------- opsets and domains


def test_an_opset_that_is_too_new() -> None:
    newest = onnx.defs.onnx_opset_version()
    proto = relu()
    proto.opset_import[0].version = newest + 1
    message = refusal(proto, ModelError)
    assert str(newest + 1) in message


def test_no_opset() -> None:
    proto = relu()
    del proto.opset_import[:]
    assert "opset" in refusal(proto, ModelError)


def test_an_unknown_domain() -> None:
    proto = relu(opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.example", 3)])
    proto.graph.node[0].domain, proto.graph.node[0].op_type = "com.example", "Magic"
    message = refusal(proto, UnsupportedError)
    for part in ("the_y", "com.example", "Magic"):
        assert part in message


def test_an_unknown_operator_of_onnx() -> None:
    proto = relu()
    proto.graph.node[0].op_type = "Reluu"
    message = refusal(proto, ModelError)
    assert "Reluu" in message


def test_an_operator_newer_than_the_opset() -> None:
    proto = relu(opset=13)
    proto.graph.node[0].op_type = "Gelu"  # since opset 20
    message = refusal(proto, ModelError)
    assert "Gelu" in message


# --------------------------------------------------------------------------------------------------------------- shapes


@pytest.mark.parametrize(
    ("shape", "found", "hint"),
    [
        (["N", 3, "height", "width"], "[1, 3, height, width]", "--shape x=1,3,"),
        ([None, 3, None, 7], "[1, 3, ?, 7]", "--shape x=1,3,"),
        ([1, "channels", 4, 4], "[1, channels, 4, 4]", "--shape x=1,"),
    ],
)
def test_dynamic_dimensions(shape: list[Any], found: str, hint: str) -> None:
    proto = model([node("GlobalAveragePool", "x", "y")], {"x": shape})
    message = refusal(proto, ModelError)
    assert "'x'" in message
    assert found in message
    assert hint in message
    # What is to be typed works as it stands.
    typed = message.split("--shape x=")[1].split()[0]
    sizes = tuple(int(n) for n in typed.split(","))
    assert load(proto, shapes={"x": sizes}).layers[0].neurons == np.prod(sizes)


def test_shape_of_an_unknown_input() -> None:
    message = refusal(relu(("N", 4)), ModelError, shapes={"z": (1, 4)})
    assert "'z'" in message
    assert "'x'" in message


@pytest.mark.parametrize("shape", [(4,), (1, 1, 4), (1, 5), (0, 4), (-1, 4), ()])
def test_shape_that_contradicts_the_model(shape: tuple[int, ...]) -> None:
    message = refusal(relu(("N", 4)), ModelError, shapes={"x": shape})
    assert "'x'" in message
    assert str(list(shape)) in message
    assert "[N, 4]" in message


def test_one_symbol_with_two_sizes() -> None:
    proto = model([node("Concat", "a b", "y", axis=1)], {"a": [1, "n"], "b": [1, "n"]})
    refusal(proto, ModelError, shapes={"a": (1, 3), "b": (1, 4)})
