"""Lines of edges that have more than weight, port and term: their magnitude, and what an input makes of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.formats import render
from onnx2graphml.formats.columns import Piece, chunks
from onnx2graphml.formats.edge_rows import NO_PORT, EdgeRows
from onnx2graphml.formats.lines import pieces
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph

Text = Callable[[EdgeRows], render.Texts]


def weight(rows: EdgeRows) -> render.Texts:
    """The weights."""
    return render.decimals(rows.weight)


def abs_weight(rows: EdgeRows) -> render.Texts:
    """Their magnitudes."""
    return render.decimals(np.abs(rows.weight))


def term(rows: EdgeRows) -> render.Texts:
    """The terms."""
    return render.integers(rows.term)


def contribution(rows: EdgeRows) -> render.Texts:
    """The contributions."""
    assert rows.recorded is not None
    return render.decimals(rows.recorded.contribution)


def winner(rows: EdgeRows) -> render.Texts:
    """`true` or `false`, of candidates."""
    assert rows.recorded is not None
    return render.constants([b"false", b"true"])[rows.recorded.winner.astype(np.int64)]


def beside_weights(graph: NeuronGraph, layer: Layer, incoming: Incoming) -> dict[str, Text]:
    """What edges have beside weight and port, by name, in order: their term, and what an input makes of them."""
    told: dict[str, Text] = {"term": term} if incoming.block.has_terms else {}
    if graph.recorded is not None:
        told["contribution"] = contribution
        if graph.recorded.has_candidates(layer.name, incoming.port):
            told["winner"] = winner
    return told


@dataclass(frozen=True, eq=False)
class WideEdgeLines:
    """How the edges from one layer to another are written; `render` depends on its arguments alone.

    Attributes:
        piece: these edges.
        types: of weights and contributions.
        pieces: the constant text around source, target and the texts.
        texts: what is written behind source and target, in order.
    """

    piece: Piece
    types: tuple[np.dtype[Any], np.dtype[Any] | None]
    pieces: render.Texts
    texts: tuple[Text, ...]

    @staticmethod
    def of(graph: NeuronGraph, layer: Layer, incoming: Incoming, line: str, texts: Sequence[Text]) -> WideEdgeLines:
        """The lines of the edges into a layer, each like `line`.

        Args:
            line: `NUMBER` and `NUMBER` stand for source and target, then `FLOAT` for each of `texts`.
        """
        port = NO_PORT if incoming.port is None else incoming.port
        source = graph.layer(incoming.source).first_id
        piece = Piece(incoming.block, source, layer.first_id, port, layer.name, graph.recorded)
        weights, value = incoming.block.weights.dtype, None if graph.recorded is None else graph.recorded.value.dtype
        contributions = None if value is None else np.result_type(weights, value)
        return WideEdgeLines(piece, (weights, contributions), pieces(line), tuple(texts))

    def render(self, tile: EdgeBlock) -> memoryview:
        """The lines of a tile of the block."""
        n, (weights, contributions) = tile.count, self.types
        rows = next(chunks([dataclasses.replace(self.piece, block=tile)], n, weights, n, contributions))
        texts = render.beside([text(rows) for text in self.texts])
        numbers: npt.NDArray[np.int64] = np.stack([rows.source, rows.target], axis=1)
        return render.lines(numbers, texts, self.pieces)
