"""What people who open a GraphML file want besides: a label, a depth and a place for each node, |weight| for each edge.

These are left out unless they are asked for: some programs read `label`, `x` and `y` as how a node is to be drawn.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from onnx2graphml.graph.graph import NeuronGraph

ACROSS, HIGH = 100.0, 1000.0
"""From a depth to the next, and the height of all."""


def depths(graph: NeuronGraph) -> dict[str, int]:
    """By name, the length of the longest way from an input or a constant to each layer.

    Example:
        >>> import onnx2graphml
        >>> depths(onnx2graphml.load("fixtures/digits.onnx"))["conv1"]
        1
    """
    found: dict[str, int] = {}
    for layer in graph.layers:
        found[layer.name] = max((found[incoming.source] + 1 for incoming in layer.incoming), default=0)
    return found


def placed(graph: NeuronGraph) -> NeuronGraph:
    """The graph with the columns `depth`, `x` and `y`: neurons of a depth stand below one another."""
    by_layer = depths(graph)
    depth = np.repeat([by_layer[x.name] for x in graph.layers], [x.neurons for x in graph.layers]).astype(np.int64)
    counts = np.bincount(depth) if len(depth) else np.zeros(1, np.int64)
    order = np.argsort(depth, kind="stable")
    rank = np.empty(len(depth), np.int64)
    rank[order] = np.arange(len(depth)) - np.repeat(np.cumsum(counts) - counts, counts)
    y = HIGH * ((rank + 0.5) / counts[depth] - 0.5)
    places: dict[str, npt.NDArray[np.generic]] = {"depth": depth, "x": ACROSS * depth, "y": y}
    return dataclasses.replace(graph, columns={**graph.columns, **places})
