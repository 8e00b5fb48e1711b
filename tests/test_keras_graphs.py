"""Keras models as graphs: the layers of `model.summary()`, and the numbers of networks that everyone knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml.errors import TooLargeError

keras = pytest.importorskip("keras", reason="Keras is not installed")

FIXTURES = Path(__file__).parent.parent / "fixtures"


def randomised(model: Any) -> Any:
    """The model with biases and statistics that are not those of a new one, so that dropping one shows."""
    random = np.random.default_rng(0)
    for variable in model.weights:
        kind = variable.path.split("/")[-1]
        if kind in ("bias", "beta", "moving_mean"):
            variable.assign(random.normal(0, 0.1, variable.shape))
        elif kind in ("gamma", "moving_variance"):
            variable.assign(random.uniform(0.8, 1.2, variable.shape))
    return model


def assert_layers_are_keras(graph: o2g.NeuronGraph, model: Any) -> None:
    """Names, order and shapes are those of the summary, for all of its layers that the exporter keeps."""
    rows = {layer.name: tuple(layer.output.shape[1:]) for layer in model.layers}
    shown = {layer.name: layer.shape for layer in graph.layers if layer.name in rows}
    assert list(shown) == [name for name in rows if name in shown]
    assert shown == {name: rows[name] for name in shown}
    merged = {"Dropout", "ZeroPadding2D", "Reshape"}
    assert all(type(x).__name__ in merged for x in model.layers if x.name not in shown)


@pytest.mark.slow
def test_vgg16_has_its_15_billion_edges() -> None:
    model = keras.applications.VGG16(weights=None)
    graph = o2g.load(model)
    assert [x.name for x in graph.layers] == [x.name for x in model.layers]
    assert len(graph.layers) == 23
    assert [x.shape for x in graph.layers] == [tuple(x.output.shape[1:]) for x in model.layers]
    assert graph.neurons == 15_262_696
    assert graph.edges == 14_975_970_560
    assert graph.parameters == model.count_params() == 138_357_544
    row = next(line for line in str(o2g.info(graph)).splitlines() if line.startswith("block1_conv1"))
    numbers = ["(224,", "224,", "64)", "3,211,264", "86,188,800", "1,792"]
    assert row.split() == ["block1_conv1", "Conv2D", "Conv", "3×3", *numbers]


@pytest.mark.slow
def test_mobilenet_v2_verifies_in_full() -> None:
    model = randomised(keras.applications.MobileNetV2(weights=None))
    graph = o2g.load(model)
    assert_layers_are_keras(graph, model)
    assert graph.edges == 314_970_688
    report = o2g.verify(graph)
    assert report.passed
    assert [row.layer for row in report.rows][-1].startswith("prediction of")


def branching() -> Any:
    layers = keras.layers
    image = layers.Input((9, 7, 3), name="image")
    a = layers.Conv2D(4, 3, padding="same", activation="relu", name="a")(image)
    b = layers.DepthwiseConv2D(3, strides=2, padding="same", name="b")(a)
    c = layers.SeparableConv2D(6, 3, strides=2, padding="same", name="c")(a)
    d = layers.Concatenate(name="d")([b, c])
    e = layers.BatchNormalization(name="e")(d)
    f = layers.Conv2DTranspose(3, 3, strides=2, padding="same", name="f")(layers.ReLU(name="e_relu")(e))
    g = layers.GlobalAveragePooling2D(name="g")(layers.AveragePooling2D(2, padding="same", name="pool")(f))
    return keras.Model(image, [layers.Dense(4, activation="softmax", name="h")(g), d])


def sequence() -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((20, 4), name="series"),
            layers.Conv1D(6, 3, padding="causal", dilation_rate=2, activation="tanh", name="conv"),
            layers.MaxPooling1D(2, name="pool"),
            layers.Dense(5, activation="gelu", name="each"),
            layers.Flatten(name="flatten"),
            layers.Dense(3, name="last"),
        ]
    )


def over_the_last_axis() -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((10, 8)),
            layers.Dense(7, name="first"),
            layers.Dense(5, activation="relu", name="my_dense"),
            layers.Flatten(),
            layers.Dense(5, activation="softmax", name="end"),
        ]
    )


@pytest.mark.slow
@pytest.mark.parametrize("detail", ["op", "layer", "neuron"])
@pytest.mark.parametrize("build", [branching, sequence, over_the_last_axis])
def test_small_models_verify_and_keep_their_layers(build: Any, detail: str) -> None:
    keras.backend.clear_session()
    model = randomised(build())
    graph = o2g.load(model, detail=detail)
    assert o2g.verify(graph).passed
    if detail == "layer":
        assert_layers_are_keras(graph, model)


@pytest.mark.slow
def test_the_file_and_the_onnx_of_a_model_are_one_graph() -> None:
    one, other = (o2g.load(FIXTURES / f"digits{suffix}") for suffix in (".keras", ".onnx"))
    assert str(o2g.info(one)) == str(o2g.info(other))
    assert list(one.weighted_edges()) == list(other.weighted_edges())
    assert o2g.verify(one).passed


def test_a_layer_too_large_to_reorder_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnx2graphml.graph.compose.LIMIT", 10)
    with pytest.raises(TooLargeError, match=r"too large to be brought .* detail op shows it in ONNX's"):
        o2g.load(FIXTURES / "digits.onnx")
