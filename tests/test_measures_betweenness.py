"""Betweenness, closeness and harmonic centrality against igraph and NetworkX; chains taken apart into tracks."""

from __future__ import annotations

import math
from typing import Any

import networkx as nx
import numpy as np
import pytest

import synthetic
from measured import SOURCES, as_networkx, network
from onnx2graphml import measures
from onnx2graphml.api import load
from onnx2graphml.errors import TooLargeError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.measures.chains import chain_of
from onnx2graphml.measures.dimensions import NotAChain
from small import SIDE, model, node, weights

each_network = pytest.mark.parametrize("name", SOURCES)
CHAINS = ["digits", "digits op", "depthwise", "moves", "uneven", "upsampled"]


def as_igraph(graph: NeuronGraph) -> Any:
    import igraph

    return igraph.Graph(graph.neurons, [(u, v) for u, v, _ in graph.weighted_edges()], directed=True)


def chain(name: str) -> NeuronGraph:
    """Chains with what makes dimensions hard: moves through a flattening, windows that leave neurons out."""
    if name in ("moves", "mixed up"):
        nodes = [
            node("Conv", "x w1", "c", kernel_shape=[3, 3], **SIDE),
            node("Transpose", "c", "t", perm=[0, 2, 3, 1]),
            node("Reshape", "t shape", "r"),
            node("MatMul", "r w2", "m"),
            node("Reshape", "m back", "b"),
            node("Conv", "b w3", "y", kernel_shape=[2, 2]),
        ]
        back = (4, 5, 3) if name == "moves" else (3, 5, 4)
        constants = {"w1": weights(4, 2, 3, 3), "w2": weights(4, 3), "w3": weights(2, back[0], 2, 2),
                     "shape": np.array([1, 20, 4]), "back": np.array([1, *back])}  # fmt: skip
        return load(model(nodes, {"x": (1, 2, 4, 5)}, constants), detail="op")
    if name == "uneven":
        nodes = [
            node("Conv", "x w1", "c", kernel_shape=[2, 2], strides=[3, 2], pads=[1, 0, 0, 1]),
            node("MaxPool", "c", "p", kernel_shape=[2, 1], strides=[2, 1]),
            node("Slice", "p starts ends axes", "s"),
            node("Flatten", "s", "f"),
            node("Gemm", "f w2", "y"),
        ]
        constants = {"w1": weights(3, 2, 2, 2), "w2": weights(9, 4), "starts": np.array([1]), "ends": np.array([4]),
                     "axes": np.array([3])}  # fmt: skip
        return load(model(nodes, {"x": (1, 2, 8, 9)}, constants), detail="op")
    if name == "upsampled":
        nodes = [
            node("ConvTranspose", "x w1", "c", kernel_shape=[2, 3], strides=[2, 2]),
            node("Pad", "c pads", "p"),
            node("AveragePool", "p", "y", kernel_shape=[3, 3], strides=[2, 2]),
        ]
        return load(
            model(nodes, {"x": (1, 2, 3, 3)}, {"w1": weights(2, 2, 2, 3), "pads": np.array([0, 0, 1, 0, 0, 0, 0, 2])}),
            detail="op",
        )
    return network(name)


@pytest.mark.parametrize("name", CHAINS)
def test_chains(name: str):
    graph = chain(name)
    tracks = chain_of(graph)
    assert [math.prod(r) for r in tracks.radices] == [x.neurons for x in graph.layers]
    g = as_igraph(graph)
    got = measures.betweenness_centrality(graph, normalized=False).array
    np.testing.assert_allclose(got, g.betweenness(), rtol=1e-10, atol=1e-10 * got.max())
    n = graph.neurons
    scaled = measures.betweenness_centrality(graph).array * ((n - 1) * (n - 2))
    np.testing.assert_allclose(scaled, got, rtol=1e-12)
    near = measures.harmonic_centrality(graph).array
    np.testing.assert_allclose(near, g.harmonic_centrality(mode="in", normalized=False), rtol=1e-10, atol=1e-12)


@each_network
def test_betweenness(name: str):
    graph = network(name)
    got = measures.betweenness_centrality(graph, normalized=False).array
    expected = as_igraph(graph).betweenness() if name != "parallel" else np.zeros(graph.neurons)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9 * max(1, got.max()))


