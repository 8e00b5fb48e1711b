"""The worst neuron of a layer that failed: its in-edges in the file, and how they differ from the model's."""

from __future__ import annotations

import dataclasses
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from onnx2graphml.api import verify_file
from onnx2graphml.errors import Error
from onnx2graphml.formats import registry, writing
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.verification.file import check
from onnx2graphml.verification.file.matched import Matched
from onnx2graphml.verification.file.worst import worst_neurons
from onnx2graphml.verification.report import InEdge, Row, Worst
from test_filecheck import graph_of

LAYER = "conv2"
Change = Callable[[Axis, np.ndarray], tuple[Axis, np.ndarray]]


def damaged(graph: NeuronGraph, name: str, change: Change) -> NeuronGraph:
    """The graph with other edges into one layer: the block's, one by one, and a weight for each."""

    def wrong(layer: Layer) -> Layer:
        first, *others = layer.incoming
        edges = ax.product(first.block.axes)
        every = Axis(edges.source, edges.target, np.arange(len(edges)))
        axis, weights = change(every, first.block.weights[edges.tap])
        block = EdgeBlock((axis,), weights)
        return dataclasses.replace(layer, incoming=(dataclasses.replace(first, block=block), *others))

    layers = tuple(wrong(layer) if layer.name == name else layer for layer in graph.layers)
    return dataclasses.replace(graph, layers=layers)


def failed(graph: NeuronGraph, path: Path) -> Row:
    (row,) = (row for row in verify_file(graph, path).rows if not row.passed)
    return row


def worst_of(change: Change, suffix: str, folder: Path, name: str = LAYER, model: str = "digits") -> Worst:
    graph, path = graph_of(model), folder / f"a{suffix}"
    writing.write(damaged(graph, name, change), path)
    found = worst_neurons(graph, path, [failed(graph, path)])[0]
    assert found.layer == name
    assert graph.neuron(name, found.index) == found.id
    return found


def as_tuples(edges: tuple[InEdge, ...]) -> set[tuple[int, float, int | None]]:
    return {(edge.source, float(edge.weight), edge.port) for edge in edges}


def larger(edges: Axis, weights: np.ndarray) -> tuple[Axis, np.ndarray]:
    return edges, np.where(np.arange(len(weights)) == 40, 9, weights).astype(weights.dtype)


def fewer(edges: Axis, weights: np.ndarray) -> tuple[Axis, np.ndarray]:
    return edges[np.arange(len(edges)) != int(np.abs(weights).argmax())], weights


def elsewhere(edges: Axis, weights: np.ndarray) -> tuple[Axis, np.ndarray]:
    """The largest edge comes from another neuron, which sends none to its target before."""
    at = int(np.abs(weights).argmax())
    free = np.setdiff1d(np.unique(edges.source), edges.source[edges.target == edges.target[at]])
    source = edges.source.copy()
    source[at] = free[-1]
    return Axis(source, edges.target, edges.tap), weights


@pytest.mark.slow
@pytest.mark.parametrize("suffix", registry.FORMATS)
def test_all_in_edges_are_those_of_the_graph(suffix: str, tmp_path: Path) -> None:
    graph, found = graph_of("digits"), worst_of(larger, suffix, tmp_path)
    edges = graph.in_edges(found.id)
    assert [e.source for e in found.in_model] == edges.source.tolist()
    assert [e.weight for e in found.in_model] == edges.weight.tolist()
    assert [graph.neuron(e.layer, e.index) for e in found.in_model] == edges.source.tolist()
    ((mine, theirs),) = found.changed
    assert (mine.source, mine.weight) == (theirs.source, 9)
    assert as_tuples(found.in_file) - as_tuples(found.in_model) == as_tuples((mine,))
    assert as_tuples(found.in_model) - as_tuples(found.in_file) == as_tuples((theirs,))
    assert found.missing == found.extra == ()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".graphml", ".neo4j.csv", ".npz"])
def test_missing_and_extra_edges(suffix: str, tmp_path: Path) -> None:
    lost = worst_of(fewer, suffix, tmp_path)
    assert (len(lost.missing), lost.extra, lost.changed) == (1, (), ())
    assert as_tuples(lost.in_model) - as_tuples(lost.in_file) == as_tuples(lost.missing)
    moved = worst_of(elsewhere, suffix, tmp_path)
    assert (len(moved.missing), len(moved.extra), moved.changed) == (1, 1, ())
    assert moved.missing[0].weight == moved.extra[0].weight
    assert moved.missing[0].source != moved.extra[0].source


