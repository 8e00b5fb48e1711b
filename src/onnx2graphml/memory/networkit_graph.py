"""NetworKit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onnx2graphml.errors import MissingExtraError, UnsupportedError
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.parallel import parallel_edges
from onnx2graphml.memory.arrays import all_edges, edge_numbers

if TYPE_CHECKING:
    import networkit


def to_networkit(graph: NeuronGraph, max_edges: int, weight: str = "weight") -> networkit.Graph:
    """A directed, weighted `networkit.Graph`: node i is neuron i. It has no attributes but the weights.

    Raises:
        UnsupportedError: two edges join the same two neurons, which NetworKit's algorithms do not expect.
    """
    try:
        import networkit
    except ModuleNotFoundError as e:
        raise MissingExtraError("networkit", "graphs") from e

    if layer := parallel_edges(graph):
        raise UnsupportedError(
            f"layer {layer.name!r} has several edges between the same two neurons, which NetworKit can't hold: "
            f"use to_igraph or to_networkx"
        )
    graph.check_weight(weight)
    edges = all_edges(graph, max_edges, "NetworKit")
    ends = (edges.source.astype(np.uint64), edges.target.astype(np.uint64))
    triples = (edge_numbers(edges, weight).astype(np.float64), ends)
    return networkit.GraphFromCoo(triples, n=graph.neurons, weighted=True, directed=True)
