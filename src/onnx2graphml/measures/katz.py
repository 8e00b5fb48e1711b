"""Katz centrality."""

from __future__ import annotations

import numpy as np

from onnx2graphml.engine.passes import forward
from onnx2graphml.engine.semirings import Weight
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.values import NodeValues, PerNode, array_of


def katz_centrality(
    graph: NeuronGraph,
    alpha: float = 0.1,
    beta: float | PerNode = 1.0,
    normalized: bool = True,
    weight: Weight = None,
) -> NodeValues:
    """Katz centrality: `x = alpha A'x + beta`, the walks that end at a neuron, each step damped by `alpha`.

    Exact, by one pass. A network has no cycles, so that the sum is finite for every alpha; NetworkX's iteration fails
    where it grows too far on the way.

    Args:
        alpha: the damping of a step.
        beta: what every neuron starts with: one number, or one for each neuron.
        normalized: divide by the Euclidean norm.
        weight: None, or `weight` (signed), `abs_weight`, `squared_weight`, or a function of the weights.

    Source: Katz, A new status index, 1953; `networkx.katz_centrality`.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> x = katz_centrality(graph, alpha=1.0, normalized=False)
        >>> x[graph.neuron("conv1", (0, 0, 0))]  # itself and four walks of one step
        5.0
    """
    start = np.full(graph.neurons, float(beta)) if isinstance(beta, (int, float)) else array_of(graph, beta, "beta")
    x = forward(graph, start, weight=weight, source_scale=alpha)
    norm = np.linalg.norm(x)
    return NodeValues(graph, x / norm if normalized and norm else x)
