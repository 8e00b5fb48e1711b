"""All edges of a graph, and all attributes of its nodes, as arrays: what every library here is given."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from onnx2graphml.errors import TooLargeError, check_whole
from onnx2graphml.formats.columns import all_rows, contribution_type, edge_columns, weight_type
from onnx2graphml.formats.edge_rows import EdgeRows
from onnx2graphml.graph.attributes import NODE
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.networkx_graph import node_column

BYTES = {"igraph": 60, "NetworKit": 50, "SciPy": 20, "PyTorch Geometric": 20, "graph-tool": 50, "DGL": 30, "Arrow": 20}
"""What an edge takes there, roughly, in bytes; told when a graph is refused for its size."""


def all_edges(graph: NeuronGraph, max_edges: int, library: str) -> EdgeRows:
    """Every edge, in the graph's order: ids, weights, ports and terms.

    Raises:
        TooLargeError: there are more than `max_edges`; the message says what they would take.
    """
    check_size(graph, max_edges, library)
    return next(all_rows(graph, max(graph.edges, 1)), EdgeRows.empty(0, weight_type(graph), contribution_type(graph)))


def edges_between(graph: NeuronGraph) -> Iterator[tuple[Layer, Layer, EdgeRows]]:
    """For each two layers with edges from one to the other, the source, the target and these edges."""
    for layer in graph.layers:
        for name in dict.fromkeys(incoming.source for incoming in layer.incoming):
            mine = tuple(incoming for incoming in layer.incoming if incoming.source == name)
            part = dataclasses.replace(layer, incoming=mine)
            none = EdgeRows.empty(0, weight_type(graph), contribution_type(graph))
            yield graph.layer(name), layer, next(all_rows(graph, max(part.in_edges, 1), part), none)


def check_size(graph: NeuronGraph, max_edges: int, library: str) -> None:
    """`TooLargeError` where the graph has more edges than that."""
    check_whole("max_edges", max_edges, 0)
    if graph.edges > max_edges:
        raise TooLargeError(
            f"the graph has {graph.edges:,} edges, which would take about {graph.edges * BYTES[library] / 1e9:.1f} GB "
            f"in {library}; max_edges is {max_edges:,}: select a part of the graph, write a file, or raise max_edges"
        )


def edge_numbers(edges: EdgeRows, weight: str) -> Any:
    """What edges weigh where they have one number only: their weights, or their contributions."""
    if weight == "contribution" and edges.recorded is not None:
        return edges.recorded.contribution
    return edges.weight


def edge_attributes(graph: NeuronGraph, edges: EdgeRows) -> dict[str, Any]:
    """The attributes of edges that the graph has, by name: arrays; -1 where an edge has no port, no term, no winner."""
    every: dict[str, Any] = {"weight": edges.weight, "port": edges.port, "term": edges.term}
    if edges.recorded is not None:
        every |= {"contribution": edges.recorded.contribution, "winner": edges.recorded.winner}
    return {name: every[name] for name in edge_columns(graph)}


def node_attributes(graph: NeuronGraph) -> dict[str, list[Any]]:
    """The attributes of nodes that the graph has, by name: a value for every neuron, None where it has none."""
    found: dict[str, list[Any]] = {}
    for attribute in NODE:
        columns = [node_column(layer, attribute.name) for layer in graph.layers]
        if any(column is not None for column in columns):
            found[attribute.name] = [
                value
                for layer, column in zip(graph.layers, columns, strict=True)
                for value in _or_nothing(column, layer.neurons)
            ]
    return found | {name: column.tolist() for name, column in graph.columns.items()}


def _or_nothing(column: Iterable[Any] | None, count: int) -> Iterable[Any]:
    return itertools.repeat(None, count) if column is None else column
