"""Every built-in layer of Keras: verified, or refused with its reason; the documentation's table says the same."""

from __future__ import annotations

from typing import Any

import pytest

from frameworks import PAGE, table
from onnx2graphml.api import load, verify
from onnx2graphml.errors import UnsupportedError

keras = pytest.importorskip("keras", reason="Keras is an extra")
keras_layers = pytest.importorskip("keras_layers")

QUICK = ("LSTM", "MultiHeadAttention", "Embedding", "Bidirectional", "Resizing", "LayerNormalization")


def test_every_layer_is_in_the_table() -> None:
    assert set(keras_layers.LAYERS) == keras_layers.every_layer()
    assert set(keras_layers.REFUSED) <= set(keras_layers.LAYERS)


def names() -> list[Any]:
    verified = sorted(set(keras_layers.LAYERS) - set(keras_layers.REFUSED))
    return [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in verified]


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_a_layer_verifies(name: str) -> None:
    keras.utils.set_random_seed(0)
    graph = load(keras_layers.randomized(keras_layers.LAYERS[name]()))
    report = verify(graph)
    assert report.passed, [r for r in report.rows if not r.passed]
    assert any(r.layer.startswith("prediction of") for r in report.rows)


@pytest.mark.parametrize("name", keras_layers.REFUSED)
def test_a_layer_is_refused(name: str) -> None:
    with pytest.raises(UnsupportedError, match=keras_layers.REFUSED[name]):
        load(keras_layers.LAYERS[name]())


def test_the_page_says_so() -> None:
    assert table(keras_layers.LAYERS, keras_layers.REFUSED) in PAGE.read_text(encoding="utf-8")
