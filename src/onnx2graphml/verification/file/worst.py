"""The worst neuron of a layer that failed: its in-edges in the file beside those that the model has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onnx2graphml.formats import reading
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.verification.file.matched import Matched
from onnx2graphml.verification.report import InEdge, Row, Worst


def worst_neurons(graph: NeuronGraph, path: str | Path, rows: Sequence[Row]) -> tuple[Worst, ...]:
    """The in-edges of the neurons that rows of `verify_file`'s report call the worst.

    The file is read once for all of them; of its edges only those into these neurons are kept.

    Args:
        graph, path: as for `verify_file`.
        rows: of its report.

    Raises:
        Error: as `verify_file`; or a row is of no layer.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> report = onnx2graphml.verify_file(graph, "damaged.graphml")  # doctest: +SKIP
        >>> failed = [row for row in report.rows if not row.passed]  # doctest: +SKIP
        >>> worst_neurons(graph, "damaged.graphml", failed)[0].missing  # doctest: +SKIP
    """
    ids = [graph.layer(row.layer).first_id + row.worst for row in rows]
    in_file: dict[int, list[InEdge]] = {neuron: [] for neuron in ids}
    with reading.open_graph(path) as file:
        matched = Matched.of_file(graph, file, path)
        kinds = {neuron: np.float32 if matched.single[neuron] else np.float64 for neuron in ids}
        for edges in matched.edges(file.edges()):
            into = np.flatnonzero(np.isin(edges.target, ids))
            ends = edges.source[into].tolist(), edges.target[into].tolist(), edges.weight[into]
            ports = ([None if n < 0 else n for n in column[into].tolist()] for column in (edges.port, edges.term))
            for source, target, weight, port, term in zip(*ends, *ports, strict=True):
                in_file[target].append(_in_edge(graph, source, kinds[target](weight), port, term))
    return tuple(_worst(graph, neuron, kinds[neuron], in_file[neuron]) for neuron in ids)


def _worst(graph: NeuronGraph, neuron: int, kind: Callable[[Any], np.floating[Any]], in_file: list[InEdge]) -> Worst:
    layer = graph.layer_of(neuron)
    edges = _model_edges(graph, layer, neuron - layer.first_id)
    in_model = [_in_edge(graph, s, kind(w), p, t) for s, w, p, t in edges]
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
