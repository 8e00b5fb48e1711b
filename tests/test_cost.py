"""Estimates against what is written, and refusals before anything is."""

from __future__ import annotations

import itertools
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml import cli
from onnx2graphml.errors import TooLargeError
from onnx2graphml.formats import estimate, samples
from onnx2graphml.formats.registry import WRITTEN
from onnx2graphml.graph.axes import relation, same, window
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import NeuronGraph
from small import model, node, weights

DIGITS = Path(__file__).parent.parent / "fixtures" / "digits.onnx"


@pytest.fixture(scope="module")
def graph() -> NeuronGraph:
    return o2g.load(DIGITS)


def size_on_disk(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(f.stat().st_size for f in files if f.is_file())


def network(side: int, *steps: tuple[str, int], dense: tuple[int, ...]) -> NeuronGraph:
    """Convolutions and pools, each step with its channels, and dense layers behind them."""
    nodes, constants, tensor, channels, picture = [], {}, "x", 3, side

    def then(op: str, *shape: int, **attributes: Any) -> None:
        nonlocal tensor
        inputs, name = tensor, f"{op}{len(nodes)}"
        if shape:
            constants[f"w{len(nodes)}"] = weights(*shape, seed=len(nodes))
            inputs = f"{tensor} w{len(nodes)}"
        nodes.append(node(op, inputs, name, **attributes))
        tensor = name

    for kind, out in steps:
        if kind == "pool":
            then("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
            side //= 2
        elif kind == "depthwise":
            then("Conv", out, 1, 3, 3, pads=[1] * 4, group=channels)
        else:
            then("Conv", out, channels, *[1 if kind == "point" else 3] * 2, pads=[int(kind == "full")] * 4)
        then("Relu")
        channels = out
    then("Flatten")
    for fan_in, out in itertools.pairwise((channels * side**2, *dense)):
        then("MatMul", fan_in, out)
    return o2g.load(model(nodes, {"x": (1, 3, picture, picture)}, constants, (tensor,)))


def depthwise() -> NeuronGraph:
    """As MobileNet."""
    twice = [("depthwise", 16), ("point", 32), ("depthwise", 32), ("point", 16)]
    return network(16, ("full", 16), *twice, ("pool", 16), ("pool", 16), dense=(500,))


def vgg() -> NeuronGraph:
    """As VGG16."""
    steps = [(kind, 4 << k) for k in range(4) for kind in ("full", "full", "pool")]
    return network(32, *steps, dense=(256, 256, 100))


@pytest.fixture(scope="module")
def networks() -> dict[str, NeuronGraph]:
    return {
        "digits": o2g.load(DIGITS),
        "residual": o2g.load(DIGITS.with_name("residual.onnx")),
        "depthwise": depthwise(),
        "vgg": vgg(),
    }


def of_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small graphs are written as they are; here they are sampled as large ones."""
    monkeypatch.setattr(estimate, "WHOLE", 0)
    monkeypatch.setattr(estimate, "TRIED_RUNS", 4)
    monkeypatch.setattr(estimate, "TRIED_NODES", 1 << 11)


@pytest.mark.slow
def test_the_sizes_of_small_graphs_are_exact(networks: dict[str, NeuronGraph], tmp_path: Path) -> None:
    for suffix in WRITTEN:
        path = tmp_path / f"digits{suffix}"
        o2g.write(networks["digits"], path)
        assert o2g.estimate(networks["digits"], suffix).bytes == pytest.approx(size_on_disk(path), rel=0.01)


def test_the_estimate_of_a_network_made_again(networks: dict[str, NeuronGraph], tmp_path: Path) -> None:
    for name in ("digits", "residual"):
        made = o2g.to_onnx(networks[name], tmp_path / "again.onnx")
        found = o2g.estimate(networks[name], str(tmp_path / "again.onnx"))
        assert found.bytes == pytest.approx(made.ByteSize(), rel=0.25)
        assert 0 < found.seconds < 1
        assert o2g.estimate(networks[name], ".ONNX").bytes == found.bytes
    with pytest.raises(o2g.Error, match=r"labels are for GraphML; leave them out of an \.onnx file"):
        o2g.estimate(networks["digits"], ".onnx", labels=True)


@pytest.mark.parametrize(
    "name", ["digits", "vgg", *(pytest.param(n, marks=pytest.mark.slow) for n in ("residual", "depthwise"))]
)
@pytest.mark.parametrize("suffix", WRITTEN)
def test_the_estimated_size_is_near_the_real_one(
    networks: dict[str, NeuronGraph], name: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_samples(monkeypatch)
    o2g.write(networks[name], tmp_path / f"graph{suffix}")
    found = estimate.estimate(networks[name], suffix)
    assert found.bytes == pytest.approx(size_on_disk(tmp_path / f"graph{suffix}"), rel=0.25)
    assert found.bytes == estimate.estimate(networks[name], suffix).bytes


@pytest.mark.slow
def test_the_largest_block_alone_is_no_estimate(
    networks: dict[str, NeuronGraph], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a convolution's edges are compressed to nothing, a dense layer's are not."""
    of_samples(monkeypatch)
    monkeypatch.setattr(samples, "WEIGHT", 0)
    monkeypatch.setattr(estimate, "TRIED_KINDS", 1)
    path = tmp_path / "graph.parquet"
    o2g.write(networks["vgg"], path)
    assert estimate.estimate(networks["vgg"], ".parquet").bytes < 0.75 * size_on_disk(path)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".graphml", ".parquet"])
