"""Neural persistence against SciPy's minimum spanning tree."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings

import synthetic
from measured import network
from onnx2graphml import measures
from onnx2graphml.errors import Error
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming
from onnx2graphml.graph.select import min_abs_weight
from oracle import Sample, brute, products, samples


def by_scipy(block: EdgeBlock, sources: int, targets: int) -> np.ndarray:
    """The forest's weights, descending, of a matrix of costs; of several edges between two neurons the strongest."""
    import scipy.sparse as sp
    from scipy.sparse.csgraph import minimum_spanning_tree

    strongest: dict[tuple[int, int], float] = {}
    for s, t, w in brute(block):
        strongest[t, s] = max(strongest.get((t, s), 0.0), abs(w))
    if not strongest:
        return np.empty(0)
    most = max(strongest.values()) + 1
    places = np.array(list(strongest))
    costs = sp.coo_matrix(
        (most - np.array(list(strongest.values())), (places[:, 0], targets + places[:, 1])), [sources + targets] * 2
    )
    return np.sort(most - minimum_spanning_tree(costs.tocsr()).data)[::-1]


@pytest.mark.slow
@pytest.mark.parametrize("sample", samples().values(), ids=samples())
def test_spanning_forests(sample: Sample):
    got = measures.spanning_forest(sample.block, sample.sources, sample.targets)
    expected = by_scipy(sample.block, sample.sources, sample.targets)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(products())
def test_spanning_forests_of_random_blocks(s: Sample):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("onnx2graphml.measures.persistence.AT_ONCE", 3)
        got = measures.spanning_forest(s.block, s.sources, s.targets)
    np.testing.assert_allclose(got, by_scipy(s.block, s.sources, s.targets), rtol=1e-12)


@pytest.mark.parametrize("first", [0, 8])
@pytest.mark.parametrize("name", ["digits", "depthwise", "concat"])
def test_persistence(name: str, first: int, monkeypatch: pytest.MonkeyPatch):
    """In few rounds or in many."""
    monkeypatch.setattr("onnx2graphml.measures.persistence.FIRST", first)
    graph = network(name)
    weighted = [x for x in graph.layers if len(x.incoming) == 1 and x.op in ("Conv", "Gemm", "Mul")]
    largest = max(np.abs(x.incoming[0].block.weights).max() for x in weighted)
    expected, others = {}, {}
    for layer in weighted:
        sizes = graph.layer(layer.incoming[0].source).neurons, layer.neurons
        tree = by_scipy(layer.incoming[0].block, *sizes) / largest
        expected[layer.name] = np.linalg.norm(1 - tree) / math.sqrt(sum(sizes) - 1)
        others[layer.name] = math.hypot(np.linalg.norm(1 - tree), 1) / math.sqrt(sum(sizes) - 1)
    assert measures.neural_persistence(graph) == pytest.approx(expected, rel=1e-6)
    assert measures.neural_persistence(graph, essential=True) == pytest.approx(others, rel=1e-6)


def test_persistence_of_all_that_a_threshold_leaves():
    graph = min_abs_weight(network("digits"), 0.1)
    block = graph.layer("conv2").incoming[0].block
    assert len(measures.spanning_forest(block, 256, 96)) == len(by_scipy(block, 256, 96))


def test_persistence_of_named_layers():
    graph = network("digits")
    assert list(measures.neural_persistence(graph, ["maxpool", "digit"])) == ["maxpool", "digit"]
    with pytest.raises(Error, match="layer 'the_sum' has edges from 2 layers; expected one"):
        measures.neural_persistence(network("residual"), ["the_sum"])


def test_weights_that_are_not_finite():
    graph = synthetic.dense_graph(3, 2)
    block = graph.layers[1].incoming[0].block
    broken = dataclasses.replace(block, weights=np.full_like(block.weights, np.inf))
    layer = dataclasses.replace(graph.layers[1], incoming=(Incoming("x", broken),))
    with pytest.raises(Error, match="a weight is infinite or not a number; expected finite ones"):
        measures.neural_persistence(synthetic.graph_of(graph.layers[0], layer), ["y"])
