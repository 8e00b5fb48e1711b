"""Parquet: a folder with the nodes, the edges in parts, and a manifest. Made for billions of edges.

Source: https://parquet.apache.org/docs/file-format/data-pages/encodings/
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from onnx2graphml.errors import MissingExtraError, OutputError
from onnx2graphml.files.temporary import HIDDEN
from onnx2graphml.formats.columns import (
    OF_SOME,
    Piece,
    bias_type,
    chunks,
    contribution_type,
    edge_columns,
    pieces,
    weight_type,
)
from onnx2graphml.formats.edge_rows import NO_PORT, NO_TERM, EdgeRows
from onnx2graphml.formats.manifest import write_manifest
from onnx2graphml.formats.parquet import NODES
from onnx2graphml.formats.parquet.layout import part_name, with_ids
from onnx2graphml.formats.parquet.neo4j import write_headers
from onnx2graphml.formats.registry import PARQUET_PART, Progress
from onnx2graphml.graph.attributes import NODE, layer_attributes, spatial_dimensions
from onnx2graphml.graph.blocks import TILE
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.recorded import NO
from onnx2graphml.graph.xmltext import escape

try:
    import pyarrow as pa
    from pyarrow import parquet as pq
except ModuleNotFoundError as e:
    raise MissingExtraError("pyarrow", "parquet") from e

ROWS = 1 << 20  # of a row group: 20 MB of columns for each worker

IDS = {"int64": pa.int64(), "int32": pa.int32()}
NODE_TYPES = {"string": pa.dictionary(pa.int32(), pa.string()), "int": pa.int32()}

# A page is compressed by itself. What repeats in a block may do so after 100,000 edges: the usual pages, of 20,000
# rows, make the files of a convolution ten times as large.
PAGES: dict[str, Any] = {"data_page_size": 4 * ROWS, "max_rows_per_page": ROWS}

# Ids along a block differ by a few repeated steps. Weights are not given a dictionary: where they repeat, zstd makes
# them smaller and is five times as fast; where they don't, a dictionary is larger than the weights.
EDGE_ENCODING: dict[str, Any] = {
    "use_dictionary": ["port", "term"],
    "column_encoding": {"src": "DELTA_BINARY_PACKED", "dst": "DELTA_BINARY_PACKED", "weight": "PLAIN"},
    "write_statistics": ["src", "dst"],
}
NODE_ENCODING: dict[str, Any] = {
    "use_dictionary": [a.name for a in NODE if a.type == "string" and a.name != "index"],
    "column_encoding": {"id": "DELTA_BINARY_PACKED"},
}


@dataclass(frozen=True, eq=False)
class Part:
    """The edges of one file: all or some of the in-edges of one layer."""

    layer: str
    pieces: tuple[Piece, ...]

    @property
    def rows(self) -> int:
        """The number of edges."""
        return sum(piece.block.count for piece in self.pieces)


def write_parquet(
    graph: NeuronGraph,
    directory: Path,
    progress: Progress | None = None,
    *,
    jobs: int = 1,
    ids: str = "int64",
    partition: str | None = None,
    part: int = PARQUET_PART,
    rows: int = ROWS,
    tile: int = TILE,
) -> None:
    """Write a graph as `edges/part-*.parquet`, `_nodes/part-00000.parquet` and `_manifest.json`.

    What reads a folder as one table passes over names with an underscore, and reads the edges.

    The columns of edges are `src`, `dst` (int64), `weight` (float32; float64 where a weight needs it) and, in a graph
    that has ports, `port` (int32 or null), and of one that has terms, `term` (int64 or null). Those of nodes are `id`
    (int64) and all the attributes that GraphML has, null where a node has none; `index` is a list of int32, `bias` is
    float32 or float64 like `weight`. The graph's own columns follow, as int64 or float64. Of a graph with an input,
    edges have `contribution` (float32 or float64) and `winner` (bool or null), and nodes `value`.

    Args:
        directory: an empty one.
        progress: called after every row group with its number of edges, from any thread.
        jobs: the number of threads; the bytes written do not depend on it.
        ids: the type of `src`, `dst` and `id`: `int64` or `int32`.
        partition: `layer` for a folder of each layer's edges, `edges/layer=conv1/`, as Hive has them.
        part, rows: the greatest number of edges in a file and in a row group.
        tile: the number of edges expanded at once; the bytes written do not depend on it.

    Raises:
        OutputError: there are more neurons than ids of that type, or a layer's name is too long for a folder.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> write_parquet(graph, Path("digits.parquet"))  # doctest: +SKIP
    """
    parts, stop, kind = named_parts(graph, part, partition), threading.Event(), id_type(graph, ids)

    def write_nodes() -> None:
        write_table(directory / NODES, node_schema(graph, kind), node_tables(graph, rows, kind), NODE_ENCODING, stop)

    def write(name: str, part: Part) -> None:
        write_edges(graph, directory / name, part, stop, progress, rows, tile, kind)

    for name in (NODES, *parts):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
    run([write_nodes, *(partial(write, *named) for named in parts.items())], jobs, stop)
    write_headers(directory)
    write_manifest(graph, directory, HIDDEN, parts=with_ids(listed(parts), directory))


def write_edges(
    graph: NeuronGraph,
    out: Path | BinaryIO,
    part: Part,
    stop: threading.Event,
    progress: Progress | None = None,
    rows: int = ROWS,
    tile: int = TILE,
    ids: pa.DataType = IDS["int64"],
) -> None:
    """Write the file of one part."""
    schema, weight, contribution = edge_schema(graph, ids), weight_type(graph), contribution_type(graph)
    tables = (edge_table(columns, schema) for columns in chunks(part.pieces, rows, weight, tile, contribution))
    write_table(out, schema, tables, EDGE_ENCODING, stop, progress)


def id_type(graph: NeuronGraph, ids: str) -> pa.DataType:
    """The type of ids of that name; `OutputError` where it has less than there are neurons."""
    if ids == "int32" and graph.neurons > np.iinfo(np.int32).max:
        raise OutputError(f"the graph has {graph.neurons:,} neurons, more than ids of int32; write it with int64")
    return IDS[ids]


def named_parts(graph: NeuronGraph, limit: int, partition: str | None = None) -> dict[str, Part]:
    """The parts of a graph's edges by the names of their files."""
    parts = enumerate(edge_parts(graph, limit))
    return {part_name(number, escape(part.layer), partition): part for number, part in parts}