@pytest.mark.parametrize("name", ["residual", "concat", "every kind", "random 1"])
def test_closeness_with_branches(name: str):
    graph, g = network(name), as_networkx(name)
    for improved in (True, False):
        got, expected = measures.closeness_centrality(graph, improved), nx.closeness_centrality(g, wf_improved=improved)
        np.testing.assert_allclose(got.array, [expected[n] for n in range(graph.neurons)], rtol=1e-12)
    harmonic = nx.harmonic_centrality(g)
    got = measures.harmonic_centrality(graph).array
    np.testing.assert_allclose(got, [harmonic[n] for n in range(graph.neurons)], rtol=1e-12)


@pytest.mark.slow
def test_branches_from_source_to_source_are_as_the_chain(monkeypatch: pytest.MonkeyPatch):
    """Two ways to the same numbers, and the memory of one source at a time."""
    graph = chain("upsampled")
    expected = [f(graph).array for f in (measures.betweenness_centrality, measures.closeness_centrality)]

    def none(graph: NeuronGraph) -> Any:
        raise NotAChain("of the test")

    monkeypatch.setattr("onnx2graphml.measures.betweenness.chain_of", none)
    monkeypatch.setattr("onnx2graphml.measures.closeness.chain_of", none)
    for values in (1, 1 << 22):
        monkeypatch.setattr("onnx2graphml.measures.brandes.VALUES", values)
        got = [f(graph).array for f in (measures.betweenness_centrality, measures.closeness_centrality)]
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10)


@pytest.mark.parametrize("normalized", [True, False])
@pytest.mark.parametrize("name", ["residual", "concat"])
def test_betweenness_of_some_sources(name: str, normalized: bool):
    graph, g = network(name), as_networkx(name)
    expected = nx.betweenness_centrality(g, k=20, normalized=normalized, seed=3)
    got = measures.betweenness_centrality(graph, k=20, normalized=normalized, seed=3)
    np.testing.assert_allclose(got.array, [expected[n] for n in range(graph.neurons)], rtol=1e-9)


@pytest.mark.slow
def test_the_largest_betweenness_of_digits():
    graph = network("digits")
    values = measures.betweenness_centrality(graph, normalized=False)
    assert values[graph.neuron("avgpool", (0, 0, 0))] == pytest.approx(8660.347645148338, rel=1e-12)
    assert max(values.values()) == pytest.approx(8660.347645148338, rel=1e-12)


@pytest.mark.parametrize("layer", ["conv1", "maxpool", "conv2", "flatten", "dense1"])
def test_what_goes_through_a_layer_that_cuts_the_network(layer: str):
    """Each pair of neurons before and behind it that a path joins adds one to the sum of its betweenness."""
    graph = network("digits")
    own = graph.layer(layer)
    reached = [0] * graph.neurons  # the neurons that each leads to, as the bits of a number
    for u, v, _ in sorted(graph.weighted_edges(), key=lambda e: -e[0]):
        reached[u] |= reached[v] | 1 << v
    pairs = sum((found >> own.first_id + own.neurons).bit_count() for found in reached[: own.first_id])
    values = measures.betweenness_centrality(graph, normalized=False).by_layer()[layer]
    assert values.sum() == pytest.approx(pairs, rel=1e-12)


@each_network
def test_eccentricity(name: str):
    graph, g = network(name), as_networkx(name)
    expected = {n: max(nx.single_source_shortest_path_length(g, n).values()) for n in range(0, graph.neurons, 7)}
    got = measures.eccentricity(graph)
    assert {n: got[n] for n in expected} == expected


# ----------------------------------------------------------------------------------------------------- edges


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CHAINS, "mixed up", "residual", "concat", "every kind", "random 1", "random 4"])
def test_edge_betweenness(name: str):
    graph = chain(name)
    got = measures.edge_betweenness_centrality(graph, normalized=False)
    g = as_igraph(graph)
    expected = np.array(g.edge_betweenness())
    edges = list(got.items())
    assert [e for e, _ in edges] == [(u, v) for u, v, _ in graph.weighted_edges()]
    np.testing.assert_allclose([v for _, v in edges], expected, rtol=1e-9, atol=1e-12)
    scaled = measures.edge_betweenness_centrality(graph)
    n = graph.neurons
    assert sum(v for _, v in scaled.items()) * n * (n - 1) == pytest.approx(expected.sum(), rel=1e-9)


