"""Attention by heads in a .keras file without TensorFlow: shared keys, gates, windows, dropouts and masks."""

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


def grouped(x: Any, y: Any) -> list[Any]:
    """Keys that several heads share, or all of them, or none; masks; a gate; what is near alone."""
    masked = L.Masking(name="mask")(x)
    a = L.GroupQueryAttention(2, 4, 2, name="a")(masked, y, use_causal_mask=True)
    b = L.GroupQueryAttention(2, 2, 1, use_gate=True, use_bias=False, name="b")(y, x, y[:, :, :3])
    c = L.GroupQueryAttention(2, 2, 2, sliding_window=2, dropout=0.1, name="c")(x, x)
    return [L.GlobalAveragePooling1D(name="d")(a), b, c, L.GroupQueryAttention(2, 2, 1, dropout=0.1, name="e")(a, x)]


def several(x: Any, y: Any) -> list[Any]:
    """The same of a head for each key."""
    a = L.MultiHeadAttention(2, 2, use_gate=True, name="a")(x, y)
    b = L.MultiHeadAttention(2, 2, sliding_window=2, name="b")(L.Masking(name="mask")(x), x, use_causal_mask=True)
    c = L.MultiHeadAttention(2, 2, dropout=0.1, name="c")(x, y, use_causal_mask=True)
    return [a, b, c, L.MultiHeadAttention(2, 3, dropout=0.1, use_gate=True, name="d")(y, x)]


MODELS: dict[str, Callable[[], Any]] = {
    "grouped": lambda: of(grouped, (3, 4), (3, 4)),
    "several": lambda: of(several, (3, 4), (2, 4)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_file_has_the_graph_that_its_model_has_through_tensorflow(name: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    model.save(tmp_path / "m.keras")
    graph = load(model)
    keras_layers.assert_read_directly(tmp_path / "m.keras", graph)
    assert all(
        row.passed for row in keras_layers.predicted(keras_layers.read_directly(tmp_path / "m.keras"), graph, [1])
    )


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda x: L.GroupQueryAttention(2, 1, 1)(x, x), "one head"),
        (lambda x: L.GroupQueryAttention(1, 2, 1)(x, x), "moves other axes"),
        (lambda x: L.MultiHeadAttention(3, 1)(x, x), "Keras adds along another axis"),
        (lambda x: L.GroupQueryAttention(2, 2, 1)(x, x, return_attention_scores=True), "with its scores"),
        (
            lambda x: L.MultiHeadAttention(2, 2, attention_axes=(1, 2))(
                L.Reshape((3, 2, 2))(x), L.Reshape((3, 2, 2))(x)
            ),
            "axes",
        ),
    ],
)
def test_what_is_not_known_is_left_to_tensorflow(make: Any, what: str, tmp_path: Path) -> None:
    of(make, (3, 4)).save(tmp_path / "m.keras")
    with pytest.raises(UncoveredError, match=what):
        read_archive(tmp_path / "m.keras", {})