def listed(parts: dict[str, Part]) -> list[dict[str, Any]]:
    """What the manifest tells of the parts."""
    return [{"file": name, "layer": escape(part.layer), "rows": part.rows} for name, part in parts.items()]


def write_nodes(graph: NeuronGraph, path: Path) -> None:
    """Write `nodes.parquet` alone, with the graph's columns.

    Example:
        >>> import onnx2graphml
        >>> write_nodes(onnx2graphml.load("fixtures/digits.onnx"), Path("nodes.parquet"))  # doctest: +SKIP
    """
    write_table(path, node_schema(graph), node_tables(graph, ROWS), NODE_ENCODING, threading.Event())


def edge_parts(graph: NeuronGraph, limit: int) -> Iterator[Part]:
    """The graph's edges in its order, cut into parts of at most `limit`; one empty part if there are none."""
    if not graph.edges:
        yield Part("", ())  # readers want a file to take the columns from
    for layer in graph.layers:
        found: list[Piece] = []
        for piece in pieces(graph, layer, limit):
            if sum(p.block.count for p in found) + piece.block.count > limit:
                yield Part(layer.name, tuple(found))
                found = []
            found.append(piece)
        if found:
            yield Part(layer.name, tuple(found))


def edge_schema(graph: NeuronGraph, ids: pa.DataType = IDS["int64"]) -> pa.Schema:
    """The columns of every part of a graph."""
    numbers = {name: pa.from_numpy_dtype(kind) for name, kind in edge_columns(graph).items()}
    types = {"src": ids, "dst": ids, **numbers}
    return pa.schema([pa.field(name, kind, nullable=name in OF_SOME) for name, kind in types.items()])


