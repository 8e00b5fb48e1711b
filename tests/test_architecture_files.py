"""The drawing on paper: each renderer against the drawing's values, and the command line."""

from __future__ import annotations

import dataclasses
import io
import re
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml.cli import architecture as command
from onnx2graphml.cli.parser import parse
from onnx2graphml.draw.architecture.architecture import RENDERERS, architecture, drawn
from onnx2graphml.draw.architecture.drawing import Drawing
from onnx2graphml.draw.architecture.painted import painted
from onnx2graphml.draw.canvas import content
from onnx2graphml.draw.page import Image, Page
from onnx2graphml.draw.svg import svg as svg_of
from onnx2graphml.errors import Error, MissingExtraError, OutputError
from onnx2graphml.files.plain_text import printable
from onnx2graphml.graph.graph import NeuronGraph
from synthetic import every_kind
from test_architecture import faults, network

FIXTURES = Path(__file__).parent.parent / "fixtures"
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    'a"b',
    "<script>",
    "&amp;",
    "畳み込み🧠",
    "$x^2$",
    "back\\slash\\",
    "new\nline",
    "\x00\udc80\uffff",
    "\\N\\G",
]


def svg(drawing: Drawing) -> bytes:
    return svg_of(painted(drawing))


@pytest.fixture(params=["digits", "every kind", "hostile names", "branches"])
def graph(request: pytest.FixtureRequest) -> NeuronGraph:
    if request.param == "digits":
        return o2g.load(FIXTURES / "digits.onnx")
    if request.param == "every kind":
        return every_kind()
    if request.param == "hostile names":
        return network([[], *([k] for k in range(len(HOSTILE) - 1))], HOSTILE)
    return network([[], [0], [0], [1, 2], [], [3, 4], [5, 0]])


def test_the_svg_has_what_the_drawing_has(graph: NeuronGraph) -> None:
    drawing = drawn(graph)
    root = ElementTree.fromstring(svg(drawing))
    assert (root.get("width"), root.get("height")) == (f"{drawing.width:g}", f"{drawing.height:g}")
    groups = [g for g in root.iter(f"{SVG}g") if g.get("class") == "layer"]
    assert [g.get("id") for g in groups] == [printable(box.layer) for box in drawing.boxes]
    for group, box in zip(groups, drawing.boxes, strict=True):
        assert group.findtext(f"{SVG}title") == box.title
        assert tuple(t.text for t in group.iter(f"{SVG}text")) == box.lines
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        found = [float(rect.get(k, "nan")) for k in ("x", "y", "width", "height")]
        assert found == pytest.approx([box.x, box.y, box.width, box.height], abs=0.01)
    titled = [p.findtext(f"{SVG}title") for p in root.iter(f"{SVG}path") if len(p)]
    assert titled == [printable(f"{a.source} → {a.target}") for a in drawing.arrows]


def test_the_svgs_arrows_are_the_drawings() -> None:
    drawing = drawn(network([[], [0], [0], [1, 2], [3, 0]]))
    root = ElementTree.fromstring(svg(drawing))
    paths = [p.get("d", "") for p in root.iter(f"{SVG}path") if len(p)]
    for d, arrow in zip(paths, drawing.arrows, strict=True):
        ends = [[float(n) for n in re.findall(r"-?[\d.]+", c)] for c in re.findall(r"[MLC][^MLC]*", d)]
        assert len(ends) == len(arrow.points)
        assert ends[0] == pytest.approx(arrow.points[0], abs=0.01)
        assert ends[-1][-1] == pytest.approx(arrow.points[-1][1], abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", RENDERERS)
def test_the_same_graph_is_the_same_bytes(graph: NeuronGraph, suffix: str, tmp_path: Path) -> None:
    first = architecture(graph, tmp_path / f"a{suffix}")
    again = architecture(graph, str(tmp_path / f"b{suffix.upper()}"))
    assert first == again
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix.upper()}").read_bytes()


STRING = r'"(?:[^"\\]|\\.)*"'
VALUE = rf"(?:{STRING}|[\w.]+)"
ATTRIBUTES = rf"\w+={VALUE}(?:, \w+={VALUE})*"
STATEMENT = re.compile(
    rf"(?:n\d+ \[{ATTRIBUTES}\];|n\d+ -> n\d+;|node \[{ATTRIBUTES}\];|label={STRING}; labelloc=t; labeljust=l;"
    rf"|subgraph cluster_\d+ \{{ label={STRING}; style=dashed; (?:n\d+; ?)+\}})"
)


