"""One neuron: what it computes, its edges, and where it looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.files.plain_text import printable
from onnx2graphml.graph.axes import Ints
from onnx2graphml.graph.blocks import Edges
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.neurons import activations_text
from onnx2graphml.graph.receptive_field import receptive_field
from onnx2graphml.graph.table import Table, shape_text

SHOWN = 20  # edges each way in `str(neuron)`


@dataclass(frozen=True, eq=False)
class Neuron:
    """A neuron of a graph; `str(neuron)` tells all of it, with the first edges.

    Attributes:
        graph: that it belongs to.
        id: its node's id.
        layer: its layer, which says `aggregation` and `activation`.
        index: its position in the layer's shape.
        bias: None where there is none.
        in_edges, out_edges: arrays `source`, `target` and `weight`, with ids.
        receptive_field: by input, which of its neurons this one depends on, in the input's shape.
    """

    graph: NeuronGraph
    id: int
    layer: Layer
    index: tuple[int, ...]
    bias: np.floating[Any] | None
    in_edges: Edges
    out_edges: Edges
    receptive_field: Mapping[str, npt.NDArray[np.bool_]]

    def text(self, edges: int = SHOWN) -> str:
        """All that is known of it, with at most so many edges each way; 0 for all."""
        layer = self.layer
        lines = [
            f"n{self.id}: {printable(layer.name)} {shape_text(self.index)} of {shape_text(layer.shape)}, {layer.op}"
        ]
        lines.append(f"aggregation: {layer.aggregation}")
        if self.bias is not None:
            lines.append(f"bias: {self.bias!s}")
        if layer.activation:
            lines.append(f"activation: {activations_text(layer.activation)}")
        if self.graph.recorded is not None:
            lines.append(f"value: {self.graph.recorded.value[self.id]!s}")
        for name, reached in self.receptive_field.items():
            lines.append(f"receptive field in {printable(name)}: {_extent(reached)}, {int(reached.sum()):,} neurons")
        lines += [f"in-edges: {len(self.in_edges):,}"]
        lines += _edge_lines(self.graph, self.in_edges.source, self.in_edges, edges)
        lines += [f"out-edges: {len(self.out_edges):,}"]
        lines += _edge_lines(self.graph, self.out_edges.target, self.out_edges, edges)
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()


def neuron(graph: NeuronGraph, id: int) -> Neuron:
    """The neuron of an id; only its own edges are expanded.

    Raises:
        Error: there is no such neuron.

    Example:
        >>> import onnx2graphml
        >>> neuron(onnx2graphml.load("fixtures/digits.onnx"), 64).index
        (0, 0, 0)
    """
    layer, index = graph.layer_of(id), graph.index_of(id)
    bias = None if layer.bias is None else np.broadcast_to(layer.bias, layer.shape)[index]
    into, out = graph.in_edges(id), graph.out_edges(id)
    return Neuron(graph, id, layer, index, bias, into, out, receptive_field(graph, id))


def _edge_lines(graph: NeuronGraph, neurons: Ints, edges: Edges, limit: int) -> list[str]:
    shown = len(neurons) if limit == 0 else min(limit, len(neurons))
    ends = [(f"  n{n}", graph.layer_of(n).name, shape_text(graph.index_of(n))) for n in neurons[:shown].tolist()]
    columns = {"weight": [str(w) for w in edges.weight[:shown]]}
    if edges.contribution is not None and edges.winner is not None:
        columns["contribution"] = [str(c) for c in edges.contribution[:shown]]
        if edges.winner.max(initial=-1) >= 0:
            columns["winner"] = [WINNER[w] for w in edges.winner[:shown].tolist()]
    rows = tuple((*own, *more) for own, *more in zip(ends, *columns.values(), strict=True))
    header = ("  id", "layer", "index", *columns)
    lines = str(Table(header, rows, "<<<" + ">" * len(columns))).splitlines() if rows else []
    return [*lines, *([f"  and {len(neurons) - shown:,} more"] if shown < len(neurons) else [])]


WINNER = {1: "yes", 0: "no", -1: ""}


def _extent(mask: npt.NDArray[np.bool_]) -> str:
    """First and last position along each axis."""
    if not mask.ndim or not mask.any():
        return "[]"
    ends = [(int(p.min()), int(p.max())) for p in np.nonzero(mask)]
    return "[" + ", ".join(f"{a}:{b + 1}" for a, b in ends) + "]"
