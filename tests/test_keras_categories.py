"""Numbers as categories, and whole numbers that preprocessing casts: read directly, and as Keras predicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnx2graphml.api import load
from onnx2graphml.frontends.direct.archive import read_archive
from onnx2graphml.frontends.direct.uncovered import UncoveredError

keras = pytest.importorskip("keras", reason="Keras is an extra")
keras_layers = pytest.importorskip("keras_layers")

L = keras.layers
MODES = ("one_hot", "multi_hot", "count")


def codes(x: Any) -> list[Any]:
    """Rows of whole numbers as categories, counted by weights, too; in a vector for each number, too."""
    made = [L.CategoryEncoding(5, output_mode=mode, name=mode)(x) for mode in MODES]
    weighted = L.CategoryEncoding(5, output_mode="count", name="weighted")
    return [*made, L.Dense(2, name="sums")(x), weighted(x, count_weights=L.Rescaling(0.5, name="half")(x))]


def ranges(x: Any) -> list[Any]:
    """Numbers by their ranges: given ones, and those of data."""
    found = L.Discretization(num_bins=4, name="found")
    found.adapt(np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32))
    made = [L.Discretization([-0.5, 0.1, 0.7], output_mode=mode, name=mode)(x) for mode in ("int", *MODES)]
    return [*made, L.Embedding(4, 2, name="vectors")(found(x))]


def picture(x: Any) -> list[Any]:
    """Bytes of a picture, of which every layer of preprocessing makes fractions, and so do functions."""
    z = keras.ops.cast(x, "float32") * 0.5
    y = L.CenterCrop(2, 2, name="middle")(L.RandomFlip(name="flip")(x))
    return [L.Conv2D(2, 2, name="conv")(y), L.Rescaling(1 / 255, name="scaled")(x), x / 255, 1.5 - x, z]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "shape", "dtype"),
    [
        (codes, (3,), "int32"),
        (lambda x: L.CategoryEncoding(5, name="many")(x), (2, 3), "int64"),
        (lambda x: L.CategoryEncoding(5, output_mode="one_hot", name="one")(x), (1,), "float32"),
        (ranges, (3,), "float32"),
        (picture, (4, 4, 2), "uint8"),
        (lambda x: L.Embedding(300, 2, name="vectors")(x), (3,), "uint8"),
        (lambda x: L.Embedding(300, 2, name="vectors")(x), (3,), "int64"),
    ],
)
def test_whole_numbers_are_read_directly(make: Any, shape: tuple[int, ...], dtype: str, tmp_path: Path) -> None:
    x = keras.Input(shape, dtype=dtype, name="x")
    model = keras_layers.randomized(keras.Model(x, make(x)))
    model.save(tmp_path / "m.keras")
    keras_layers.assert_read_directly(tmp_path / "m.keras", load(model))


@pytest.mark.parametrize(
    ("layer", "shape", "what"),
    [
        (L.CategoryEncoding(5), (), "one category for each network"),
        (L.CategoryEncoding(5, dtype="float16"), (3,), "categories in float16"),
        (L.CategoryEncoding(1 << 21), (3,), "categories as multi_hot"),
        (L.CategoryEncoding(5, dtype="int32"), (3,), "the type int32"),
        (L.Discretization([0.0, 1.0], dtype="float16"), (3,), "ranges of float16"),
        (L.MaxPooling2D(2), (4, 4, 1), "types of the inputs of"),
    ],
)
def test_what_is_left_to_tensorflow(layer: Any, shape: tuple[int, ...], what: str, tmp_path: Path) -> None:
    x = keras.Input(shape, dtype="int32", name="x")
    keras.Model(x, layer(x)).save(tmp_path / "m.keras")
    with pytest.raises(UncoveredError, match=what):
        read_archive(tmp_path / "m.keras", {})
