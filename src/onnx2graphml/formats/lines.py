"""Lines of text: constant text around a few numbers. Those of edges; GraphML and CSV are made of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import many
from onnx2graphml.formats import render
from onnx2graphml.graph.axes import product
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming

TILE = 1 << 16  # edges or nodes rendered at once: some megabytes of text
TABLE = 1 << 22  # weights of a block whose decimals are kept, 16 bytes each or so

# Where a line's numbers and its one float go; no name can hold these, since XML forbids them.
NUMBER, FLOAT = "\0", "\1"


def pieces(line: str) -> render.Texts:
    """The constant text between the numbers of a line."""
    return render.constants([part.encode() for part in re.split(f"[{NUMBER}{FLOAT}]", line)])


@dataclass(frozen=True, eq=False)
class EdgeLines:
    """How the edges from one layer to another are written; `render` depends on its arguments alone.

    Attributes:
        source_id, target_id: of the layers' first neurons.
        weights: of the block.
        table: their decimals, where that is worth its memory: each is used twice or more.
        pieces: the constant text around source, target and weight.
    """

    source_id: int
    target_id: int
    weights: npt.NDArray[Any]
    table: render.Texts | None
    pieces: render.Texts

    @staticmethod
    def of(incoming: Incoming, source_id: int, target_id: int, line: str) -> EdgeLines:
        """The lines of the edges between two layers, whose first neurons have these ids.

        Args:
            line: `NUMBER`, `NUMBER` and `FLOAT` stand for source, target and weight; `NUMBER` behind them for the term,
                where the edges have terms.
        """
        weights = incoming.block.weights
        render.check_finite(weights)
        shared = weights.size <= TABLE and (2 * weights.size <= incoming.block.count or incoming.block.has_terms)
        return EdgeLines(source_id, target_id, weights, render.decimals(weights) if shared else None, pieces(line))

    def render(self, tile: EdgeBlock) -> memoryview:
        """The lines of a tile of the block."""
        if not many(tile.count):
            return self._by_python(tile)
        from onnx2graphml.formats import kernels

        outer, inner = tile.axes
        # Copies throughout: compiled code is made for arrays of one kind, contiguous and writable.
        table, outer_tap, inner_tap = self.table, outer.tap.copy(), inner.tap.copy()
        has_terms = tile.has_terms
        if table is None and (has_terms or not self.are_words):
            table = render.decimals(self.weights[np.add.outer(outer.tap, inner.tap).ravel()])
            outer_tap, inner_tap = np.arange(len(outer)) * len(inner), np.arange(len(inner))
        axes = (
            outer.source + self.source_id, outer.target + self.target_id, outer_tap,
            inner.source.copy(), inner.target.copy(), inner_tap,
        )  # fmt: skip
        constant = self.pieces.data, self.pieces.start, self.pieces.stop
        room = self.pieces.size + 3 * render.NUMBER + render.FLOAT
        out = np.empty(tile.count * room + render.SLACK, np.uint8)
        if table is None:
            bits = self.weights.view(np.uint32)
            bits.setflags(write=False)  # some are, others not: one kind again
            length = kernels.edge_lines_of_floats(*axes, bits, *constant, out)
        elif has_terms:
            terms = [np.zeros(len(a), np.int64) if a.term is None else a.term.copy() for a in tile.axes]
            texts = table.data, table.start, table.stop
            length = kernels.edge_lines_with_terms(*axes, *terms, *texts, *constant, out)
        else:
            length = kernels.edge_lines(*axes, table.data, table.start, table.stop, *constant, out)
        return out.data[:length]

    def _by_python(self, tile: EdgeBlock) -> memoryview:
        edge = product(tile.axes)
        numbers = np.stack([edge.source + self.source_id, edge.target + self.target_id], axis=1)
        texts = [render.decimals(self.weights[edge.tap]) if self.table is None else self.table[edge.tap]]
        texts += [] if edge.term is None else [render.integers(edge.term)]
        return render.by_python(numbers, render.beside(texts), self.pieces)

    @property
    def are_words(self) -> bool:
        """Whether the weights are float32, one behind the other."""
        return self.weights.dtype == np.float32 and self.weights.flags.c_contiguous
