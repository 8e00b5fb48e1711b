"""Pools to a size, pictures' contrast, spectrograms: read directly, and as Keras predicts."""

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


def pooled(x: Any) -> list[Any]:
    """To fewer places, to as many, and between convolutions."""
    y = L.AdaptiveMaxPooling2D(3, name="a")(L.Conv2D(4, 3, activation="relu", name="c")(x))
    return [L.Conv2D(2, 1, name="d")(y), L.AdaptiveAveragePooling2D((8, 2), name="b")(x)]


def sounds(x: Any) -> list[Any]:
    """As Keras has them by default, which is a logarithm, and others."""
    frames = {"frame_length": 8, "frame_step": 4}
    soft, loud = (L.Rescaling(factor, name=f"{factor}")(x) for factor in (0.5, 2.0))
    image = L.STFTSpectrogram(expand_dims=True, name="log", **frames)(x)
    psd = L.STFTSpectrogram(mode="psd", padding="same", name="psd", **frames)(soft)
    return [L.Conv2D(2, 2, name="c")(image), psd, L.STFTSpectrogram(mode="real", name="real", **frames)(loud)]


def contrast(x: Any) -> Any:
    y = L.AutoContrast(value_range=(-1, 1), name="own")(L.AutoContrast(name="bytes")(x))
    return L.Conv2D(2, 2, name="c")(L.RandomCrop(3, 2, name="crop")(y))


@pytest.mark.slow
@pytest.mark.parametrize(("make", "shape"), [(pooled, (8, 7, 3)), (sounds, (24, 1)), (contrast, (4, 5, 2))])
def test_they_are_read_directly(make: Any, shape: tuple[int, ...], tmp_path: Path) -> None:
    x = keras.Input(shape, name="x")
    model = keras_layers.randomized(keras.Model(x, make(x)))
    model.save(tmp_path / "m.keras")
    keras_layers.assert_read_directly(tmp_path / "m.keras", load(model))


@pytest.mark.parametrize(
    ("layer", "shape", "what"),
    [
        (L.AdaptiveMaxPooling1D(9), (6, 4), "6 places pooled to 9"),
        (L.AdaptiveMaxPooling1D(3, data_format="channels_first"), (4, 6), "channels first, pooled to a size"),
        (L.AdaptiveMaxPooling1D(3, dtype="float64"), (6, 4), "float64 pooled to a size"),
        (L.AutoContrast(dtype="float16"), (4, 4, 1), "a picture of .* in float16"),
        (L.AutoContrast(data_format="channels_first"), (1, 4, 4), "the option data_format"),
        (L.STFTSpectrogram(frame_length=8), (16, 2), "sounds of"),
        (L.STFTSpectrogram(mode="angle", frame_length=8), (16, 1), "a spectrogram by angle"),
        (
            lambda x: [L.STFTSpectrogram(mode=mode, frame_length=8)(x) for mode in ("real", "imag")],
            (16, 1),
            "in frames, for two layers",
        ),
        (
            lambda x: L.Conv1D(2, 2)(L.STFTSpectrogram(mode="real", frame_length=8)(x)),
            (24, 1),
            "the order of axes behind",
        ),
    ],
)
def test_what_is_left_to_tensorflow(layer: Any, shape: tuple[int, ...], what: str, tmp_path: Path) -> None:
    x = keras.Input(shape, name="x")
    keras.Model(x, layer(x)).save(tmp_path / "m.keras")
    with pytest.raises(UncoveredError, match=what):
        read_archive(tmp_path / "m.keras", {})
