"""Types of inputs and layers: half, double and bfloat16, in mixed policies too, are read directly as they stand."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from onnx2graphml.api import load
from onnx2graphml.frontends.direct.archive import read_archive
from onnx2graphml.frontends.direct.files import load_file
from onnx2graphml.frontends.direct.policies import POLICIES
from onnx2graphml.frontends.direct.uncovered import UncoveredError
from onnx2graphml.frontends.precision import ROUNDOFF

keras = pytest.importorskip("keras", reason="Keras is an extra")
keras_layers = pytest.importorskip("keras_layers")

L, ops = keras.layers, keras.ops


def saved(layer: Callable[[Any], Any], dtype: str, path: Path, shape: tuple[int, ...] = (3,)) -> Any:
    """The model as Keras reads it back: a functional model's own policy is not in its file."""
    x = keras.Input(shape, dtype=dtype, name="x")
    keras_layers.randomized(keras.Model(x, layer(x))).save(path)
    return keras.saving.load_model(path, compile=False)


def picture(policy: str) -> Callable[[Any], Any]:
    """A network of pictures all of whose layers but the last have a policy."""

    def make(x: Any) -> Any:
        short = {"dtype": policy}
        y = L.Rescaling(0.1, name="rescaled", **short)(L.RandomFlip(name="flip", **short)(x))
        y = L.Conv2D(4, 3, activation="gelu", name="conv", **short)(y)
        y = L.PReLU(name="prelu", **short)(L.BatchNormalization(name="batch", **short)(y))
        y = L.MaxPooling2D(name="pool", **short)(L.Dropout(0.5, name="drop", **short)(y))
        y = L.UpSampling2D(2, interpolation="bilinear", name="wide", **short)(y)
        y = L.GroupNormalization(2, name="group", **short)(L.Reshape((2, 8, 4), name="pairs", **short)(y))
        y = ops.maximum(L.Average(name="mean", **short)([y, L.ReLU(0.7, name="relu", **short)(y)]), 0.1)
        return L.Dense(2, activation=L.Softmax(dtype="float32"), name="dense")(L.Flatten(name="flat", **short)(y))

    return make


def steps(policy: str) -> Callable[[Any], Any]:
    """A network of steps with a policy, with a model within."""

    def make(x: Any) -> Any:
        short = {"dtype": policy}
        start = "glorot_uniform"  # Keras has no orthogonal matrices in bfloat16
        y = L.LSTM(2, return_sequences=True, recurrent_initializer=start, name="lstm", **short)(x)
        y = L.MultiHeadAttention(2, 3, name="heads", **short)(y, y, use_causal_mask=True)
        y = L.RMSNormalization(name="rms", **short)(L.LayerNormalization(name="layer", **short)(y))
        y = L.SimpleRNN(3, recurrent_initializer=start, name="rnn", **short)(y)
        inner = keras.Input((3,), name="inner")
        block = keras.Model(inner, L.Dense(2, activation="silu", name="d", **short)(inner), name="block")
        return [block(y), keras.Sequential([keras.Input((3,)), L.Dense(2, name="e", **short)], name="row")(y)]

    return make


NETWORKS = [(picture, (6, 6, 2), policy) for policy in ("float16", "bfloat16", "mixed_bfloat16")] + [
    (steps, (3, 2), "mixed_float16")
]


@pytest.mark.slow
@pytest.mark.parametrize(("make", "shape", "policy"), NETWORKS)
def test_a_network_of_a_policy(make: Any, shape: tuple[int, ...], policy: str, tmp_path: Path) -> None:
    model = saved(make(policy), "float32", tmp_path / "m.keras", shape)
    keras_layers.assert_read_directly(tmp_path / "m.keras", load(model))


