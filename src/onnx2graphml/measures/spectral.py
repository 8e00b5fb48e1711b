"""Singular values of layers: spectral norms, and the Ramanujan gap."""

from __future__ import annotations

import math

import numpy as np

from onnx2graphml.engine.passes import check_terms
from onnx2graphml.engine.semirings import Weight
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.lanczos import LayerMatrix


def singular_values(graph: NeuronGraph, layer: str, k: int = 1, weight: Weight = "weight") -> list[float]:
    """The largest singular values of a layer's matrix, descending: from all neurons that it has edges from to its own.

    By Lanczos' method, whose products are passes over the layer; one value after the other, so that those that occur
    more than once are all found.

    Args:
        k: how many; 0 stands for those that the matrix has too few of.
        weight: `weight`, None (the matrix of ones), `abs_weight`, or a function of the weights.

    Raises:
        Error: the layer has no in-edges.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> singular_values(graph, "flatten", 2)
        [1.0, 1.0]
    """
    own = graph.layer(layer)
    if not own.in_edges:
        raise Error(f"layer {layer!r} has no in-edges; expected one that computes something")
    check_terms(own, weight)
    return [value for value, _ in LayerMatrix.of(graph, [own], weight).largest(k)]


def spectral_norms(graph: NeuronGraph, weight: Weight = "weight") -> dict[str, float]:
    """By layer, the largest singular value of its matrix; layers without in-edges are left out."""
    return {x.name: singular_values(graph, x.name, 1, weight)[0] for x in graph.layers if x.in_edges}


def ramanujan_gap(graph: NeuronGraph) -> dict[str, float]:
    """By layer, `sqrt(dL - 1) + sqrt(dR - 1) - mu`, of the bipartite graph that its edges make.

    dL and dR are the average degrees of the neurons that have edges, on either side; mu is the second largest
    eigenvalue, which is the second singular value of the matrix of ones. At zero or above the graph is Ramanujan: it
    mixes as well as a random one. It says something of thinned graphs: a full layer has nothing to mix.

    Source: Hoang, Liu, Marculescu and Wang, Revisiting pruning at initialization through the lens of Ramanujan graph,
    ICLR 2023.
    """
    found = {}
    for layer in graph.layers:
        if layer.in_edges:
            matrix = LayerMatrix.of(graph, [layer], None)
            sides = matrix.transposed(np.ones(matrix.targets)), matrix.times(np.ones(matrix.sources))
            roots = sum(math.sqrt(d[d > 0].mean() - 1) for d in sides)
            found[layer.name] = roots - singular_values(graph, layer.name, 2, None)[1]
    return found
