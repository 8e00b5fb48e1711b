"""SciPy: a sparse matrix for the edges between two layers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from onnx2graphml.errors import MissingExtraError
from onnx2graphml.formats.columns import all_rows, contribution_type, weight_type
from onnx2graphml.formats.edge_rows import EdgeRows
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.memory.arrays import check_size, edge_numbers

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
    for layer in graph.layers:
        for name in dict.fromkeys(incoming.source for incoming in layer.incoming):
            source = graph.layer(name)
            mine = tuple(incoming for incoming in layer.incoming if incoming.source == name)
            edges = _edges(graph, layer, mine)
            places = (edges.source - source.first_id, edges.target - layer.first_id)
            shape = (source.neurons, layer.neurons)
            found[name, layer.name] = scipy.sparse.coo_array((edge_numbers(edges, weight), places), shape=shape)
    return found


def _edges(graph: NeuronGraph, layer: Layer, incoming: tuple[Incoming, ...]) -> EdgeRows:
    part = dataclasses.replace(layer, incoming=incoming)
    return next(
        all_rows(graph, max(part.in_edges, 1), part), EdgeRows.empty(0, weight_type(graph), contribution_type(graph))
    )
