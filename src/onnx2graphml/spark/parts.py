"""Parts of the tables of edges and nodes. Each holds all that it takes to expand it, and no edge."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnx2graphml.errors import Error, MissingExtraError
from onnx2graphml.formats.columns import Piece, chunks, weight_type
from onnx2graphml.formats.edge_rows import NO_PORT, NO_TERM, EdgeRows
from onnx2graphml.formats.parquet.write import edge_parts, edge_schema, node_batch, node_schema
from onnx2graphml.graph.axes import Axis, outer_sum, shift, strides
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.xmltext import escape
from onnx2graphml.spark.wanted import Wanted

try:
    import pyarrow as pa
except ModuleNotFoundError as e:
    raise MissingExtraError("pyarrow", "spark") from e

ROWS = 1 << 16  # of a batch


def edges_schema(graph: NeuronGraph) -> pa.Schema:
    """The columns of edges: those of Parquet, and the layer that they lead into."""
    return edge_schema(graph).append(pa.field("layer", pa.string(), nullable=False))


def nodes_schema(graph: NeuronGraph) -> pa.Schema:
    """The columns of nodes: those of Parquet, with plain texts."""
    plain = (f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in node_schema(graph))
    return pa.schema(list(plain))


def asked(schema: pa.Schema, columns: Iterable[tuple[str, bool]]) -> pa.Schema:
    """These columns of a table. Each may be null if Spark says so, as it does in a schema that a user gives.

    Where it may not, Spark does not look: that takes it a third of the time that it has for a row.
    """
    fields = []
    for name, nullable in columns:
        if name not in schema.names:
            raise Error(f"column {name!r} is not there; expected some of {', '.join(schema.names)}")
        fields.append(schema.field(name).with_nullable(nullable))
    return pa.schema(fields)


@dataclass(frozen=True, eq=False)
class EdgePart:
    """Some edges into one layer.

    Attributes:
        layer: its name, as it is written.
        pieces: the edges.
        weight: the type of weights.
    """

    layer: str
    pieces: tuple[Piece, ...]
    weight: np.dtype[Any]

    def batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The edges, expanded, in these columns."""
        for rows in chunks(self.pieces, ROWS, self.weight):
            yield pa.record_batch([self._column(name, rows) for name in schema.names], schema=schema)

    def _column(self, name: str, rows: EdgeRows) -> pa.Array:
        """A copy: the rows are overwritten by the next ones."""
        if name == "layer":
            return pa.repeat(pa.scalar(self.layer, pa.string()), len(rows))
        if name in ("port", "term"):
            values, none = (rows.port, NO_PORT) if name == "port" else (rows.term, NO_TERM)
            return pa.array(values.copy(), mask=values == none)
        return pa.array({"src": rows.source, "dst": rows.target, "weight": rows.weight}[name].copy())


@dataclass(frozen=True, eq=False)
class NodePart:
    """The nodes first … last-1 of a layer, which has no edges, and all their columns, as in Parquet."""

    layer: Layer
    first: int
    last: int
    columns: pa.Schema

    def batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The nodes, in these columns."""
        bias = self.layer.bias
        whole = dataclasses.replace(self.layer, bias=None if bias is None else np.broadcast_to(bias, self.layer.shape))
        for first in range(self.first, self.last, ROWS):
            batch = node_batch(NeuronGraph((whole,), ()), whole, first, min(first + ROWS, self.last), self.columns)
            yield pa.record_batch([batch.column(f.name).cast(f.type) for f in schema], schema=schema)


def planned_edges(graph: NeuronGraph, wanted: Wanted, limit: int) -> list[EdgePart]:
    """The wanted edges as parts of at most `limit`, each with no more of the weights than it needs."""
    kind, parts = weight_type(graph), []
    layers = tuple(x for x in graph.layers if wanted.has_layer(escape(x.name)) and _reaches(x, wanted))
    chosen = dataclasses.replace(graph, layers=tuple(x if x in layers else _bare(x) for x in graph.layers))
    for part in edge_parts(chosen, limit) if layers and chosen.edges else ():
        pieces = tuple(_lean(p) for piece in part.pieces for p in _within(piece, wanted) if p.block.count)
        if pieces:
            parts.append(EdgePart(escape(part.layer), pieces, kind))
    return parts


def planned_nodes(graph: NeuronGraph, wanted: Wanted, limit: int) -> list[NodePart]:
    """The wanted nodes as parts of at most `limit`."""
    (low, high), columns = wanted.range_of("id"), node_schema(graph)
    parts: list[NodePart] = []
    for layer in (x for x in graph.layers if wanted.has_layer(escape(x.name))):
        first, last = max(low - layer.first_id, 0), min(high - layer.first_id, layer.neurons - 1) + 1
        bare = _bare(layer)
        parts += [NodePart(bare, at, min(at + limit, last), columns) for at in range(first, last, limit)]
    return parts


def _bare(layer: Layer) -> Layer:
    """Without edges, and a bias that is repeated is there once."""
    bias = layer.bias
    if bias is not None:
        bias = np.ascontiguousarray(bias[tuple(slice(None) if step else slice(1) for step in bias.strides)])
    return dataclasses.replace(layer, incoming=(), bias=bias)


def _reaches(layer: Layer, wanted: Wanted) -> bool:
    first, last = wanted.range_of("dst")
    return layer.first_id <= last and first < layer.first_id + layer.neurons


def _within(piece: Piece, wanted: Wanted) -> Iterator[Piece]:
    """The edges of a piece whose ends are wanted."""
    for side, start in (("dst", piece.target_id), ("src", piece.source_id)):
        first, last = (edge - start for edge in wanted.range_of(side))
        ends = piece.block.offsets("target" if side == "dst" else "source")
        least, most = sum(int(e.min()) for e in ends), sum(int(e.max()) for e in ends)
        if first > least or last < most:
            first, last = max(first, 0), min(last, most)
            block = piece.block if side == "dst" else piece.block.flipped()
            for found in block.within(first, last + 1) if first <= last else ():
                if side == "dst":
                    new = dataclasses.replace(piece, block=found, target_id=piece.target_id + first)
                else:
                    new = dataclasses.replace(piece, block=found.flipped(), source_id=piece.source_id + first)
                if new.block.count:
                    yield from _within(new, wanted)
            return
    yield piece


def _lean(piece: Piece) -> Piece:
    """With those weights alone that it points to, or one for each edge where that is less."""
    block, weights = piece.block, piece.block.weights
    first, last = (sum(int(end(axis.tap)) for axis in block.axes) for end in (np.min, np.max))
    if last - first < block.count:
        axes: tuple[Axis, ...] = (dataclasses.replace(shift(), tap=np.array([-first])), *block.axes)
        return dataclasses.replace(piece, block=EdgeBlock(axes, weights[first : last + 1].copy()))
    steps = strides([len(axis) for axis in block.axes])
    axes = tuple(
        dataclasses.replace(a, tap=np.arange(len(a)) * step) for a, step in zip(block.axes, steps, strict=True)
    )
    return dataclasses.replace(piece, block=EdgeBlock(axes, weights[outer_sum([a.tap for a in block.axes])]))
