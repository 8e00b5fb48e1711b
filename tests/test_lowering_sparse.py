"""Operators whose sums take few of many values: what is not summed is no edge."""

from __future__ import annotations

import numpy as np
import pytest

from onnx2graphml.api import load, verify
from onnx2graphml.graph.graph import NeuronGraph
from small import model, node
from test_lowering_classical import one, points, tree_attributes


def edges_of(graph: NeuronGraph, op: str) -> int:
    """Into the layers of one operator."""
    return sum(layer.in_edges for layer in graph.layers if layer.op == op)


@pytest.mark.parametrize("shape", [(2, 6), (1, 6, 3), (2, 6, 2, 2), (1, 6, 2, 1, 2)])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 20])
def test_a_local_response_has_the_edges_of_its_windows(shape: tuple[int, ...], size: int) -> None:
    graph = load(model([node("LRN", "x", "y", size=size)], {"x": list(shape)}))
    channels = range(shape[1])
    windows = sum(max(c - (size - 1) // 2, 0) <= other <= c + size // 2 for c in channels for other in channels)
    assert edges_of(graph, "Conv") == windows * int(np.prod(shape)) // shape[1]
    assert verify(graph).passed


def test_a_leaf_has_an_edge_to_its_own_target_alone() -> None:
    given = tree_attributes(4, 3, 3, 3, seed=2)
    x, leaves = points(5, 3), len(given["leaf_targetids"])
    graph = load(one("TreeEnsemble", x, **given))
    assert edges_of(graph, "ReduceSum") == len(x) * leaves
    assert edges_of(graph, "MatMul") == 0


def test_a_target_without_a_leaf_is_zero() -> None:
    given = tree_attributes(2, 2, 3, 2) | {"n_targets": 4}
    x = points(5, 3)
    graph = load(one("TreeEnsemble", x, **given))
    assert verify(graph, {"x": x}).passed
    assert graph.edges == sum(layer.in_edges for layer in graph.layers)


@pytest.mark.parametrize("indexes", [[3, 0, 1, 2], [0, 1, 2, 3], [0, 0, 5, 5]], ids=str)
def test_an_ngram_has_an_edge_to_its_own_column_alone(indexes: list[int]) -> None:
    x = np.array([2, 3, 5, 2, 3, 7], np.int64)
    graph = load(
        one(
            "TfIdfVectorizer", x, "", mode="TF", min_gram_length=1, max_gram_length=2, max_skip_count=1,
            ngram_counts=[0, 2], ngram_indexes=indexes, pool_int64s=[2, 3, 2, 3, 3, 2],
        )
    )  # fmt: skip
    assert verify(graph, {"x": x}).passed
    assert edges_of(graph, "MatMul") == 0