@pytest.mark.parametrize("normalized", [True, False])
def test_edge_betweenness_of_some_sources(normalized: bool):
    graph, g = network("residual"), as_networkx("residual")
    expected = nx.edge_betweenness_centrality(g, k=15, normalized=normalized, seed=2)
    got = dict(measures.edge_betweenness_centrality(graph, k=15, normalized=normalized, seed=2).items())
    assert got == pytest.approx(expected, rel=1e-9)


def test_too_many_edges_with_branches(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("onnx2graphml.measures.edge_betweenness.MOST_EDGES", 10)
    with pytest.raises(TooLargeError, match=r"the betweenness of [\d,]+ edges is found only in a chain of layers"):
        measures.edge_betweenness_centrality(network("residual"))


def test_too_many_neurons_with_branches(monkeypatch: pytest.MonkeyPatch):
    for module in ("betweenness", "closeness"):
        monkeypatch.setattr(f"onnx2graphml.measures.{module}.MOST_SOURCES", 10)
    with pytest.raises(TooLargeError, match=r"betweenness of all 454 neurons is found only in .*'the_sum'.*pass k="):
        measures.betweenness_centrality(network("residual"))
    with pytest.raises(TooLargeError, match=r"closeness of 454 neurons is found only in a chain"):
        measures.closeness_centrality(network("residual"))
    with pytest.raises(TooLargeError, match=r"harmonic centrality of 454 neurons is found only in a chain"):
        measures.harmonic_centrality(network("residual"))
    with pytest.raises(TooLargeError, match=r"eccentricity of 454 neurons is found only in a chain.*it has branches"):
        measures.eccentricity(network("residual"))
    assert measures.betweenness_centrality(network("residual"), k=5, seed=0).array.max() > 0


@pytest.mark.parametrize("name", ["residual", "concat", "every kind", "parallel"])
def test_networks_that_are_no_chains(name: str):
    with pytest.raises(NotAChain, match=r"layer .* has not all its edges from"):
        chain_of(network(name))


def test_a_chain_whose_positions_have_no_common_dimensions():
    graph = chain("mixed up")
    with pytest.raises(NotAChain, match="a layer's positions are told by dimensions that don't fit"):
        chain_of(graph)
    got = measures.betweenness_centrality(graph, normalized=False).array
    np.testing.assert_allclose(got, as_igraph(graph).betweenness(), rtol=1e-9)


@pytest.mark.parametrize(
    ("axes", "shapes", "message"),
    [
        ((ax.same(0),), ((3,), (3,)), "layer 'y' has no edges"),
        ((ax.relation(range(6), [0, 2, 4, 1, 3, 5]),), ((2, 3), (3, 2)), "layer 'y' joins places along more than one"),
        ((ax.relation([0, 2], 0), ax.gather(2).strided(1, 0)), ((4,), (1,)), "layer 'y' has two relations along one"),
        ((ax.shift(1), ax.relation([0, 1], [0, 1])), ((2, 2), (2,)), "told by dimensions that don't fit"),
        (
            (ax.window(5, 5, 3, pad=1).strided(1, 1),),
            ((5,), (5,)),
            "layer 'y' has a relation of 5 by 5 places along one dimension",
        ),
    ],
)
def test_steps_that_are_no_relations_of_dimensions(
    axes: Any, shapes: Any, message: str, monkeypatch: pytest.MonkeyPatch
):
    """Their betweenness is found from source to source."""
    monkeypatch.setattr("onnx2graphml.measures.chains.LARGEST", 4)
    x = Layer("x", "Input", shapes[0], "input")
    y = Layer("y", "Conv", shapes[1], incoming=(Incoming("x", EdgeBlock(axes)),))
    z = Layer("z", "Flatten", shapes[1], incoming=(Incoming("y", synthetic.same(math.prod(shapes[1]))),))
    graph = synthetic.graph_of(x, y, z)
    with pytest.raises(NotAChain, match=message):
        chain_of(graph)
    got = measures.betweenness_centrality(graph, normalized=False).array
    np.testing.assert_allclose(got, as_igraph(graph).betweenness(), rtol=1e-12)


def test_one_layer_is_no_chain():
    with pytest.raises(NotAChain, match="it has one layer only"):
        chain_of(synthetic.graph_of(network("digits").layers[0]))
