"""An .h5 file of Keras 2 or 3 without Keras and TensorFlow: what it computes, or the way through TensorFlow."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnxruntime as ort
import pytest

from alike import differences
from configurations import change_anything, part
from onnx2graphml.api import load
from onnx2graphml.errors import Error, ModelError, UnsupportedError
from onnx2graphml.frontends.direct.hdf5 import read_hdf5
from onnx2graphml.frontends.direct.listed import texts
from onnx2graphml.frontends.direct.uncovered import UncoveredError
from onnx2graphml.frontends.keras_check import UnsafeError
from onnx2graphml.frontends.messages import refusal
from onnx2graphml.model.light import LightModel

KERAS_2 = Path(__file__).parent / "keras2"
OF_KERAS_2 = [path.stem for path in sorted(KERAS_2.glob("*.h5"))]


def outputs(light: LightModel, *inputs: np.ndarray) -> list[np.ndarray]:
    """What ONNX Runtime computes."""
    session = ort.InferenceSession(light.proto.SerializeToString())
    names = [each.name for each in session.get_inputs() if each.name not in light.arrays]
    return list(session.run(None, {**light.arrays, **dict(zip(names, inputs, strict=True))}))


def error_of(path: Path) -> float:
    """The largest difference from what Keras 2 has predicted."""
    with h5py.File(path) as file:
        x, y = ([a[()] for _, a in sorted(file[f"predicted/{key}"].items())] for key in ("inputs", "outputs"))
    assert all(np.ptp(each) > 0.01 for each in y)
    found = outputs(read_hdf5(path, {}).light, *x)
    assert [each.shape for each in found] == [each.shape for each in y]
    return max(float(np.abs(a - b).max()) for a, b in zip(found, y, strict=True))


@pytest.mark.parametrize("name", OF_KERAS_2)
def test_a_file_of_keras_2_computes_what_keras_2_does(name: str) -> None:
    assert error_of(KERAS_2 / f"{name}.h5") < 1e-5


def test_there_are_files_of_keras_2() -> None:
    assert OF_KERAS_2 == ["chain", "heads", "nested", "pictures", "words"]


def swapped(path: Path, group: str, one: str, other: str) -> None:
    """Exchange two arrays of a file."""
    with h5py.File(path, "a") as file:
        found = file[f"model_weights/{group}"]
        a, b = found[one][()], found[other][()]
        found[one][...], found[other][...] = b, a


@pytest.mark.parametrize(
    ("name", "group", "one", "other"),
    [
        ("pictures", "batch_normalization", "batch_normalization/gamma:0", "batch_normalization/moving_mean:0"),
        ("nested", "inner", "a/kernel:0", "c/kernel:0"),
        ("nested", "inner", "b/beta:0", "b/moving_mean:0"),
        ("heads", "multi_head_attention", *(f"multi_head_attention/{n}/kernel:0" for n in ("key", "value"))),
        ("words", "gru", "/kernel:0", "/recurrent_kernel:0"),
    ],
)
def test_weights_that_are_exchanged_are_seen(name: str, group: str, one: str, other: str, tmp_path: Path) -> None:
    """The control: the comparison above is with these very weights."""
    path = Path(shutil.copy(KERAS_2 / f"{name}.h5", tmp_path))
    with h5py.File(path) as file:
        names: list[str] = []
        file[f"model_weights/{group}"].visit(names.append)
    one, other = (next(n for n in names if n.endswith(each)) for each in (one, other))
    swapped(path, group, one, other)
    assert error_of(path) > 1e-4


def renamed(path: Path, change: Callable[[list[str]], list[str]], layer: str = "nested") -> None:
    with h5py.File(path, "a") as file:
        attributes = file[f"model_weights/{layer}"].attrs
        attributes["weight_names"] = [
            name.encode() for name in change(texts(file[f"model_weights/{layer}"], "weight_names"))
        ]


def test_weights_in_another_order_are_left_to_keras(tmp_path: Path) -> None:
    path = Path(shutil.copy(KERAS_2 / "nested.h5", tmp_path))
    renamed(path, lambda names: names[::-1], "inner")
    with pytest.raises(UncoveredError, match="moving_variance for gamma of layers/functional"):
        read_hdf5(path, {})
    renamed(path, lambda names: [*names[::-1]][1:], "inner")
    with pytest.raises(UncoveredError, match="variables of layers/functional"):
        read_hdf5(path, {})


def test_layers_of_one_name_and_shape_are_told_apart_by_their_path(tmp_path: Path) -> None:
    """The first and the last layer of the inner model have kernels of one shape."""
    path = Path(shutil.copy(KERAS_2 / "nested.h5", tmp_path))

    def change(names: list[str]) -> list[str]:
        a, c = (next(n for n in names if n.endswith(f"{k}/kernel:0")) for k in "ac")
        return [{a: c, c: a}.get(n, n) for n in names]

    renamed(path, change, "inner")
    with pytest.raises(UncoveredError, match=r"kernel for layers/functional"):
        read_hdf5(path, {})


def edited(path: Path, change: Callable[[Any], None], source: str = "chain") -> Path:
    """One of the files with another configuration."""
    path = Path(shutil.copy(KERAS_2 / f"{source}.h5", path))
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)
    return path


def reason(path: Path) -> str:
    """Why a file is not read directly, whether or not Keras 3 would then read it in another sense."""
    with pytest.raises((UncoveredError, UnsupportedError)) as caught:
        read_hdf5(path, {})
    return str(caught.value.__context__ if caught.type is UnsupportedError else caught.value)


def layer(config: Any, name: str) -> Any:
    return part(config, name)["config"]


@pytest.mark.parametrize(
    ("source", "name", "options", "what"),
    [
        ("chain", "dense", {"units": 3}, "variables of layers/dense"),
        ("chain", "dense", {"tomorrow": 1}, "the option tomorrow"),
        ("chain", "conv1d", {"dtype": {"class_name": "Policy", "config": {"name": "mixed_float16"}}}, "the policy"),
        ("pictures", "depthwise_conv2d", {"groups": 2}, "the option groups = 2"),
        ("words", "gru", {"time_major": True}, "the option time_major = True"),
    ],
)
def test_options_that_are_not_known(source: str, name: str, options: Any, what: str, tmp_path: Path) -> None:
    assert what in reason(edited(tmp_path / "m.h5", lambda config: layer(config, name).update(options), source))


def test_classes_and_calls_that_are_not_known(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    for source, change, what in (
        ("chain", lambda c: part(c, "p_re_lu").update(class_name="ThresholdedReLU"), "ThresholdedReLU of Keras 2"),
        ("words", lambda c: layer(c, "gru").pop("reset_after"), "a GRU of the first Keras 2"),
        ("heads", lambda c: calls(c, "add").append([]), "a call without inputs"),
        ("heads", lambda c: calls(c, "add")[0][0].append({"scale": 2.0}), "the argument 2.0"),
    ):
        assert what in reason(edited(path, change, source))


def calls(config: Any, name: str) -> Any:
    found = part(config, name)["inbound_nodes"]
    for call in found:
        for each in call:
            del each[3:]
    return found


def attributed(path: Path, source: str = "chain", **attributes: Any) -> Path:
    path = Path(shutil.copy(KERAS_2 / f"{source}.h5", path))
    with h5py.File(path, "a") as file:
        file.attrs.update(attributes)
    return path


def test_versions_and_backends_that_are_not_known(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    for attributes, what in (
        ({"keras_version": "1.2"}, "Keras 1.2 with tensorflow"),
        ({"backend": "theano"}, "Keras .* with theano"),
    ):
        with pytest.raises(UncoveredError, match=what):
            read_hdf5(attributed(path, **attributes), {})
    assert read_hdf5(attributed(path, backend=np.bytes_("tensorflow")), {}).light.proto.graph.node


# ---------------------------------------------------------------------------- what Keras 3 reads in another sense


def test_what_keras_3_would_read_in_another_sense_is_refused(tmp_path: Path) -> None:
    """It takes the first for another function, and forgets the second; as it stands, without a word."""
    unknown = {"tomorrow": 1}
    path = edited(tmp_path / "m.h5", lambda config: layer(config, "separable_conv2d").update(unknown), "pictures")
    said = "layer 'separable_conv2d' has the hard_sigmoid of Keras 2, which Keras 3 lacks: with the Keras that wrote it"
    with pytest.raises(UnsupportedError, match=said):
        load(path)
    path = edited(path, lambda config: layer(config, "batch_normalization").update(axis=[1, 3]), "pictures")
    with pytest.raises(
        UnsupportedError, match=r"layer 'batch_normalization' has the axes \[1, 3\], which Keras 3 forg"
    ):
        load(path)


# ------------------------------------------------------------------------------------------------- files of Keras 3


def test_a_file_of_keras_3_computes_what_keras_does(tmp_path: Path) -> None:
    """Models within the model, shared and frozen; variables that training doesn't change stand behind all others."""
    keras = pytest.importorskip("keras", reason="Keras is an extra")
    keras_layers = pytest.importorskip("keras_layers")
    L = keras.layers
    for frozen in ("", "a", "inner", "b"):
        i = keras.Input((3,))
        inner = keras.Model(
            i, L.Dense(3, name="c")(L.BatchNormalization(name="b")(L.Dense(3, name="a")(i))), name="inner"
        )
        stack = keras.Sequential([keras.Input((3,)), inner, L.Dense(3, name="d")], name="stack")
        x = keras.Input((3,), name="x")
        model = keras_layers.randomized(keras.Model(x, L.Add(name="sum")([stack(x), inner(stack(x))])))
        if frozen:
            (inner if frozen == "inner" else inner.get_layer(frozen)).trainable = False
        model.save(tmp_path / "m.h5")
        light = read_hdf5(tmp_path / "m.h5", {}).light
        values = np.random.default_rng(0).standard_normal((1, 3)).astype(np.float32)
        np.testing.assert_allclose(outputs(light, values)[0], np.asarray(model(values)), rtol=1e-4, atol=1e-5)


