"""One text file: a header, a line for each node, a line for each edge, a footer. Nodes are labelled and have a place.

What a format is, is said by a `Dialect`: how an attribute, a node and an edge are written.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from onnx2graphml.formats import render, wide_lines
from onnx2graphml.formats.graphml.labels import placed
from onnx2graphml.formats.inorder import InOrder
from onnx2graphml.formats.lines import FLOAT, NUMBER, TILE
from onnx2graphml.formats.node_lines import ID, NodeLines
from onnx2graphml.formats.registry import Progress
from onnx2graphml.formats.wide_lines import Text, WideEdgeLines
from onnx2graphml.graph.attributes import NODE, layer_attributes, spatial_dimensions
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.graph.xmltext import escape

PLACE = ("x", "y")


@dataclass(frozen=True)
class Dialect:
    """How a format is written. Templates have `NUMBER` and `FLOAT` where numbers go.

    Attributes:
        header, between, footer: what stands before the nodes, before the edges, and at the end.
        attribute: of an attribute's name, its value's template, and whether that is a text.
        node: of a node's label and its attributes. It begins with the id.
        edge: of an edge's attributes, of which the first is `weight`. It begins with the ids of source and target.
        quoted: a text as it stands within the file.
        separated: whether lines begin with a character that separates them, which the first node and edge have not.
        number: what becomes of the texts of numbers.
        infinity: the word for it.
        identity: the name of an attribute that is the node's id once more; none if it is empty.
    """

    header: Callable[[NeuronGraph], str]
    between: str
    footer: str
    attribute: Callable[[str, str, bool], str]
    node: Callable[[str, list[str]], str]
    edge: Callable[[list[str]], str]
    quoted: Callable[[str], str]
    separated: bool = False
    number: Callable[[render.Texts], render.Texts] = lambda texts: texts
    infinity: str = "INF"
    identity: str = ""


def write_flat(
    graph: NeuronGraph, file: BinaryIO, dialect: Dialect, progress: Progress | None, jobs: int, tile: int = TILE
) -> None:
    """Write a graph in a dialect."""
    start = True

    def take(text: memoryview, edges: int) -> None:
        nonlocal start
        file.write(text[1:] if start and dialect.separated else text)
        start = start and not text
        if edges and progress is not None:
            progress(edges)

    shown = placed(graph)
    file.write(dialect.header(shown).encode())
    with InOrder(jobs, take) as work:
        for layer in shown.layers:
            again = (*range(len(layer.shape)), *[ID] * bool(dialect.identity))
            line = _node_line(shown, layer, dialect)
            for render in NodeLines.of(shown, layer, line, again, dialect.infinity, dialect.number).tiles(tile):
                work.submit(render, 0)
    file.write(dialect.between.encode())
    start = True
    with InOrder(jobs, take) as work:
        for layer in shown.layers:
            for incoming in layer.stored():
                edges = _edge_lines(shown, layer, incoming, dialect)
                for part in incoming.block.tiles(tile):
                    work.submit(functools.partial(edges.render, part), part.count)
    file.write(dialect.footer.encode())


def _node_line(graph: NeuronGraph, layer: Layer, dialect: Dialect) -> str:
    """The numbers of a line are in this order: id, index (in the label), places, index, id, bias, columns."""
    index = ",".join(NUMBER for _ in layer.shape)
    text = {
        name: dialect.attribute(name, dialect.quoted(value), True) for name, value in layer_attributes(layer).items()
    }
    text |= {name: dialect.attribute(name, NUMBER, False) for name in spatial_dimensions(layer)}
    own = [text[a.name] for a in NODE if a.name in text]
    own.append(dialect.attribute("index", index, True))
    own += [dialect.attribute(dialect.identity, f"n{NUMBER}", True)] if dialect.identity else []
    own += [] if layer.bias is None else [dialect.attribute("bias", FLOAT, False)]
    own += [dialect.attribute(name, FLOAT, False) for name in graph.columns if name not in PLACE]
    line = dialect.node(f"{dialect.quoted(escape(layer.name))}[{index}]", own)
    return line if layer.bias is not None else _with_empty_bias(line)


def _with_empty_bias(line: str) -> str:
    """The bias comes first of all that is no index; where there is none, nothing is written in its place."""
    last = line.rfind(NUMBER, 0, line.find(FLOAT))
    return line[: last + 1] + FLOAT + line[last + 1 :]


def _edge_lines(graph: NeuronGraph, layer: Layer, incoming: Incoming, dialect: Dialect) -> WideEdgeLines:
    told = {"weight": wide_lines.weight, **wide_lines.beside_weights(graph, layer, incoming)}
    own = [dialect.attribute(name, FLOAT, False) for name in told]
    if incoming.port is not None:
        own.append(dialect.attribute("port", str(incoming.port), False))

    def adapted(text: Text) -> Text:
        return lambda rows: dialect.number(text(rows))

    return WideEdgeLines.of(graph, layer, incoming, dialect.edge(own), tuple(map(adapted, told.values())))