def test_the_estimated_time_is_near_the_real_one(
    networks: dict[str, NeuronGraph], suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_samples(monkeypatch)
    found = estimate.work(networks["vgg"], suffix)
    start = time.process_time()
    o2g.write(networks["vgg"], tmp_path / f"graph{suffix}")
    assert 1 / 3 < found.seconds / (time.process_time() - start) < 3


def test_the_time_is_shared_among_threads_but_not_the_disks(
    networks: dict[str, NeuronGraph], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "work", lambda *_: estimate.Cost(1e9, 8.0))
    monkeypatch.setattr(estimate, "disk_of", lambda _: estimate.Disk(1e9, 0))
    graph = networks["digits"]
    assert o2g.estimate(graph, ".graphml", jobs=4).seconds == 2
    assert o2g.estimate(graph, ".npz", jobs=4).seconds == 8  # takes one thread
    monkeypatch.setattr(estimate, "disk_of", lambda _: estimate.Disk(1e8, 2e-9))
    assert o2g.estimate(graph, ".graphml", jobs=4).seconds == 10
    assert o2g.estimate(graph, ".npz", jobs=4).seconds == 10  # 8, and 2 to hand 10^9 bytes to the system
    assert o2g.estimate(graph, ".parquet", jobs=1).seconds == 10  # is tried with the system's part


def test_the_disk_is_tried(tmp_path: Path) -> None:
    speed, busy = estimate.disk_of(tmp_path)
    assert 1e5 < speed < 1e12
    assert 1e-13 < busy < 1e-6
    assert list(tmp_path.iterdir()) == []
    assert estimate.disk_of(tmp_path / "nowhere") == (float("inf"), 0)


def test_labels_are_part_of_the_estimate(networks: dict[str, NeuronGraph]) -> None:
    plain, labelled = (o2g.estimate(networks["digits"], ".graphml", labels=x).bytes for x in (False, True))
    assert labelled > plain + 3738 * 50


def test_what_a_format_cannot_hold_is_said() -> None:
    both = o2g.load(model([node("Div", "x x", "y")], {"x": (1, 4)}))
    assert "several edges between the same two neurons" in str(o2g.estimates(both)[".npz"])
    assert str(o2g.estimates(both)[".graphml"]).startswith("about ")


def test_nothing_large_is_written_to_estimate(graph: NeuronGraph) -> None:
    """A million times the edges take no longer to estimate: the count is only a factor."""
    many = EdgeBlock((same(10**6).strided(1, 1), relation(0, 0, np.zeros(10**5, int))), np.ones(1, np.float32))
    part = samples.middle(many, 1000)
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
        for c in samples.middle(block, edges).expand()
        for e in zip(c.source.tolist(), c.target.tolist(), c.weight.tolist(), strict=True)
    ]
    assert 1 <= len(part) <= max(edges, 1)
    first = every.index(part[0])
    assert every[first : first + len(part)] == part


def test_too_many_edges_are_refused(graph: NeuronGraph) -> None:
    estimate.check_edges(graph, None)
    estimate.check_edges(graph, graph.edges)
    with pytest.raises(TooLargeError, match=r"25,816 edges, more than the limit of 25,815; layer 'conv2' .*top-k"):
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
    assert capsys.readouterr().err.startswith("onnx2graphml: error: the graph has 25,816 edges, more than the limit of")
    assert cli.main([str(DIGITS), str(out), "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("3,738 nodes, 25,816 edges: about 2.8")
    assert not out.exists()
    monkeypatch.setattr("onnx2graphml.api.graphs.WORTH_AN_ESTIMATE", 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert cli.main([str(DIGITS), str(out)]) == 2
    assert "the disk has 1 kB free" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_info_gives_sizes_and_counts_of_less(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", str(DIGITS), "--sizes", "--layers", "conv1:", "--top-k", "1"]) == 0
    out = capsys.readouterr().out
    for suffix in WRITTEN:
        assert f"\n{suffix}" in out
    part = o2g.select(DIGITS, "conv1:", top_k=1)
    assert f"{part.edges:,}" in out
    assert "image" not in out