def test_operations_are_left_to_keras(tmp_path: Path) -> None:
    """Their classes are called as layers are, of which they are none."""
    keras = pytest.importorskip("keras", reason="Keras is an extra")
    x = keras.Input((3,))
    for y in (x * x, keras.ops.softmax(x)):
        keras.Model(x, y).save(tmp_path / "m.h5")
        with pytest.raises(UncoveredError, match="the operation"):
            read_hdf5(tmp_path / "m.h5", {})


def test_unknown_sizes_are_given(tmp_path: Path) -> None:
    def change(config: Any) -> None:
        for entry in config["config"]["layers"][:2]:
            entry["config"]["batch_input_shape"] = [None, None, 2]

    path = edited(tmp_path / "m.h5", change)
    with pytest.raises(ModelError, match="conv1d_input"):
        load(path)
    given = load(path, shapes={"conv1d_input": (1, 6, 2)})
    assert differences(given, load(KERAS_2 / "chain.h5")) == []


def test_neither_keras_nor_tensorflow_is_imported() -> None:
    code = (
        "import sys; sys.modules['keras'] = sys.modules['tensorflow'] = sys.modules['tf2onnx'] = None\n"
        "import onnx2graphml; print(onnx2graphml.verify(sys.argv[1]).passed, onnx2graphml.load(sys.argv[1]).edges)"
    )
    path = KERAS_2 / "pictures.h5"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (["True", str(load(path).edges)], "")


