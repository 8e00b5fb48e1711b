"""Large weights come in from every kind of Keras file as they are there, and are not copied on the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml import program

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from onnx2graphml.frontends import freezing, keras_weights, started, tensorflow  # noqa: E402
from onnx2graphml.frontends.keras_files import load_keras  # noqa: E402
from onnx2graphml.model.metadata import LARGE  # noqa: E402

L = keras.layers


def large_model() -> Any:
    """A matrix of more than a megabyte, one that is looked up in, and one in a loop."""
    words = keras.Input((2,), dtype="int32", name="words")
    x = L.Embedding(400, 170, name="embedding")(words)
    x = L.LSTM(130, name="lstm")(x)
    x = L.Dense(2100, activation="relu", name="wide")(x)
    model = keras.Model(words, L.Dense(3, name="out")(x), name="net")
    rng = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(rng.normal(0, 0.1, variable.shape))
    return model


@pytest.fixture(scope="module")
def model() -> Any:
    return large_model()


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model"])
def test_all_weights_are_those_of_the_file(name: str, model: Any, tmp_path: Path) -> None:
    path = tmp_path / name
    model.save(path) if path.suffix else model.export(path, verbose=False)
    files = {p: p.read_bytes() for p in (path.rglob("*") if path.is_dir() else [path]) if p.is_file()}
    imported = load_keras(path)
    large = [np.asarray(v) for v in model.weights if np.prod(v.shape) > LARGE]
    assert len(large) == 4
    for value in large:
        assert any(np.array_equal(value, found) for found in imported.light.arrays.values())
    feed = {"words": np.array([[3, 399]], np.int32)}
    np.testing.assert_allclose(imported.predict(feed)[0], np.asarray(model(feed["words"])), rtol=1e-4, atol=1e-6)
    assert o2g.load(path).edges > 0  # compared with the framework's own prediction
    assert all(p.read_bytes() == before for p, before in files.items())


def test_a_frozen_graph_is_without_large_weights() -> None:
    variable = tf.Variable(np.ones((300, 300), np.float32))
    short = tf.Variable(np.ones(3, np.float32))
    function = tf.function(lambda x: x @ variable @ tf.ones((300, 3)) + short)
    concrete = function.get_concrete_function(tf.TensorSpec((1, 300)))
    frozen = freezing.freeze(concrete)
    assert frozen.definition.ByteSize() < 50_000
    (value,) = frozen.large.values()
    assert np.shares_memory(value, freezing.view(variable.value()))
    as_it_stands = freezing.convert_to_constants.convert_variables_to_constants_v2(concrete)
    assert as_it_stands.graph.as_graph_def().ByteSize() > variable.shape.num_elements() * 4


def test_variables_that_are_there_twice_are_in_memory_once(model: Any, tmp_path: Path) -> None:
    model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    signature = loaded.signatures["serving_default"]
    words = tf.constant([[3, 399]], tf.int32)
    before = signature(words)
    tensorflow._share(loaded, signature)
    every = [v for v in tf.train.TrackableView(loaded).descendants() if isinstance(v, tf.Variable)]
    wide = [freezing.view(v.value()) for v in every if v.name == "wide/kernel:0"]
    assert len(wide) == 2
    assert np.shares_memory(*wide)
    for name, value in signature(words).items():
        np.testing.assert_array_equal(value, before[name])


def test_an_array_is_lent_where_tensorflow_can_compute_with_it() -> None:
    array = keras_weights.aligned((600, 500), np.dtype(np.float32))
    array[:] = 1
    assert keras_weights.is_lent(array, "float32")
    assert np.shares_memory(freezing.view(keras_weights.tensor(array)), array)
    fixed = array.view()
    fixed.flags.writeable = False
    for other in (array[:, 1:], array.ravel()[1:], array[:2], fixed, array.tolist()):
        assert not keras_weights.is_lent(other, "float32")
    assert not keras_weights.is_lent(array, "float16")


def test_layers_of_somebody_else_start_as_they_do() -> None:
    def described(module: str | None, name: str) -> dict[str, Any]:
        own = {"class_name": "GlorotUniform", "config": {}}
        return {"module": module, "class_name": name, "config": {"kernel_initializer": own}}

    layers = [("keras.layers", "Dense"), ("mine", "Dense"), ("keras.layers", "Other")]
    config = {"layers": [described(*layer) for layer in layers]}
    keras_weights.start_with_zeros(config)
    names = [layer["config"]["kernel_initializer"]["class_name"] for layer in config["layers"]]
    assert names == ["Zeros", "GlorotUniform", "GlorotUniform"]


def test_a_process_of_its_own_loads_keras_without_what_it_can_do_without() -> None:
    asked = (
        "import sys\nfrom onnx2graphml import program\nprogram.alone = True\n"
        "from onnx2graphml.frontends import started\nfound = {*started.UNNEEDED} & {*sys.modules}\n"
        "import keras, matplotlib\nprint('tensorflow' in sys.modules, keras.layers.Dense.__name__, found)"
    )
    done = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["True", "Dense", "set()"]


def test_a_process_that_others_use_keeps_all_of_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in started.UNNEEDED:
        monkeypatch.delitem(sys.modules, name, raising=False)
    for alone in (False, True):
        monkeypatch.setattr(program, "alone", alone)
        with started._without_unneeded():
            assert all((name in sys.modules) == alone for name in started.UNNEEDED)
        assert not {*started.UNNEEDED} & {*sys.modules}
