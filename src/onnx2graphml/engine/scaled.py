"""A block whose edges' weights are scaled by a number of their source and one of their target; no edge is stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.engine.products import product
from onnx2graphml.engine.semirings import Weight, weight_function
from onnx2graphml.graph.blocks import TILE, EdgeBlock, Edges

Floats = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class ScaledBlock:
    """`target_scale · f(weight) · source_scale` for every edge of a block.

    A path's flow, a SynFlow score, an edge's betweenness or an attribution is of this kind. Edges that have terms keep
    them; each is an edge of its own.

    Attributes:
        block: the edges.
        source_scale: float64, flat, by position in the two layers.
        target_scale: float64, flat, by position in the two layers.
        weight: what an edge weighs before it is scaled, as in `product`.

    Example:
        >>> from onnx2graphml.graph import axes as ax
        >>> block = EdgeBlock((ax.gather(2), ax.spread(1)), np.array([2.0, 3.0]))
        >>> scaled = ScaledBlock(block, np.array([1.0, 10.0]), np.array([0.5]), "weight")
        >>> [e.weight.tolist() for e in scaled.expand()]
        [[1.0, 15.0]]
        >>> scaled.product(np.ones(2)).tolist()
        [16.0]
    """

    block: EdgeBlock
    source_scale: Floats
    target_scale: Floats
    weight: Weight = None

    @property
    def count(self) -> int:
        """The number of edges."""
        return self.block.count

    def product(self, x: npt.ArrayLike) -> Floats:
        """The sum over each target's in-edges of scaled weight · x; in float64, flat."""
        arrived = product(self.block, self.source_scale * x, len(self.target_scale), weight=self.weight)
        return np.asarray(self.target_scale * arrived, np.float64)

    def flipped(self) -> ScaledBlock:
        """The same edges with source and target exchanged."""
        return ScaledBlock(self.block.flipped(), self.target_scale, self.source_scale, self.weight)

    def total(self) -> float:
        """The sum of all scaled weights."""
        return float(self.product(np.ones(len(self.source_scale))).sum())

    def expand(self, edges: int = TILE) -> Iterator[Edges]:
        """The edges with their scaled weights in float64, in chunks, in the block's order."""
        for e in self.block.expand(edges):
            yield self._scaled(e)

    def select(self, side: Any, position: int) -> Iterator[Edges]:
        """The edges that have a position on one side, `source` or `target`."""
        for part in self.block.select(side, position):
            for e in part.expand():
                yield self._scaled(e)

    def _scaled(self, e: Edges) -> Edges:
        function = weight_function(self.weight)
        weight = np.ones(len(e)) if function is None else function(e.weight.astype(np.float64))
        scaled = self.source_scale[e.source] * weight * self.target_scale[e.target]
        return Edges(e.source, e.target, scaled, e.term)
