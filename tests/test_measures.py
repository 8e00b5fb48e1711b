"""Measures against NetworkX, on networks of every structure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pytest

from measured import SOURCES, as_networkx, listed, network, simple
from onnx2graphml import measures
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures import NodeValues

each_network = pytest.mark.parametrize("name", SOURCES)
each_weight = pytest.mark.parametrize("weight", [None, "weight", "abs_weight"])
ITERATED = {"tol": 1e-15, "max_iter": 1000}
KATZ = {**ITERATED, "weight": "weight"}


def close(graph: NeuronGraph, got: Any, expected: Any, tolerance: float = 1e-9) -> None:
    """The same numbers by node, to a share of the largest; the same nodes."""
    a, b = (listed(graph, values) for values in (got, expected))
    assert (np.isnan(a) == np.isnan(b)).all()
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(1e-300, np.nanmax(np.abs(b), initial=0)))


def some(graph: NeuronGraph, count: int = 4) -> list[int]:
    """A few neurons of the whole graph, the first and the last among them."""
    return sorted({*np.linspace(0, graph.neurons - 1, count).astype(int).tolist()})


# -------------------------------------------------------------------------------------------------- degrees


@each_weight
@each_network
@pytest.mark.parametrize("which", ["in_degree", "out_degree", "degree"])
def test_degrees(name: str, which: str, weight: str | None):
    graph, g = network(name), as_networkx(name)
    got = getattr(measures, which)(graph, weight)
    close(graph, got, dict(getattr(g, which)(weight=weight)), 1e-12)
    if weight is None:
        assert got == dict(getattr(g, which)())
        assert all(type(v) is int for v in got.values())


@each_network
def test_measures_of_degrees(name: str):
    graph, g = network(name), as_networkx(name)
    assert measures.degree_histogram(graph) == nx.degree_histogram(g)
    assert measures.density(graph) == nx.density(g)
    for which in ("degree_centrality", "in_degree_centrality", "out_degree_centrality"):
        close(graph, getattr(measures, which)(graph), getattr(nx, which)(g), 1e-12)


# ------------------------------------------------------------------------------------- pagerank and katz


@pytest.mark.slow
@pytest.mark.parametrize("weight", [None, "abs_weight"])
@each_network
def test_pagerank(name: str, weight: str | None):
    graph, g = network(name), as_networkx(name)
    got = measures.pagerank(graph, weight=weight)
    assert sum(got.values()) == pytest.approx(1, abs=1e-12)
    close(graph, got, nx.pagerank(g, weight=weight, **ITERATED))
    close(graph, measures.pagerank(graph, 0.5, weight=weight), nx.pagerank(g, 0.5, weight=weight, **ITERATED))


@pytest.mark.slow
@pytest.mark.parametrize("weight", [None, "abs_weight"])
@each_network
def test_pagerank_personalised_and_dangling(name: str, weight: str | None):
    graph, g = network(name), as_networkx(name)
    few, others = {0: 1.0, graph.neurons - 1: 2.0}, {n: 1.0 + n % 3 for n in range(graph.neurons)}
    for person, dangling in ((few, None), (few, others), (others, few), (None, few)):
        got = measures.pagerank(graph, personalization=person, weight=weight, dangling=dangling)
        assert sum(got.values()) == pytest.approx(1, abs=1e-12)
        close(graph, got, nx.pagerank(g, personalization=person, weight=weight, dangling=dangling, **ITERATED))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": "weight"}, r"pagerank needs weights that are not negative; layer 'conv1' has -.*abs_weight"),
        ({"alpha": 1.0}, r"alpha is 1.0; expected a number from 0 to below 1"),
        ({"personalization": {0: -1.0}}, r"personalization has a negative number or sums to -1"),
        ({"dangling": {}}, r"dangling has a negative number or sums to 0; expected a distribution"),
        ({"personalization": np.ones(3)}, r"personalization has shape \(3,\); expected \(3738,\)"),
        ({"personalization": {5000: 1.0}}, r"neuron 5000 is not in the graph"),
        ({"personalization": {"n3": 1.0}}, r"'n3' is not the id of a neuron; expected a number from 0 to 3737"),
    ],
)
def test_what_pagerank_refuses(options: dict[str, Any], message: str):
    with pytest.raises(Error, match=message):
        measures.pagerank(network("digits"), **options)


@pytest.mark.slow
def test_negative_weights_that_no_edge_has_are_no_matter():
    import dataclasses

    from onnx2graphml.graph.graph import NeuronGraph
    from onnx2graphml.graph.select import min_abs_weight

    graph = network("digits")
    positive = [
        dataclasses.replace(
            layer,
            incoming=tuple(
                dataclasses.replace(i, block=dataclasses.replace(i.block, weights=np.abs(i.block.weights) - 1e-3))
                for i in layer.incoming
            ),
        )
        for layer in graph.layers
    ]
    some_negative = NeuronGraph(tuple(positive), graph.outputs)
    with pytest.raises(Error, match="needs weights that are not negative"):
        measures.pagerank(some_negative, weight="weight")
    none_negative = min_abs_weight(some_negative, 1.1e-3)
    assert sum(measures.pagerank(none_negative, weight="weight").values()) == pytest.approx(1)


@pytest.mark.slow
@each_weight
@each_network
def test_katz(name: str, weight: str | None):
    graph, g = network(name), simple(name, weight)
    small = 1e-3
    close(graph, measures.katz_centrality(graph, small, weight=weight), nx.katz_centrality(g, small, **KATZ))
    beta = {n: 1.0 + n % 5 for n in range(graph.neurons)}
    got = measures.katz_centrality(graph, small, beta, normalized=False, weight=weight)
    close(graph, got, nx.katz_centrality(g, small, beta, normalized=False, **KATZ))


# ----------------------------------------------------------------------------------------------------- paths


@each_network
def test_reachability(name: str):
    graph, g = network(name), as_networkx(name)
    for node in some(graph):
        assert measures.descendants(graph, node) == nx.descendants(g, node)
        assert measures.ancestors(graph, node) == nx.ancestors(g, node)
        for other in some(graph, 7):
            assert measures.has_path(graph, node, other) == nx.has_path(g, node, other)


@each_network
def test_generations(name: str):
    graph = network(name)
    generations = {n: k for k, found in enumerate(nx.topological_generations(as_networkx(name))) for n in found}
    assert measures.topological_generations(graph) == generations


@each_network
def test_shortest_paths_by_edges(name: str):
    graph, g = network(name), as_networkx(name)
    for node in some(graph):
        assert measures.single_source_shortest_path_length(graph, node) == nx.single_source_shortest_path_length(
            g, node
        )
        assert measures.single_target_shortest_path_length(graph, node) == dict(
            nx.single_target_shortest_path_length(g, node)
        )


@pytest.mark.parametrize("weight", ["weight", "abs_weight"])
@each_network
def test_shortest_paths_by_weights(name: str, weight: str):
    graph, g = network(name), as_networkx(name)
    for node in some(graph, 2):
        close(
            graph,
            measures.distances(graph, node, weight),
            nx.single_source_bellman_ford_path_length(g, node, weight=weight),
        )


@each_weight
@each_network
def test_a_shortest_path_is_one(name: str, weight: str | None):
    graph, g = network(name), as_networkx(name)
    source = 0
    reached = sorted(measures.descendants(graph, source))
    for target in {*reached[:: max(1, len(reached) // 3)], source}:
        path = measures.shortest_path(graph, source, target, weight)
        assert (path[0], path[-1]) == (source, target)
        assert nx.is_path(g, path)
        length = measures.shortest_path_length(graph, source, target, weight)
        if not g.is_multigraph():
            assert sum(g.edges[e][weight] if weight else 1 for e in nx.utils.pairwise(path)) == pytest.approx(length)


@pytest.mark.parametrize("call", [measures.shortest_path, measures.shortest_path_length])
def test_where_no_path_leads(call: Callable[..., Any]):
    with pytest.raises(Error, match="no path leads from neuron 3737 to neuron 0"):
        call(network("digits"), 3737, 0)


@each_weight
@each_network
def test_longest_paths(name: str, weight: str | None):
    graph, g = network(name), as_networkx(name)
    expected = nx.dag_longest_path_length(g, weight=weight)
    assert measures.dag_longest_path_length(graph, weight) == pytest.approx(expected, rel=1e-9)
    path = measures.dag_longest_path(graph, weight)
    assert nx.is_path(g, path)
    if not g.is_multigraph():
        assert sum(g.edges[e][weight] if weight else 1 for e in nx.utils.pairwise(path)) == pytest.approx(expected)


def test_published_values_of_digits():
    assert measures.dag_longest_path_length(network("digits")) == pytest.approx(21.90116637945175, rel=1e-12)


# ------------------------------------------------------------------------ components, assortativity


@pytest.mark.slow
@each_network
def test_weak_components(name: str):
    graph = network(name)
    expected = {n: min(found) for found in nx.weakly_connected_components(as_networkx(name)) for n in found}
    assert measures.weakly_connected_components(graph) == expected
    assert measures.number_weakly_connected_components(graph) == len(set(expected.values()))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@each_network
def test_assortativity(name: str):
    graph, g = network(name), as_networkx(name)
    for x in ("in", "out"):
        for y in ("in", "out"):
            got = measures.degree_assortativity_coefficient(graph, x, y)
            assert got == pytest.approx(nx.degree_pearson_correlation_coefficient(g, x, y), rel=1e-9, nan_ok=True)


@pytest.mark.slow
def test_assortativity_of_digits():
    graph, g = network("digits"), as_networkx("digits")
    assert measures.degree_assortativity_coefficient(graph) == pytest.approx(-0.37799426723263985, rel=1e-12)
    weighted = measures.degree_assortativity_coefficient(graph, weight="abs_weight")
    assert weighted == pytest.approx(nx.degree_assortativity_coefficient(g, weight="abs_weight"), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("weight", [None, "abs_weight"])
@each_network
def test_average_neighbor_degree(name: str, weight: str | None):
    graph, g = network(name), simple(name, weight)
    if as_networkx(name).is_multigraph():
        return  # NetworkX's degrees of a multigraph and ours count edges, its neighbours only pairs
    for source in ("in", "out", "in+out"):
        for target in ("in", "out", "in+out"):
            expected = nx.average_neighbor_degree(as_networkx(name), source, target, weight=weight)
            close(graph, measures.average_neighbor_degree(graph, source, target, weight), expected)
    assert g.number_of_edges() == graph.edges


def test_a_degree_of_another_direction_is_refused():
    with pytest.raises(Error, match=r"a degree is 'up'; expected 'in', 'out' or 'in\+out'"):
        measures.degree_assortativity_coefficient(network("digits"), x="up")


# ------------------------------------------------------------------------------------------------ NodeValues


def test_values_read_like_a_dict():
    graph = network("digits")
    values = measures.in_degree(graph)
    plain = dict(values)
    assert len(values) == len(plain) == graph.neurons
    assert values == plain
    assert plain == values
    assert values == measures.in_degree(graph)
    assert values != measures.out_degree(graph)
    assert list(values.items())[:2] == [(0, 0), (1, 0)]
    assert 0 in values
    assert "n0" not in values
    assert True not in values
    assert graph.neurons not in values
    assert values.get(-1, "none") == "none"
    assert np.asarray(values).shape == (graph.neurons,)
    assert {layer: a.shape for layer, a in values.by_layer().items()} == {x.name: x.shape for x in graph.layers}
    with pytest.raises(KeyError):
        values[graph.neurons]
    assert repr(values) == "NodeValues({0: 0, 1: 0, 2: 0, ...}, 3,738 neurons)"


def test_values_of_some_neurons_only():
    graph = network("digits")
    values = measures.distances(graph, graph.neuron("dense1", (0,)))
    assert len(values) == 11 == len(list(values)) == len(values.values())
    assert 0 not in values
    assert np.isnan(np.asarray(values)[0])
    assert np.isnan(values.by_layer()["image"]).all()
    assert values == dict(values)
    assert values != NodeValues(graph, values.array)


@pytest.mark.parametrize("call", [measures.descendants, measures.ancestors, measures.distances])
def test_neurons_that_are_none(call: Callable[..., Any]):
    with pytest.raises(Error, match="neuron 3738 is not in the graph: ids run from 0 to 3737"):
        call(network("digits"), 3738)
    with pytest.raises(Error, match="True is not the id of a neuron"):
        call(network("digits"), True)
