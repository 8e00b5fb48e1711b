"""Every built-in layer of Keras: verified, or refused with its reason; the documentation's table says the same."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from frameworks import PAGE, keras_table
from onnx2graphml.api import load, verify
from onnx2graphml.errors import UnsupportedError
from onnx2graphml.frontends.direct.archive import read_archive
from onnx2graphml.frontends.direct.uncovered import UncoveredError
from onnx2graphml.frontends.keras_check import UnsafeError

keras = pytest.importorskip("keras", reason="Keras is an extra")
keras_layers = pytest.importorskip("keras_layers")

QUICK = ("LSTM", "MultiHeadAttention", "Embedding", "Bidirectional", "Resizing", "LayerNormalization")


def test_every_layer_is_in_the_table() -> None:
    assert set(keras_layers.LAYERS) == keras_layers.every_layer()
    assert set(keras_layers.REFUSED) <= set(keras_layers.LAYERS)


def names() -> list[Any]:
    verified = sorted(set(keras_layers.LAYERS) - set(keras_layers.REFUSED))
    return [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in verified]


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_a_layer_verifies(name: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model = keras_layers.randomized(keras_layers.LAYERS[name]())
    graph = load(model)
    found, known = keras_layers.disagreements(model, graph), keras_layers.DISAGREE.get(name, [])
    assert all(any(text.endswith(k) for k in known) for text in found), found
    assert all(any(text.endswith(k) for text in found) for k in known)
    report = verify(graph)
    assert report.passed, [r for r in report.rows if not r.passed]
    assert any(r.layer.startswith("prediction of") for r in report.rows)
    model.save(tmp_path / "m.keras")
    if name in keras_layers.BY_TENSORFLOW:
        with pytest.raises((UncoveredError, UnsafeError)):
            read_archive(tmp_path / "m.keras", {})
        return
    keras_layers.assert_read_directly(tmp_path / "m.keras", graph)
    if name not in keras_layers.NOT_IN_HDF5:
        keras_layers.assert_read_from_hdf5(model, tmp_path / "m.keras")


@pytest.mark.parametrize("name", keras_layers.REFUSED)
def test_a_layer_is_refused(name: str) -> None:
    with pytest.raises(UnsupportedError, match=keras_layers.REFUSED[name]):
        load(keras_layers.LAYERS[name]())


def test_the_page_says_so() -> None:
    made = keras_table(keras_layers.LAYERS, keras_layers.REFUSED, keras_layers.BY_TENSORFLOW)
    assert made in PAGE.read_text(encoding="utf-8")


@pytest.mark.slow
def test_disagreements_are_found() -> None:
    """The control: another name, order, shape, number of parameters."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="a"), keras.layers.Dense(2, name="b")])
    graph = load(model)
    assert keras_layers.disagreements(model, graph) == []
    x, a, b = graph.layers
    for layers, said in (
        ((x, dataclasses.replace(a, name="c"), b), ["a is missing", "c is no layer of Keras'"]),
        ((x, b, a), ["b stands before one that Keras has before it"]),
        ((x, dataclasses.replace(a, shape=(1, 3)), b), ["a has shape (1, 3); in Keras (3,)"]),
        ((x, a, dataclasses.replace(b, parameters=1)), ["16 parameters; in Keras 23"]),
    ):
        assert keras_layers.disagreements(model, dataclasses.replace(graph, layers=layers)) == said


APPLICATIONS = {
    "MobileNet": 32, "MobileNetV2": 32, "MobileNetV3Small": 32, "MobileNetV3Large": 32, "VGG16": 32, "VGG19": 32,
    "ResNet50": 32, "ResNet50V2": 32, "Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75, "DenseNet121": 32,
    "EfficientNetB0": 32, "EfficientNetV2B0": 32, "NASNetMobile": 32, "ConvNeXtTiny": 32,
}  # fmt: skip
"""By name, the least size of pictures that they take."""
IN_CI = ("MobileNet", "MobileNetV2")
OWN_LAYERS = ("ConvNeXtTiny", "InceptionResNetV2")  # which are in none of Keras' rooms
ALL = "ONNX2GRAPHML_ALL_APPLICATIONS"


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_application_has_the_layers_that_keras_says(name: str, tmp_path: Path) -> None:
    """All 16 take a quarter of an hour: `ONNX2GRAPHML_ALL_APPLICATIONS=1 pytest -m slow tests/test_keras_layers.py`."""
    if name not in IN_CI and not os.environ.get(ALL):
        pytest.skip(f"some minutes and gigabytes; set {ALL}=1")
    side = APPLICATIONS[name]
    model = getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3))
    graph = load(model)
    if name not in OWN_LAYERS:
        model.save(tmp_path / "m.keras")
        keras_layers.assert_read_directly(tmp_path / "m.keras", graph)
        keras_layers.assert_read_from_hdf5(model, tmp_path / "m.keras")
    keras.backend.clear_session()
    assert keras_layers.disagreements(model, graph) == []
