"""Names that a model brings along reach neither the terminal nor a spreadsheet as commands."""

from __future__ import annotations

import contextlib
import csv
import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from onnx2graphml import cli
from onnx2graphml.files.plain_text import LONGEST, PlainOutput, cell, lines, printable
from small import model, node, weights

ROOT = Path(__file__).parents[1]
DIGITS = ROOT / "fixtures" / "digits.onnx"
ESCAPES = "\x1b]0;title\x07\x1b[2J\x1b[8mhidden\r\u202eright\u200b\x9b31m\u2028\nrow"
FORMULA = '=HYPERLINK("http://example.com","x")'


def injecting(folder: Path, name: str) -> str:
    proto = model(
        [node("Conv", "x w", name, name), node("MatMul", f"{name} m", "y")],
        {"x": [1, 1, 4, 4]},
        {"w": weights(2, 1, 1, 1), "m": weights(4, 4)},
    )
    onnx.save(proto, folder / "m.onnx")
    return str(folder / "m.onnx")


COMMANDS = [
    ["info", "{m}"],
    ["info", "{m}", "--detail", "op"],
    ["verify", "{m}"],
    ["verify", "{m}", "--detail", "op"],
    ["neuron", "{m}", "y", "0,0,0"],
    ["weights", "{m}"],
    ["weights", "{m}", "-o", "{d}/w"],
    ["activations", "{m}", "zeros", "-o", "{d}/p"],
    ["architecture", "{m}", "-o", "{d}/a.svg"],
    ["info", "{m}", "--layers", "nothing"],
    ["{m}", "{d}/g.graphml"],
]


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_escape_sequence_reaches_the_terminal(
    tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    name = ESCAPES.replace(" ", "").replace("\u2028", "").replace("\r", "").replace("\n", "")
    name = "".join(name.split())
    cli.main([c.format(m=injecting(tmp_path, name), d=tmp_path) for c in command])
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert all(c.isprintable() or c == "\n" for c in text), text
    assert said.out or said.err


def test_what_is_printed_of_a_name() -> None:
    assert printable("a\x1b[0m\n\u202e") == r"a\x1b[0m\n\u202e"
    assert printable("é日本 ü") == "é日本 ü"
    assert printable("\udcff") == r"\udcff"
    assert lines("a\nb\x07") == "a\nb\\x07"
    assert printable("x" * 500, LONGEST) == "x" * LONGEST + "…"


@pytest.mark.parametrize("text", ["=1+1", "@SUM(1)", "-1+1|cmd", "+1+1", "\t=1", "\r=1", "-x"])
def test_formulas_become_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["conv1", "a=b", "", 1, -1.5, None, True, "-1.5", "+2e-3"])
def test_all_else_stays(value: object) -> None:
    assert cell(value) == value


def test_formulas_in_the_table_of_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["weights", injecting(tmp_path, FORMULA), "-o", str(tmp_path / "w")]) == 0
    with open(tmp_path / "w" / "weights.csv", newline="") as file:
        rows = list(csv.reader(file))
    cells = [c for row in rows for c in row]
    assert any(c.startswith("'=HYPERLINK") for c in cells)
    assert not [c for c in cells if c.startswith(("=", "@", "+")) or (c.startswith("-") and not float(c))]


def test_what_is_logged_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.root.manager, "disable", logging.NOTSET)  # whatever others left
    cli.log_to_stderr()
    logging.getLogger("onnx2graphml").info("read %s", "a\x1b[2J\nb")
    assert capsys.readouterr().err == "read a\\x1b[2J\\nb\n"


# -------------------------------------------------------------------------------------------------- standard streams


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "onnx2graphml", *arguments]
    return subprocess.run(command, text=True, check=False, **{"stderr": subprocess.PIPE, **options})  # type: ignore[call-overload,no-any-return]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", [["verify", str(DIGITS)], ["info", str(DIGITS)], [str(DIGITS), "-"]])
def test_standard_output_on_a_full_disk(command: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = run(*command, stdout=full)
    assert done.returncode == 2
    assert done.stderr == "onnx2graphml: error: can't write standard output: No space left on device\n"


def closing(*descriptors: int) -> object:
    def close() -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    return close


@pytest.mark.slow
def test_standard_output_that_is_closed(tmp_path: Path) -> None:
    done = run("info", str(DIGITS), preexec_fn=closing(1))
    assert done.returncode == 2
    assert done.stderr == "onnx2graphml: error: can't write standard output: it is closed\n"
    done = run(str(DIGITS), str(tmp_path / "g.graphml"), preexec_fn=closing(1))
    assert done.returncode == 0


@pytest.mark.slow
def test_standard_error_that_is_closed(tmp_path: Path) -> None:
    done = run(str(DIGITS), str(tmp_path / "g.graphml"), stdout=subprocess.PIPE, stderr=None, preexec_fn=closing(0, 2))
    assert done.returncode == 0
    assert done.stdout == ""
    assert (tmp_path / "g.graphml").read_bytes().endswith(b"</graphml>\n")
    done = run("info", "nothing", stdout=subprocess.PIPE, stderr=None, preexec_fn=closing(2))
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_standard_error_on_a_full_disk() -> None:
    with open("/dev/full", "w") as full:
        assert run("info", "nothing", stderr=full).returncode == 2


@pytest.mark.slow
def test_standard_output_that_takes_ascii_only(tmp_path: Path) -> None:
    path = injecting(tmp_path, "é")
    done = run("info", path, "--detail", "op", stdout=subprocess.PIPE, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert "\\xe9" in done.stdout


def test_a_stream_that_is_none() -> None:
    for use in (lambda s: s.write("a"), lambda s: s.buffer):
        with pytest.raises(OSError, match="it is closed"):
            use(PlainOutput(None))
    PlainOutput(None).flush()


def test_the_streams_are_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    with contextlib.suppress(SystemExit):
        cli.main(["--help"])
    assert sys.stdout is before
    stream = io.StringIO()
    assert PlainOutput(stream).write("a\x1b\n") == 3
    assert stream.getvalue() == "a\\x1b\n"
