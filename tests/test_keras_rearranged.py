"""What TensorFlow and tf2onnx move across layers, or leave out, is theirs: a file that has it is not read directly."""

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
PICTURE, STEPS, ROW = (6, 6, 3), (4, 3), (3,)


def saved(make: Callable[[Any], Any], shape: tuple[int, ...], path: Path) -> Any:
    x = keras.Input(shape, name="x")
    model = keras_layers.randomized(keras.Model(x, make(x)))
    model.save(path)
    return model


def conv(x: Any, **options: Any) -> Any:
    return (L.Conv1D if len(x.shape) == 3 else L.Conv2D)(3, 2, name="c", **options)(x)


def both(x: Any, *more: Any) -> list[Any]:
    """A layer's output that is one of the model's, too."""
    outputs = [x]
    for layer in more:
        outputs.append(layer(outputs[-1]))
    return outputs


NUMBERS = "a number of"
NOTHING = "that changes nothing|all of a value"


def pooled(x: Any) -> Any:
    """By one layer, twice."""
    pool = L.MaxPooling1D(2)
    return pool(pool(x))


MOVED: dict[str, tuple[tuple[int, ...], Callable[[Any], Any], str]] = {
    "(x + 1) + 2": (ROW, lambda x: (x + 1.0) + 2.0, NUMBERS),
    "2 - (x - y)": (ROW, lambda x: 2.0 - L.Subtract()([x, ops.exp(x)]), NUMBERS),
    "x / 2 * 3": (ROW, lambda x: x / 2.0 * 3.0, NUMBERS),
    "2 / (x * y)": (ROW, lambda x: 2.0 / L.Multiply()([x, ops.exp(x)]), NUMBERS),
    "silu · 2": (ROW, lambda x: L.Activation("silu")(x) * 2.0, NUMBERS),
    "BatchNormalization, hard_sigmoid": (ROW, lambda x: ops.hard_sigmoid(L.BatchNormalization()(x)), NUMBERS),
    "Dense without bias + y": (ROW, lambda x: L.Add()([L.Dense(3, use_bias=False)(x), x]), "a sum behind"),
    "Dense without bias · 2 + 1": (
        ROW,
        lambda x: L.Rescaling(2.0, 1.0)(L.Dense(3, use_bias=False)(x)),
        "a sum behind",
    ),
    "Dense without bias of one row, hard_shrink": (
        (1, 3),
        lambda x: L.Dense(2, "hard_shrink", use_bias=False)(x),
        "of rows",
    ),
    "the mean of one number": ((4, 1), L.LayerNormalization(), "the mean of one number"),
    "bicubic, of which TensorFlow's prediction is another": (
        PICTURE,
        L.Resizing(5, 4, interpolation="bicubic"),
        "the interpolation bicubic",
    ),
    "pooled again": ((16, 2), pooled, "pools again"),
    "a convolution's output, hard_tanh": (
        PICTURE,
        lambda x: both(conv(x, activation="hard_tanh"), L.Conv2D(2, 2)),
        "is read, too",
    ),
    "x + x": (ROW, lambda x: x + x, "a value with itself"),
    "x · 1": (ROW, lambda x: x * 1.0, NOTHING),
    "x + 0": (ROW, lambda x: x + 0.0, NOTHING),
    "x / 1": (ROW, lambda x: x / 1.0, NOTHING),
    "x[:, :]": (ROW, lambda x: x[:, :], NOTHING),
    "x[:, :9]": (ROW, lambda x: x[:, :9], "the part"),
    "reshape to the same": (ROW, lambda x: ops.reshape(x, (-1, 3)), "the shape"),
    "concatenation of one": (ROW, lambda x: ops.concatenate([x], 1), "one value alone"),
    "Rescaling(1)": (ROW, lambda x: L.Rescaling(1.0)(x), NOTHING),
    "ZeroPadding1D(0)": (STEPS, lambda x: L.ZeroPadding1D(0)(x), "no zeros"),
    "Cropping1D(0)": (STEPS, lambda x: L.Cropping1D(0)(x), "nothing cropped"),
    "UpSampling1D(1)": (STEPS, lambda x: L.UpSampling1D(1)(x), "each position once"),
    "Dropout of an input": (ROW, lambda x: L.Dropout(0.5, name="d")(L.Flatten()(x)), "d, which does nothing"),
    "Softmax not of the last axis": (STEPS, lambda x: L.ReLU()(L.Softmax(1)(x)), "shares along another axis"),
    "Permute, tanh": (STEPS, lambda x: ops.tanh(L.Permute((2, 1))(x)), "the order of axes"),
    "Permute, convolution": (STEPS, lambda x: conv(L.Permute((2, 1))(x)), "the order of axes"),
    "convolution, Permute": (PICTURE, lambda x: L.Permute((3, 1, 2))(conv(x)), "the order of axes"),
    "convolution, one axis more": (PICTURE, lambda x: ops.expand_dims(conv(x), 3), "the axes of"),
    "rows of one, Softmax": ((2, 2, 3), lambda x: L.Softmax()(conv(x)), "axes of size 1"),
    "convolution as an output, too": (PICTURE, lambda x: both(conv(x), L.ReLU()), "is read, too"),
    "ReLU as an output, too": (STEPS, lambda x: both(conv(x), L.ReLU(), L.MaxPooling1D()), "is read, too"),
    "a sum as an output, too": (
        PICTURE,
        lambda x: both(L.ReLU(negative_slope=0.3, threshold=0.2)(conv(x)), L.MaxPooling2D()),
        "is read, too",
    ),
    "a row without bias": (STEPS, lambda x: L.Conv1D(4, 2, use_bias=False, activation="gelu")(x), "row without bias"),
    "Dense without bias": (PICTURE, lambda x: L.Dense(4, use_bias=False, activation="gelu")(x), "rows in TensorFlow"),
    "steps of an LSTM, a number": (STEPS, lambda x: L.LSTM(2, return_sequences=True)(x) * 2.0, "the order of axes"),
    "numbers in a cell": (STEPS, lambda x: L.GRU(2, activation="hard_sigmoid")(x), "hard_sigmoid in a cell"),
    "a layer in a cell": (STEPS, lambda x: L.GRU(2, activation=L.ReLU())(x), "a layer as the activation"),
    "one head": (STEPS, lambda x: L.MultiHeadAttention(1, 2)(x, x), "one head"),
    "Permute, twice": (PICTURE, lambda x: [L.Permute((2, 1, 3))(x), L.Permute((2, 1, 3))(x)], "the order of axes"),
}


