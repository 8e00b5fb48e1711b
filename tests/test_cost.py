"""Estimates against what is written, and refusals before anything is."""

from __future__ import annotations

import dataclasses
import errno
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
from onnx2graphml.compiled import many
from onnx2graphml.errors import OutputError, TooLargeError
from onnx2graphml.export import speed
from onnx2graphml.export.estimate import amounts
from onnx2graphml.files import disk, temporary
from onnx2graphml.formats import estimate, samples, trial, work
from onnx2graphml.formats.registry import WRITTEN
from onnx2graphml.graph.axes import relation, same, window
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import NeuronGraph
from small import model, node, weights

DIGITS = Path(__file__).parent.parent / "fixtures" / "digits.onnx"

ESTIMATED_FAST = (".npz", ".dot")
"""The formats that the fast tests write for a comparison: one of arrays, and one of text."""


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


@pytest.fixture(scope="module")
def large() -> NeuronGraph:
    """Several million edges: enough to be timed."""
    return network(64, *[(k, 8 << i) for i in range(3) for k in ("full", "pool")], dense=(500,))


def of_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small graphs are written as they are; here they are sampled as large ones."""
    monkeypatch.setattr(work, "WHOLE", 0)
    monkeypatch.setattr(work, "TRIED_RUNS", 4)
    monkeypatch.setattr(work, "TRIED_NODES", 1 << 11)
    monkeypatch.setattr(work, "PATIENCE", 0)


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
@pytest.mark.parametrize(
    "suffix", [s if s in ESTIMATED_FAST else pytest.param(s, marks=pytest.mark.slow) for s in WRITTEN]
)
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
    monkeypatch.setattr(work, "TRIED_KINDS", 1)
    path = tmp_path / "graph.parquet"
    o2g.write(networks["vgg"], path)
    assert estimate.estimate(networks["vgg"], ".parquet").bytes < 0.75 * size_on_disk(path)


def price(graph: NeuronGraph) -> float:
    """Seconds that a machine would take whose speed never changes: edges of each kind have a price of their own."""
    taken = 2e-3 + 1e-4 * len(graph.layers) + 3e-7 * graph.neurons
    for layer in graph.layers:
        for incoming in layer.incoming:
            axes = incoming.block.axes
            taken += incoming.block.count * 1e-8 * (1 + len(axes) + 9 * (incoming.port is not None))
    return taken


@pytest.mark.parametrize("suffix", [".graphml", ".parquet", ".neo4j.csv", ".npz"])
@pytest.mark.parametrize("tried", [work.TRIED_KINDS, 1])
def test_the_estimated_time_of_processors_on_a_machine_of_one_speed(
    large: NeuronGraph, suffix: str, tried: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: one kind of edges alone is no estimate."""
    monkeypatch.setattr(trial.Trials, "_taken", lambda self, write, graph: trial.Taken(0, price(graph), price(graph)))
    monkeypatch.setattr(work, "TRIED_KINDS", tried)
    found = work.work(large, suffix, tmp_path)
    assert (found.all.busy == pytest.approx(price(large), rel=0.02)) == (tried > 1)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".graphml", ".graphml.gz", ".parquet", ".neo4j.csv", ".npz", ".gml"])
def test_the_estimated_time_of_processors_is_near_the_real_one(large: NeuronGraph, suffix: str, tmp_path: Path) -> None:
    """Within what other work makes of it: it changes the speed of a processor by half from one second to the next.

    How near it is on a machine without other work, `tools/estimates.py` tells.
    """
    found = work.work(large, suffix, tmp_path)
    start = time.process_time()
    o2g.write(large, tmp_path / f"graph{suffix}")
    assert 1 / 3 < found.all.busy / (time.process_time() - start) < 3


@pytest.mark.slow
def test_the_start_alone_is_no_estimate_of_time(large: NeuronGraph, tmp_path: Path) -> None:
    """The control: what has few edges takes a small part of the time."""
    found = work.work(large, ".graphml", tmp_path)
    assert found.start.busy < 0.2 * found.all.busy


