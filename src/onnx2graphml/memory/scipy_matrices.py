"""SciPy: a sparse matrix for the edges between two layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnx2graphml.errors import MissingExtraError
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.memory.arrays import check_size, edge_numbers, edges_between

if TYPE_CHECKING:
    import scipy.sparse


def to_scipy(
    graph: NeuronGraph, max_edges: int, weight: str = "weight"
) -> dict[tuple[str, str], scipy.sparse.coo_array]:
    """By the names of source and target layer, a matrix (neurons of the source, neurons of the target) of weights.

    Where several edges join the same two neurons, each is an entry; SciPy adds them when it changes the format.
    """
    try:
        import scipy.sparse
    except ModuleNotFoundError as e:
        raise MissingExtraError("scipy", "graphs") from e

    graph.check_weight(weight)
    check_size(graph, max_edges, "SciPy")
    found: dict[tuple[str, str], scipy.sparse.coo_array] = {}
    for source, layer, edges in edges_between(graph):
        places = (edges.source - source.first_id, edges.target - layer.first_id)
        shape = (source.neurons, layer.neurons)
        found[source.name, layer.name] = scipy.sparse.coo_array((edge_numbers(edges, weight), places), shape=shape)
    return found