@pytest.mark.parametrize("name", MOVED)
def test_what_would_move_is_left_to_tensorflow(name: str, tmp_path: Path) -> None:
    shape, make, what = MOVED[name]
    saved(make, shape, tmp_path / "m.keras")
    with pytest.raises(UncoveredError, match=what):
        read_archive(tmp_path / "m.keras", {})


def twice(x: Any) -> Any:
    y = L.BatchNormalization(name="b")(x)
    return L.Multiply(name="m")([y, ops.relu6(y + 3.0) * (1 / 6.0)])


def exchanged(x: Any) -> list[Any]:
    """Two calls of one layer, of which the later one is the first output."""
    layer = L.Conv2D(2, 2, name="c")
    first = layer(x)
    return [layer(L.MaxPooling2D(2, name="p")(x)), first]


STILL: dict[str, tuple[tuple[int, ...], Callable[[Any], Any]]] = {
    "a number beside another reader": (ROW, twice),
    "a number behind a bias": (STEPS, lambda x: L.Dense(3, name="d")(x) * 2.0),
    "the later call of a layer first": (PICTURE, exchanged),
    "numbers within a layer": (ROW, lambda x: L.Activation("gelu", name="g")(L.Rescaling(2.0, 3.0, name="r")(x))),
    "Softmax of another axis": (STEPS, lambda x: L.Softmax(1, name="s")(x)),
    "Dropout of an input": (ROW, lambda x: L.Dropout(0.5, name="d")(x)),
    "Permute, Dense": (STEPS, lambda x: L.Dense(2, name="d")(L.Permute((2, 1), name="p")(x))),
    "one more output": (PICTURE, lambda x: both(conv(x), L.MaxPooling2D(name="p"), L.Flatten(name="f"))),
    "a picture, one axis more": (PICTURE, lambda x: conv(ops.squeeze(ops.expand_dims(x, 3), 3))),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", STILL)
def test_what_stays_in_its_place_is_read_directly(name: str, tmp_path: Path) -> None:
    shape, make = STILL[name]
    model = saved(make, shape, tmp_path / "m.keras")
    keras_layers.assert_read_directly(tmp_path / "m.keras", load(model))