def test_the_time_of_a_small_graph_is_that_of_writing_it(
    networks: dict[str, NeuronGraph], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that happens once is in it: here, that the disk is slow to say that all is written."""
    target, sync = str(tmp_path / "x.graphml"), os.fsync

    def slow(descriptor: int) -> None:
        time.sleep(0.5)
        sync(descriptor)

    assert min(o2g.estimate(networks["digits"], target).seconds for _ in range(3)) < 0.5  # the control
    monkeypatch.setattr(os, "fsync", slow)
    assert o2g.estimate(networks["digits"], target).seconds > 0.5
    assert list(tmp_path.iterdir()) == []


def test_what_is_loaded_at_first_use_is_counted_once(large: NeuronGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for each edge of which it was met: here, each kind of graph takes a minute more the first time."""
    seen: set[int] = set()

    def taken(_: object, write: object, graph: NeuronGraph) -> trial.Taken:
        amount = graph.edges + graph.neurons
        first = 0 if amount in seen else 60
        seen.add(amount)
        return trial.Taken(100 * amount, first + 1e-6 * amount, first + 1e-6 * amount)

    monkeypatch.setattr(trial.Trials, "_taken", taken)
    monkeypatch.setattr(work, "loading", lambda: 7.0)
    found = work.work(large, ".graphml.gz", Path())
    assert found.loading == pytest.approx(67)
    assert found.all.busy == pytest.approx(1e-6 * (large.edges + large.neurons), rel=0.1)
    assert estimate.estimate(large, ".graphml.gz").seconds > 7  # in a process that has loaded it, too


def test_what_is_compiled_for_the_process_that_writes_is_not_counted(
    graph: NeuronGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds it in the cache; here, the clock says that each graph took a minute of compiling."""
    minutes = itertools.count(0, 60)
    monkeypatch.setattr(trial, "compiling", lambda: next(minutes))
    with trial.trials(".graphml", tmp_path) as write:
        found = write.part(graph)
    assert (found.busy, found.seconds) == (0, 0)
    assert found.bytes > 10**6


@pytest.mark.parametrize("name", ["digits", "vgg"])
def test_the_time_of_a_network_is_that_of_what_it_consists_of(
    networks: dict[str, NeuronGraph], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rates that nobody told it are found again; what is loaded at first is not multiplied."""
    rates = {"layers": 1e-3, "neurons": 2e-7, "window": 3e-6, "matrix": 4e-7, "single": 5e-6}

    def cost(graph: NeuronGraph) -> float:
        return sum(rate * getattr(amounts(graph), unit) for unit, rate in rates.items())

    monkeypatch.setattr(speed, "times_of", lambda graph: (cost(graph) + 9, cost(graph)))
    monkeypatch.setattr(speed, "copying", lambda: 1e-9)
    monkeypatch.setattr(speed, "COPIED", 0)
    monkeypatch.setattr(speed, "tried", speed.tried.__wrapped__)
    loading, making = speed.seconds(networks[name])
    assert loading == 9 * sum(getattr(amounts(networks[name]), unit) > 0 for unit in rates)
    assert making == pytest.approx(cost(networks[name]) + 1e-9 * amounts(networks[name]).bytes, rel=0.01)


@pytest.mark.slow
def test_each_kind_of_a_networks_parts_is_tried() -> None:
    """What is tried has much of what it is tried for, and the file can be made of it."""
    for unit, tried in speed.TRIED.items():
        graph = tried()
        assert getattr(amounts(graph), unit) > 0
        assert amounts(graph).bytes == pytest.approx(graph.to_onnx().ByteSize(), rel=0.4, abs=300)
    assert 0 < speed.copying() < 1e-6


def test_what_threads_share_and_what_they_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "processors", lambda: 2)
    one = work.Taken(busy=1)
    found = work.Work(one, one, ((one * 4, 40), (one * 2, 20), (one * 0, 0)), pace=0.5)
    assert found.all.busy == 8
    assert found.made_in(None, 2) == 3.5  # the pace says how many are busy
    alone = dataclasses.replace(found, pace=1)
    assert alone.made_in(100, 1) == 7
    assert alone.made_in(100, 2) == 4  # a file of 4, beside the nodes and one of 2
    assert alone.made_in(100, 8) == 4  # no more than there are processors
    assert alone.made_in(30, 2) == 4  # files of 3 and 1, beside the nodes and one of 2
    assert alone.made_in(10, 2) == 4  # six of 1 and the nodes: one has four of them


def test_the_disk_writes_while_more_is_made_once_memory_is_full() -> None:
    endless = disk.Disk(speed=100)
    assert endless.seconds(0, 2) == 2
    assert endless.seconds(400, 2) == 6  # all at the end
    assert disk.Disk(100, held=40).seconds(400, 2) == 4.2  # the disk is slower
    assert disk.Disk(100, held=40).seconds(400, 20) == 20.4  # and faster
    assert disk.Disk(100, age=5).seconds(400, 20) == 21  # memory has room, but what it holds gets old
    assert disk.Disk(float("inf")).seconds(400, 20) == 20


def test_the_disk_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_known", {})
    found = disk.disk_of(tmp_path)
    assert 1e5 < found.speed < 1e12
    assert found.held > 1e6
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(disk, "_speed", lambda _: 1.0)
    (tmp_path / "a").mkdir()
    assert disk.disk_of(tmp_path / "a") == found
    monkeypatch.setattr(disk, "_known", {})
    assert disk.disk_of(tmp_path).speed == 1  # the control
    assert disk.disk_of(tmp_path / "nowhere") == disk.Disk(float("inf"))


def test_a_disk_that_other_work_slows_down_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = iter([1.0, 9.0, 2.0, 3.0, 10.0, 50.0])
    monkeypatch.setattr(disk, "_speed", lambda _: next(speeds))
    assert disk._best(tmp_path) == 10  # beside 9; 50 is not waited for
    speeds = iter([1.0, 50.0, *[2.0] * 10])
    monkeypatch.setattr(disk, "PATIENCE", 0)
    assert disk._best(tmp_path) == 50


def test_what_the_system_holds_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(disk, "SETTINGS", tmp_path)
    assert disk._patience() == (float("inf"), float("inf"))  # no Linux
    (tmp_path / "meminfo").write_text("MemTotal: 4000 kB\nMemAvailable:   1000 kB\n")
    settings = {"dirty_background_bytes": 0, "dirty_background_ratio": 10, "dirty_expire_centisecs": 3000}
    for name, value in settings.items():
        (tmp_path / name).write_text(f"{value}\n")
    assert disk._patience() == (102400, 30)
    (tmp_path / "dirty_background_bytes").write_text("7\n")
    assert disk._patience() == (7, 30)


def test_where_nothing_can_be_written_the_systems_folder_is_taken(tmp_path: Path) -> None:
    with temporary.trial_folder(tmp_path) as folder:
        assert folder.parent == tmp_path
        temporary.clean(tmp_path)
        assert folder.exists()  # it is in use
    assert not folder.exists()
    with temporary.trial_folder(tmp_path / "nowhere") as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_parts_stay_for_a_while(graph: NeuronGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with trial.trials(".graphml", tmp_path) as write:
        assert write.part(graph) != write.part(graph)
        assert len(list(write.folder.iterdir())) == 2
        monkeypatch.setattr(trial, "KEPT", 0)
        assert write.whole(graph).bytes == write.part(graph).bytes > 10**6
        assert len(list(write.folder.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_what_is_tried_does_not_count_as_much_to_do(
    networks: dict[str, NeuronGraph], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a small graph would be written by loops that are loaded for it alone, after it has been estimated."""
    monkeypatch.setattr(many, "done", 0)
    monkeypatch.setattr(many, "few", 100_000)
    o2g.estimate(networks["digits"], ".graphml")
    assert many.done == 0
    monkeypatch.setattr(many, "few", 10_000)
    o2g.estimate(networks["digits"], ".graphml")
    assert many.done > many.few  # a large one is written by them


def test_a_full_disk_is_told_while_parts_are_written(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="can't write a small part for an estimate: No space left on device; free"),
        trial.trials(".graphml", tmp_path),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_disk_with_plenty_of_room_needs_no_estimate(
    graph: NeuronGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for suffix, format in WRITTEN.items():
        bound = format.most * graph.edges + estimate.NODE * graph.neurons
        assert o2g.estimate(graph, suffix).bytes < 0.5 * bound
        for free, plenty in ((bound, False), (bound + 1, True)):
            with monkeypatch.context() as patched:
                patched.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
                assert estimate.has_plenty(graph, tmp_path / "x", suffix) == plenty
        assert estimate.has_plenty(graph, tmp_path / "nowhere" / "x", suffix)  # for the writer to refuse


@pytest.mark.slow
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
    estimate.check_room(graph, tmp_path / "x.graphml", 1100)  # within the estimate's own error
    with pytest.raises(TooLargeError, match=r"would take about 5 kB, and the disk has 1 kB free; layer 'conv2'"):
        estimate.check_room(graph, tmp_path / "x.graphml", 5000)
    estimate.check_room(graph, tmp_path / "nowhere" / "x.graphml", 5000)  # for the writer to refuse
    os.mkfifo(tmp_path / "pipe.graphml")
    estimate.check_room(graph, tmp_path / "pipe.graphml", 5000)  # what reads it has the room


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
