"""Reports for machines: they say what the report says, in JSON and as JUnit test cases; several patterns as one."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from onnx2graphml.api import load, verify
from onnx2graphml.cli import main
from onnx2graphml.errors import OutputError
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.xmltext import unescape
from onnx2graphml.inference import inputs
from onnx2graphml.verification.report import About, Report, Row, merge_rows
from onnx2graphml.verification.reports import write_report

DIGITS = str(Path(__file__).parents[1] / "fixtures" / "digits.onnx")


@pytest.fixture(scope="module")
def digits() -> NeuronGraph:
    return load(DIGITS)


GOOD = Row("conv\x01 <1>", "Conv", 5, 7, 0.0, 0.0, 1e-6, 0.0, 0)
BAD = Row("dense", "Gemm", 3, 9, math.inf, math.inf, 1e-6, math.inf, 2, ("another bias",), "zeros")
ABOUT = About("a model.onnx", "a.graphml", "layer", 8, 16)
REPORT = Report((GOOD, BAD), ("the ports",), ABOUT)


def test_json_says_what_the_report_says(tmp_path: Path) -> None:
    write_report(REPORT, tmp_path / "r.json")
    found = json.loads((tmp_path / "r.json").read_text())
    assert found["about"] == dataclasses.asdict(ABOUT)
    assert (found["passed"], found["unchecked"]) == (False, ["the ports"])
    good, bad = found["rows"]
    assert good == {"passed": True, **dataclasses.asdict(GOOD), "problems": []}
    assert (bad["passed"], bad["absolute"], bad["problems"]) == (False, "inf", ["another bias"])


def test_junit_has_a_case_for_each_layer(tmp_path: Path) -> None:
    write_report(REPORT, tmp_path / "r.xml")
    suite = ElementTree.parse(tmp_path / "r.xml").getroot().find("testsuite")
    assert suite is not None
    assert {k: suite.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    good, bad, unchecked = suite.findall("testcase")
    assert unescape(good.get("name", "")) == GOOD.layer
    assert not list(good)
    failure = bad.find("failure")
    assert failure is not None
    assert "another bias" in (failure.text or "")
    assert "look at position 2, with the input zeros" in failure.get("message", "")
    assert unchecked.find("skipped") is not None


def test_attributes_alone_are_a_failure(tmp_path: Path) -> None:
    row = dataclasses.replace(GOOD, problems=("another op", "another bias"))
    write_report(Report((row,)), tmp_path / "r.xml")
    failure = ElementTree.parse(tmp_path / "r.xml").getroot().find(".//failure")
    assert failure is not None
    assert failure.get("message") == "another op; another bias"


def test_of_several_inputs_the_worst_counts() -> None:
    worse = dataclasses.replace(GOOD, share=0.5)
    failed = dataclasses.replace(GOOD, share=0.1, problems=("another op",))
    rows = merge_rows({"a": (GOOD, worse), "b": (worse, failed)})
    assert [(row.input, row.share) for row in rows] == [("b", 0.5), ("b", 0.1)], "a failure goes first"
    assert not Report(rows).passed


@pytest.mark.parametrize("name", inputs.MADE)
def test_extreme_patterns_pass(digits: NeuronGraph, name: str) -> None:
    assert digits.model is not None
    feeds = inputs.made(name, digits.model, 1)
    assert feeds["image"].shape == (1, 8, 8, 1)
    assert verify(digits, feeds).passed


def test_what_the_patterns_are(digits: NeuronGraph) -> None:
    assert digits.model is not None
    of = {name: inputs.made(name, digits.model)["image"] for name in inputs.MADE}
    assert not of["zeros"].any()
    assert set(np.unique(of["ties"])) == {-1, 0, 1}
    assert abs(of["random"]).max() < 10
    assert 1000 < abs(of["large"]).max() <= 2 * inputs.LARGE


def test_the_command_writes_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    json_file, junit_file = tmp_path / "r.json", tmp_path / "r.xml"
    every = [option for name in inputs.MADE for option in ("--input", name)]
    files = ["--report", str(json_file), "--report", str(junit_file)]
    assert main(["verify", DIGITS, *every, "--input", "random", *files]) == 0
    rows = json.loads(json_file.read_text())["rows"]
    assert {row["input"] for row in rows} <= {"random 0", "zeros", "large", "ties", "random 4"}
    assert len({row["input"] for row in rows}) > 1
    assert len(ElementTree.parse(junit_file).getroot().findall(".//testcase")) == len(rows)
    assert "every layer equals ONNX Runtime" in capsys.readouterr().out


@pytest.mark.slow
def test_a_mismatch_is_reported_and_is_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, report = tmp_path / "d.graphml", tmp_path / "r.json"
    assert main([DIGITS, str(out)]) == 0
    text = out.read_text()
    at = text.rindex('<data key="w">') + len('<data key="w">')
    out.write_text(text[:at] + "9" + text[at:])
    assert main(["verify", DIGITS, str(out), "--report", str(report), "--report", str(tmp_path / "r.xml")]) == 1
    printed = capsys.readouterr().out
    assert "digit (9,), 48 in-edges in the file, 48 in the model" in printed
    assert "of another weight: 1" in printed
    found = json.loads(report.read_text())
    assert not found["passed"]
    assert [row["layer"] for row in found["rows"] if not row["passed"]] == ["digit"]
    assert ElementTree.parse(tmp_path / "r.xml").getroot().find(".//failure") is not None


def test_a_report_of_another_kind_is_refused_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path / "nowhere.onnx"), "--report", "r.txt"]) == 2
    assert "r.txt: a report is a .json or an .xml file; choose one of these suffixes" in capsys.readouterr().err
    with pytest.raises(OutputError, match=r"a report is a \.json or an \.xml file"):
        write_report(REPORT, tmp_path / "r.txt")


def test_a_report_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", DIGITS, "--report", str(tmp_path / "nowhere" / "r.json")]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_an_unknown_pattern(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", DIGITS, "--input", "noise"]) == 2
    assert "noise: not an input; expected random, zeros, large, ties, or a file .npy, .npz" in capsys.readouterr().err