def edge_table(columns: EdgeRows, schema: pa.Schema) -> pa.Table:
    """EdgeRows of edges for pyarrow; only ports and terms are copied."""
    ids = schema.field("src").type.to_pandas_dtype()
    arrays = [pa.array(a.astype(ids, copy=False)) for a in (columns.source, columns.target)]
    arrays.append(pa.array(columns.weight))
    if "port" in schema.names:
        arrays.append(pa.array(columns.port, mask=columns.port == NO_PORT))
    if "term" in schema.names:
        arrays.append(pa.array(columns.term, mask=columns.term == NO_TERM))
    if (recorded := columns.recorded) is not None:
        arrays.append(pa.array(recorded.contribution))
        arrays.append(pa.array(recorded.winner == 1, mask=recorded.winner == NO))
    return pa.table(arrays, schema=schema)


def node_schema(graph: NeuronGraph, ids: pa.DataType = IDS["int64"]) -> pa.Schema:
    """The columns of nodes."""
    types = NODE_TYPES | {"double": pa.from_numpy_dtype(bias_type(graph))}
    columns = {a.name: types[a.type] for a in NODE} | {"index": pa.list_(pa.int32())}
    columns |= {name: pa.from_numpy_dtype(column.dtype) for name, column in graph.columns.items()}
    return pa.schema([pa.field("id", ids, nullable=False), *columns.items()])


def node_tables(graph: NeuronGraph, rows: int, ids: pa.DataType = IDS["int64"]) -> Iterator[pa.Table]:
    """All nodes, in tables of exactly `rows`, the last one shorter."""
    schema, batches, room = node_schema(graph, ids), [], rows
    for layer in graph.layers:
        first = 0
        while first < layer.neurons:
            last = min(first + room, layer.neurons)
            batches.append(node_batch(graph, layer, first, last, schema))
            room -= last - first
            first = last
            if not room:
                yield _joined(batches)
                batches, room = [], rows
    if batches:
        yield _joined(batches)


def _joined(batches: list[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()  # a row group has one dictionary


def node_batch(graph: NeuronGraph, layer: Layer, first: int, last: int, schema: pa.Schema) -> pa.RecordBatch:
    """The nodes first … last-1 of a layer."""
    n, rank = last - first, len(layer.shape)
    at = np.unravel_index(np.arange(first, last), layer.shape or (1,))
    places = np.stack(at, axis=1)[:, :rank].astype(np.int32)
    columns: dict[str, pa.Array] = {
        "id": pa.array(np.arange(first, last) + layer.first_id, schema.field("id").type),
        "index": pa.ListArray.from_arrays(np.arange(n + 1, dtype=np.int32) * rank, places.ravel()),
    }
    columns |= {name: pa.array(at[d].astype(np.int32)) for name, d in spatial_dimensions(layer).items()}
    if layer.bias is not None:
        bias = np.atleast_1d(layer.bias)[at].astype(schema.field("bias").type.to_pandas_dtype())
        columns["bias"] = pa.array(bias)
    columns |= {name: pa.array(column[layer.ids][first:last]) for name, column in graph.columns.items()}
    columns |= {name: _repeated(text, n) for name, text in layer_attributes(layer).items()}
    return pa.record_batch(
        [columns[f.name] if f.name in columns else pa.nulls(n, f.type) for f in schema], schema=schema
    )


def _repeated(text: str, n: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), pa.array([text]))


class Stopped(Exception):
    """A file is left unfinished, since another one failed."""


def write_table(
    out: Path | BinaryIO,
    schema: pa.Schema,
    tables: Iterable[pa.Table],
    encoding: dict[str, Any],
    stop: threading.Event,
    progress: Progress | None = None,
) -> None:
    """Write a file, a row group for each table; `Stopped` once `stop` is set."""
    with pq.ParquetWriter(out, schema, compression="zstd", compression_level=1, **PAGES, **encoding) as file:
        for table in tables:
            if stop.is_set():
                raise Stopped
            file.write_table(table, row_group_size=len(table))
            if progress is not None:
                progress(len(table))


def run(tasks: Iterable[Callable[[], None]], jobs: int, stop: threading.Event) -> None:
    """Run tasks in threads: the compiled loops and pyarrow leave Python's lock to others. All end if one fails."""
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for done in as_completed([pool.submit(task) for task in tasks]):
                done.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
