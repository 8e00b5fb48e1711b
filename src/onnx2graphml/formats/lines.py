"""Lines of text, one a node or an edge: constant text around a few numbers. GraphML and CSV are made of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import many
from onnx2graphml.formats import render
from onnx2graphml.graph.attributes import NODE, spatial_dimensions
from onnx2graphml.graph.axes import product
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph

TILE = 1 << 16  # edges or nodes rendered at once: some megabytes of text
ROOM = 1 << 22  # bytes of the lines of nodes rendered at once, as far as one line does not take more
TABLE = 1 << 22  # weights of a block whose decimals are kept, 16 bytes each or so

# Where a line's numbers and its one float go; no name can hold these, since XML forbids them.
NUMBER, FLOAT = "\0", "\1"
ID = -1
"""In the place of a dimension: the node's id."""


def pieces(line: str) -> render.Texts:
    """The constant text between the numbers of a line."""
    return render.constants([part.encode() for part in re.split(f"[{NUMBER}{FLOAT}]", line)])


@dataclass(frozen=True, eq=False)
class NodeLines:
    """How the nodes of a layer are written; `render` depends on its arguments alone.

    Attributes:
        layer: whose nodes they are.
        pieces: the constant text around a node's numbers, its bias and its columns.
        columns: the layer's part of the graph's columns.
        again: numbers that come behind all others: dimensions, whose coordinates are written, or `ID`.
        infinity: the word for an infinite bias.
        number: what becomes of the texts of biases and columns.
    """

    layer: Layer
    pieces: render.Texts
    columns: tuple[npt.NDArray[Any], ...]
    again: tuple[int, ...] = ()
    infinity: str = "INF"
    number: Callable[[render.Texts], render.Texts] = lambda texts: texts

    @staticmethod
    def of(
        graph: NeuronGraph,
        layer: Layer,
        line: str,
        again: tuple[int, ...] = (),
        infinity: str = "INF",
        number: Callable[[render.Texts], render.Texts] = lambda texts: texts,
    ) -> NodeLines:
        """The lines of a layer, each like `line`.

        `NUMBER` stands for each of a node's numbers, `FLOAT` for its bias and for each of the graph's columns.
        """
        columns = tuple(column[layer.ids] for column in graph.columns.values())
        return NodeLines(layer, pieces(line), columns, again, infinity, number)

    @property
    def shown(self) -> tuple[int, ...]:
        """The dimensions of the layer's shape whose coordinates stand in a line, in order; and `ID`."""
        spatial = spatial_dimensions(self.layer)
        index = range(len(self.layer.shape))
        return (*index, *(spatial[a.name] for a in NODE if a.name in spatial), *self.again)

    @property
    def room(self) -> int:
        """The number of bytes that a line has at most."""
        return self.pieces.size + (1 + len(self.shown)) * render.NUMBER + (1 + len(self.columns)) * render.FLOAT

    def tiles(self, tile: int) -> Iterator[Callable[[], memoryview]]:
        """What renders the layer's lines, in order: `tile` of them at once, or fewer where names are long."""
        step, n = min(tile, 1 + ROOM // self.room), self.layer.neurons
        for first in range(0, n, step):
            yield partial(self.render, first, min(first + step, n))

    def render(self, first: int, last: int) -> memoryview:
        """The lines of the neurons first … last-1 of the layer."""
        layer, n = self.layer, last - first
        place = np.arange(first, last)
        at = np.unravel_index(place, layer.shape or (1,))
        ids = place + layer.first_id
        numbers = np.stack([ids, *(ids if d == ID else at[d] for d in self.shown)], axis=1)
        # Indexed rather than flattened: most are broadcast, and the copy of one would be as large as the layer.
        bias = render.empty(n)
        if layer.bias is not None:
            bias = render.decimals_or_infinity(np.atleast_1d(layer.bias)[at], self.infinity)
        columns = (_texts(column[first:last]) for column in self.columns)
        texts = render.beside([self.number(bias), *map(self.number, columns)])
        return render.lines(numbers, texts, self.pieces)


def _texts(column: npt.NDArray[Any]) -> render.Texts:
    return render.decimals(column) if column.dtype.kind == "f" else render.integers(column)


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
