"""What is refused because it would expand a large graph, and what to use instead."""

from __future__ import annotations

import networkx as nx

from onnx2graphml.errors import TooLargeError
from onnx2graphml.graph.graph import NeuronGraph

LIMIT = "nx.config.backends.onnx2graphml.max_edges"

QUOTIENT = "graph.quotient('channel') and graph.quotient('layer') make small graphs with the exact sums of weights"
PART = "o2g.select makes a smaller graph"
SOURCES = "ask for one source, as nx.single_source_shortest_path_length does"
WRITE = "o2g.write(graph, path) writes graphs of any size"
NILPOTENT = "it says nothing of an acyclic graph, all of whose eigenvalues are 0; nx.katz_centrality does"

INSTEAD = {
    "all_pairs": SOURCES,
    "floyd_warshall": SOURCES,
    "eigenvector_centrality": NILPOTENT,
    "communit": QUOTIENT,
    "cluster": QUOTIENT,
    "modularity": QUOTIENT,
    "cut": QUOTIENT,
    "write": WRITE,
}
"""By a part of the function's name."""


def max_edges() -> int:
    """The number of edges up to which a graph is expanded for what has no method of its own."""
    return int(nx.config.backends.onnx2graphml.max_edges)


def is_large(graph: NeuronGraph) -> bool:
    """Whether the graph has more edges than are ever expanded."""
    return graph.edges > max_edges()


def refuse_if_large(graph: NeuronGraph, what: str, instead: str = "") -> None:
    """`TooLargeError` if the graph has more edges than are ever expanded.

    Args:
        what: what would expand it, the beginning of the message.
        instead: what to use; by default the ways to a smaller graph.
    """
    if is_large(graph):
        raise TooLargeError(
            f"{what}: the graph has {graph.edges:,} edges, more than {LIMIT} = {max_edges():,}; "
            f"{instead or f'{QUOTIENT}; {PART}'}"
        )


def refuse_function(graph: NeuronGraph, name: str) -> None:
    """`TooLargeError` if a function of NetworkX that has no method of its own is called with a large graph."""
    instead = next((text for part, text in INSTEAD.items() if part in name), "")
    refuse_if_large(graph, f"nx.{name} has no method for graphs that are not expanded", instead)
