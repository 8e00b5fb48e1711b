"""Small text models in the shapes of BERT, GPT-2 and DistilBERT, and a character LSTM of 50 steps: verified."""

from __future__ import annotations

import dataclasses

import pytest

from onnx2graphml.api import from_torch, verify

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
    if detail == "layer":
        embedding = "characters" if name == "characters" else "words"
        steps = LONG.steps if name == "characters" else SIZE.steps
        assert graph.layer(f"{embedding}/one_hot").neurons == steps * SIZE.words
        assert graph.layer(embedding).in_edges == steps * SIZE.words * SIZE.width


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
