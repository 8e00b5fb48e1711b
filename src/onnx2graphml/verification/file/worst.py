"""The worst neuron of a layer that failed: its in-edges in the file beside those that the model has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onnx2graphml.formats import reading
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.verification.against_runtime import Row
from onnx2graphml.verification.file.matched import Matched


@dataclass(frozen=True)
class InEdge:
    """An edge into the neuron.

    Attributes:
        source: the id of the neuron that it comes from, `layer` and `index`: where that is.
        weight: float32 or float64, as the layer's weights are.
        port, term: None where there is none.
    """

    source: int
    layer: str
    index: tuple[int, ...]
    weight: np.floating[Any]
    port: int | None
    term: int | None = None


@dataclass(frozen=True)
class Worst:
    """A neuron with its in-edges in a file and in the model. Ids are the model's, which a file that is whole has, too.

    Attributes:
        id, layer, index: which neuron it is.
        in_file, in_model: all its in-edges there.
        missing, extra: those that only the model has, and those that only the file has.
        changed: of each that has another weight, the one in the file and the one in the model.
    """

    id: int
    layer: str
    index: tuple[int, ...]
    in_file: tuple[InEdge, ...]
    in_model: tuple[InEdge, ...]
    missing: tuple[InEdge, ...]
    extra: tuple[InEdge, ...]
    changed: tuple[tuple[InEdge, InEdge], ...]


def worst_neuron(graph: NeuronGraph, path: str | Path, row: Row) -> Worst:
    """The in-edges of the neuron that a row of `verify_file`'s report calls the worst.

    The file is read a second time; of its edges only those into this neuron are kept.

    Args:
        graph, path: as for `verify_file`.
        row: of its report.

    Raises:
        Error: as `verify_file`; or the row is of no layer.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> report = verify_file(graph, "damaged.graphml")  # doctest: +SKIP
        >>> failed = next(row for row in report.rows if not row.passed)  # doctest: +SKIP
        >>> worst_neuron(graph, "damaged.graphml", failed).missing  # doctest: +SKIP
    """
    layer = graph.layer(row.layer)
    neuron = layer.first_id + row.worst
    with reading.open_graph(path) as file:
        matched = Matched.of_file(graph, file, path)
        kind = np.float32 if matched.single[neuron] else np.float64
        in_file = []
        for edges in matched.edges(file.edges()):
            into = np.flatnonzero(edges.target == neuron)
            ports = ([None if n < 0 else n for n in column[into].tolist()] for column in (edges.port, edges.term))
            rows = zip(edges.source[into].tolist(), edges.weight[into], *ports, strict=True)
            in_file += [_in_edge(graph, s, kind(w), p, t) for s, w, p, t in rows]
    in_model = [_in_edge(graph, s, kind(w), p, t) for s, w, p, t in _model_edges(graph, layer, row.worst)]
    missing, extra, changed = _differences(Counter(in_file), Counter(in_model))
    return Worst(neuron, layer.name, graph.index_of(neuron), tuple(in_file), tuple(in_model), missing, extra, changed)


def _model_edges(
    graph: NeuronGraph, layer: Layer, position: int
) -> Iterator[tuple[int, np.floating[Any], int | None, int | None]]:
    for incoming in layer.incoming:
        first = graph.layer(incoming.source).first_id
        for block in incoming.block.select("target", position):
            for edges in block.expand():
                source = (edges.source + first).tolist()
                term = [None] * len(edges) if edges.term is None else edges.term.tolist()
                yield from ((s, w, incoming.port, t) for s, w, t in zip(source, edges.weight, term, strict=True))


def _in_edge(graph: NeuronGraph, source: int, weight: np.floating[Any], port: int | None, term: int | None) -> InEdge:
    return InEdge(source, graph.layer_of(source).name, graph.index_of(source), weight, port, term)


def _differences(
    in_file: Counter[InEdge], in_model: Counter[InEdge]
) -> tuple[tuple[InEdge, ...], tuple[InEdge, ...], tuple[tuple[InEdge, InEdge], ...]]:
    """What is missing, what there is too much, and pairs that differ in nothing but the weight."""
    missing: dict[tuple[int, int | None, int | None], list[InEdge]] = defaultdict(list)
    for edge in (in_model - in_file).elements():
        missing[edge.source, edge.port, edge.term].append(edge)
    extra, changed = [], []
    for edge in (in_file - in_model).elements():
        same = missing[edge.source, edge.port, edge.term]
        if same:
            changed.append((edge, same.pop(0)))
        else:
            extra.append(edge)
    return tuple(edge for edges in missing.values() for edge in edges), tuple(extra), tuple(changed)
