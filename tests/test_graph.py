"""A graph built by hand, against all its edges listed."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onnx2graphml.errors import Error
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock, Edges
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph, numbered
from onnx2graphml.graph.neurons import Activation
from oracle import Edge, Sample, brute, conv_block, convolution, dense_block, integers, listed, products


def identity(*shape: int) -> EdgeBlock:
    return EdgeBlock(tuple(ax.same(n).strided(s, s) for n, s in zip(shape, ax.strides(shape), strict=True)))


def network() -> NeuronGraph:
    """A picture, a convolution, a pool, a branch around a dense layer, and a quotient by constants."""
    kernel = integers(3, 2, 3, 3)
    conv, shape = conv_block(kernel, (4, 4), pad=(1, 1))
    half = ax.window(4, 2, 2, stride=2)
    pool = EdgeBlock((ax.same(3).strided(16, 4), half.strided(4, 2), half.strided(1, 1)))
    bias = np.broadcast_to(integers(3, 1, 1), shape)
    layers = [
        Layer("image", "Input", (2, 4, 4), "input"),
        Layer("conv", "Conv", shape, bias=bias, activation=(Activation("Relu"),), incoming=(Incoming("image", conv),),
              parameters=57),
        Layer("pool", "MaxPool", (3, 2, 2), "max", incoming=(Incoming("conv", pool),)),
        Layer("flatten", "Reshape", (12,), incoming=(Incoming("pool", identity(12)),)),
        Layer("dense", "Gemm", (12,), bias=integers(12), incoming=(Incoming("flatten", dense_block(12, 12)),),
              parameters=156),
        Layer("add", "Add", (12,), incoming=(Incoming("dense", identity(12)), Incoming("flatten", identity(12)))),
        Layer("divisor", "Constant", (12,), "constant", bias=integers(12, seed=3)),
        Layer("quotient", "Div", (12,), "Div", incoming=(
            Incoming("add", identity(12), port=0), Incoming("divisor", identity(12), port=1),
        )),
    ]  # fmt: skip
    return NeuronGraph(numbered(layers), ("quotient",), model="by hand")


GRAPH = network()


def edges_of(graph: NeuronGraph) -> list[Edge]:
    """All edges by the definition: layer by layer, block by block."""
    first = {layer.name: layer.first_id for layer in graph.layers}
    return [
        (first[i.source] + s, first[layer.name] + t, w)
        for layer in graph.layers
        for i in layer.incoming
        for s, t, w in brute(i.block)
    ]


def check_edges(graph: NeuronGraph) -> None:
    """Listed, and selected for every neuron on either side."""
    edges = edges_of(graph)
    assert list(graph.weighted_edges()) == edges
    assert graph.edges == len(edges)
    for neuron in range(graph.neurons):
        assert listed([graph.in_edges(neuron)]) == [e for e in edges if e[1] == neuron]
        assert listed([graph.out_edges(neuron)]) == [e for e in edges if e[0] == neuron]


def check_ids(graph: NeuronGraph) -> None:
    ids = [range(layer.first_id, layer.first_id + layer.neurons) for layer in graph.layers]
    assert [i for several in ids for i in several] == list(range(graph.neurons))
    for layer, several in zip(graph.layers, ids, strict=True):
        assert all(graph.layer_of(i) is layer for i in several)


def test_every_edge_of_every_neuron():
    check_edges(GRAPH)


def test_ids_are_consecutive_in_the_order_of_layers():
    check_ids(GRAPH)


def test_wrong_ids_are_told_apart():
    """A neuron between layers that belongs to none."""
    shifted = tuple(dataclasses.replace(layer, first_id=layer.first_id + i) for i, layer in enumerate(GRAPH.layers))
    with pytest.raises(AssertionError):
        check_ids(NeuronGraph(shifted, GRAPH.outputs))


class OneEdgeMissing(NeuronGraph):
    def in_edges(self, neuron: int) -> Edges:
        e = super().in_edges(neuron)
        return Edges(e.source[1:], e.target[1:], e.weight[1:])


class SidesExchanged(NeuronGraph):
    def out_edges(self, neuron: int) -> Edges:
        return super().in_edges(neuron)


class OneLayerMissing(NeuronGraph):
    def weighted_edges(self) -> Iterator[tuple[int, int, float]]:
        return itertools.islice(super().weighted_edges(), self.layers[1].in_edges, None)


@pytest.mark.parametrize("broken", [OneEdgeMissing, SidesExchanged, OneLayerMissing])
def test_wrong_edges_are_told_apart(broken: type[NeuronGraph]):
    with pytest.raises(AssertionError):
        check_edges(broken(GRAPH.layers, GRAPH.outputs))


def test_counts():
    assert GRAPH.neurons == 2 * 16 + 3 * 16 + 5 * 12 + 12
    assert [layer.neurons for layer in GRAPH.layers] == [32, 48, 12, 12, 12, 12, 12, 12]
    rows = 4 * 3 - 2
    assert [layer.in_edges for layer in GRAPH.layers] == [0, 3 * 2 * rows * rows, 48, 12, 144, 24, 0, 24]
    assert sum(layer.in_edges for layer in GRAPH.layers) == GRAPH.edges == len(list(GRAPH.weighted_edges()))


def test_the_edges_are_python_numbers():
    for source, target, weight in GRAPH.weighted_edges():
        assert (type(source), type(target), type(weight)) == (int, int, float)


def test_networkx_takes_the_edges_in_one_line():
    g = nx.DiGraph()
    g.add_weighted_edges_from(GRAPH.weighted_edges())
    assert g.number_of_edges() == GRAPH.edges
    assert g.number_of_nodes() == GRAPH.neurons, "no neuron of this network is without an edge"
    assert sorted(g.edges(data="weight")) == sorted(edges_of(GRAPH))
    assert nx.is_directed_acyclic_graph(g)


def test_the_edges_compute_the_convolution():
    """Weights stand at the right edges: from ids alone to the values of a layer."""
    x = integers(2, 4, 4, seed=7)
    value = np.zeros(GRAPH.neurons)
    value[:32] = x.ravel()
    conv = GRAPH.layer("conv")
    for source, target, weight in GRAPH.weighted_edges():
        if GRAPH.layer_of(target) is conv:
            value[target] += weight * value[source]
    expected = convolution(x, integers(3, 2, 3, 3), (1, 1), (1, 1), (1, 1))
    assert value[32:80].tolist() == expected.ravel().tolist()


def test_edges_into_a_layer_are_positions_with_what_they_come_from():
    for layer in GRAPH.layers:
        found = [(i.source, i.port, *e) for i, chunk in GRAPH.edges_into(layer) for e in listed([chunk])]
        assert found == [(i.source, i.port, *e) for i in layer.incoming for e in brute(i.block)]


def test_a_neuron_without_edges_has_empty_arrays():
    for edges in (
        GRAPH.in_edges(0),
        GRAPH.in_edges(GRAPH.layer("divisor").first_id),
        GRAPH.out_edges(GRAPH.neurons - 1),
    ):
        assert isinstance(edges, Edges)
        assert len(edges) == len(edges.source) == len(edges.target) == len(edges.weight) == 0
        assert edges.source.dtype == edges.target.dtype == np.int64


def test_two_edges_between_the_same_neurons_are_both_there():
    """x / x: two ports from one layer."""
    layers = numbered(
        [
            Layer("x", "Input", (2,), "input"),
            Layer("y", "Div", (2,), "Div", incoming=(Incoming("x", identity(2), 0), Incoming("x", identity(2), 1))),
        ]
    )
    graph = NeuronGraph(layers, ("y",))
    check_edges(graph)
    assert listed([graph.in_edges(2)]) == [(0, 2, 1.0), (0, 2, 1.0)]
    assert listed([graph.out_edges(1)]) == [(1, 3, 1.0), (1, 3, 1.0)]


@pytest.mark.parametrize("neuron", [-1, GRAPH.neurons, GRAPH.neurons + 10**12])
def test_an_id_that_is_not_in_the_graph(neuron: int):
    for method in (GRAPH.layer_of, GRAPH.in_edges, GRAPH.out_edges):
        with pytest.raises(
            Error, match=rf"^neuron {neuron} is not in the graph: ids run from 0 to {GRAPH.neurons - 1}$"
        ):
            method(neuron)


def test_a_layer_is_found_by_its_name():
    assert [GRAPH.layer(layer.name) for layer in GRAPH.layers] == list(GRAPH.layers)


def test_a_name_that_is_not_there_gets_near_ones():
    with pytest.raises(Error, match=r"^no layer is named 'convv'; did you mean 'conv'\?$"):
        GRAPH.layer("convv")
    with pytest.raises(Error) as e:
        GRAPH.layer("pol")
    assert "'pool'" in str(e.value)
    with pytest.raises(Error) as e:
        GRAPH.layer("zzzz")
    assert str(e.value).startswith("no layer is named 'zzzz'; did you mean 'image', 'conv', 'pool'")


def test_parameters_add_up():
    parameters = {layer.name: layer.parameters for layer in GRAPH.layers if layer.parameters}
    assert parameters == {"conv": 3 * 2 * 9 + 3, "dense": 12 * 12 + 12}
    assert GRAPH.parameters == sum(parameters.values())


@pytest.mark.slow
@given(st.lists(products(max_axes=3), min_size=1, max_size=4), st.data())
@settings(max_examples=40, deadline=None)
def test_networks_of_random_blocks(found: list[Sample], data: st.DataObject):
    """Each layer has edges from any of those before it; ids and selections hold in each."""
    size = max(max(s.sources, s.targets) for s in found)
    layers = [Layer("l0", "Input", (size,), "input")]
    for i, sample in enumerate(found, 1):
        sources = data.draw(st.lists(st.integers(0, i - 1), min_size=1, max_size=2))
        layers.append(Layer(f"l{i}", "Sum", (size,), incoming=tuple(Incoming(f"l{s}", sample.block) for s in sources)))
    graph = NeuronGraph(numbered(layers), (layers[-1].name,))
    check_ids(graph)
    check_edges(graph)


@given(st.lists(st.lists(st.integers(0, 3), max_size=3), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_numbered_counts_neurons_also_of_scalars_and_empty_layers(shapes: list[list[int]]):
    layers = [Layer(f"l{i}", "Input", tuple(shape), "input") for i, shape in enumerate(shapes)]
    graph = NeuronGraph(numbered(layers), ())
    assert graph.neurons == sum(math.prod(shape) for shape in shapes)
    assert [layer.name for layer in graph.layers] == [layer.name for layer in layers]
    check_ids(graph)