def mixed(x: Any) -> list[Any]:
    """Layers and functions of an input: the layers cast it, functions do not."""
    y = L.Dense(3, name="d")(x)
    z = L.LayerNormalization(name="n")(x / 3.0)  # which rounds to the input's type first
    return [L.Flatten(name="f")(x), L.Dropout(0.5, name="off")(x), ops.hard_sigmoid(x), z, x + y]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_inputs_of_other_types(dtype: str, tmp_path: Path) -> None:
    model = saved(mixed, dtype, tmp_path / "m.keras")
    keras_layers.assert_read_directly(tmp_path / "m.keras", load(model))


def double(x: Any) -> list[Any]:
    """Layers whose numbers Keras has in single precision first, and others."""
    long = {"dtype": "float64"}
    steps = L.GRU(2, reset_after=False, name="gru", **long)(L.Reshape((3, 1), name="steps")(x))
    return [
        L.Dense(2, activation=L.LeakyReLU(**long), name="leaky")(x),
        L.ReLU(0.9, 0.1, 0.3, name="relu", **long)(x),
        L.Normalization(mean=[0.1, 0.2, 0.3], variance=[0.3, 0.4, 0.5], name="given", **long)(x),
        L.Rescaling(0.1, 0.2, name="scaled", **long)(steps),
    ]


@pytest.mark.slow
def test_double_precision(tmp_path: Path) -> None:
    model = saved(double, "float32", tmp_path / "m.keras")
    keras_layers.assert_read_directly(tmp_path / "m.keras", load(model))


@pytest.mark.slow
def test_double_precision_that_onnx_runtime_lacks(tmp_path: Path) -> None:
    model = saved(lambda x: L.Activation("gelu", dtype="float64", name="g")(x), "float32", tmp_path / "m.keras")
    assert keras_layers.read_differences(tmp_path / "m.keras", load(model)) == []


def padded(x: Any) -> Any:
    """Zeros around half numbers in TensorFlow's order of axes, each of which is repeated."""
    short = {"dtype": "mixed_float16"}
    y = L.Conv2D(2, 1, **short)(L.Reshape((1, 1, 3))(x))
    return L.UpSampling2D(2, **short)(L.ZeroPadding2D(1, **short)(y))


def shortened() -> Any:
    x = keras.Input((3,), name="single")
    return keras.Model(x, L.Dense(2)(x), name="inner")


@pytest.mark.parametrize(
    ("layer", "what"),
    [
        (lambda x: L.RNN(L.SimpleRNNCell(2, dtype="float16"))(L.Reshape((3, 1))(x)), "the type of simple_rnn_cell"),
        (L.Rescaling(2.0, dtype="int32"), "the type int32"),
        (L.Reshape((3,), dtype="float16", name="r"), "r, which only casts"),
        (padded, "the axes of"),
        (lambda x: shortened()(L.ReLU(dtype="float64")(x)), "what inner takes in float64"),
        (lambda x: L.Resizing(2, 2, dtype="float64")(L.Reshape((3, 1, 1))(x)), "a picture of float64"),
        (lambda x: L.MaxPooling3D(1, dtype="float16")(L.Reshape((3, 1, 1, 1))(x)), "volumes of float16"),
        (
            lambda x: [L.Dense(n, dtype="float16")(y) for y in [L.Dropout(0.5, dtype="float16")(x)] for n in (1, 2)],
            "casts is read by several layers",
        ),
        (
            lambda x: L.Dropout(0.5, dtype="float16")(L.Conv1D(2, 1)(L.Reshape((3, 1))(x))),
            "may be in ONNX' order",
        ),
    ],
)
def test_types_that_are_left_to_tensorflow(layer: Any, what: str, tmp_path: Path) -> None:
    x = keras.Input((3,), name="x")
    keras.Model(x, layer(x)).save(tmp_path / "m.keras")
    with pytest.raises(UncoveredError, match=what):
        read_archive(tmp_path / "m.keras", {})


def test_policies_are_those_of_keras() -> None:
    for name, policy in POLICIES.items():
        known = keras.DTypePolicy(name)
        assert (known.compute_dtype, known.variable_dtype) == (policy.compute.name, policy.variable.name)


