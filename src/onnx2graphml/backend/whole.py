"""NetworkX's functions of whole graphs that have a method of their own: orders, components, numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import networkx as nx
import numpy as np

from onnx2graphml import measures
from onnx2graphml.backend.measured import Measured, NoMethod
from onnx2graphml.backend.own import Node, own


def _only_here(G: Measured) -> None:
    """NetworkX watches its own graphs for changes while they are gone through."""
    if G.is_converted:
        raise NoMethod("a graph that may change")


@own
def is_directed_acyclic_graph(G: Measured) -> bool:
    """A network has no cycles."""
    return True


@own
def topological_generations(G: Measured) -> Iterator[list[Node]]:
    """By the longest path that leads to a node."""
    _only_here(G)
    generation = measures.topological_generations(G.measured).array
    order = np.argsort(generation, kind="stable")
    bounds = np.searchsorted(generation[order], np.arange(generation.max(initial=-1) + 2))
    return (G.nodes_of(order[a:b]) for a, b in itertools.pairwise(bounds))


@own
def topological_sort(G: Measured) -> Iterator[Node]:
    """In the order of ids."""
    _only_here(G)
    return iter(G.nodes_of(np.arange(len(G))))


@own
def weakly_connected_components(G: Measured) -> Iterator[set[Node]]:
    """By the smallest id in each."""
    labels = measures.weakly_connected_components(G.measured).array
    order = np.argsort(labels, kind="stable")
    bounds = np.flatnonzero(np.diff(labels[order], prepend=-1, append=-1))
    return (set(G.nodes_of(order[a:b])) for a, b in itertools.pairwise(bounds))


@own
def number_weakly_connected_components(G: Measured) -> int:
    """The number of different labels."""
    return measures.number_weakly_connected_components(G.measured)


@own
def is_weakly_connected(G: Measured) -> bool:
    """Whether there is one component."""
    if not len(G):
        raise nx.NetworkXPointlessConcept("Connectivity is undefined for the null graph.")
    return bool(number_weakly_connected_components(G) == 1)


@own
def strongly_connected_components(G: Measured) -> Iterator[set[Node]]:
    """Every node by itself, from the outputs back, as Tarjan's method finds them."""
    _only_here(G)
    return ({node} for node in G.nodes_of(np.arange(len(G))[::-1]))


@own
def number_strongly_connected_components(G: Measured) -> int:
    """A network has no cycles: as many as nodes."""
    return len(G)


@own
def is_strongly_connected(G: Measured) -> bool:
    """Only one node alone is."""
    if not len(G):
        raise nx.NetworkXPointlessConcept("Connectivity is undefined for the null graph.")
    return len(G) == 1


@own
def degree_assortativity_coefficient(
    G: Measured, x: Any = "out", y: Any = "in", weight: Any = None, nodes: Any = None
) -> float:
    """Pearson's correlation of degrees over the edges."""
    if nodes is not None:
        raise NoMethod("of some nodes")
    return measures.degree_assortativity_coefficient(G.measured, x, y, G.weight(weight))


@own
def modularity(G: Measured, communities: Any, weight: Any = "weight", resolution: float = 1) -> float:
    """Of a given partition."""
    sets = [set(c) for c in communities]
    if sum(map(len, sets)) != len(G) or not all(node in G for c in sets for node in c):
        raise nx.community.quality.NotAPartition(G, sets)
    labels = np.full(len(G), -1)
    for label, nodes in enumerate(sets):
        labels[[G.id(node) for node in nodes]] = label
    if (labels < 0).any():
        raise nx.community.quality.NotAPartition(G, sets)
    return measures.modularity(G.measured, labels, G.weight(weight), resolution)
