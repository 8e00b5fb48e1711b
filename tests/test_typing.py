"""What a user's editor and type checker see of the package, and what a notebook and a prompt show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import onnx2graphml as o2g

ROOT = Path(__file__).parents[1]
DIGITS = ROOT / "fixtures" / "digits.onnx"

SCRIPT = """\
from pathlib import Path

import onnx2graphml as o2g

graph: o2g.NeuronGraph = o2g.load("digits.onnx", shapes={"image": (1, 8, 8, 1)})
part = o2g.select(graph, "conv1:conv2", top_k=3)
o2g.write(part, Path("part.graphml"), jobs=2)
report = o2g.verify(graph, ["random", "zeros"], seed=3)
names: list[str] = [row.layer for row in report.rows if not row.passed]
value = o2g.activations(graph, "random").layer("conv1").value.mean()
try:
    print(o2g.info(graph), o2g.neuron(graph, "conv1", (0, 0, 5)).id + 1, o2g.__version__.upper(), value, names)
except o2g.Error as error:
    print(error.args)
"""

WRONG = {
    'o2g.load("digits.onnx", detial="op")': "Unexpected keyword argument",
    "o2g.select(graph, top_k='3')": "incompatible type",
    "o2g.verify(graph).passt": "has no attribute",
    "number: int = o2g.info(graph)": "Incompatible types in assignment",
}


def checked(folder: Path, script: str) -> str:
    (folder / "script.py").write_text(script)
    shared = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    command = [sys.executable, "-m", "mypy", "--strict", *shared, "script.py"]
    environment = {"MYPYPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    return done.stdout


@pytest.mark.slow
def test_a_users_script_is_checked_strictly(tmp_path: Path) -> None:
    """Correct lines pass, and each mistake is found: nothing of what is public is `Any`."""
    out = checked(tmp_path, SCRIPT + "\n".join(WRONG) + "\n")
    wrong = {line: out_line for line in WRONG for out_line in out.splitlines() if WRONG[line] in out_line}
    assert set(wrong) == set(WRONG), out
    first = SCRIPT.count("\n")
    lines = [int(text.split(":")[1]) for text in out.splitlines() if text.startswith("script.py:") and "error" in text]
    assert all(line > first for line in lines), out


def test_a_graph_and_a_layer_are_one_line() -> None:
    graph = o2g.load(DIGITS)
    assert repr(graph) == "<NeuronGraph 'digits.onnx': 10 layers, 3,738 neurons, 25,816 edges, detail 'layer'>"
    assert repr(graph.layer("conv1")) == "<Layer 'conv1': Conv (8, 8, 16), 1,024 neurons, 7,744 in-edges>"
    assert repr(o2g.select(graph, top_k=1)).endswith("detail 'layer', top-k 1>")


def test_a_notebook_shows_a_table() -> None:
    from xml.etree import ElementTree

    graph = o2g.load(DIGITS)
    table = ElementTree.fromstring(graph._repr_html_())
    rows = [[cell.text or "" for cell in row] for row in table.iter("tr")]
    found = o2g.info(graph)
    assert [tuple(row) for row in rows] == [found.header, *found.rows, found.total]
    report = o2g.verify(graph, "zeros")
    assert "<table>" in report._repr_html_()
    name = "<b>&'\""
    escaped = o2g.NeuronGraph((o2g.Layer(name, "Input", (3,), aggregation="input"),), (name,))._repr_html_()
    assert next(cell.text for cell in ElementTree.fromstring(escaped).iter("td")) == name
