"""A number for every edge, none of them stored: blocks with other weights, or with scales."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnx2graphml.engine.scaled import ScaledBlock
from onnx2graphml.graph.blocks import EdgeBlock, Edges
from onnx2graphml.graph.graph import NeuronGraph


@dataclass(frozen=True, eq=False)
class EdgesBetween:
    """The values of the edges from one layer to another, as a block; `port` as in the graph."""

    source: str
    target: str
    block: EdgeBlock | ScaledBlock
    port: int | None = None


@dataclass(frozen=True, eq=False)
class EdgeValues:
    """A number for every edge of a graph.

    Attributes:
        graph: whose edges they are.
        blocks: in the graph's order.

    Example:
        >>> import onnx2graphml
        >>> from onnx2graphml import measures
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> scores = measures.synflow(graph)
        >>> (u, v), score = next(scores.items())
        >>> abs(scores[u, v] - score) < 1e-12
        True
    """

    graph: NeuronGraph
    blocks: tuple[EdgesBetween, ...]

    def __len__(self) -> int:
        return self.graph.edges

    def __getitem__(self, edge: tuple[int, int]) -> float:
        """The value of one edge, or the sum of those that join the same two neurons."""
        u, v = edge
        target = self.graph.layer_of(v)
        found = [
            e.weight[e.source + self.graph.layer(b.source).first_id == u]
            for b in self.blocks
            if b.target == target.name
            for e in _into(b.block, v - target.first_id)
        ]
        values = np.concatenate([np.empty(0), *found])
        if not len(values):
            raise KeyError(edge)
        return float(values.sum())

    def items(self) -> Iterator[tuple[tuple[int, int], float]]:
        """Every edge as `(in_node, out_node)` with its value, in the graph's order."""
        for b in self.blocks:
            source, target = self.graph.layer(b.source).first_id, self.graph.layer(b.target).first_id
            for e in b.block.expand():
                pairs = zip((e.source + source).tolist(), (e.target + target).tolist(), strict=True)
                yield from zip(pairs, e.weight.tolist(), strict=True)

    def by_layer(self) -> dict[str, float]:
        """The sum over all edges into each layer."""
        sums: dict[str, float] = {}
        for b in self.blocks:
            block = b.block
            if isinstance(block, EdgeBlock):
                sources, targets = (self.graph.layer(name).neurons for name in (b.source, b.target))
                block = ScaledBlock(block, np.ones(sources), np.ones(targets), "weight")
            sums[b.target] = sums.get(b.target, 0.0) + block.total()
        return sums


def _into(block: EdgeBlock | ScaledBlock, position: int) -> Iterator[Edges]:
    if isinstance(block, ScaledBlock):
        yield from block.select("target", position)
    else:
        for part in block.select("target", position):
            yield from part.expand()


def scaled(graph: NeuronGraph, source: Any, target: Any, weight: Any) -> EdgeValues:
    """Every edge's weight times a number of its source and one of its target, both by id."""
    blocks = []
    for layer in graph.layers:
        for i in layer.incoming:
            from_ = graph.layer(i.source)
            own = source[from_.first_id : from_.first_id + from_.neurons]
            block = ScaledBlock(i.block, own, target[layer.first_id : layer.first_id + layer.neurons], weight)
            blocks.append(EdgesBetween(i.source, layer.name, block, i.port))
    return EdgeValues(graph, tuple(blocks))
