"""Keras files and SavedModels that mean harm are refused before Keras or TensorFlow runs anything of them."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnx2graphml.api import load
from onnx2graphml.errors import ModelError

tf = pytest.importorskip("tensorflow")
h5py = pytest.importorskip("h5py")

from onnx2graphml.frontends import keras_check, saved_model_check  # noqa: E402

keras = tf.keras


# --------------------------------------------------------------------------------------------------------- SavedModels


class Writes(tf.Module):
    """Its prediction writes a file."""

    def __init__(self, path: Path) -> None:
        self.weight, self.path = tf.Variable(tf.ones((4, 2))), str(path)

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="x")])
    def __call__(self, x: Any) -> dict[str, Any]:
        with tf.control_dependencies([tf.io.write_file(self.path, "harm")]):
            return {"y": tf.matmul(x, self.weight)}


class Within(Writes):
    """The same, within a branch within a loop."""

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="x")])
    def __call__(self, x: Any) -> dict[str, Any]:
        def write() -> Any:
            with tf.control_dependencies([tf.io.write_file(self.path, "harm")]):
                return tf.constant(1.0)

        def body(k: Any, total: Any) -> Any:
            return k + 1, total + tf.cond(k < 2, write, lambda: tf.constant(0.0))

        _, total = tf.while_loop(lambda k, _: k < 3, body, [tf.constant(0), tf.constant(0.0)])
        return {"y": tf.matmul(x, self.weight) + total}


class Loads(Writes):
    """Loading it writes a file: a resource has an initializer."""

    def __init__(self, path: Path) -> None:
        from tensorflow.python.trackable.resource import CapturableResource

        class Resource(CapturableResource):
            def _create_resource(self) -> Any:
                return tf.raw_ops.MutableHashTableV2(key_dtype=tf.string, value_dtype=tf.int64, shared_name="t")

            def _initialize(self) -> None:
                tf.io.write_file(str(path), "harm")

        super().__init__(path)
        self.resource = Resource()

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="x")])
    def __call__(self, x: Any) -> dict[str, Any]:
        handle = tf.cast(tf.shape(self.resource.resource_handle), tf.float32)
        return {"y": tf.matmul(x, self.weight) + tf.reduce_sum(handle)}


class Reads(Writes):
    """Its prediction holds what another file has in it."""

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="x")])
    def __call__(self, x: Any) -> dict[str, Any]:
        secret = tf.cast(tf.io.decode_raw(tf.io.read_file(self.path), tf.uint8), tf.float32)
        return {"y": tf.matmul(x, self.weight) + tf.reduce_sum(secret)}


class CallsPython(Writes):
    """Its prediction calls into Python."""

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="x")])
    def __call__(self, x: Any) -> dict[str, Any]:
        return {"y": tf.ensure_shape(tf.numpy_function(lambda a: a[:, :2], [x], tf.float32), (1, 2))}


@pytest.mark.parametrize(
    ("kind", "op"),
    [(Writes, "WriteFile"), (Within, "WriteFile"), (Reads, "DecodeRaw|ReadFile"), (CallsPython, "PyFunc")],
    ids=lambda each: getattr(each, "__name__", each),
)
def test_a_saved_model_that_does_more_than_compute(tmp_path: Path, kind: type[Writes], op: str) -> None:
    module = kind(tmp_path / "harm")
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=module.__call__)
    with pytest.raises(ModelError, match=rf"its function '.*' has the operator ({op}), .* add --trust"):
        load(tmp_path / "model")
    assert not (tmp_path / "harm").exists()


def test_a_saved_model_whose_loading_does(tmp_path: Path) -> None:
    module = Loads(tmp_path / "harm")
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=module.__call__)
    (tmp_path / "harm").unlink(missing_ok=True)
    with pytest.raises(ModelError, match=r"has the operator (WriteFile|MutableHashTableV2), .* add --trust"):
        load(tmp_path / "model")
    assert not (tmp_path / "harm").exists()
    tf.saved_model.load(str(tmp_path / "model"))
    assert (tmp_path / "harm").exists(), "the model does no harm: this test shows nothing"


def test_what_is_trusted_is_run(tmp_path: Path) -> None:
    """Or else the tests above would show nothing."""
    module = Writes(tmp_path / "harm")
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=module.__call__)
    tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"](tf.zeros((1, 4)))
    assert (tmp_path / "harm").exists()
    assert load(tmp_path / "model", trust=True).edges == 8


def test_a_saved_model_that_only_computes(tmp_path: Path) -> None:
    model = keras.Sequential(
        [keras.Input((6, 6, 2)), keras.layers.Conv2D(3, 3), keras.layers.BatchNormalization(),
         keras.layers.Dropout(0.5), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    )  # fmt: skip
    model.export(tmp_path / "model", verbose=False)
    assert load(tmp_path / "model").edges == 48 * 2 * 9 + 48 + 48 + 48 * 2  # Conv2D, BatchNormalization, Flatten, Dense


def test_saved_models_that_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"can't be read as a SavedModel: there is no saved_model.pb"):
        saved_model_check.check_saved_model(tmp_path, ())
    path = tmp_path / "saved_model.pb"
    path.write_bytes(b"\xff" * 99)
    with pytest.raises(ModelError, match=r"can't be read as a SavedModel: its bytes can't be decoded"):
        saved_model_check.check_saved_model(tmp_path, ())
    path.write_bytes(b"")
    with pytest.raises(ModelError, match=r"of TensorFlow 1, or has 0 graphs, and can't be checked"):
        saved_model_check.check_saved_model(tmp_path, ())


def test_a_saved_model_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "saved_model.pb").write_bytes(bytes(100))
    monkeypatch.setattr(saved_model_check, "LARGEST", 99)
    with pytest.raises(ModelError, match=r"has more than 99 bytes; no SavedModel has"):
        saved_model_check.check_saved_model(tmp_path, ())


# --------------------------------------------------------------------------------------------------- the configuration


def part(module: str | None, name: Any, config: Any = None, **more: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config or {}, "registered_name": None} | more


CONFIGS = {
    "a class of another module": (part("os", "PathLike"), "needs 'PathLike' of the module 'os'"),
    "a function of another module": (part("os", "function", "system"), "needs 'function' of the module 'os'"),
    "a function that loads files": (part("keras.models", "function", "load_model"), "of the module 'keras.models'"),
    "a function that downloads": (part("keras.utils", "function", "get_file"), "of the module 'keras.utils'"),
    "the same from within": (
        part("keras.src.utils.file_utils", "function", "get_file"),
        "no layer or function of Keras' own",
    ),
    "a model that is a loader": (
        part("keras.src.saving.saving_api", "load_model"),
        "no layer or function of Keras' own",
    ),
    "a class of the models' folder": (part("keras.models", "cloning"), "needs 'cloning' of the module 'keras.models'"),
    "built in": (part("builtins", "exec"), "needs 'exec' of the module 'builtins'"),
    "a function of no module": (part(None, "function", "x"), "needs 'function' of the module None"),
    "a module that is a list": (part(["os"], "x"), "expected two names"),  # type: ignore[arg-type]
    "a model in a layer": (part("keras.layers", "TFSMLayer", {"filepath": "evil"}), "it has a TFSMLayer layer"),
    "the same, registered": (part("keras.layers", "Dense", registered_name="keras>TFSMLayer"), "it has a TFSMLayer"),
    "a vocabulary": (part("keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"}), "it has a StringLookup"),
    "bytecode": (part("keras.layers", "Lambda", {"function": ["4wEA", None, None]}), "it has a Lambda layer"),
    "bytecode of an old file": ({"class_name": "Lambda", "config": {}}, "it has a Lambda layer"),
    "a function in a layer": (part("keras.layers", "Dense", {"f": part(None, "__lambda__")}), "it has a __lambda__"),
}


@pytest.mark.parametrize("what", CONFIGS)
@pytest.mark.parametrize("deep", [False, True])
def test_configurations(what: str, deep: bool) -> None:
    config, says = CONFIGS[what]
    whole = part("keras", "Functional", {"layers": [part("keras.layers", "Dense", {"x": [config]})]})
    with pytest.raises(keras_check.UnsafeError, match=re.escape(says)):
        keras_check.check_config(whole if deep else config)


def test_a_configuration_that_is_too_deep() -> None:
    config: Any = {}
    for _ in range(1000):
        config = [config]
    with pytest.raises(keras_check.UnsafeError, match="nested more than 200 deep"):
        keras_check.check_config(config)


def archive(path: Path, config: Any) -> None:
    """A .keras file with that configuration."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.save(path)
    with zipfile.ZipFile(path) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(path, "w") as changed:
        for name, content in (members | {"config.json": json.dumps(config).encode()}).items():
            changed.writestr(name, content)


