"""Embeddings: a one-hot layer, and a linear map; and whole numbers as inputs."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import onnx
import pytest

from onnx2graphml.api import load, verify
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.inference.inputs import made
from small import model, node, weights


def embedding(words: int, width: int, tokens: int, axis: int = 0, kind: Any = np.float32) -> onnx.ModelProto:
    table = weights(words, width) if axis == 0 else weights(width, words)
    if np.dtype(kind).kind in "iu":
        table = np.round(table * 10)
    proto = model(
        [node("Gather", "table ids", "y", axis=axis)], {"ids": [1, tokens]}, {"table": table.astype(kind)}, dtype=kind
    )
    proto.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
    return proto


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, np.int8])
def test_a_table_is_looked_up_by_a_linear_map(level: str, kind: Any) -> None:
    graph = load(embedding(11, 4, 3, kind=kind), detail=level)
    assert verify(graph).passed
    assert graph.edges >= 3 * 11 + 3 * 11 * 4


def test_along_another_axis() -> None:
    assert verify(load(embedding(7, 4, 5, axis=1))).passed


def test_the_one_hot_layer_says_which_word() -> None:
    graph = load(embedding(5, 2, 3), detail="op")
    (hot,) = [layer for layer in graph.layers if layer.op == "OneHot"]
    assert hot.shape == (3, 5)
    assert str(hot.activation[0]) == "OneHot(off=0,on=1,depth=5)"
    assert hot.bias is not None
    assert np.array_equal(np.broadcast_to(hot.bias, hot.shape)[0], [0, -1, -2, -3, -4])


@pytest.mark.slow
def test_the_embedding_of_bert_is_lazy() -> None:
    """30,522 words, 768 numbers each, 128 tokens: 3.0 billion edges, counted in a moment."""
    table = np.zeros((30_522, 768), np.float32)
    proto = model([node("Gather", "table ids", "y")], {"ids": [1, 128]}, {"table": table})
    proto.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
    start = time.perf_counter()
    graph = load(proto)
    assert graph.edges == 128 * 30_522 + 128 * 30_522 * 768
    integers = sum(len(a) for layer in graph.layers for i in layer.incoming for a in i.block.axes)
    assert integers < 200_000
    assert time.perf_counter() - start < 10


def test_random_tokens_are_in_the_vocabulary() -> None:
    graph = load(embedding(9, 2, 400))
    ids = made("random", graph.require_model())["ids"]
    assert ids.dtype == np.int64
    assert set(ids.ravel().tolist()) == set(range(9))
    assert made("zeros", graph.require_model())["ids"].max() == 0


def test_truth_values_and_bytes_as_inputs() -> None:
    nodes = [node("Where", "c a b", "y")]
    proto = model(nodes, {"c": [2, 3], "a": [2, 3], "b": [2, 3]})
    proto.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.BOOL
    assert verify(load(proto)).passed
    proto = model([node("Cast", "x", "y", to=1)], {"x": [4, 5]})
    proto.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    graph = load(proto)
    assert made("random", graph.require_model())["x"].max() > 100
    assert verify(graph).passed
