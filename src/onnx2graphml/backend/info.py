"""What NetworkX asks of a backend when it is imported: nothing else is imported here."""

from __future__ import annotations

from typing import Any

NAME = "onnx2graphml"
MAX_EDGES = 2_000_000  # some seconds and about 1 GB in NetworkX

EXACT = "Exact, by one pass over the layers: `max_iter`, `tol` and `nstart` don't matter."
PASS = "Exact, by one pass over the layers; no edge is expanded."
COLUMN = "Whole columns only: a value for every node, which `o2g.write(G, path)` writes."

CHAIN = "All nodes at once where layers make a chain; elsewhere from source to source."

FUNCTIONS: dict[str, str] = {
    "ancestors": PASS,
    "average_neighbor_degree": PASS,
    "bellman_ford_path": PASS,
    "bellman_ford_path_length": PASS,
    "betweenness_centrality": f"{CHAIN} Of large networks with branches give `k`.",
    "bidirectional_shortest_path": PASS,
    "closeness_centrality": CHAIN,
    "core_number": "Many nodes a round.",
    "dag_longest_path": PASS,
    "dag_longest_path_length": PASS,
    "degree_assortativity_coefficient": PASS,
    "degree_centrality": PASS,
    "descendants": PASS,
    "dijkstra_path": PASS,
    "dijkstra_path_length": PASS,
    "get_node_attributes": "",
    "harmonic_centrality": CHAIN,
    "has_path": PASS,
    "hits": "Layer by layer; one of many where the largest singular value occurs more than once.",
    "immediate_dominators": PASS,
    "in_degree_centrality": PASS,
    "is_directed_acyclic_graph": "",
    "is_strongly_connected": "",
    "is_weakly_connected": PASS,
    "katz_centrality": EXACT,
    "katz_centrality_numpy": PASS,
    "modularity": "Of a given partition. Negative weights are refused: take `weight='abs_weight'` or None.",
    "number_strongly_connected_components": "",
    "number_weakly_connected_components": PASS,
    "out_degree_centrality": PASS,
    "pagerank": f"{EXACT} Negative weights are refused: take `weight='abs_weight'` or None.",
    "set_node_attributes": COLUMN,
    "shortest_path": "Between two nodes.",
    "shortest_path_length": "Of one source or one target at least.",
    "single_source_bellman_ford_path_length": PASS,
    "single_source_dijkstra_path_length": PASS,
    "single_source_shortest_path_length": PASS,
    "single_target_shortest_path_length": PASS,
    "strongly_connected_components": "",
    "topological_generations": PASS,
    "topological_sort": "In the order of ids.",
    "weakly_connected_components": PASS,
}
"""What has a method of its own, and what is to be known of it."""


def get_info() -> dict[str, Any]:
    """The backend's name, its functions and its configuration.

    Source: the section "Creating a custom backend" of NetworkX's reference.

    Example:
        >>> get_info()["default_config"]
        {'max_edges': 2000000}
    """
    return {
        "backend_name": NAME,
        "project": NAME,
        "package": NAME,
        "short_summary": "Neural networks as graphs of neurons, of any size, without expanding their edges.",
        "functions": {name: {"additional_docs": text} if text else {} for name, text in FUNCTIONS.items()},
        "default_config": {"max_edges": MAX_EDGES},
    }