def test_a_keras_file_that_loads_a_saved_model(tmp_path: Path) -> None:
    module = Loads(tmp_path / "harm")
    tf.saved_model.save(module, str(tmp_path / "inner"), signatures=module.__call__)
    (tmp_path / "harm").unlink(missing_ok=True)
    layer = part("keras.layers", "TFSMLayer", {"filepath": str(tmp_path / "inner"), "name": "t"})
    archive(tmp_path / "m.keras", part("keras", "Sequential", {"name": "s", "layers": [layer]}))
    with pytest.raises(ModelError, match=r"it has a TFSMLayer layer, .*; if you trust it, add --trust"):
        load(tmp_path / "m.keras")
    assert not (tmp_path / "harm").exists()


def test_an_old_file_with_bytecode(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "m.h5")
    with pytest.raises(ModelError, match=r"has a Lambda layer, .*; if you trust it, add --trust"):
        load(tmp_path / "m.h5")


# ----------------------------------------------------------------------------------------------------------------- HDF5


def external_link(file: Any, folder: Path) -> None:
    file["weights"] = h5py.ExternalLink(str(folder / "other.h5"), "/secret")


def soft_link(file: Any, folder: Path) -> None:
    file["weights"] = h5py.SoftLink("/elsewhere")


def external_data(file: Any, folder: Path) -> None:
    (folder / "secret").write_bytes(bytes(16))
    file.create_dataset("group/weights", (4,), "f4", external=[(str(folder / "secret"), 0, 16)])


