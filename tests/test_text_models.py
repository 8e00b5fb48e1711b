"""Small text models in the shapes of BERT, GPT-2 and DistilBERT, and a character LSTM of 50 steps: verified."""

from __future__ import annotations

import dataclasses

import pytest

from onnx2graphml.api import from_torch, load, verify

pytest.importorskip("torch", reason="PyTorch is an extra")
text_models = pytest.importorskip("text_models")

SIZE = text_models.Size()
LONG = dataclasses.replace(SIZE, steps=50)


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        pytest.param(name, detail, marks=() if (name, detail) == ("bert", "layer") else pytest.mark.slow)
        for name in text_models.MODELS
        for detail in ("op", "layer", "neuron")
    ],
)
def test_a_text_model_verifies(name: str, detail: str) -> None:
    module, inputs = text_models.made(name, LONG if name == "characters" else SIZE)
    graph = from_torch(module, inputs, detail=detail)
    report = verify(graph)
    assert report.passed, [r for r in report.rows if not r.passed]
    size = LONG if name == "characters" else SIZE
    products = sum(x.in_edges for x in graph.layers if x.op in ("MatMul", "Gemm"))
    assert products == text_models.matrix_edges(name, size)
    if detail == "layer":
        embedding = "characters" if name == "characters" else "words"
        assert graph.layer(f"{embedding}/one_hot").neurons == size.steps * size.words
        assert graph.layer(embedding).in_edges == size.steps * size.words * size.width


@pytest.mark.slow
def test_the_weights_of_attention_are_a_softmax_over_all_keys() -> None:
    module, inputs = text_models.made("bert", SIZE)
    graph = from_torch(module, inputs)
    coupled = [x for x in graph.layers if any(a.op == "Softmax" for a in x.activation)]
    assert len(coupled) == SIZE.layers
    assert {x.shape for x in coupled} == {(SIZE.heads, SIZE.steps, SIZE.steps)}
    # Every score is a sum of products of a query's and a key's numbers.
    assert {x.in_edges for x in coupled} == {2 * SIZE.heads * SIZE.steps**2 * SIZE.width // SIZE.heads}


@pytest.mark.slow
def test_an_lstm_has_an_edge_for_every_weight_of_every_step() -> None:
    """Four gates from input and state, of which the first step has none, and so no forget gate; and what joins them."""
    module, inputs = text_models.made("characters", dataclasses.replace(SIZE, steps=3))
    graph = from_torch(module, inputs)
    gates = [x for x in graph.layers if x.name.startswith("lstm/") and x.op == "Gemm"]
    assert len(gates) == 3 + 4 + 4
    width = SIZE.width
    assert sum(x.in_edges for x in gates) == 3 * width**2 + 8 * 2 * width**2


@pytest.mark.slow
def test_a_text_cnn_of_keras() -> None:
    """Words, windows of three of them, the strongest answer of each filter anywhere in the text, and two classes."""
    keras = pytest.importorskip("keras", reason="Keras is an extra")
    words, width, steps, filters = 30, 6, 12, 5
    parts = [
        keras.layers.Embedding(words, width), keras.layers.Conv1D(filters, 3, activation="relu"),
        keras.layers.GlobalMaxPooling1D(), keras.layers.Dense(2, activation="softmax"),
    ]  # fmt: skip
    ids = keras.Input((steps,), dtype="int32")
    x = ids
    for part in parts:
        x = part(x)
    graph = load(keras.Model(ids, x))
    report = verify(graph)
    assert report.passed, [r for r in report.rows if not r.passed]
    embedding, convolution, pool, dense = (graph.layer(part.name).in_edges for part in parts)
    assert embedding == steps * words * width
    assert convolution == (steps - 2) * 3 * width * filters
    assert pool == (steps - 2) * filters
    assert dense == 2 * filters
