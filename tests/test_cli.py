"""The command line: what it prints, what it writes, and what it loads for it."""

from __future__ import annotations

import io
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from onnx2graphml import cli
from onnx2graphml.api import load
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.formats import registry
from onnx2graphml.progress import progress
from small import model, node, weights

FIXTURES = Path(__file__).parents[1] / "fixtures"
DIGITS = str(FIXTURES / "digits.onnx")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    """Standard output of a command that says nothing on standard error."""
    assert cli.main(arguments) == status
    out, err = capsys.readouterr()
    assert err == ""
    return out


def run(*arguments: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "onnx2graphml", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, **kwargs)


# ----------------------------------------------------------------------------------------------------------------- info


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["digits", "residual"])
def test_info_has_a_row_for_each_layer_and_the_totals(capsys: Any, name: str, level: str) -> None:
    path = str(FIXTURES / f"{name}.onnx")
    header, _, *rows, _, total = printed(capsys, "info", path, "--detail", level).splitlines()
    graph = load(path, detail=level)
    assert header.split()[0] == "layer"
    assert header.split()[-5:] == ["window", "shape", "neurons", "in-edges", "parameters"]
    assert [row.split()[0] for row in rows] == [x.name for x in graph.layers]
    for row, layer in zip(rows, graph.layers, strict=True):
        assert str(layer.shape) in row
        numbers = [int(n.replace(",", "")) for n in row.rpartition(")")[2].split()]
        assert numbers == [layer.neurons, layer.in_edges, layer.parameters]
    assert f"{len(graph.layers)} layers" in total
    sums = [int(n.replace(",", "")) for n in total.split("layers")[1].split()]
    assert sums == [graph.neurons, graph.edges, graph.parameters]


def test_info_expands_nothing(capsys: Any, tmp_path: Path) -> None:
    """A layer of ten billion edges is a matter of moments."""
    path = tmp_path / "wide.onnx"
    nodes = [node("Tile", "x n", "t"), node("Flatten", "t", "f"), node("GlobalAveragePool", "t", "g")]
    nodes += [node("Expand", "g to", "e"), node("Conv", "e w", "y", pads=[1, 1, 1, 1])]
    constants = {"n": np.array([1, 64, 50, 50]), "to": np.array([1, 64, 1000, 1000]), "w": weights(64, 64, 3, 3)}
    path.write_bytes(model(nodes, {"x": [1, 1, 4, 4]}, constants).SerializeToString())
    start = time.process_time()
    out = printed(capsys, "info", str(path))
    assert time.process_time() - start < 5
    assert f"{64 * 64 * 2998 * 2998:,}" in out


# -------------------------------------------------------------------------------------------------------------- convert


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_a_written_file_is_the_graph(capsys: Any, tmp_path: Path, level: str) -> None:
    out = tmp_path / "digits.graphml"
    assert cli.main([DIGITS, str(out), "--detail", level]) == 0
    graph, stderr = load(DIGITS, detail=level), capsys.readouterr().err
    read = nx.read_graphml(out)
    assert (read.number_of_nodes(), read.number_of_edges()) == (graph.neurons, graph.edges)
    assert stderr.count("\n") == 1
    assert f"{graph.neurons:,} nodes, {graph.edges:,} edges" in stderr
    expected = {(f"n{s}", f"n{t}"): w for s, t, w in graph.weighted_edges()}
    assert {(s, t): np.float32(w) for s, t, w in read.edges(data="weight")} == expected


@pytest.mark.slow
def test_standard_output_is_the_file(tmp_path: Path) -> None:
    done = run(DIGITS, "-", "--detail", "neuron")
    assert (done.returncode, done.stderr) == (0, "")
    out = tmp_path / "digits.graphml"
    assert run(DIGITS, str(out), "--detail", "neuron").returncode == 0
    assert done.stdout == out.read_text()


@pytest.mark.slow
def test_an_earlier_file_is_replaced(capsys: Any, tmp_path: Path) -> None:
    out = tmp_path / "digits.graphml"
    out.write_text("earlier")
    assert cli.main([DIGITS, str(out)]) == 0
    assert nx.read_graphml(out).number_of_nodes() == 3738
    assert [p.name for p in tmp_path.iterdir()] == ["digits.graphml"]


def test_a_shape_is_given(capsys: Any, tmp_path: Path) -> None:
    path = tmp_path / "open.onnx"
    proto = model([node("Add", "a b=c", "s"), node("Relu", "s", "y")], {"a": [1, "n"], "b=c": [1, "m"]})
    path.write_bytes(proto.SerializeToString())
    out = printed(capsys, "info", str(path), "--shape", "a=1,6", "--shape", "b=c=1,6")
    assert "(6,)" in out


# --------------------------------------------------------------------------------------------------------------- verify


