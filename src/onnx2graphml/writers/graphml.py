"""GraphML: one flat graph, the nodes before the edges, a line for each.

Readers disagree on much of GraphML. What all of them read alike is used here, and nothing else: ids `n0`, `n1`, …, no
ids of edges, no `<default>`, no ports, no nested graphs, all keys declared before the graph.

Source: http://graphml.graphdrawing.org/specification.html
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any, BinaryIO
from xml.sax import saxutils

import numpy as np
import numpy.typing as npt

from onnx2graphml.blocks import EdgeBlock
from onnx2graphml.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.writers import Progress, render, words
from onnx2graphml.writers.dialect import (
    NODE,
    graph_attributes,
    layer_attributes,
    spatial_dimensions,
    used_attributes,
)
from onnx2graphml.writers.inorder import InOrder

TILE = 1 << 16  # edges or nodes rendered at once: some megabytes of text
ROOM = 1 << 22  # bytes of the lines of nodes rendered at once, as far as one line does not take more
TABLE = 1 << 22  # weights of a block whose decimals are kept, 16 bytes each or so

# Keys are called as their attributes, except those that stand in every edge.
KEY_IDS = {"weight": "w", "port": "p"}

HEADER = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
"""
# Where a line's numbers and its one float go; no name can hold these, since XML forbids them.
NUMBER, FLOAT = "\0", "\1"
FOOTER = b"</graph>\n</graphml>\n"


