"""Estimates against what is written, and refusals before anything is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml import cli
from onnx2graphml.errors import TooLargeError
from onnx2graphml.formats import estimate
from onnx2graphml.formats.registry import FORMATS
from onnx2graphml.graph.axes import relation, same, window
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import NeuronGraph

DIGITS = Path(__file__).parent.parent / "fixtures" / "digits.onnx"


@pytest.fixture(scope="module")
def graph() -> NeuronGraph:
    return o2g.load(DIGITS)


def size_on_disk(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(f.stat().st_size for f in files if f.is_file())


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_estimated_size_is_near_the_real_one(
    graph: NeuronGraph, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "TRIED_EDGES", 1 << 11)  # so that something is extrapolated
    monkeypatch.setattr(estimate, "TRIED_NODES", 1 << 9)
    o2g.write(graph, tmp_path / f"digits{suffix}")
    real = size_on_disk(tmp_path / f"digits{suffix}")
    compressed = suffix in (".parquet", ".npz") or suffix.endswith((".gz", ".zst"))
    assert estimate.estimate(graph, suffix).bytes == pytest.approx(real, rel=0.8 if compressed else 0.1)


def test_nothing_large_is_written_to_estimate(graph: NeuronGraph) -> None:
    """A million times the edges take no longer to estimate: the count is only a factor."""
    many = EdgeBlock((same(10**6).strided(1, 1), relation(0, 0, np.zeros(10**5, int))), np.ones(1, np.float32))
    part = estimate.middle(many, 1000)
    assert many.count == 10**11
    assert 100 <= part.count <= 10**5


@pytest.mark.parametrize("edges", [1, 7, 50, 1000])
def test_the_middle_is_a_run_of_the_blocks_order(edges: int) -> None:
    axis = window(input=6, output=6, kernel=3, pad=1)
    block = EdgeBlock((same(4).strided(36, 36, 9), axis.strided(6, 6, 3), axis), np.arange(36, dtype=np.float32))
    every = [
        e for c in block.expand() for e in zip(c.source.tolist(), c.target.tolist(), c.weight.tolist(), strict=True)
    ]
    part = [
        e
        for c in estimate.middle(block, edges).expand()
        for e in zip(c.source.tolist(), c.target.tolist(), c.weight.tolist(), strict=True)
    ]
    assert 1 <= len(part) <= max(edges, 1)
    first = every.index(part[0])
    assert every[first : first + len(part)] == part


def test_too_many_edges_are_refused(graph: NeuronGraph) -> None:
    estimate.check_edges(graph, None)
    estimate.check_edges(graph, graph.edges)
    with pytest.raises(TooLargeError, match=r"25,816 edges, more than --max-edges 25,815; layer 'conv2' .*--top-k"):
        estimate.check_edges(graph, graph.edges - 1)


def test_a_full_disk_is_told_before_writing(
    graph: NeuronGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    estimate.check_room(graph, tmp_path / "x.graphml", estimate.Cost(1100, 1))  # within the estimate's own error
    with pytest.raises(TooLargeError, match=r"would take about 5 kB, and the disk has 1 kB free; layer 'conv2'"):
        estimate.check_room(graph, tmp_path / "x.graphml", estimate.Cost(5000, 1))
    estimate.check_room(graph, tmp_path / "nowhere" / "x.graphml", estimate.Cost(5000, 1))  # for the writer to refuse
    os.mkfifo(tmp_path / "pipe.graphml")
    estimate.check_room(graph, tmp_path / "pipe.graphml", estimate.Cost(5000, 1))  # what reads it has the room


def test_the_command_line_refuses_and_estimates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "digits.graphml"
    assert cli.main([str(DIGITS), str(out), "--max-edges", "100"]) == 2
    assert capsys.readouterr().err.startswith("onnx2graphml: error: the graph has 25,816 edges, more than --max-edges")
    assert cli.main([str(DIGITS), str(out), "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("3,738 nodes, 25,816 edges: about 2.8")
    assert not out.exists()
    monkeypatch.setattr("onnx2graphml.api.graphs.WORTH_AN_ESTIMATE", 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert cli.main([str(DIGITS), str(out)]) == 2
    assert "the disk has 1 kB free" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_info_gives_sizes_and_counts_of_less(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", str(DIGITS), "--sizes", "--layers", "conv1:", "--top-k", "1"]) == 0
    out = capsys.readouterr().out
    for suffix in FORMATS:
        assert f"\n{suffix}" in out
    part = o2g.select(DIGITS, "conv1:", top_k=1)
    assert f"{part.edges:,}" in out
    assert "image" not in out
