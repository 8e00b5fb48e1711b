"""The strengths and the layer fluctuation of La Malfa et al."""

from __future__ import annotations

from typing import Literal

import numpy as np

from onnx2graphml.engine.passes import in_sum, out_sum
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.paths import bias
from onnx2graphml.measures.values import NodeValues


def neuron_strength(graph: NeuronGraph, weight: Literal["weight", "abs_weight"] = "weight") -> NodeValues:
    """A neuron's strength: the weights of its in-edges, its bias and the weights of its out-edges, added.

    A neuron without in-edges, or without out-edges, has 1 in the place of that sum.

    Args:
        weight: `weight` (signed, as they define it), or `abs_weight`, which takes the bias without its sign, too.

    Source: La Malfa, La Malfa, Nicosia and Latora, Characterizing learning dynamics of deep neural networks via complex
    networks, ICTAI 2021; Deep neural networks via complex network theory: a perspective, IJCAI 2024.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> neuron_strength(graph).by_layer()["image"].shape
        (8, 8, 1)
    """
    ones, own = np.ones(graph.neurons), bias(graph)
    degrees = [run(graph, ones) for run in (in_sum, out_sum)]
    sums = [run(graph, ones, weight=weight) for run in (in_sum, out_sum)]
    arrived, left = (np.where(d == 0, 1.0, s) for d, s in zip(degrees, sums, strict=True))
    return NodeValues(graph, arrived + (np.abs(own) if weight == "abs_weight" else own) + left)


def layer_fluctuation(graph: NeuronGraph, weight: Literal["weight", "abs_weight"] = "weight") -> dict[str, float]:
    """By layer, the standard deviation of its neurons' strengths; sources as `neuron_strength`."""
    return {name: float(values.std()) for name, values in neuron_strength(graph, weight).by_layer().items()}
