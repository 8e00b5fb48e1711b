"""Layers with channels first are read directly, and compute what Keras does, which has its own way with biases."""

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

L = keras.layers
FIRST = {"data_format": "channels_first"}
PICTURE, STEPS, VOLUME = (3, 6, 7), (3, 8), (2, 4, 5, 6)


def network(x: Any) -> Any:
    """A usual one."""
    y = L.ReLU(name="relu")(L.BatchNormalization(axis=1, name="batch")(L.Conv2D(4, 3, name="conv", **FIRST)(x)))
    y = L.DepthwiseConv2D(2, activation="silu", name="depthwise", **FIRST)(L.MaxPooling2D(2, 1, name="max", **FIRST)(y))
    y = L.Add(name="sum")([y, L.Conv2D(4, 1, name="one", use_bias=False, **FIRST)(y)])
    y = L.GroupNormalization(2, axis=1, name="group")(L.Conv2D(4, 1, strides=1, name="c", **FIRST)(y))
    return L.Dense(3, name="dense")(L.Flatten(name="flat", **FIRST)(y))


def pictures(x: Any) -> list[Any]:
    """One layer each."""
    pad = L.ZeroPadding2D(((1, 0), (2, 1)), name="pad", **FIRST)(x)
    return [
        L.Conv2D(3, 2, name="padded", **FIRST)(pad),
        L.Conv2D(5, 3, padding="same", strides=2, activation="gelu", name="a", **FIRST)(x),
        L.SeparableConv2D(2, 2, name="b", **FIRST)(x),
        L.Conv2DTranspose(2, 3, strides=2, name="c", **FIRST)(x),
        L.AveragePooling2D(3, 2, padding="same", name="d", **FIRST)(x),
        L.GlobalAveragePooling2D(name="e", **FIRST)(x),
        L.GlobalMaxPooling2D(keepdims=True, name="f", **FIRST)(x),
        L.UpSampling2D((2, 3), name="g", **FIRST)(x),
        L.UpSampling2D(2, interpolation="bilinear", name="h", **FIRST)(x),
        L.Cropping2D(((1, 0), (2, 1)), name="i", **FIRST)(x),
        L.CenterCrop(4, 3, name="j", **FIRST)(x),
        L.Flatten(name="k", **FIRST)(x),
        L.SpatialDropout2D(0.5, name="l", **FIRST)(x),
    ]


def rows(x: Any) -> list[Any]:
    causal = L.Conv1D(4, 2, padding="causal", activation="relu", name="a", **FIRST)(x)
    return [
        L.SeparableConv1D(2, 2, strides=2, name="b", **FIRST)(causal),
        L.DepthwiseConv1D(3, name="c", **FIRST)(x),
        L.MaxPooling1D(2, name="e", **FIRST)(L.Conv1DTranspose(2, 3, strides=2, name="d", **FIRST)(x)),
        L.GlobalAveragePooling1D(keepdims=True, name="f", **FIRST)(x),
        L.ZeroPadding1D((1, 2), name="g", **FIRST)(x),
    ]


def volumes(x: Any) -> list[Any]:
    return [
        L.Conv3D(4, 2, padding="same", strides=2, activation="sigmoid", name="a", **FIRST)(x),
        L.Conv3DTranspose(2, 2, name="b", **FIRST)(x),
        L.AveragePooling3D(2, name="c", **FIRST)(x),
        L.UpSampling3D((1, 2, 2), name="d", **FIRST)(x),
        L.Cropping3D(1, name="e", **FIRST)(x),
        L.GlobalMaxPooling3D(name="f", **FIRST)(x),
    ]


def saved(make: Callable[[Any], Any], shape: tuple[int, ...], path: Path) -> Any:
    x = keras.Input(shape, name="x")
    model = keras_layers.randomized(keras.Model(x, make(x)))
    model.save(path)
    return model


@pytest.mark.slow
@pytest.mark.parametrize(("make", "shape"), [(network, PICTURE), (pictures, PICTURE), (rows, STEPS), (volumes, VOLUME)])
def test_channels_first_are_read_directly(make: Any, shape: tuple[int, ...], tmp_path: Path) -> None:
    model = saved(make, shape, tmp_path / "m.keras")
    keras_layers.assert_read_directly(tmp_path / "m.keras", load(model))


def both(x: Any) -> list[Any]:
    y = L.MaxPooling2D(2, name="p", **FIRST)(x)
    return [y, L.ReLU(name="r")(y)]


LEFT: dict[str, tuple[tuple[int, ...], Callable[[Any], Any], str]] = {
    "a bias that Keras adds along the last axis": (PICTURE, L.Conv2D(6, 2, **FIRST), "as many places as channels"),
    "both layouts": (PICTURE, lambda x: L.Conv2D(2, 2)(L.Conv2D(2, 2, **FIRST)(x)), "channels first and last"),
    "a pool, a slice": (PICTURE, lambda x: L.Cropping2D(1, **FIRST)(L.MaxPooling2D(2, **FIRST)(x)), "channels first"),
    "a pool as an output, too": (PICTURE, both, "channels first between p"),
    "a pool of rows, a ReLU": (STEPS, lambda x: L.ReLU()(L.MaxPooling1D(2, **FIRST)(x)), "channels first between"),
    "two pools of a row": (STEPS, lambda x: [L.MaxPooling1D(n, **FIRST)(x) for n in (2, 3)], "for two layers"),
    "a pool, a ReLU, a convolution": (
        PICTURE,
        lambda x: L.Conv2D(2, 2, **FIRST)(L.ReLU()(L.MaxPooling2D(2, 1, name="p", **FIRST)(x))),
        "channels first between p",
    ),
    "a normalization, a pool of rows": (
        STEPS,
        lambda x: L.MaxPooling1D(2, name="p", **FIRST)(L.BatchNormalization(axis=1)(x)),
        "channels first before p",
    ),
    "the mean of one number": ((3, 1, 1), L.GroupNormalization(3, axis=1), "the mean of one number"),
    "one place": ((3, 1, 1), L.MaxPooling2D(1, **FIRST), "pictures of one place"),
    "another layout": (PICTURE, L.GroupNormalization(2, axis=-2), "groups of the axis -2"),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_to_tensorflow(name: str, tmp_path: Path) -> None:
    shape, make, what = LEFT[name]
    saved(make, shape, tmp_path / "m.keras")
    with pytest.raises(UncoveredError, match=what):
        read_archive(tmp_path / "m.keras", {})