def virtual(file: Any, folder: Path) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "secret", shape=(4,))
    file.create_virtual_dataset("weights", layout)


def huge(file: Any, folder: Path) -> None:
    file.create_dataset("weights", (1 << 40,), "f4", chunks=(1 << 20,), compression="gzip")


def configured(file: Any, folder: Path) -> None:
    file.attrs["model_config"] = json.dumps({"class_name": "Lambda", "config": {}})


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (external_link, r"'/weights' is a link to another place or file"),
        (soft_link, r"'/weights' is a link to another place or file"),
        (external_data, r"data set '/group/weights' lies in another file"),
        (virtual, r"data set '/weights' lies in another file"),
        (huge, r"data sets are more than 1000 times its size"),
        (configured, r"it has a Lambda layer"),
    ],
)
def test_hdf5_that_reaches_out(tmp_path: Path, build: Callable[[Any, Path], None], says: str) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        build(file, tmp_path)
    with pytest.raises(keras_check.UnsafeError, match=says):
        keras_check.check_hdf5(path)
    with pytest.raises(ModelError, match=rf"m\.h5.* can't be loaded as a Keras model: .*{says}.*add --trust"):
        load(path)


def test_weights_of_an_archive_that_reach_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(np.arange(8, dtype=np.float32).tobytes())
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="d")])
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as whole:
        whole.extractall(tmp_path / "members")
    weights = tmp_path / "members" / "model.weights.h5"
    with h5py.File(weights, "a") as file:
        names: list[str] = []
        file.visititems(lambda name, each: names.append(name) if getattr(each, "shape", 0) == (4, 2) else None)
        del file[names[0]]
        file.create_dataset(names[0], (4, 2), "f4", external=[(str(tmp_path / "secret"), 0, 32)])
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as changed:
        for member in (tmp_path / "members").rglob("*"):
            if member.is_file():
                changed.write(member, member.relative_to(tmp_path / "members"))
    with pytest.raises(ModelError, match=r"lies in another file.*; if you trust it, add --trust"):
        load(tmp_path / "m.keras")


def test_a_hard_link_to_a_group_around_it(tmp_path: Path) -> None:
    """A circle: looked at once."""
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.create_group("a")["back"] = file["/"]
        file["a/weights"] = np.zeros(3)
    keras_check.check_hdf5(tmp_path / "m.h5")
