"""Recurrent layers of a .keras file without TensorFlow: states that go in and out, dropouts, and merged directions."""

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


def of(make: Callable[..., Any], *shapes: tuple[int, ...]) -> Any:
    inputs = [keras.Input(shape, name=f"x{k}") for k, shape in enumerate(shapes)]
    return keras_layers.randomized(keras.Model(inputs, make(*inputs)))


def states(x: Any, y: Any, h: Any, c: Any) -> list[Any]:
    """A decoder that begins where an encoder ends; states of both directions; one step alone."""
    out, *after = L.LSTM(2, return_state=True, name="encoder")(x)
    a = L.LSTM(2, return_sequences=True, name="decoder")(L.Masking(name="mask")(y), initial_state=after)
    b = L.Bidirectional(L.SimpleRNN(2, return_state=True), name="both")(y, initial_state=[h, c])
    d = L.RNN(L.GRUCell(2), name="cell")(L.Reshape((1, 2), name="row")(out), initial_state=h)
    return [a, *b, d]


def dropouts(x: Any, y: Any) -> list[Any]:
    """Of the input, which changes nothing, and of the state, by which each gate is computed for itself."""
    a = L.LSTM(2, dropout=0.1, recurrent_dropout=0.1, name="a")(x)
    b = L.LSTM(1, dropout=0.1, recurrent_dropout=1, use_bias=False, name="b")(x)
    c = L.GRU(2, recurrent_dropout=0.1, name="c")(y)
    d = L.GRU(1, recurrent_dropout=0.1, reset_after=False, name="d")(y)
    f = L.GRU(2, recurrent_dropout=0.1, reset_after=False, use_bias=False, name="f")(y)
    return [a, b, c, d, f, L.SimpleRNN(2, dropout=0.1, recurrent_dropout=0.1, name="g")(x)]


def directions(x: Any) -> list[Any]:
    """Two directions as one."""
    made = [
        L.Bidirectional(L.SimpleRNN(2, return_sequences=k < 3), merge_mode=mode, name=f"m{k}")(x)
        for k, mode in enumerate(("sum", "mul", "ave", "ave"))
    ]
    both = L.Bidirectional(L.SimpleRNN(1, return_sequences=True, return_state=True), merge_mode=None, name="n")(x)
    return [*made, *both]


def pictures(x: Any, y: Any) -> list[Any]:
    """Convolutions of all steps, of pictures and of rows, which are pictures of one line."""
    a = L.ConvLSTM2D(2, 2, padding="same", return_sequences=True, name="a")(x)
    b = L.ConvLSTM2D(1, (2, 1), strides=2, use_bias=False, activation="relu", go_backwards=True, name="b")(a)
    c = L.ConvLSTM1D(1, 2, dilation_rate=2, return_sequences=True, return_state=True, name="c")
    c = c(y, mask=keras.ops.not_equal(y[:, :, 0, 0], 0.0))
    return [L.Flatten(name="e")(b), *c]


MODELS: dict[str, Callable[[], Any]] = {
    "states": lambda: of(states, (2, 2), (2, 2), (2,), (2,)),
    "dropouts": lambda: of(dropouts, (2, 2), (2, 2)),
    "pictures": lambda: of(pictures, (2, 3, 2, 1), (2, 4, 1)),
    "directions": lambda: of(directions, (2, 2)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_file_has_the_graph_that_its_model_has_through_tensorflow(name: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    model.save(tmp_path / "m.keras")
    keras_layers.assert_read_directly(tmp_path / "m.keras", load(model))


@pytest.mark.parametrize(
    ("make", "shapes", "what"),
    [
        (lambda x: L.LSTM(2, activation="hard_sigmoid")(x), [(3, 2)], "the activation hard_sigmoid in a cell"),
        (lambda x: L.ConvLSTM1D(1, 2, recurrent_activation="hard_sigmoid")(x), [(2, 3, 1)], "hard_sigmoid in a cell"),
        (lambda x: L.ConvLSTM1D(1, 2, data_format="channels_first")(x), [(2, 3, 3)], "channels first"),
        (lambda x, a, b: L.RNN([L.GRUCell(2), L.GRUCell(2)])(x, initial_state=[a, b]), [(3, 2), (2,), (2,)], "several"),
        (lambda x: [L.ConvLSTM1D(1, 2)(x), L.ConvLSTM1D(1, 2)(x)], [(2, 3, 1)], "that two layers read"),
    ],
)
def test_what_is_not_known_is_left_to_tensorflow(make: Any, shapes: Any, what: str, tmp_path: Path) -> None:
    of(make, *shapes).save(tmp_path / "m.keras")
    with pytest.raises(UncoveredError, match=what):
        read_archive(tmp_path / "m.keras", {})
