"""Layers that change the contrast of pictures: read directly as through TensorFlow, or left to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onnx2graphml.api import load
from onnx2graphml.frontends.direct.archive import read_archive
from onnx2graphml.frontends.direct.uncovered import UncoveredError

keras = pytest.importorskip("keras", reason="Keras is an extra")
keras_layers = pytest.importorskip("keras_layers")

L = keras.layers
Equalization = L.ContrastLimitedAdaptiveHistogramEqualization


def saved(layer: Any, path: Path, shape: tuple[int, ...], dtype: str) -> Any:
    x = keras.Input(shape, dtype=dtype, name="x")
    model = keras.Model(x, L.Conv2D(2, 2, name="behind")(layer(x)))
    keras_layers.randomized(model).save(path)
    return model


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "shape", "dtype"),
    [
        (Equalization((0, 127), 0.0, (1, 3), name="e"), (2, 6, 1), "float32"),
        (Equalization(tile_grid_size=(2, 2), name="e"), (4, 4, 2), "uint8"),
        (L.AutoContrast((0.1, 0.9), name="a"), (3, 3, 2), "float32"),
    ],
)
def test_contrast(layer: Any, shape: tuple[int, ...], dtype: str, tmp_path: Path) -> None:
    model = saved(layer, tmp_path / "m.keras", shape, dtype)
    keras_layers.assert_read_directly(tmp_path / "m.keras", load(model))


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"tile_grid_size": (3, 2)}, r"\(1, 4, 4, 4\) in \[3, 2\] tiles"),
        ({"tile_grid_size": (2, 2), "data_format": "channels_first"}, "the option data_format = 'channels_first'"),
        ({"tile_grid_size": (2, 2), "dtype": "float16"}, "in float16"),
    ],
)
def test_contrast_that_is_left_to_tensorflow(options: dict[str, Any], what: str, tmp_path: Path) -> None:
    x = keras.Input((4, 4, 4), name="x")
    keras.Model(x, Equalization(**options)(x)).save(tmp_path / "m.keras")
    with pytest.raises(UncoveredError, match=what):
        read_archive(tmp_path / "m.keras", {})
