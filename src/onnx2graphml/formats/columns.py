"""Edges as columns: what the binary formats have in common."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.formats.edge_rows import NO_PORT, NO_TERM, EdgeRows
from onnx2graphml.graph import kernels
from onnx2graphml.graph.blocks import TILE, EdgeBlock
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.recorded import Recorded


@dataclass(frozen=True, eq=False)
class Piece:
    """Some of the edges from one layer to another.

    Attributes:
        block: positions within the two layers.
        source_id, target_id: of the layers' first neurons.
        port: of all these edges, or `NO_PORT`.
        layer: that they lead into, and `recorded`: what an input makes of the graph; None where it has none.
    """

    block: EdgeBlock
    source_id: int
    target_id: int
    port: int
    layer: str = ""
    recorded: Recorded | None = None


def _float_type(arrays: Iterable[npt.NDArray[Any]]) -> np.dtype[Any]:
    """float32 if it holds every array's values exactly, otherwise float64."""
    fits = all(np.can_cast(array.dtype, np.float32) for array in arrays)
    return np.dtype(np.float32 if fits else np.float64)


def weight_type(graph: NeuronGraph) -> np.dtype[Any]:
    """The type of a column of all the graph's weights."""
    return _float_type(incoming.block.weights for layer in graph.layers for incoming in layer.incoming)


def contribution_type(graph: NeuronGraph) -> np.dtype[Any] | None:
    """The type of a column of all contributions; None where the graph has no input."""
    if graph.recorded is None:
        return None
    return np.result_type(weight_type(graph), graph.recorded.value.dtype)


def bias_type(graph: NeuronGraph) -> np.dtype[Any]:
    """The type of a column of all the graph's biases."""
    return _float_type(layer.bias for layer in graph.layers if layer.bias is not None)


def uses_ports(graph: NeuronGraph) -> bool:
    """Whether any edge has a port."""
    return any(incoming.port is not None for layer in graph.layers for incoming in layer.incoming)


def uses_terms(graph: NeuronGraph) -> bool:
    """Whether any edge has a term."""
    return any(incoming.block.has_terms for layer in graph.layers for incoming in layer.incoming)


OF_SOME = ("port", "term", "winner")
"""The columns that some edges have nothing in."""


def edge_columns(graph: NeuronGraph) -> dict[str, np.dtype[Any]]:
    """The numbers of edges beside their ends that the graph has, in the order of files, and their types."""
    found = {"weight": weight_type(graph)}
    if uses_ports(graph):
        found["port"] = np.dtype(np.int32)
    if uses_terms(graph):
        found["term"] = np.dtype(np.int64)
    if (contribution := contribution_type(graph)) is not None:
        found |= {"contribution": contribution, "winner": np.dtype(np.bool_)}
    return found


def pieces(graph: NeuronGraph, layer: Layer, limit: int | None = None) -> Iterator[Piece]:
    """A layer's in-edges in the graph's order, cut into pieces of at most `limit` edges."""
    for incoming in layer.incoming:
        port = NO_PORT if incoming.port is None else incoming.port
        source_id = graph.layer(incoming.source).first_id
        for block in incoming.block.cut(limit or incoming.block.count):
            yield Piece(block, source_id, layer.first_id, port, layer.name, graph.recorded)


def all_rows(graph: NeuronGraph, rows: int, layer: Layer | None = None) -> Iterator[EdgeRows]:
    """The edges of a graph, or into one layer, in chunks; see `chunks`."""
    layers = graph.layers if layer is None else (layer,)
    every = itertools.chain.from_iterable(pieces(graph, x) for x in layers)
    return chunks(every, rows, weight_type(graph), contribution=contribution_type(graph))


def chunks(
    pieces: Iterable[Piece],
    rows: int,
    weight: np.dtype[Any],
    tile: int = TILE,
    contribution: np.dtype[Any] | None = None,
) -> Iterator[EdgeRows]:
    """The pieces' edges in chunks of exactly `rows`, the last one shorter.

    Args:
        weight: the type of the weights' column.
        tile: the number of edges expanded at once; the chunks do not depend on it.
        contribution: the type of contributions; None where there are none.

    Yields:
        Views of one buffer: a chunk is overwritten when the next one is asked for.
    """
    room, filled = EdgeRows.empty(rows + tile, weight, contribution), 0
    for piece in pieces:
        terms = piece.block.terms if piece.block.has_terms else 0
        for part in (piece.block.into_terms(terms) if terms else piece.block).tiles(tile):
            _expand(part, piece, terms, room[filled : filled + part.count])
            filled += part.count
            while filled >= rows:
                yield room[:rows]
                filled -= rows
                room[:filled].copy_from(room[rows : rows + filled])
    if filled:
        yield room[:filled]


def _expand(tile: EdgeBlock, piece: Piece, terms: int, out: EdgeRows) -> None:
    """A tile's edges; where it has terms, its targets are those of a table of so many columns."""
    source, target, *rest = tile.arguments()
    first = piece.target_id * max(terms, 1)
    kernels.expand(source + piece.source_id, target + first, *rest, out.source, out.target, out.weight)
    out.port[:], out.term[:] = piece.port, NO_TERM
    if terms:
        out.target[:], out.term[:] = np.divmod(out.target, terms)
    if out.recorded is not None and piece.recorded is not None:
        of, place = piece.recorded, out.target - piece.target_id
        out.recorded.contribution[:] = of.contribution(out.source, out.weight)
        out.recorded.winner[:] = of.flags(piece.layer, place, out.source, piece.port, out.term)
