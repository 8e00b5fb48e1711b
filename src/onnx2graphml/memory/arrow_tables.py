"""Arrow tables and data frames of Polars, with the columns that Parquet has."""

from __future__ import annotations

from onnx2graphml.errors import MissingExtraError
from onnx2graphml.graph.exports import Frames, Tables
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.memory.arrays import all_edges


def to_arrow(graph: NeuronGraph, max_edges: int) -> Tables:
    """Two tables with the columns of `_nodes/*.parquet` and of `edges/*.parquet`; see docs/formats.md."""
    from onnx2graphml.formats.parquet import write  # needs pyarrow, and says so

    edges = write.edge_table(all_edges(graph, max_edges, "Arrow"), write.edge_schema(graph))
    nodes = next(write.node_tables(graph, max(graph.neurons, 1)), write.node_schema(graph).empty_table())
    return Tables(nodes, edges)


def to_polars(graph: NeuronGraph, max_edges: int) -> Frames:
    """The same as data frames of Polars."""
    tables = to_arrow(graph, max_edges)
    try:
        import polars as pl
    except ModuleNotFoundError as e:
        raise MissingExtraError("polars", "graphs") from e
    return Frames(pl.DataFrame(tables.nodes), pl.DataFrame(tables.edges))