def test_bfloat16_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    x = keras.Input((3,), name="x")
    keras.Model(x, L.Dense(2, dtype="mixed_bfloat16", name="short")(x)).save(tmp_path / "m.keras")
    assert load_file(tmp_path / "m.keras").predict is None
    with caplog.at_level(logging.WARNING):
        load(tmp_path / "m.keras")
    assert "layer 'short' computes in bfloat16, which NumPy lacks; the graph has it in float32" in caplog.text


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_what_an_inner_model_casts_or_reshapes_is_left_to_tensorflow(shape: tuple[int, ...], tmp_path: Path) -> None:
    inner = keras.Input(shape, dtype="int32" if shape == (3,) else "float32", name="inner")
    saved(keras.Model(inner, L.Flatten()(inner), name="block"), "float32", tmp_path / "m.keras")
    with pytest.raises(UncoveredError, match="what inner makes of its input"):
        read_archive(tmp_path / "m.keras", {})


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
def test_whole_numbers_that_only_move_are_read_directly(dtype: str, tmp_path: Path) -> None:
    model = saved(L.Reshape((3, 1), name="r"), dtype, tmp_path / "m.keras")
    keras_layers.assert_read_directly(tmp_path / "m.keras", load(model))


def two(layer: type[Any]) -> Callable[[Any], Any]:
    """A layer of two values, in bfloat16."""
    return lambda x: layer(name="two", dtype="bfloat16")([x, x[:, ::-1]])


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (two(L.Maximum), (5,)),
        (two(L.Minimum), (5,)),
        (two(L.Multiply), (5,)),
        (L.MaxPooling1D(2, dtype="bfloat16", name="pool"), (4, 3)),
    ],
)
def test_values_that_bfloat16_rounds_before_they_are_compared(layer: Any, shape: tuple[int, ...]) -> None:
    """And the control: a prediction that is clearly another one."""
    x = keras.Input(shape, name="x")
    graph = load(keras.Model(x, layer(x)))
    assert all(row.passed for row in keras_layers.predicted(graph, graph))
    predict = graph.require_model().predict
    model = dataclasses.replace(graph.require_model(), predict=lambda feed: [1.5 * y for y in predict(feed)])
    other = dataclasses.replace(graph, model=model)
    assert not any(row.passed for row in keras_layers.predicted(other, other))


def test_the_rounding_of_bfloat16_is_that_of_its_numbers() -> None:
    assert float(ml_dtypes.finfo(ml_dtypes.bfloat16).eps) / 2 == ROUNDOFF


@pytest.mark.parametrize(
    ("layer", "dtype"),
    [
        (L.Resizing(4, 9, name="r"), "int32"),
        (L.Resizing(4, 9, name="r", dtype="bfloat16"), "uint8"),
        (L.Resizing(4, 7, name="r"), "float32"),  # 5 to 7: a scale that gives 6 in single precision
    ],
)
def test_pictures_of_whole_numbers_and_sizes_that_scales_miss(layer: Any, dtype: str, tmp_path: Path) -> None:
    model = saved(layer, dtype, tmp_path / "m.keras", (6, 5, 2))
    graph = load(model)
    keras_layers.assert_read_directly(tmp_path / "m.keras", graph)
    if dtype == "int32":  # Keras' `predict` has fractions; the model as a function rounds them
        x = np.arange(60, dtype=np.int32).reshape(1, 6, 5, 2)
        (predicted,) = graph.require_model().predict({"x": x})
        np.testing.assert_allclose(predicted, model.predict(x, verbose=0), rtol=1e-6)


@pytest.mark.parametrize("layer", [L.CenterCrop(8, 7), L.Resizing(4, 7, interpolation="nearest")])
def test_other_ways_to_a_size_that_a_scale_misses(layer: Any) -> None:
    x = keras.Input((6, 5, 2), name="x")
    assert load(keras.Model(x, layer(x))).layers[-1].shape == layer(x).shape[1:]