def parsed(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """A dot file's labels of nodes, unquoted, and its edges; every line must be a statement of the language."""
    head, *lines, tail = text.rstrip("\n").split("\n")
    assert (head, tail) == ("digraph architecture {", "}")
    assert [line for line in lines if not STATEMENT.fullmatch(line.strip())] == []
    labels = [m[1] for line in lines if (m := re.match(rf"  n\d+ \[label=({STRING})", line))]
    edges = [(int(m[1]), int(m[2])) for line in lines if (m := re.match(r"  n(\d+) -> n(\d+);", line))]
    escapes = {"\\l": "\n", '\\"': '"', "\\\\": "\\"}
    return [re.sub(r"\\.", lambda m: escapes[m[0]], label[1:-1]) for label in labels], edges


@pytest.mark.slow
def test_the_dot_text_has_what_the_drawing_has(graph: NeuronGraph, tmp_path: Path) -> None:
    drawing = architecture(graph, tmp_path / "a.dot", fold=True)
    labels, edges = parsed((tmp_path / "a.dot").read_text(encoding="utf-8"))
    assert labels == ["".join(f"{line}\n" for line in box.lines) for box in drawing.boxes]
    names = [box.layer for box in drawing.boxes]
    assert [(names[a], names[b]) for a, b in edges] == [(a.source, a.target) for a in drawing.arrows]


def test_a_fold_is_a_cluster_in_dot(tmp_path: Path) -> None:
    architecture(network([[], *([k] for k in range(60))]), tmp_path / "a.dot")
    assert 'subgraph cluster_0 { label="× 59"; style=dashed; n1; }' in (tmp_path / "a.dot").read_text(encoding="utf-8")


def test_text_that_is_not_dot_is_seen() -> None:
    with pytest.raises(AssertionError):
        parsed('digraph architecture {\n  n0 [label="a"b"];\n}\n')


def pixels(png: bytes) -> np.ndarray:
    """Red, green and blue of a PNG's pixels."""

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@pytest.mark.slow
def test_the_png_shows_the_boxes_in_their_places() -> None:
    pytest.importorskip("PIL")
    from onnx2graphml.draw.architecture.colours import FILLS

    drawing = drawn(o2g.load(FIXTURES / "digits.onnx"))
    picture = pixels(content(painted(drawing), "png"))
    page = painted(drawing)
    scale = page.dots / page.inch
    assert picture.shape[:2] == (int(drawing.height * scale), int(drawing.width * scale))
    for box in drawing.boxes:
        colour = [int(FILLS[box.kind][k : k + 2], 16) for k in (1, 3, 5)]
        y, x = int((box.y + box.height / 2) * scale), int((box.x + box.width - 5) * scale)
        assert np.abs(picture[y, x] - colour).max() <= 1, box.layer
        beside = int((box.x - 4) * scale)
        assert (picture[y, beside] == 255).all(), box.layer
        assert (picture[int((box.y + 9) * scale), int((box.x + 8) * scale) : int((box.x + 40) * scale)] < 128).any()


def test_an_svg_without_matplotlib_has_no_images() -> None:
    with pytest.raises(TypeError, match="an SVG page has no Image"):
        svg_of(Page(1, 1, (Image(0, 0, np.zeros((1, 1, 4), np.uint8)),)))


def test_a_drawing_too_large_for_a_png_is_refused() -> None:
    drawing = dataclasses.replace(drawn(network([[]])), height=26_300)
    with pytest.raises(Error, match=r"the drawing is [\d,]+ pixels long; a \.png has at most 32,768: write an \.svg"):
        content(painted(drawing), "png")


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_without_matplotlib_the_extra_is_named(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    graph = network([[], [0]])
    with pytest.raises(MissingExtraError, match=r"matplotlib, which is not installed: pip install 'onnx2graphml\[plot"):
        architecture(graph, tmp_path / f"a{suffix}")
    architecture(graph, tmp_path / "a.svg")
    architecture(graph, tmp_path / "a.dot")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.dot", "a.svg"]


@pytest.mark.parametrize("name", ["a.jpg", "a", "svg", "a.svg.txt"])
def test_an_unknown_suffix_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"can't draw .*must end in one of \.svg, \.png, \.pdf, \.dot"):
        architecture(network([[]]), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.svg"
    path.write_text("older")

    def fails(_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setitem(RENDERERS, ".svg", fails)
    with pytest.raises(KeyboardInterrupt):
        architecture(network([[]]), path)
    assert path.read_text() == "older"
    with pytest.raises(OutputError, match="there is no directory"):
        architecture(network([[]]), tmp_path / "nowhere" / "a.dot")
    assert [p.name for p in tmp_path.iterdir()] == ["a.svg"]


def ran(*arguments: str) -> int:
    return command.run(parse(["architecture", str(FIXTURES / "digits.onnx"), *arguments]))


@pytest.mark.slow
def test_the_command_draws_and_says_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "digits.svg"
    assert ran("-o", str(out)) == 0
    assert capsys.readouterr().out == f"{out}: 10 layers drawn, 0 folded\n"
    assert out.read_bytes() == svg(drawn(o2g.load(FIXTURES / "digits.onnx")))
    assert ran("-o", str(out), "--layers", "conv1:", "--no-fold", "--detail", "neuron") == 0
    assert "image" not in [box.layer for box in drawn(o2g.load(FIXTURES / "digits.onnx", detail="neuron")).boxes][1:]


def test_the_command_refuses_a_suffix_before_the_model_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "load_graph", lambda _: pytest.fail("the model was read"))
    with pytest.raises(OutputError, match="must end in one of"):
        ran("-o", "digits.gif")


def test_the_command_lists_folds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "load_graph", lambda _: network([[], *([k] for k in range(9))]))
    assert ran("-o", str(tmp_path / "a.svg"), "--fold") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("3 layers drawn, 7 folded")
    assert said[1] == "× 8: layer1, and the same again in a row, up to layer8"


@pytest.mark.slow
def test_a_framework_model_is_drawn_in_time() -> None:
    keras = pytest.importorskip("keras")
    graph = o2g.load(keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3), alpha=0.35))
    start = time.process_time()
    drawing = drawn(graph)
    content = svg(drawing)
    assert time.process_time() - start < 2
    assert not faults(graph, drawing)
    assert 0.5 <= drawing.width / drawing.height <= 2
    assert len(drawing.folds) >= 3
    assert len(ElementTree.fromstring(content)) > len(drawing.boxes)