def write_graphml(
    graph: NeuronGraph, file: BinaryIO, progress: Progress | None = None, *, jobs: int = 1, tile: int = TILE
) -> None:
    """Write a graph as GraphML.

    Args:
        file: open for writing bytes; neither closed nor flushed.
        progress: called after every tile with its number of edges.
        jobs: the number of threads that render.
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

    def take(text: memoryview, edges: int) -> None:
        file.write(text)
        if edges and progress is not None:
            progress(edges)

    file.write(header(graph))
    with InOrder(jobs, take) as work:
        for layer in graph.layers:
            _submit_nodes(layer, work, tile)
        first_id = {layer.name: layer.first_id for layer in graph.layers}
        for layer in graph.layers:
            for incoming in layer.incoming:
                edges = EdgeLines.of(incoming, first_id[incoming.source], layer.first_id)
                for part in incoming.block.tiles(tile):
                    work.submit(functools.partial(edges.render, part), part.count)
    file.write(FOOTER)


def _submit_nodes(layer: Layer, work: InOrder[memoryview, int], tile: int) -> None:
    nodes = NodeLines.of(layer)
    step = min(tile, 1 + ROOM // nodes.room)  # names may be long
    for first in range(0, layer.neurons, step):
        work.submit(functools.partial(nodes.render, first, min(first + step, layer.neurons)), 0)


def header(graph: NeuronGraph) -> bytes:
    """All that comes before the first node."""
    about = graph_attributes(graph)
    keys = [("graph", name, "string") for name in about]
    keys += [(a.owner, a.name, a.type) for a in used_attributes(graph)]
    lines = [
        f'<key id="{_key(name)}" for="{owner}" attr.name="{name}" attr.type="{kind}"/>\n' for owner, name, kind in keys
    ]
    lines.append(
        f'<graph edgedefault="directed" parse.order="nodesfirst" '
        f'parse.nodes="{graph.neurons}" parse.edges="{graph.edges}">\n'
    )
    lines += [_data(name, value) + "\n" for name, value in about.items()]
    return (HEADER + "".join(lines)).encode()


def _key(name: str) -> str:
    return KEY_IDS.get(name, name)


def _data(name: str, value: str) -> str:
    return f'<data key="{_key(name)}">{saxutils.escape(value)}</data>'


@dataclass(frozen=True, eq=False)
class NodeLines:
    """How the nodes of a layer are written; `render` depends on its arguments alone.

    Attributes:
        layer: whose nodes they are.
        pieces: the constant text around a node's numbers and its bias.
    """

    layer: Layer
    pieces: render.Texts

    @staticmethod
    def of(layer: Layer) -> NodeLines:
        """The lines of a layer."""
        text = {name: _data(name, value) for name, value in layer_attributes(layer).items()}
        text["index"] = _data("index", ",".join(NUMBER for _ in layer.shape))
        text |= {name: _data(name, NUMBER) for name in spatial_dimensions(layer)}
        text["bias"] = FLOAT if layer.bias is None else _data("bias", FLOAT)
        line = f'<node id="n{NUMBER}">' + "".join(text[a.name] for a in NODE if a.name in text) + "</node>\n"
        return NodeLines(layer, render.constants([part.encode() for part in re.split(f"[{NUMBER}{FLOAT}]", line)]))

    @property
    def shown(self) -> tuple[int, ...]:
        """The dimensions of the layer's shape whose coordinates stand in a line, in order."""
        spatial = spatial_dimensions(self.layer)
        return (*range(len(self.layer.shape)), *(spatial[a.name] for a in NODE if a.name in spatial))

    @property
    def room(self) -> int:
        """The number of bytes that a line has at most."""
        return self.pieces.size + (1 + len(self.shown)) * words.NUMBER + render.FLOAT

    def render(self, first: int, last: int) -> memoryview:
        """The lines of the neurons first … last-1 of the layer."""
        layer, n = self.layer, last - first
        place = np.arange(first, last)
        at = np.unravel_index(place, layer.shape or (1,))
        numbers = np.stack([place + layer.first_id, *(at[d] for d in self.shown)], axis=1)
        # Indexed rather than flattened: most are broadcast, and the copy of one would be as large as the layer.
        bias = render.empty(n) if layer.bias is None else render.decimals(np.atleast_1d(layer.bias)[at])
        out = np.empty(n * self.room + words.SLACK, np.uint8)
        length = render.node_lines(
            numbers, bias.data, bias.start, bias.stop, self.pieces.data, self.pieces.start, self.pieces.stop, out
        )
        return out.data[:length]


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
    def of(incoming: Incoming, source_id: int, target_id: int) -> EdgeLines:
        """The lines of the edges between two layers, whose first neurons have these ids."""
        weights = incoming.block.weights
        render.check_finite(weights)
        shared = weights.size <= TABLE and 2 * weights.size <= incoming.block.count
        port = "" if incoming.port is None else _data("port", str(incoming.port))
        line = f'<edge source="n{NUMBER}" target="n{NUMBER}">{_data("weight", FLOAT)}{port}</edge>\n'
        pieces = render.constants([part.encode() for part in re.split(f"[{NUMBER}{FLOAT}]", line)])
        return EdgeLines(source_id, target_id, weights, render.decimals(weights) if shared else None, pieces)

    def render(self, tile: EdgeBlock) -> memoryview:
        """The lines of a tile of the block."""
        outer, inner = tile.axes
        # Copies throughout: compiled code is made for arrays of one kind, contiguous and writable.
        table, outer_tap, inner_tap = self.table, outer.tap.copy(), inner.tap.copy()
        if table is None and not self._are_words:
            table = render.decimals(self.weights[np.add.outer(outer.tap, inner.tap).ravel()])
            outer_tap, inner_tap = np.arange(len(outer)) * len(inner), np.arange(len(inner))
        axes = (
            outer.source + self.source_id, outer.target + self.target_id, outer_tap,
            inner.source.copy(), inner.target.copy(), inner_tap,
        )  # fmt: skip
        constant = self.pieces.data, self.pieces.start, self.pieces.stop
        room = self.pieces.size + 2 * words.NUMBER + render.FLOAT
        out = np.empty(tile.count * room + words.SLACK, np.uint8)
        if table is None:
            bits = self.weights.view(np.uint32)
            bits.setflags(write=False)  # some are, others not: one kind again
            length = render.edge_lines_of_floats(*axes, bits, *constant, out)
        else:
            length = render.edge_lines(*axes, table.data, table.start, table.stop, *constant, out)
        return out.data[:length]

    @property
    def _are_words(self) -> bool:
        return self.weights.dtype == np.float32 and self.weights.flags.c_contiguous
