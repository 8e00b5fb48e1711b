"""`analyze`: the measures by layer, its files read by others, its pictures, and training."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import onnx2graphml as o2g
from measured import network
from onnx2graphml import measures
from onnx2graphml.analysis.analysis import Analysis
from onnx2graphml.analysis.chosen import DEFAULT, MEASURES
from onnx2graphml.analysis.course import Course
from onnx2graphml.cli import main
from onnx2graphml.errors import Error, TooLargeError
from synthetic import dense_graph, products

FIXTURES = Path(__file__).parents[1] / "fixtures"
DIGITS = str(FIXTURES / "digits.onnx")


def analyzed(model: Any, **options: Any) -> Analysis:
    found = o2g.analyze(model, **options)
    assert isinstance(found, Analysis)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "residual", "concat", "depthwise", "every kind", "random 0"])
def test_summaries_are_those_of_the_measures(name: str) -> None:
    graph = network(name)
    found = analyzed(graph)
    assert list(found.values) == list(DEFAULT)
    assert not found.left_out
    np.testing.assert_array_equal(found.values["in_strength"].array, measures.in_degree(graph, "abs_weight").array)
    np.testing.assert_array_equal(found.values["pagerank"].array, measures.pagerank(graph, weight="abs_weight").array)
    for s in found.layers:
        own = found.values[s.measure].by_layer()[s.layer]
        assert (s.min, s.median, s.max) == (own.min(), np.median(own), own.max())
        assert (s.mean, s.std, s.sum) == pytest.approx((own.mean(), own.std(), own.sum()))
    for measure in found.values:
        shares = sum(s.share for s in found.layers if s.measure == measure)
        assert shares == pytest.approx(1 if found.values[measure].array.any() else 0)


@pytest.mark.slow
@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_there_is(measure: str) -> None:
    weight = "abs" if MEASURES[measure].weighted else "none"
    found = analyzed(network("residual"), measures=[measure], weight=weight)
    of = {"in_strength": "in_degree", "out_strength": "out_degree"}.get(measure, measure)
    by = {"weight": "abs_weight"} if MEASURES[measure].weighted else {}
    np.testing.assert_array_equal(found.values[measure].array, getattr(measures, of)(network("residual"), **by).array)


@pytest.mark.slow
def test_weights() -> None:
    by = {w: analyzed(DIGITS, measures="in_strength", weight=w).values["in_strength"].array for w in ("none", "signed")}
    graph = network("digits")
    np.testing.assert_array_equal(by["none"], measures.in_degree(graph).array)
    np.testing.assert_array_equal(by["signed"], measures.in_degree(graph, "weight").array)


@pytest.mark.slow
def test_numbers_of_the_whole() -> None:
    found = analyzed(DIGITS, measures="in_degree").numbers
    assert found["paths_from_inputs_to_outputs"] == 280_350_720
    assert (found["neurons"], found["edges"], found["weakly_connected_components"]) == (3738, 25816, 1)
    assert found["degree_assortativity"] == pytest.approx(-0.37799426723263985)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"measures": "pagerang"}, "no measure is named 'pagerang'; did you mean 'pagerank'.; there are in_degree, "),
        ({"measures": "pagerank,pagerank"}, "expected each once, and at least one"),
        ({"measures": []}, "expected each once, and at least one"),
        ({"weight": "squared"}, "weight is 'squared'; expected none, abs, signed"),
        ({"weight": "signed"}, "pagerank needs weights that are not negative"),
        ({"format": "jpg", "folder": "x"}, "kind is 'jpg'"),
    ],
)
def test_mistakes(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error, match=message):
        o2g.analyze(DIGITS, **options)


def test_what_a_network_is_too_large_for_is_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from onnx2graphml.measures import betweenness

    monkeypatch.setattr(betweenness, "MOST_SOURCES", 10)
    found = analyzed(network("residual"))
    assert list(found.left_out) == ["betweenness_centrality"]
    assert "is found only in a chain of layers" in found.left_out["betweenness_centrality"]
    with pytest.raises(TooLargeError, match="is found only in a chain of layers"):
        o2g.analyze(network("residual"), measures="betweenness_centrality")


def test_products_of_computed_tensors_have_no_weights() -> None:
    found = analyzed(products())
    assert "in_strength" in found.left_out
    assert {"in_degree", "betweenness_centrality"} <= found.values.keys()


@pytest.mark.slow
def test_tables() -> None:
    found = analyzed(DIGITS, measures="pagerank")
    header, _, *rows = str(found.table()).splitlines()
    assert header.split() == ["layer", "neurons", "pagerank:", "min", "median", "max", "share"]
    assert rows[-1].split() == ["digit", "10", "0.007104", "0.007825", "0.008459", "7.8%"]
    assert str(analyzed(DIGITS).table()).splitlines()[0].split()[2:5] == ["in_degree", "out_degree", "in_strength"]


@pytest.mark.slow
def test_the_folder(tmp_path: Path) -> None:
    found = analyzed(DIGITS, folder=tmp_path / "out", measures="pagerank,in_degree")
    table = duckdb.sql(f"select layer, pagerank, in_degree from '{tmp_path}/out/nodes.parquet' order by id").fetchall()
    assert [row[1] for row in table] == found.values["pagerank"].array.tolist()
    assert [row[2] for row in table] == found.values["in_degree"].array.tolist()
    with (tmp_path / "out" / "layers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found.layers) == 20
    assert float(rows[0]["median"]) == found.layers[0].median
    content = json.loads((tmp_path / "out" / "analysis.json").read_text())
    assert content["graph"]["paths_from_inputs_to_outputs"] == 280_350_720
    assert content["layers"][3]["max"] == found.layers[3].max
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"manifest.json", *manifest["files"]}
    assert {"layers.png", "pagerank.png", "in_degree.png", "05-conv2.png"} <= set(manifest["files"])
    o2g.analyze(DIGITS, tmp_path / "out", measures="in_degree")  # its own folder is replaced
    assert not (tmp_path / "out" / "pagerank.png").exists()


def checkpoints(folder: Path, scales: list[float]) -> Path:
    folder.mkdir()
    for epoch, scale in enumerate(scales, 1):
        model = onnx.load(DIGITS)
        for initializer in model.graph.initializer:
            values = numpy_helper.to_array(initializer)
            if values.ndim > 1 and values.dtype == np.float32:
                initializer.CopyFrom(numpy_helper.from_array(values * np.float32(scale), initializer.name))
        onnx.save(model, folder / f"epoch{epoch}.onnx")
    return folder


@pytest.mark.slow
def test_training(tmp_path: Path) -> None:
    folder = checkpoints(tmp_path / "checkpoints", [1, 2, 4])
    found = o2g.analyze(folder, tmp_path / "out", measures="in_strength,in_degree")
    assert isinstance(found, Course)
    assert list(found.epochs) == ["epoch1", "epoch2", "epoch3"]
    first, second, third = found.medians("in_strength")["dense1"]
    assert (second / first, third / first) == pytest.approx((2, 4))
    assert {row[1] for row in found.table().rows} == {"in_strength"}  # degrees don't change
    with (tmp_path / "out" / "course.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [r["epoch"] for r in rows if (r["layer"], r["measure"]) == ("digit", "in_degree")] == list(found.epochs)
    assert (tmp_path / "out" / "course-in_strength.png").stat().st_size > 1000


@pytest.mark.slow
def test_what_is_no_training(tmp_path: Path) -> None:
    with pytest.raises(Error, match=r"there is one checkpoint, 'epoch1'; expected two or more"):
        o2g.analyze(checkpoints(tmp_path / "one", [1]))
    other = checkpoints(tmp_path / "two", [1])
    shutil.copy(FIXTURES / "residual.onnx", other / "epoch2.onnx")
    with pytest.raises(Error, match="the layers of 'epoch2' are not those of 'epoch1'"):
        o2g.analyze(other)


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", DIGITS, "--measures", "in_degree", "--layers", "conv1:", "-o", str(tmp_path / "o")]) == 0
    out = capsys.readouterr().out
    assert "in_degree: min" in out
    assert "paths_from_inputs_to_outputs:" in out
    assert main(["analyze", DIGITS, "--measures", "rank"]) == 2
    assert "no measure is named 'rank'" in capsys.readouterr().err


@pytest.mark.slow
def test_pictures_of_awkward_networks(tmp_path: Path) -> None:
    """Scalars, layers without neurons that anything leads to, unnamed models, one layer to draw."""
    for k, graph in enumerate((network("every kind"), network("parallel"), dense_graph(3, 2))):
        o2g.analyze(graph, tmp_path / str(k), measures="in_degree,core_number", format="svg")
        assert (tmp_path / str(k) / "layers.svg").stat().st_size > 500
