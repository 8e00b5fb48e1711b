"""`onnx2graphml activations` on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from onnx2graphml.cli import activations as command
from onnx2graphml.cli import log_to_stderr
from onnx2graphml.cli import options as shared
from onnx2graphml.cli.parser import parse
from onnx2graphml.draw.activations.activations import OVERLAYS, SCALES
from onnx2graphml.draw.canvas import KINDS
from onnx2graphml.draw.photo import COLOURS
from onnx2graphml.draw.tiles import CHANNELS
from onnx2graphml.errors import Error
from onnx2graphml.inference.images import PREPROCESS
from small import model, node

FIXTURES = Path(__file__).parents[1] / "fixtures"
DIGITS = str(FIXTURES / "digits.onnx")


def run(*arguments: Any) -> int:
    log_to_stderr()
    return command.run(parse(["activations", *map(str, arguments)]))


@pytest.fixture
def digit(tmp_path: Path) -> Path:
    pixels = np.load(FIXTURES / "digits.npz")["x"][3, :, :, 0]
    Image.fromarray((255 * pixels).round().astype(np.uint8)).save(tmp_path / "digit.png")
    return tmp_path / "digit.png"


def test_choices_are_the_librarys():
    assert shared.FORMATS == KINDS
    assert command.SCALES == SCALES
    assert command.CHANNELS == CHANNELS
    assert tuple(PREPROCESS) == shared.PREPROCESS
    assert ("", *command.OVERLAYS) == OVERLAYS
    assert command.COLOURS == COLOURS


def test_a_picture_of_a_digit(tmp_path: Path, digit: Path, capsys: pytest.CaptureFixture[str]):
    assert run(DIGITS, digit, "-o", tmp_path / "out", "--grid", "2x5", "--min-size", "8x8", "--max-channels", "4") == 0
    told = capsys.readouterr()
    assert told.err == f"{digit}: scaled by 0..1\n"
    lines = told.out.splitlines()
    assert lines[0] == "00-image.png  image  (8, 8, 1)"
    assert lines[1] == "01-conv1.png  conv1  (8, 8, 16); 4 of 16 channels, the first"
    assert "left out, smaller than asked for: digit  (10,)" in lines
    assert lines[-1] == f"4 layers, 1 sheet: {tmp_path / 'out'}"
    names = {e["file"] for e in json.loads((tmp_path / "out" / "manifest.json").read_text())["layers"]}
    assert names == {"00-image.png", "01-conv1.png", "02-bn1.png", "03-relu1.png"}


@pytest.mark.slow
def test_what_is_done_with_a_picture_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    Image.fromarray(np.zeros((16, 24), np.uint8)).save(tmp_path / "p.png")
    run(DIGITS, tmp_path / "p.png", "-o", tmp_path / "out", "--min-size", "8x8", "--preprocess=-1..1", "--overlay")
    told = capsys.readouterr()
    assert "resized from 24x16 to 8x8, which changes its proportions; scaled by -1..1" in told.err
    assert "01-conv1-overlay.png  conv1 on image" in told.out


@pytest.mark.slow
@pytest.mark.parametrize("made", ["random", "zeros", "file"])
def test_other_patterns(tmp_path: Path, made: str, capsys: pytest.CaptureFixture[str]):
    np.save(tmp_path / "x.npy", np.ones((8, 8, 1)))
    given = tmp_path / "x.npy" if made == "file" else made
    assert run(DIGITS, given, "-o", tmp_path / "out", "--min-size", "8x8", "--format", "svg") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "options", "message"),
    [
        ("random", ["--preprocess", "caffe"], "preprocess is for pictures .*; the input is 'random'"),
        ("nothing.npy", [], "nothing.npy: not a readable .npy or .npz file"),
        ("nothing.png", [], "nothing.png: no such file"),
        ("nothing", [], "not an input; expected random, zeros, large, ties"),
    ],
)
def test_wrong_patterns(tmp_path: Path, pattern: str, options: list[str], message: str):
    with pytest.raises(Error, match=message):
        run(DIGITS, pattern, "-o", tmp_path / "out", *options)


@pytest.mark.slow
def test_a_pattern_of_the_wrong_shape(tmp_path: Path):
    np.save(tmp_path / "x.npy", np.ones((9, 8)))
    with pytest.raises(Error, match=r"input 'image' is given with shape \[9, 8\]; expected \[1, 8, 8, 1\]"):
        run(DIGITS, tmp_path / "x.npy", "-o", tmp_path / "out")


def test_one_picture_for_two_inputs(tmp_path: Path, digit: Path):
    onnx.save(model([node("Add", "x z", "y")], {"x": [1, 8, 8], "z": [1, 8, 8]}), tmp_path / "two.onnx")
    with pytest.raises(Error, match=r"is one picture; the model has the inputs 'x', 'z': give an .npz file"):
        run(tmp_path / "two.onnx", digit, "-o", tmp_path / "out")


@pytest.mark.parametrize("text", ["3", "0x3", "3x", "axb", "-1x2"])
def test_grids_are_checked(text: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        parse(["activations", DIGITS, "random", "-o", "out", f"--grid={text}"])
    assert f"got {text!r}; expected rows and columns of 1 or more, such as 3x3" in capsys.readouterr().err


@pytest.mark.slow
def test_some_layers_with_the_names_of_classes(tmp_path: Path, digit: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "names.txt").write_text("\n".join(f"number {k}" for k in range(10)))
    out = tmp_path / "out"
    assert run(DIGITS, digit, "-o", out, "--layers", "conv1,digit", "--classes", tmp_path / "names.txt") == 0
    assert {f.name for f in out.iterdir()} == {"01-conv1.png", "09-digit.png", "sheet-0.png", "manifest.json"}
    assert "largest: number 3 0.99" in capsys.readouterr().out
    entry = json.loads((out / "manifest.json").read_text())["layers"][1]
    assert entry["top"][0]["name"] == "number 3"
    assert [t["value"] for t in entry["top"]] == sorted((t["value"] for t in entry["top"]), reverse=True)
    with pytest.raises(Error, match="no layer is named 'conv9'; did you mean"):
        run(DIGITS, digit, "-o", out, "--layers", "conv9")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\nb\n", "2 classes are named; the network's outputs have 10 units"),
        (b"\n \n", "it holds no names; expected one on each line"),
        (b"\xff\xfe\x00", "can't read the classes: it is no UTF-8 text; expected a text file"),
        (None, "can't read the classes: No such file or directory"),
    ],
)
def test_wrong_classes(tmp_path: Path, content: bytes | None, message: str):
    if content is not None:
        (tmp_path / "names.txt").write_bytes(content)
    with pytest.raises(Error, match=message):
        run(DIGITS, "random", "-o", tmp_path / "out", "--classes", tmp_path / "names.txt")
