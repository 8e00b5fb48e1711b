"""Networks that multiply computed tensors: their edges count in every measure of structure, and have no weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pytest

from onnx2graphml import measures
from onnx2graphml.api import load
from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph.graph import NeuronGraph
from small import model, node, weights


@pytest.fixture(scope="module")
def attention() -> NeuronGraph:
    """One head of attention over three tokens."""
    nodes = [
        node("MatMul", "x wq", "q"),
        node("MatMul", "x wk", "k"),
        node("Transpose", "k", "kt", perm=[0, 2, 1]),
        node("MatMul", "q kt", "scores"),
        node("Softmax", "scores", "shares", axis=-1),
        node("MatMul", "x wv", "v"),
        node("MatMul", "shares v", "y"),
    ]
    constants = {f"w{name}": weights(4, 2, seed=k) for k, name in enumerate("qkv")}
    return load(model(nodes, {"x": (1, 3, 4)}, constants))


@pytest.fixture(scope="module")
def multigraph(attention: NeuronGraph) -> Any:
    g = nx.MultiDiGraph()
    g.add_nodes_from(range(attention.neurons))
    g.add_edges_from((u, v) for u, v, _ in attention.weighted_edges())
    return g


def test_terms_are_there(attention: NeuronGraph):
    assert any(i.block.has_terms for x in attention.layers for i in x.incoming)


def test_edges_of_terms_count(attention: NeuronGraph, multigraph: Any):
    assert measures.in_degree(attention) == dict(multigraph.in_degree())
    assert measures.out_degree(attention) == dict(multigraph.out_degree())
    ranks = nx.pagerank(multigraph, weight=None, tol=1e-15, max_iter=1000)
    np.testing.assert_allclose(measures.pagerank(attention).array, [ranks[n] for n in multigraph], rtol=1e-9)
    source = 0
    assert measures.descendants(attention, source) == nx.descendants(multigraph, source)
    lengths = nx.single_source_shortest_path_length(multigraph, source)
    assert measures.single_source_shortest_path_length(attention, source) == lengths
    counts = np.zeros(attention.neurons)
    counts[:12] = 1
    for u, v in sorted(multigraph.edges(), key=lambda e: e[1]):
        counts[v] += counts[u]
    outputs = attention.layer(attention.outputs[0])
    assert measures.number_of_paths(attention) == counts[outputs.first_id : outputs.first_id + outputs.neurons].sum()


CALLS: dict[str, Callable[[NeuronGraph], Any]] = {
    "in_degree": lambda g: measures.in_degree(g, "weight"),
    "pagerank": lambda g: measures.pagerank(g, weight="abs_weight"),
    "distances": lambda g: measures.distances(g, 0, "abs_weight"),
    "longest path": measures.dag_longest_path_length,
    "path norm": measures.path_norm,
    "SynFlow": measures.synflow,
    "strength": measures.neuron_strength,
    "HITS": measures.hits,
    "spectral norms": measures.spectral_norms,
    "clusterability": lambda g: measures.clusterability(g, 2),
    "persistence": lambda g: measures.neural_persistence(g, ["the_scores"]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_their_weights_are_refused(attention: NeuronGraph, call: Callable[[NeuronGraph], Any]):
    with pytest.raises(UnsupportedError, match=r"layer '.*' multiplies computed tensors: .*; use weight=None"):
        call(attention)
