"""`verify --fast` sums by planes of edges: it finds what the loop over edges finds, and says what it did."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from measured import SOURCES, network
from onnx2graphml.api import load, verify
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.cli import main
from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph.graph import Incoming
from onnx2graphml.verification.recompute import recompute
from onnx2graphml.verification.tables import is_tabled
from small import FIXTURES


def filled(graph: Any, seed: int, special: tuple[float, ...] = ()) -> dict[str, np.ndarray]:
    """Random values of every layer."""
    random = np.random.default_rng(seed)
    values = {x.name: random.normal(size=x.neurons) for x in graph.layers}
    for array in values.values():
        array[: len(special)] = special[: len(array)]
    return values


@pytest.mark.parametrize("special", [(), (np.inf, -np.inf), (np.nan,)], ids=["finite", "infinite", "nan"])
@pytest.mark.parametrize("name", SOURCES)
def test_planes_make_what_edges_make(name: str, special: tuple[float, ...]):
    graph = network(name)
    values = filled(graph, 1, special)
    for layer in graph.layers:
        if layer.aggregation != "input" and not is_tabled(layer):  # tables are filled edge by edge in any case
            try:
                slow, fast = (recompute(layer, values, fast=f) for f in (False, True))
            except UnsupportedError:
                assert special, "only what is infinite or no number has no integer"
                continue
            np.testing.assert_allclose(fast.value, slow.value, rtol=1e-9, atol=1e-12, err_msg=layer.name)
            np.testing.assert_allclose(fast.tolerance, slow.tolerance, rtol=1e-9, err_msg=layer.name)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["digits", "residual"])
def test_the_fixtures_pass(name: str, level: str):
    graph = load(FIXTURES / f"{name}.onnx", detail=level)
    used: list[int] = []
    report = verify(graph, ["random", "ties"], fast=True, progress=used.append)
    assert report.passed
    assert report.about.sums == "planes"
    assert sum(used) == 2 * graph.edges
    assert verify(graph).about.sums == "edges"


def test_a_wrong_weight_is_found():
    graph = load(FIXTURES / "digits.onnx")
    layers = list(graph.layers)
    at = next(k for k, x in enumerate(layers) if x.name == "conv2")
    block = layers[at].incoming[0].block
    wrong = block.weights.copy()
    wrong[7] += 0.01
    incoming = Incoming(layers[at].incoming[0].source, dataclasses.replace(block, weights=wrong))
    layers[at] = dataclasses.replace(layers[at], incoming=(incoming,))
    report = verify(dataclasses.replace(graph, layers=tuple(layers)), fast=True)
    assert [r.layer for r in report.rows if not r.passed] == ["conv2"]


def test_the_command_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    target = tmp_path / "report.json"
    assert main(["verify", str(FIXTURES / "digits.onnx"), "--fast", "--report", str(target)]) == 0
    assert "sums by planes of edges (fast), not edge by edge" in capsys.readouterr().out
    assert json.loads(target.read_text())["about"]["sums"] == "planes"
    assert main(["verify", str(FIXTURES / "digits.onnx")]) == 0
    assert "by planes" not in capsys.readouterr().out


def test_a_written_graph_is_not_verified_fast(capsys: pytest.CaptureFixture[str]):
    assert main(["verify", str(FIXTURES / "digits.onnx"), "digits.graphml", "--fast"]) == 2
    assert "--fast is for a model alone: a written graph is read edge by edge" in capsys.readouterr().err
