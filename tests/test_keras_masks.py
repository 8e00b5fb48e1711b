"""Masks in a .keras file without TensorFlow: who makes them, who hands them on, and what they hide."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alike import differences
from onnx2graphml.api import load
from onnx2graphml.frontends.direct.archive import read_archive
from onnx2graphml.frontends.direct.uncovered import UncoveredError

keras = pytest.importorskip("keras", reason="Keras is an extra")
keras_layers = pytest.importorskip("keras_layers")

L, ops = keras.layers, keras.ops


def words(name: str = "words", size: int = 4) -> Any:
    return L.Embedding(5, size, mask_zero=True, name=name)


def of(make: Callable[..., Any], *shapes: tuple[int, ...], dtype: str = "float32") -> Any:
    inputs = [keras.Input(shape, name=f"x{k}", dtype=dtype) for k, shape in enumerate(shapes)]
    return keras_layers.randomized(keras.Model(inputs, make(*inputs)))


def chain(*layers: Any) -> Any:
    """A Sequential, in which a mask is no layer of the file."""
    dtype = "int32" if isinstance(layers[0], L.Embedding) else "float32"
    shape = (3,) if dtype == "int32" else (3, 2)
    return keras_layers.randomized(keras.Sequential([keras.Input(shape, dtype=dtype, name="x"), *layers]))


def recurrent(x: Any, y: Any) -> Any:
    """Steps that leave the states as they were; backwards, stacked, both ways, with zeros and without."""
    x, y = L.Masking(0.0, name="mask")(x), L.Masking(0.0, name="other")(y)
    a = L.LSTM(2, return_sequences=True, zero_output_for_mask=True, name="a")(x)
    b = L.Bidirectional(L.SimpleRNN(2, return_sequences=True), name="b")(a)
    c = L.GRU(1, go_backwards=True, zero_output_for_mask=True, return_state=True, name="c")(b)
    d = L.SimpleRNN(1, go_backwards=True, return_sequences=True, zero_output_for_mask=True, unroll=True, name="d")(y)
    return [*c, L.RNN([L.SimpleRNNCell(2), L.LSTMCell(1)], name="e")(L.Dropout(0.1, name="off")(d))]


def handed_on(x: Any, y: Any) -> Any:
    """Layers that do the same with a mask, and one that no mask comes through."""
    a = L.Activation("tanh", name="b")(L.Dense(2, name="a")(L.Masking(0.0, name="mask")(x)))
    x = L.Dense(3, name="j")(L.Masking(0.0, name="other")(y))
    c = L.TimeDistributed(L.Dense(3), name="d")(L.BatchNormalization(name="c")(a))
    e = L.GlobalAveragePooling1D(keepdims=True, name="e")(L.LayerNormalization(name="f")(c))
    g = L.LSTM(1, name="k")(x, mask=ops.not_equal(x[:, :, 0], x[:, :, 1]))
    return [e, g, L.GlobalAveragePooling1D(name="g")(L.Conv1D(2, 2, name="h")(L.Softmax(name="i")(x)))]


def merged(x: Any, y: Any) -> Any:
    """Masks of several inputs."""
    a, b, c = words("a")(x), words("b")(y), L.Embedding(5, 4, name="c")(y)
    both = L.Add(name="both")([a, b])
    wide = L.Concatenate(axis=1, name="wide")([both, L.Multiply(name="none")([a, c])])
    joined = L.Concatenate(name="joined")([L.Multiply(name="times")([a, b]), L.Maximum(name="most")([a, b, c])])
    least = L.Attention(name="of")([L.Minimum(name="least")([a, b]), c])
    return [*(L.GlobalAveragePooling1D(name=f"g{k}")(v) for k, v in enumerate((wide, joined))), least]


def attention(x: Any, y: Any) -> Any:
    """Of queries and values, of which some are hidden; a mask that Keras takes away, and one that it finds again."""
    x, y = L.Masking(0.0, name="mx")(x), L.Masking(0.0, name="my")(y)
    a = L.Attention(use_scale=True, name="a")([x, y], use_causal_mask=True)
    b = L.AdditiveAttention(name="b")([y, x])
    c = L.Attention(name="c")([a, b])
    d = L.MultiHeadAttention(2, 2, name="d")(x, y, use_causal_mask=True)
    e = L.MultiHeadAttention(2, 3, name="e")(L.LayerNormalization(name="n")(d), c, key=b)
    return [e, L.GlobalAveragePooling1D(name="f")(L.Subtract(name="s")([d, x]))]


def inner() -> Any:
    """A mask that goes into a model, and one that comes out of another."""
    x, inside = keras.Input((3,), dtype="int32", name="x"), keras.Input((3,), dtype="int32", name="i")
    first = keras.Model(inside, L.Dense(2, name="d")(words()(inside)), name="first")
    second = keras.Sequential([keras.Input((3, 2)), L.GRU(2, name="g"), L.Dense(2, name="o")], name="second")
    return keras_layers.randomized(keras.Model(x, second(first(x))))


MODELS: dict[str, Callable[[], Any]] = {
    "recurrent": lambda: of(recurrent, (2, 2), (2, 2)),
    "handed on": lambda: of(handed_on, (3, 2), (3, 2)),
    "merged": lambda: of(merged, (3,), (3,), dtype="int32"),
    "attention": lambda: of(attention, (3, 2), (3, 2)),
    "inner": inner,
    "chain of words": lambda: chain(words(), L.LSTM(2, name="a"), L.Dense(2, name="b")),
    "chain of two": lambda: chain(words(), L.SimpleRNN(2, return_sequences=True, name="a"), L.GRU(2, name="b")),
    "chain of numbers": lambda: chain(L.Masking(1.0, name="m"), L.Dense(2, name="a"), L.GRU(2, name="b")),
    "reversible": lambda: chain(L.ReversibleEmbedding(5, 2, mask_zero=True, name="e"), L.GlobalAveragePooling1D()),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_mask_hides_what_it_hides_in_keras(name: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    model.save(tmp_path / "m.keras")
    graph = load(model)
    found = keras_layers.read_directly(tmp_path / "m.keras")
    assert differences(found, graph) == []
    for off in ([], [0], [1]):
        assert all(row.passed for row in keras_layers.predicted(found, graph, off)), off


@pytest.mark.slow
def test_a_mask_that_is_left_out_is_found(tmp_path: Path) -> None:
    """The control: the same model without masks."""
    model = chain(words(), L.GRU(2, name="a"))
    other = chain(L.Embedding(5, 4, name="words"), L.GRU(2, name="a"))
    other.set_weights(model.get_weights())
    other.save(tmp_path / "m.keras")
    graph, found = load(model), keras_layers.read_directly(tmp_path / "m.keras")
    assert differences(found, graph)[0].startswith("layers")
    assert not all(row.passed for row in keras_layers.predicted(found, graph, [1]))


@pytest.mark.slow
def test_through_tensorflow_too_a_backward_layer_has_its_own_mask() -> None:
    """Keras' loop, written out step by step, hides its outputs by the mask of the other direction."""
    model = of(lambda x: L.Bidirectional(L.SimpleRNN(2, return_sequences=True))(L.Masking()(x)), (3, 2))
    graph = load(model)
    for off in ([0], [1, 2]):
        assert all(row.passed for row in keras_layers.predicted(graph, graph, off))


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda x: L.Reshape((3, 2), name="r")(L.Masking()(x)), "what r leaves of a mask"),
        (lambda x: ops.not_equal(x, x[:, :, :1]), "numbers of different kinds"),
        (lambda x: ops.any(ops.not_equal(x, 0.0), axis=1), "another axis than the last"),
        (lambda x: ops.zeros_like(x), "zeros that are numbers"),
        (lambda x: ops.ones_like(x), "ones that are numbers"),
    ],
)
def test_what_is_not_known_of_masks_is_left_to_tensorflow(make: Any, what: str | None, tmp_path: Path) -> None:
    x = keras.Input((3, 2), name="x")
    keras.Model(x, make(x)).save(tmp_path / "m.keras")
    with pytest.raises(UncoveredError, match=what):
        read_archive(tmp_path / "m.keras", {})