@pytest.mark.parametrize("level", LEVELS)
def test_verify_passes(capsys: Any, level: str) -> None:
    out = printed(capsys, "verify", DIGITS, "--detail", level, "--seed", "3")
    graph = load(DIGITS, detail=level)
    assert out.count(" pass\n") == len(graph.layers) - 1
    assert f"{graph.neurons:,} neurons, {graph.edges:,} edges: every layer equals" in out


def test_verify_fails(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    graph = load(DIGITS)
    layers = tuple(dataclasses.replace(x, bias=None) if x.name == "conv2" else x for x in graph.layers)
    monkeypatch.setattr("onnx2graphml.api.load", lambda *a, **k: dataclasses.replace(graph, layers=layers))
    out = printed(capsys, "verify", DIGITS, status=1)
    (failed,) = [line for line in out.splitlines() if "FAIL" in line]
    assert failed.startswith("conv2 ")
    assert "MISMATCH" in out


@pytest.mark.slow
def test_verify_takes_an_input(capsys: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "digit.npy", np.load(FIXTURES / "digits.npz")["x"][0])
    with_input = printed(capsys, "verify", DIGITS, "--input", str(tmp_path / "digit.npy"))
    assert with_input != printed(capsys, "verify", DIGITS)
    assert "every layer equals" in with_input


# --------------------------------------------------------------------------------------------------------------- neuron


@pytest.mark.slow
def test_neuron(capsys: Any) -> None:
    out = printed(capsys, "neuron", DIGITS, "conv1", "0,0,5")
    graph = load(DIGITS)
    neuron = graph.neuron("conv1", (0, 0, 5))
    into, away = graph.in_edges(neuron), graph.out_edges(neuron)
    assert out.startswith(f"n{neuron}: conv1 (0, 0, 5) of (8, 8, 16), Conv\n")
    assert "aggregation: sum" in out
    assert "receptive field in image: [0:2, 0:2, 0:1], 4 neurons" in out
    assert f"in-edges: {len(into)}\n" in out
    assert f"out-edges: {len(away)}\n" in out
    for source, weight in zip(into.source.tolist(), into.weight, strict=True):
        assert re.search(rf"^  n{source} +image +.* {re.escape(str(weight))}$", out, re.M)


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "lines"), [("0", 96), ("5", 5), ("96", 96), ("200", 96)])
def test_neuron_limits_what_it_prints(capsys: Any, limit: str, lines: int) -> None:
    out = printed(capsys, "neuron", DIGITS, "dense1", "7", "--max-edges-shown", limit)
    before, after = out.split("out-edges:")
    assert len(re.findall(r"^  n\d", before, re.M)) == lines
    assert ("91 more" in before) is (limit == "5")
    assert len(re.findall(r"^  n\d", after, re.M)) == min(10, int(limit) or 10)


@pytest.mark.slow
def test_neuron_of_an_input_and_of_an_output(capsys: Any) -> None:
    assert "in-edges: 0" in printed(capsys, "neuron", DIGITS, "image", "0,0,0")
    out = printed(capsys, "neuron", DIGITS, "digit", "9")
    assert "out-edges: 0" in out
    assert "Softmax" in out


# ----------------------------------------------------------------------------------------------------------------- help


def test_help_is_quick_and_loads_no_framework() -> None:
    script = (
        "import sys; from onnx2graphml.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    assert not {"tensorflow", "keras", "torch", "onnxruntime", "matplotlib"} & set(done.stderr.split())
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used < 1.0, "meant to be below half a second; a busy machine counts more"


def test_version(capsys: Any) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--version"])
    assert stopped.value.code == 0
    assert re.fullmatch(r"onnx2graphml \d+\.\d+\.\d+\n", capsys.readouterr().out)


# ------------------------------------------------------------------------------------------------------------- progress


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_nothing_is_told_where_nobody_watches(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnx2graphml.progress.DELAY", 0.0)
    printed(capsys, "verify", DIGITS)
    with progress("writing", 10) as advance:
        assert advance is None


@pytest.mark.slow
@pytest.mark.parametrize("command", ["verify", "convert"])
def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("onnx2graphml.progress.DELAY", 0.0)
    arguments = ["verify", DIGITS] if command == "verify" else [DIGITS, str(tmp_path / "digits.graphml")]
    assert cli.main(arguments) == 0
    shown = terminal.getvalue()
    assert re.search(r"(verifying|writing): +\d+%", shown)
    assert "/25.8k" in shown
    assert all(int(p) <= 100 for p in re.findall(r"(\d+)%", shown))
    assert re.search(r"\r +\r", shown), "the line is cleared at the end"


def test_short_work_needs_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("writing", 10) as advance:
        assert advance is not None
        advance(10)
    assert terminal.getvalue() == ""


def test_the_formats_are_told(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        cli.main(["convert", "--help"])
    out = capsys.readouterr().out
    assert all(suffix in out for suffix in registry.WRITTEN)
