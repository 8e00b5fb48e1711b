"""What people who open a GraphML file want besides: a label, a depth and a place for each node, |weight| for each edge.

These are left out unless they are asked for: some programs read `label`, `x` and `y` as how a node is to be drawn.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onnx2graphml.formats import render, words
from onnx2graphml.formats.lines import EdgeLines
from onnx2graphml.graph.blocks import EdgeBlock
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


@dataclass(frozen=True, eq=False)
class LabelledEdges:
    """As `EdgeLines`, with the weight's magnitude behind the weight.

    Attributes:
        lines: of the same edges.
        pieces: the constant text around source, target, term where there are terms, weight and magnitude.
    """

    lines: EdgeLines
    pieces: render.Texts

    def render(self, tile: EdgeBlock) -> memoryview:
        """The lines of a tile of the block."""
        outer, inner = tile.axes
        ends = [
            np.add.outer(outer.source, inner.source).ravel() + self.lines.source_id,
            np.add.outer(outer.target, inner.target).ravel() + self.lines.target_id,
        ]
        if tile.has_terms:
            terms = [np.zeros(len(a), np.int64) if a.term is None else a.term for a in tile.axes]
            ends.append(np.add.outer(*terms).ravel())
        weights = self.lines.weights[np.add.outer(outer.tap, inner.tap).ravel()]
        texts = render.beside([render.decimals(weights), render.decimals(np.abs(weights))])
        numbers = np.stack(ends, axis=1)
        room = self.pieces.size + len(ends) * words.NUMBER + 2 * render.FLOAT
        out = np.empty(len(numbers) * room + words.SLACK, np.uint8)
        length = render.node_lines(
            numbers, texts.data, texts.start, texts.stop, self.pieces.data, self.pieces.start, self.pieces.stop, out
        )
        return out.data[:length]
