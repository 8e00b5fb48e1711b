"""igraph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onnx2graphml.errors import MissingExtraError
from onnx2graphml.graph.attributes import graph_attributes
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.memory.arrays import all_edges, edge_attributes, node_attributes

if TYPE_CHECKING:
    import igraph


def to_igraph(graph: NeuronGraph, max_edges: int) -> igraph.Graph:
    """A directed `igraph.Graph`: vertex i is neuron i, with all attributes; edges have `weight`, `port` and `term`."""
    try:
        import igraph
    except ModuleNotFoundError as e:
        raise MissingExtraError("igraph", "graphs") from e

    edges = all_edges(graph, max_edges, "igraph")
    g = igraph.Graph(n=graph.neurons, edges=np.stack([edges.source, edges.target], axis=1), directed=True)
    for name, text in graph_attributes(graph).items():
        g[name] = text
    for name, values in node_attributes(graph).items():
        g.vs[name] = values
    for name, array in edge_attributes(graph, edges).items():
        g.es[name] = array.tolist()
    return g
