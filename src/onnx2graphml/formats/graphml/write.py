"""GraphML: one flat graph, the nodes before the edges, a line for each.

Readers disagree on much of GraphML. What all of them read alike is used here, and nothing else: ids `n0`, `n1`, …, no
ids of edges, no `<default>`, no ports, no nested graphs, all keys declared before the graph.

Source: http://graphml.graphdrawing.org/specification.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO
from xml.sax import saxutils

from onnx2graphml.formats import wide_lines
from onnx2graphml.formats.graphml.labels import placed
from onnx2graphml.formats.inorder import InOrder
from onnx2graphml.formats.lines import FLOAT, NUMBER, TILE, EdgeLines
from onnx2graphml.formats.node_lines import NodeLines
from onnx2graphml.formats.registry import Progress
from onnx2graphml.formats.wide_lines import WideEdgeLines
from onnx2graphml.graph.attributes import (
    LABELS,
    NODE,
    graph_attributes,
    layer_attributes,
    spatial_dimensions,
    used_attributes,
)
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.graph.xmltext import escape

# Keys are called as their attributes, except those that stand in every edge.
KEY_IDS = {"weight": "w", "port": "p", "term": "t", "contribution": "c", "winner": "x"}

HEADER = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
"""
FOOTER = b"</graph>\n</graphml>\n"


def write_graphml(
    graph: NeuronGraph,
    file: BinaryIO,
    progress: Progress | None = None,
    *,
    jobs: int = 1,
    labels: bool = False,
    tile: int = TILE,
) -> None:
    """Write a graph as GraphML.

    Args:
        file: open for writing bytes; neither closed nor flushed.
        progress: called after every tile with its number of edges.
        jobs: the number of threads that render.
        labels: whether nodes have `label`, `depth`, `x` and `y`, and edges `abs_weight`, too.
        tile: the number of nodes or edges rendered at once; the bytes written depend neither on it nor on `jobs`.

    Raises:
        OutputError: a weight or a bias is not finite.

    Example:
        >>> import io
        >>> out = io.BytesIO()
        >>> write_graphml(NeuronGraph((), ()), out)
        >>> out.getvalue().endswith(b"</graphml>\\n")
        True
    """

    def take(text: memoryview | bytes, edges: int) -> None:
        file.write(text)
        if edges and progress is not None:
            progress(edges)

    if labels:
        graph = placed(graph)
    file.write(header(graph, labels))
    with InOrder(jobs, take) as work:
        for render, edges in rendering(graph, labels, tile, nodes_in_tiles, edges_in_tiles):
            work.submit(render, edges)
    file.write(FOOTER)


Rendering = Iterator[tuple[Callable[[], Any], int]]
"""What renders parts of a text, in order, and how many edges each has; or what else `edges` makes of them."""
CutNodes = Callable[[NodeLines, int], Rendering]
CutEdges = Callable[[EdgeLines | WideEdgeLines, EdgeBlock, int], Rendering]
"""What cuts the edges of a block into such parts; or the nodes of a layer."""


def nodes_in_tiles(lines: NodeLines, tile: int) -> Rendering:
    """The nodes of a layer as text, at most `tile` of them at once."""
    for render in lines.tiles(tile):
        yield render, 0


def edges_in_tiles(lines: EdgeLines | WideEdgeLines, block: EdgeBlock, tile: int) -> Rendering:
    """The edges of a block as text, `tile` of them at once."""
    for part in block.tiles(tile):
        yield functools.partial(lines.render, part), part.count