def test_ports_belong_to_an_edge(tmp_path: Path) -> None:
    found = worst_of(lambda e, w: (e, np.full(len(e), 2, w.dtype)), ".graphml", tmp_path, "the_d", "ports")
    assert sorted(e.port for e in found.in_file if e.port is not None) == [0, 1]
    ((mine, theirs),) = found.changed
    assert (mine.port, mine.weight, theirs.weight) == (0, 2, 1)
    assert "port 0 in the model 1.0" in str(found)


def test_where_values_agree_it_is_the_first_whose_edges_differ(tmp_path: Path) -> None:
    """An edge from a neuron that is 0 for this input changes no value."""
    graph, path = graph_of("digits"), tmp_path / "a.parquet"
    inputs = {"image": np.zeros((1, 8, 8, 1), np.float32)}

    def more(edges: Axis, weights: np.ndarray) -> tuple[Axis, np.ndarray]:
        return edges, np.where(edges.target == 700, weights + 1, weights).astype(weights.dtype)

    writing.write(damaged(graph, "conv1", more), path)
    (row,) = (row for row in verify_file(graph, path, inputs).rows if not row.passed)
    assert (row.layer, row.share <= 1, row.worst) == ("conv1", True, 700)
    found = worst_neurons(graph, path, [row])[0]
    assert len(found.changed) == len(found.in_model) == len(found.in_file)


def test_what_is_printed(tmp_path: Path) -> None:
    text = worst_of(larger, ".gephi.csv", tmp_path).text(3).splitlines()
    assert text[0].startswith("n")
    assert text[0].endswith("96 in-edges in the file, 96 in the model")
    assert text[1] == "in the file: 96"
    assert text[7] == "  and 93 more"
    assert text[8] == "of another weight: 1"
    assert "9.0" in text[-1]
    assert "in the model" in text[-1]
    assert not any(line.startswith("only in") for line in text)
    both = str(worst_of(elsewhere, ".gephi.csv", tmp_path))
    assert "only in the file: 1" in both
    assert "only in the model: 1" in both


def test_a_row_of_no_layer_is_refused(tmp_path: Path) -> None:
    graph, path = graph_of("digits"), tmp_path / "a.npz"
    writing.write(graph, path)
    row = dataclasses.replace(verify_file(graph, path).rows[0], layer="prediction of digit")
    with pytest.raises(Error, match="no layer is named 'prediction of digit'"):
        worst_neurons(graph, path, [row])


def test_only_that_neurons_edges_are_kept(tmp_path: Path) -> None:
    graph, path = graph_of("residual"), tmp_path / "a.npz"
    writing.write(graph, path)
    row = verify_file(graph, path).rows[0]
    worst_neurons(graph, path, [row])
    tracemalloc.start()
    try:
        found = worst_neurons(graph, path, [row])[0]
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert found.in_file == found.in_model
    assert kept < 200_000


@pytest.mark.slow
@pytest.mark.parametrize("inputs", [["random"], ["random", "zeros", "ties"]])
def test_a_file_is_read_once_whatever_the_number_of_inputs(
    tmp_path: Path, inputs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its edges: once, and once more for the worst neurons of all layers that differ."""
    graph, good, bad = graph_of("digits"), tmp_path / "a.graphml", tmp_path / "b.graphml"
    writing.write(graph, good)
    writing.write(damaged(damaged(graph, LAYER, larger), "conv1", larger), bad)
    passes: list[Path] = []
    fingerprints: list[object] = []
    edges = Matched.edges
    monkeypatch.setattr(Matched, "edges", lambda self, found: passes.append(self.path) or edges(self, found))
    whole = check.model_fingerprints
    monkeypatch.setattr(check, "model_fingerprints", lambda *given: fingerprints.append(given) or whole(*given))
    assert verify_file(graph, good, inputs, worst=3).passed
    assert passes == [good]
    report = verify_file(graph, bad, inputs, worst=3)
    assert passes == [good, bad, bad]
    assert len(fingerprints) == 2 * len(graph.layers)
    assert [found.layer for found in report.worst] == [row.layer for row in report.rows if not row.passed]
    assert len(report.worst) == 2
    assert not verify_file(graph, bad, inputs).worst


def test_the_rows_of_several_inputs_are_the_worst_of_each(tmp_path: Path) -> None:
    graph, path = graph_of("digits"), tmp_path / "a.npz"
    writing.write(damaged(graph, LAYER, larger), path)
    together = verify_file(graph, path, ["zeros", "random"], seed=4)
    apart = {name: verify_file(graph, path, name, seed=4 + k) for k, name in enumerate(("zeros", "random"))}
    for at, row in enumerate(together.rows):
        assert row.share == max(report.rows[at].share for report in apart.values())
        assert row.input in ("zeros", "random 5")
