"""What starts fast: no command loads what it does not use, and few lines are written without compiled loops."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import onnx2graphml as o2g
from both_ways import LINES, differing, few
from onnx2graphml.formats import render
from onnx2graphml.formats.work import work
from onnx2graphml.formats.writing import write
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.pruning import MEASURES
from onnx2graphml.pruning.scores import SCORES
from synthetic import dense_graph, every_kind, parallel, products

DIGITS = Path(__file__).parent.parent / "fixtures" / "digits.onnx"
HEAVY = {"llvmlite", "matplotlib", "networkx", "numba", "onnxruntime", "pyarrow", "scipy", "tensorflow", "torch"}


@functools.cache
def with_an_input() -> NeuronGraph:
    return o2g.load(DIGITS).with_input("random")


GRAPHS = {
    "every kind": every_kind,
    "ports": parallel,
    "terms": products,
    "a weight an edge": lambda: dense_graph(30, 20),
    "an input": with_an_input,
}


@pytest.mark.parametrize("suffix", LINES)
@pytest.mark.parametrize("kind", GRAPHS)
def test_python_and_the_compiled_loops_write_the_same(kind: str, suffix: str, tmp_path: Path) -> None:
    assert differing(GRAPHS[kind](), suffix, tmp_path) == []


def test_labels_are_the_same_both_ways(tmp_path: Path) -> None:
    assert differing(every_kind(), ".graphml", tmp_path, labels=True) == []


def test_another_text_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_python = render.by_python
    monkeypatch.setattr(render, "by_python", lambda *a: memoryview(by_python(*a).tobytes().replace(b"0.1", b"0.2")))
    assert differing(every_kind(), ".graphml", tmp_path) == [".graphml"]


COSTS: dict[str, Callable[[NeuronGraph, Path], object]] = {
    "writing": write,
    "estimating": lambda graph, path: work(graph, ".graphml", path.parent, patience=0),
}


@pytest.mark.parametrize("cost", COSTS)
def test_a_large_graph_has_the_compiled_loops_from_the_beginning(
    cost: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in an estimate, which writes little of it: by Python, that would be thirty times too slow."""
    ran = []
    by_python = render.by_python

    def noted(*arguments: Any) -> memoryview:
        ran.append(arguments)
        return by_python(*arguments)

    monkeypatch.setattr(render, "by_python", noted)
    for graph, expected in ((dense_graph(30, 20), True), (dense_graph(400, 400), False)):
        ran.clear()
        with few(50_000):
            COSTS[cost](graph, tmp_path / "a.graphml")
        assert bool(ran) == expected


def loaded(tmp_path: Path, *arguments: str) -> set[str]:
    """The top-level modules that a command has loaded at its end."""
    program = (
        "import sys\nfrom onnx2graphml.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print()\nprint(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        pytest.param((str(DIGITS), "digits.graphml"), set(), id="writing"),
        pytest.param((str(DIGITS), "digits.npz"), set(), id="arrays", marks=pytest.mark.slow),
        pytest.param(("info", str(DIGITS)), set(), id="info", marks=pytest.mark.slow),
        pytest.param(("verify", str(DIGITS)), {"onnxruntime"}, id="verify", marks=pytest.mark.slow),
    ],
)
def test_a_small_graph_loads_nothing_heavy(arguments: tuple[str, ...], needed: set[str], tmp_path: Path) -> None:
    found = loaded(tmp_path, *arguments)
    assert {"numpy", "onnx"} <= found
    assert found & HEAVY == needed


def test_help_loads_not_even_numpy(tmp_path: Path) -> None:
    assert not loaded(tmp_path, "--help") & {*HEAVY, "numpy", "onnx"}


def test_the_measures_to_prune_by_are_those_that_there_are() -> None:
    assert tuple(SCORES) == MEASURES
