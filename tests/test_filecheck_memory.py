"""What `verify` of a file keeps in memory."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from damage.graphs import graph_of
from onnx2graphml.api import verify_file
from onnx2graphml.formats import writing
from onnx2graphml.formats.found import FoundLayer
from onnx2graphml.formats.reading import open_graph
from onnx2graphml.verification.file.freed import return_freed
from onnx2graphml.verification.file.matched import Matched
from test_resaved_graphml import by_igraph_in_another_order, small_graph


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    path = tmp_path / "ours.graphml"
    writing.write(small_graph(), path)
    return path


def test_nodes_are_forgotten(ours: Path) -> None:
    with open_graph(ours) as file:
        file.about()
        found: list[FoundLayer] = file.layers()
    layers = len(found)
    matched = Matched.of(small_graph(), found, ours)
    assert (layers, len(matched.found), found) == (len(small_graph().layers), layers, [])


def test_places_are_kept_only_where_ids_are_others(ours: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.graphml"
    by_igraph_in_another_order(ours, theirs)
    places = []
    for path in (ours, theirs):
        with open_graph(path) as file:
            places.append(Matched.of_file(small_graph(), file, path).place)
    assert places[0] is None
    assert places[1] is not None
    assert sorted(places[1].tolist()) == list(range(small_graph().neurons))
    assert verify_file(small_graph(), theirs).passed


def test_biases_are_the_models_where_they_are_the_same(tmp_path: Path) -> None:
    graph, path = graph_of("digits"), tmp_path / "a.parquet"
    writing.write(graph, path)
    with open_graph(path) as file:
        biases = Matched.of_file(graph, file, path).biases
    for layer, found in zip(graph.layers, biases, strict=True):
        assert found.size == layer.neurons
        assert np.isnan(found).all() if layer.bias is None else np.shares_memory(found, layer.bias)


@pytest.mark.skipif(sys.platform != "linux", reason="how much memory a process has is read from /proc")
def test_freed_memory_is_returned() -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    arrays = [np.ones(10_000) for _ in range(1000)]
    kept = arrays[::50]
    before = resident()
    del arrays
    return_freed()
    assert before - resident() > 50_000_000
    assert len(kept) == 20
