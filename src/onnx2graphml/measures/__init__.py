"""Network science on all neurons of a network: NetworkX's measures, and those of the literature on neural networks.

Each is a function of a graph. It has NetworkX's name, parameters and normalisation where NetworkX has it, and returns a
number for every neuron, as `NodeValues`, or one number. No edge is expanded.

Example:
    >>> import onnx2graphml
    >>> from onnx2graphml import measures
    >>> graph = onnx2graphml.load("fixtures/digits.onnx")
    >>> ranks = measures.pagerank(graph, weight="abs_weight")
    >>> ranks.array.shape
    (3738,)
"""

from __future__ import annotations

from onnx2graphml.measures.assortativity import average_neighbor_degree, degree_assortativity_coefficient
from onnx2graphml.measures.betweenness import betweenness_centrality
from onnx2graphml.measures.closeness import closeness_centrality, eccentricity, harmonic_centrality
from onnx2graphml.measures.clusterability import Clusterability, clusterability
from onnx2graphml.measures.communities import modularity, normalized_cut
from onnx2graphml.measures.core import core_number
from onnx2graphml.measures.dag import (
    ancestors,
    dag_longest_path,
    dag_longest_path_length,
    descendants,
    has_path,
    longest_distances,
    topological_generations,
)
from onnx2graphml.measures.degrees import (
    degree,
    degree_centrality,
    degree_histogram,
    density,
    in_degree,
    in_degree_centrality,
    out_degree,
    out_degree_centrality,
)
from onnx2graphml.measures.dominance import immediate_dominators
from onnx2graphml.measures.edge_betweenness import edge_betweenness_centrality
from onnx2graphml.measures.edge_values import EdgeValues
from onnx2graphml.measures.katz import katz_centrality
from onnx2graphml.measures.link_analysis import hits, pagerank
from onnx2graphml.measures.paths import number_of_paths, path_counts, path_norm, synflow
from onnx2graphml.measures.persistence import neural_persistence, spanning_forest
from onnx2graphml.measures.shortest_paths import (
    distances,
    shortest_path,
    shortest_path_length,
    single_source_shortest_path_length,
    single_target_shortest_path_length,
)
from onnx2graphml.measures.spectral import ramanujan_gap, singular_values, spectral_norms
from onnx2graphml.measures.strengths import layer_fluctuation, neuron_strength
from onnx2graphml.measures.values import NodeValues
from onnx2graphml.measures.weak_components import number_weakly_connected_components, weakly_connected_components

__all__ = [
    "Clusterability",
    "EdgeValues",
    "NodeValues",
    "ancestors",
    "average_neighbor_degree",
    "betweenness_centrality",
    "closeness_centrality",
    "clusterability",
    "core_number",
    "dag_longest_path",
    "dag_longest_path_length",
    "degree",
    "degree_assortativity_coefficient",
    "degree_centrality",
    "degree_histogram",
    "density",
    "descendants",
    "distances",
    "eccentricity",
    "edge_betweenness_centrality",
    "harmonic_centrality",
    "has_path",
    "hits",
    "immediate_dominators",
    "in_degree",
    "in_degree_centrality",
    "katz_centrality",
    "layer_fluctuation",
    "longest_distances",
    "modularity",
    "neural_persistence",
    "neuron_strength",
    "normalized_cut",
    "number_of_paths",
    "number_weakly_connected_components",
    "out_degree",
    "out_degree_centrality",
    "pagerank",
    "path_counts",
    "path_norm",
    "ramanujan_gap",
    "shortest_path",
    "shortest_path_length",
    "single_source_shortest_path_length",
    "single_target_shortest_path_length",
    "singular_values",
    "spanning_forest",
    "spectral_norms",
    "synflow",
    "topological_generations",
    "weakly_connected_components",
]