def test_long_lists_of_names(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["a0"], file.attrs["a1"], file.attrs["b"] = [b"x", b"y"], [b"z"], ["x"]
        assert (texts(file, "a"), texts(file, "b"), texts(file, "c")) == (["x", "y", "z"], ["x"], [])
    path = Path(shutil.copy(KERAS_2 / "chain.h5", tmp_path / "n.h5"))
    with h5py.File(path, "a") as file:
        attributes = file["model_weights"].attrs
        names = list(attributes["layer_names"])
        del attributes["layer_names"]
        attributes["layer_names0"], attributes["layer_names1"] = names[:1], names[1:]
    assert error_of(path) < 1e-5


# ---------------------------------------------------------------------------------------------------- damaged files


def test_damaged_files_are_told_of_in_one_line(tmp_path: Path) -> None:
    """Cut, or with bytes of their weights lost; nothing but an error of the package comes out."""
    whole = (KERAS_2 / "words.h5").read_bytes()
    path, random = tmp_path / "m.h5", np.random.default_rng(0)
    said = []
    for k in range(30):
        content = bytearray(whole)
        if k % 3 == 0:
            content = content[: int(random.integers(8, len(whole)))]
        else:
            start = int(random.integers(0, len(whole) - 64))
            content[start : start + 64] = random.bytes(64)
        path.write_bytes(content)
        try:
            read_hdf5(path, {})
        except (UncoveredError, UnsafeError, Error):
            continue
        except Exception as error:
            said.append(refusal(path, error, False))
    assert len(said) > 7
    assert not any("\n" in each for each in said)


@pytest.mark.parametrize("cut", [100, 5_000, 20_000])
def test_a_file_that_is_cut(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes((KERAS_2 / "chain.h5").read_bytes()[:cut])
    with pytest.raises(ModelError, match=r"m\.h5' can't be loaded by Keras 3.*truncated file") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_weights_that_are_missing_are_left_to_keras(tmp_path: Path) -> None:
    for change, what in (
        (lambda weights: weights.attrs.update(layer_names=[b"dense"]), "variables of layers/conv1d"),
        (lambda weights: weights.attrs.update(layer_names=[b"dense", b"dense"]), "two layers of one name"),
        (lambda weights: weights.attrs.update(layer_names=[b"nothing"]), "nothing"),
        (
            lambda weights: weights.move("dense", "other") or weights.attrs.update(layer_names=[b"other"]),
            "of other lay",
        ),
        (lambda weights: weights["dense"].attrs.update(weight_names=[b"dense"]), "variables of dense"),
        (
            lambda weights: weights["conv1d"].attrs.update(weight_names=weights["conv1d"].attrs["weight_names"][:1]),
            "of l",
        ),
        (
            lambda weights: (
                weights["top_level_model_weights"].attrs.update(weight_names=[b"a"])
                or weights["top_level_model_weights"].create_dataset("a", (1,))
            ),
            "weights of the model itself",
        ),
    ):
        path = Path(shutil.copy(KERAS_2 / "chain.h5", tmp_path / "m.h5"))
        with h5py.File(path, "a") as file:
            change(file["model_weights"])
        with pytest.raises(UncoveredError, match=what):
            read_hdf5(path, {})


def test_configurations_that_are_changed_at_random(tmp_path: Path) -> None:
    """Are read, refused or left to Keras; nothing else happens."""
    random, outcomes = np.random.default_rng(0), set()
    for k in range(40):
        try:
            source = OF_KERAS_2[k % len(OF_KERAS_2)]
            read_hdf5(edited(tmp_path / "m.h5", lambda config: change_anything(config, random), source), {})
            outcomes.add("read")
        except (UncoveredError, UnsafeError, ModelError, UnsupportedError) as error:
            outcomes.add(type(error).__name__)
    assert {"read", "UncoveredError", "UnsafeError"} <= outcomes
