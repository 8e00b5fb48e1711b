"""CSV: a folder with `nodes.csv` and `edges.csv`, with the headers that Gephi or Neo4j import, and a manifest.

Sources: https://gephi.org/users/supported-graph-formats/spreadsheet,
https://neo4j.com/docs/operations-manual/current/import/full-import/
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from onnx2graphml.formats import wide_lines
from onnx2graphml.formats.columns import bias_type, edge_columns
from onnx2graphml.formats.csv.layout import GEPHI, NEO4J, Layout
from onnx2graphml.formats.inorder import InOrder
from onnx2graphml.formats.lines import FLOAT, NUMBER, TILE, EdgeLines
from onnx2graphml.formats.manifest import write_manifest
from onnx2graphml.formats.node_lines import NodeLines
from onnx2graphml.formats.registry import Progress
from onnx2graphml.formats.wide_lines import WideEdgeLines
from onnx2graphml.graph.attributes import NODE, column_attributes, layer_attributes, spatial_dimensions
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph

REAL = {"float32": "float", "float64": "double"}


def write_gephi(
    graph: NeuronGraph, directory: Path, progress: Progress | None = None, *, jobs: int = 1, tile: int = TILE
) -> None:
    """Write a graph as tables of nodes and edges for Gephi's spreadsheet import.

    Args:
        directory: an empty one.
        progress: called after every tile with its number of edges.
        jobs: the number of threads that render.
        tile: the number of nodes or edges rendered at once; the bytes written depend neither on it nor on `jobs`.

    Raises:
        OutputError: a weight or a bias is not finite.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> write_gephi(graph, Path("digits.gephi.csv"))  # doctest: +SKIP
    """
    _write(graph, GEPHI, [a.name for a in column_attributes(graph)], directory, progress, jobs, tile)


def write_neo4j(
    graph: NeuronGraph, directory: Path, progress: Progress | None = None, *, jobs: int = 1, tile: int = TILE
) -> None:
    """Write a graph as nodes and relationships for `neo4j-admin database import`; otherwise as `write_gephi`.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> write_neo4j(graph, Path("digits.neo4j.csv"))  # doctest: +SKIP
    """
    columns = [f"{a.name}:{a.type}" for a in column_attributes(graph)]
    _write(graph, NEO4J, columns, directory, progress, jobs, tile)


def _write(
    graph: NeuronGraph,
    layout: Layout,
    columns: Sequence[str],
    directory: Path,
    progress: Progress | None,
    jobs: int,
    tile: int,
) -> None:
    with (directory / "nodes.csv").open("wb") as file:
        file.write(_header((*layout.node_header(REAL[bias_type(graph).name]), *columns)))
        _write_nodes(graph, file, jobs, tile)
    with (directory / "edges.csv").open("wb") as file:
        _write_edges(graph, layout, file, progress, jobs, tile)
    write_manifest(graph, directory)


def _write_nodes(graph: NeuronGraph, file: BinaryIO, jobs: int, tile: int) -> None:
    def take(text: memoryview, _: None) -> None:
        file.write(text)

    with InOrder(jobs, take) as work:
        for layer in graph.layers:
            for render in _node_lines(graph, layer).tiles(tile):
                work.submit(render, None)


def _write_edges(
    graph: NeuronGraph, layout: Layout, file: BinaryIO, progress: Progress | None, jobs: int, tile: int
) -> None:
    def take(text: memoryview, count: int) -> None:
        file.write(text)
        if progress is not None:
            progress(count)

    columns = edge_columns(graph)
    ports, terms = "port" in columns, "term" in columns
    header = layout.edge_header(REAL[columns["weight"].name])
    header += (layout.port,) * ports + (layout.term,) * terms
    if "contribution" in columns:
        header += layout.recorded(REAL[columns["contribution"].name])
    file.write(_header(header))
    with InOrder(jobs, take) as work:
        for layer in graph.layers:
            for incoming in layer.stored():
                edges = _edges(graph, layer, incoming, layout.constants, ports, terms)
                for part in incoming.block.tiles(tile):
                    work.submit(partial(edges.render, part), part.count)


def _edges(
    graph: NeuronGraph, layer: Layer, incoming: Incoming, constants: tuple[str, ...], ports: bool, terms: bool
) -> EdgeLines | WideEdgeLines:
    """How the edges from a layer are written."""
    has_terms = incoming.block.has_terms
    start = ",".join([NUMBER, NUMBER, FLOAT, *constants]) + "," * ports
    start += "" if incoming.port is None else str(incoming.port)
    if graph.recorded is None:
        line = start + "," * terms + NUMBER * has_terms + "\n"
        return EdgeLines.of(incoming, graph.layer(incoming.source).first_id, layer.first_id, line)
    chosen = graph.recorded.has_candidates(layer.name, incoming.port)
    line = start + "," * terms + FLOAT * has_terms + f",{FLOAT}," + FLOAT * chosen + "\n"
    texts = [wide_lines.weight, *[wide_lines.term] * has_terms, wide_lines.contribution, *[wide_lines.winner] * chosen]
    return WideEdgeLines.of(graph, layer, incoming, line, texts)


def _header(columns: tuple[str, ...]) -> bytes:
    return (",".join(columns) + "\n").encode()


def _node_lines(graph: NeuronGraph, layer: Layer) -> NodeLines:
    text = {name: _quoted(value) for name, value in layer_attributes(layer).items()}
    text["index"] = _quoted(",".join(NUMBER for _ in layer.shape))
    text |= dict.fromkeys(spatial_dimensions(layer), NUMBER)
    text["bias"] = FLOAT
    columns = [FLOAT] * len(graph.columns)
    line = ",".join([NUMBER, *(text.get(a.name, "") for a in NODE), *columns]) + "\n"
    return NodeLines.of(
        graph, layer, line, infinity="Infinity"
    )  # as Java reads it, in which Neo4j and Gephi are written


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
