"""The edges at one neuron: no other edge is expanded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.graph.blocks import EdgeBlock, Edges, Side
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph


def in_edges(graph: NeuronGraph, neuron: int) -> Edges:
    """The edges into one neuron, with ids.

    Example:
        >>> import onnx2graphml
        >>> in_edges(onnx2graphml.load("fixtures/digits.onnx"), 64).source.tolist()
        [0, 1, 8, 9]
    """
    layer = graph.layer_of(neuron)
    blocks = ((layer, i, i.block) for i in layer.incoming)
    return _joined(graph, blocks, "target", neuron - layer.first_id)


def out_edges(graph: NeuronGraph, neuron: int) -> Edges:
    """The edges out of one neuron, with ids."""
    layer = graph.layer_of(neuron)
    blocks = ((x, i, i.block) for x in graph.layers for i in x.incoming if i.source == layer.name)
    return _joined(graph, blocks, "source", neuron - layer.first_id)


def _joined(
    graph: NeuronGraph, blocks: Iterator[tuple[Layer, Incoming, EdgeBlock]], side: Side, position: int
) -> Edges:
    """The edges of blocks that have a position on one side, with ids."""
    found = [
        (graph.with_recorded(e, layer, incoming), graph.layer(incoming.source).first_id, layer.first_id)
        for layer, incoming, block in blocks
        for part in block.select(side, position)
        for e in part.expand()
    ]
    if not found:
        none, no_weight = np.empty(0, np.int64), np.empty(0, np.float32)
        known = graph.recorded is not None
        return Edges(none, none, no_weight, None, no_weight if known else None, np.empty(0, np.int8) if known else None)
    sizes = [len(e) for e, _, _ in found]
    return Edges(
        np.concatenate([e.source + source for e, source, _ in found]),
        np.concatenate([e.target + target for e, _, target in found]),
        np.concatenate([e.weight for e, _, _ in found]),
        _optional([e.term for e, _, _ in found], sizes),
        _optional([e.contribution for e, _, _ in found], sizes),
        _optional([e.winner for e, _, _ in found], sizes),
    )


def _optional(columns: list[npt.NDArray[Any] | None], sizes: list[int]) -> npt.NDArray[Any] | None:
    """A column of all edges, -1 where some have none; None where all have none."""
    if all(column is None for column in columns):
        return None
    given = [np.full(n, -1) if column is None else column for column, n in zip(columns, sizes, strict=True)]
    return np.concatenate(given)