def rendering(
    graph: NeuronGraph,
    labels: bool,
    tile: int,
    nodes: CutNodes,
    edges: CutEdges,
) -> Rendering:
    """All nodes and edges of a graph, whose nodes have their places if they have labels.

    Args:
        nodes, edges: how those of a layer or a block are written, as `nodes_in_tiles` and `edges_in_tiles`.
    """
    for layer in graph.layers:
        again = tuple(range(len(layer.shape))) if labels else ()
        yield from nodes(NodeLines.of(graph, layer, _node_line(graph, layer, labels), again), tile)
    first_id = {layer.name: layer.first_id for layer in graph.layers}
    for layer in graph.layers:
        for incoming in layer.stored():
            yield from edges(_edges(graph, layer, incoming, first_id[incoming.source], labels), incoming.block, tile)


def _edges(
    graph: NeuronGraph, layer: Layer, incoming: Incoming, source_id: int, labels: bool
) -> EdgeLines | WideEdgeLines:
    """How the edges from a layer are written."""
    if not labels and graph.recorded is None:
        return EdgeLines.of(incoming, source_id, layer.first_id, _edge_line(incoming))
    told = {"weight": wide_lines.weight}
    if labels:
        told["abs_weight"] = wide_lines.abs_weight
    told |= wide_lines.beside_weights(graph, layer, incoming)
    port = "" if incoming.port is None else _data("port", str(incoming.port))
    behind = "abs_weight" if labels else "weight"
    own = "".join(_data(name, FLOAT) + (port if name == behind else "") for name in told)
    line = f'<edge source="n{NUMBER}" target="n{NUMBER}">{own}</edge>\n'
    return WideEdgeLines.of(graph, layer, incoming, line, tuple(told.values()))


def header(graph: NeuronGraph, labels: bool = False) -> bytes:
    """All that comes before the first node."""
    about = graph_attributes(graph)
    keys = [("graph", name, "string") for name in about]
    keys += [(a.owner, a.name, a.type) for a in used_attributes(graph)]
    keys += [(a.owner, a.name, a.type) for a in LABELS if labels and a.name not in graph.columns]
    ids = [_column_key(name) if owner == "node" and name in graph.columns else _key(name) for owner, name, _ in keys]
    lines = [
        f'<key id="{id}" for="{owner}" attr.name="{name}" attr.type="{kind}"/>\n'
        for id, (owner, name, kind) in zip(ids, keys, strict=True)
    ]
    lines.append(
        f'<graph edgedefault="directed" parse.order="nodesfirst" '
        f'parse.nodes="{graph.neurons}" parse.edges="{graph.edges}">\n'
    )
    lines += [_data(name, value) + "\n" for name, value in about.items()]
    return (HEADER + "".join(lines)).encode()


def _key(name: str) -> str:
    return KEY_IDS.get(name, name)


def _column_key(name: str) -> str:
    """No other key has a dot."""
    return f"c.{name}"


def _data(name: str, value: str) -> str:
    return f'<data key="{_key(name)}">{saxutils.escape(value)}</data>'


def _node_line(graph: NeuronGraph, layer: Layer, labels: bool) -> str:
    text = {name: _data(name, value) for name, value in layer_attributes(layer).items()}
    text["index"] = _data("index", ",".join(NUMBER for _ in layer.shape))
    text |= {name: _data(name, NUMBER) for name in spatial_dimensions(layer)}
    text["bias"] = FLOAT if layer.bias is None else _data("bias", FLOAT)
    if labels:  # before the bias, as all that holds the index
        index = ",".join(NUMBER for _ in layer.shape)
        text["bias"] = _data("label", f"{escape(layer.name)}[{index}]") + text["bias"]
    own = "".join(text[a.name] for a in NODE if a.name in text)
    columns = "".join(f'<data key="{_column_key(name)}">{FLOAT}</data>' for name in graph.columns)
    return f'<node id="n{NUMBER}">{own}{columns}</node>\n'


def _edge_line(incoming: Incoming) -> str:
    port = "" if incoming.port is None else _data("port", str(incoming.port))
    term = _data("term", NUMBER) if incoming.block.has_terms else ""
    return f'<edge source="n{NUMBER}" target="n{NUMBER}">{_data("weight", FLOAT)}{port}{term}</edge>\n'
