"""Types other than float32, of inputs and of layers within layers, are left to TensorFlow; whole numbers are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onnx2graphml.api import load
from onnx2graphml.frontends.direct.archive import read_archive
from onnx2graphml.frontends.direct.uncovered import UncoveredError

keras = pytest.importorskip("keras", reason="Keras is an extra")
keras_layers = pytest.importorskip("keras_layers")

L, ops = keras.layers, keras.ops


def saved(layer: Callable[[Any], Any], dtype: str, path: Path) -> Any:
    x = keras.Input((3,), dtype=dtype, name="x")
    model = keras_layers.randomized(keras.Model(x, layer(x)))
    model.save(path)
    return model


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
@pytest.mark.parametrize("layer", [L.Flatten(), L.Reshape((3, 1)), L.Identity(), ops.hard_sigmoid, lambda x: x / 3.0])
def test_inputs_that_each_layer_casts_are_left_to_tensorflow(layer: Any, dtype: str, tmp_path: Path) -> None:
    saved(layer, dtype, tmp_path / "m.keras")
    with pytest.raises(UncoveredError, match="the type of the input x"):
        read_archive(tmp_path / "m.keras", {})


@pytest.mark.parametrize(
    "layer",
    [
        lambda: L.Dense(2, activation=L.LeakyReLU(dtype="float16")),
        lambda: L.Dense(2, activation=L.Softmax(dtype="float64")),
        lambda: L.Activation(L.ReLU(dtype="float16")),
        lambda: L.Dense(2, dtype="mixed_bfloat16"),
    ],
)
def test_other_types_within_layers_are_left_to_tensorflow(layer: Any, tmp_path: Path) -> None:
    saved(layer(), "float32", tmp_path / "m.keras")
    with pytest.raises(UncoveredError, match="the type"):
        read_archive(tmp_path / "m.keras", {})


@pytest.mark.parametrize(("dtype", "shape"), [("int32", (3,)), ("float32", (3, 1))])
def test_what_an_inner_model_casts_or_reshapes_is_left_to_tensorflow(
    dtype: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    inner = keras.Input(shape, dtype=dtype, name="inner")
    saved(keras.Model(inner, L.Flatten()(inner), name="block"), "float32", tmp_path / "m.keras")
    with pytest.raises(UncoveredError, match="what inner makes of its input"):
        read_archive(tmp_path / "m.keras", {})


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
def test_whole_numbers_that_only_move_are_read_directly(dtype: str, tmp_path: Path) -> None:
    model = saved(L.Reshape((3, 1), name="r"), dtype, tmp_path / "m.keras")
    keras_layers.assert_read_directly(tmp_path / "m.keras", load(model))
