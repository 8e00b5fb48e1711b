"""Clusterability: planted groups are found, the cut is NetworkX's, shuffled networks are cut worse."""

from __future__ import annotations

import math
from typing import Any

import networkx as nx
import numpy as np
import pytest

import synthetic
from measured import network
from onnx2graphml import measures
from onnx2graphml.api import load
from onnx2graphml.errors import Error, UnsupportedError
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.measures.channel_graph import channel_graph
from small import SIDE, model, node, weights


def planted(groups: int, size: int, layers: int, noise: float) -> NeuronGraph:
    """Dense layers in which each group of neurons is joined to its own in the next layer, and weakly to the others."""
    random, width = np.random.default_rng(5), groups * size
    own = np.arange(width) // size
    made = [Layer("d0", "Input", (width,), "input")]
    for k in range(1, layers):
        kernel = random.uniform(0.5, 1.5, (width, width)) * np.where(own[:, None] == own, 1, noise)
        block = synthetic.dense(width, width, (kernel * random.choice([-1, 1], kernel.shape)).ravel())
        made.append(Layer(f"d{k}", "Gemm", (width,), incoming=(Incoming(f"d{k - 1}", block),)))
    return synthetic.graph_of(*made)


@pytest.mark.slow
def test_planted_groups_are_found():
    graph = planted(3, 4, 4, 0.01)
    found = measures.clusterability(graph, 3, shuffles=9)
    expected = np.arange(graph.neurons) % 12 // 4
    pairs = {(int(a), int(b)) for a, b in zip(found.labels.array, expected, strict=True)}
    assert len(pairs) == 3
    assert found.cut == pytest.approx(measures.normalized_cut(graph, expected), rel=1e-9)
    assert found.cut < min(found.shuffled)
    assert found.p_value == 0.1


def test_without_shuffles_there_is_no_p_value():
    assert math.isnan(measures.clusterability(planted(2, 3, 3, 0.1), 2).p_value)


def convolutions() -> NeuronGraph:
    """Channels joined by kernels, a pool and a flattening between, a dense layer."""
    nodes = [
        node("Conv", "x w1", "c1", kernel_shape=[3, 3], **SIDE),
        node("MaxPool", "c1", "p", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", "p w2", "c2", kernel_shape=[2, 2], group=2),
        node("Flatten", "c2", "f"),
        node("Gemm", "f w3", "y"),
    ]
    constants = {"w1": weights(4, 2, 3, 3, seed=1), "w2": weights(6, 2, 2, 2, seed=2), "w3": weights(24, 3, seed=3)}
    return load(model(nodes, {"x": (1, 2, 6, 6)}, constants))


def by_hand() -> Any:
    """The channels' graph for NetworkX: inputs 0-1, first convolution 2-5, second 6-11, dense 12-14."""
    first, second = weights(4, 2, 3, 3, seed=1), weights(6, 2, 2, 2, seed=2)
    third = weights(24, 3, seed=3).reshape(6, 4, 3)
    g = nx.Graph()
    for o, c in np.ndindex(4, 2):
        g.add_edge(c, 2 + o, weight=float(np.abs(first[o, c]).sum()))
    for o, c in np.ndindex(6, 2):
        g.add_edge(2 + o // 3 * 2 + c, 6 + o, weight=float(np.abs(second[o, c]).sum()))
    for c, o in np.ndindex(6, 3):
        g.add_edge(6 + c, 12 + o, weight=float(np.abs(third[c, :, o]).sum()))
    return g


def test_channels_are_joined_by_the_norms_of_kernels():
    graph = convolutions()
    channels = channel_graph(graph)
    expected = nx.to_numpy_array(by_hand(), nodelist=range(15))
    got = np.zeros((15, 15))
    for source, target, sums in channels.matrix_blocks():
        got[source : source + sums.shape[0], target : target + sums.shape[1]] = sums
    np.testing.assert_allclose(got + got.T, expected, rtol=1e-6)
    assert channels.count == 15


@pytest.mark.parametrize("k", [1, 2, 5, 15])
def test_the_cut_of_channels(k: int):
    graph, g = convolutions(), by_hand()
    found = measures.clusterability(graph, k)
    labels = {}
    for name, numbers in channel_graph(graph).labels.items():
        labels |= dict(zip(numbers.tolist(), found.labels.by_layer()[name].ravel().tolist(), strict=True))
    groups = [{c for c in g if labels[c] == group} for group in set(labels.values())]
    expected = sum(nx.cut_size(g, s, weight="weight") / nx.volume(g, s, weight="weight") for s in groups)
    assert found.cut == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert len(groups) == k


def test_shuffled_weights_are_the_same_in_another_order():
    graph = convolutions()
    one, other = channel_graph(graph), channel_graph(graph, np.random.default_rng(0))
    for (_, _, a), (_, _, b) in zip(one.matrix_blocks(), other.matrix_blocks(), strict=True):
        assert a.sum() == pytest.approx(b.sum(), rel=1e-6)
        assert not np.allclose(a, b)


def test_channels_that_are_joined_without_weights_are_refused():
    with pytest.raises(UnsupportedError, match="layer 'the_sum' joins several channels without weights of its own"):
        measures.clusterability(network("residual"), 2)


@pytest.mark.parametrize("k", [0, 16])
def test_more_groups_than_channels_are_refused(k: int):
    with pytest.raises(Error, match=f"k is {k}; expected 1 to 15, the number of channels that weights join"):
        measures.clusterability(convolutions(), k)
