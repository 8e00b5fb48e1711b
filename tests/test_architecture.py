"""The drawing of a network's layers: it says what the graph has, and nothing in it is in the way of anything else."""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import onnx2graphml as o2g
from onnx2graphml.draw.architecture import lettering
from onnx2graphml.draw.architecture.architecture import FOLD_ABOVE, drawn
from onnx2graphml.draw.architecture.drawing import FONT, Arrow, Box, Drawing, Line
from onnx2graphml.draw.architecture.layering import crossings, layered
from onnx2graphml.draw.architecture.spacing import spaced
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.files.plain_text import printable
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph, numbered
from onnx2graphml.text import amount, cells, wrapped
from synthetic import every_kind, parallel, same

FIXTURES = Path(__file__).parent.parent / "fixtures"
Sides = tuple[float, float, float, float]


def network(sources: Iterable[Iterable[int]], names: Iterable[str] = ()) -> NeuronGraph:
    """Layers of 3 neurons, each fed by the layers whose positions are given; those that nothing reads are outputs."""
    given = [sorted(set(s)) for s in sources]
    called = list(names) or [f"layer{k}" for k in range(len(given))]
    layers = [
        Layer(name, "Add", (3,), incoming=tuple(Incoming(called[a], same(3)) for a in s))
        if s
        else Layer(name, "Input", (3,), "input")
        for name, s in zip(called, given, strict=True)
    ]
    read = {a for s in given for a in s}
    return NeuronGraph(numbered(layers), tuple(n for k, n in enumerate(called) if k not in read), "random")


@st.composite
def networks(draw: st.DrawFn) -> NeuronGraph:
    """Any directed acyclic graph of up to 60 layers: mostly near sources, some far ones, some inputs, some names."""
    n = draw(st.integers(1, 60))
    reach = draw(st.sampled_from([1, 2, 5, 60]))
    sources = [draw(st.sets(st.integers(max(0, k - reach), k - 1), max_size=4)) if k else set() for k in range(n)]
    long = draw(st.sampled_from(["", "x" * 80, "scope/of_some-length/" * 4, "畳み込み层🧠", 'a "b" <c> & $d$ \\n']))
    return network(sources, [f"{long}{k}" for k in range(n)])


def sides(box: Box) -> Sides:
    return box.x, box.y, box.x + box.width, box.y + box.height


def overlap(a: Sides, b: Sides) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def text_sides(text: Line) -> Sides:
    """The room of a line: as wide as its cells, from the capitals' height to what hangs below the base line."""
    width = cells(text.text) * lettering.CELL * text.size
    return text.x, text.y - 0.8 * text.size, text.x + width, text.y + 0.25 * text.size


def within(inner: Sides, outer: Sides) -> bool:
    return inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def pieces(arrow: Arrow) -> list[Sides]:
    """Rectangles that the arrow's line stays in."""
    return [
        (min(x, to_x), min(y, to_y), max(x, to_x), max(y, to_y))
        for (x, y), (to_x, to_y) in itertools.pairwise(arrow.points)
    ]


def faults(graph: NeuronGraph, drawing: Drawing) -> list[str]:
    """All that is wrong with a drawing of a graph."""
    return [*wrong_content(graph, drawing), *wrong_places(drawing)]


def wrong_content(graph: NeuronGraph, drawing: Drawing) -> list[str]:
    found = []
    shown = [box.layer for box in drawing.boxes]
    folded = [name for fold in drawing.folds for copy in fold.copies[1:] for name in copy]
    if sorted(shown + folded) != sorted(layer.name for layer in graph.layers):
        found.append("the boxes and the folds are not the layers")
    stands_for = {n: d for f in drawing.folds for copy in f.copies for n, d in zip(copy, f.copies[0], strict=True)}
    from_copy_to_copy = {(a[-1], n) for f in drawing.folds for a, b in itertools.pairwise(f.copies) for n in b}
    pairs = {(i.source, layer.name) for layer in graph.layers for i in layer.incoming} - from_copy_to_copy
    if {tuple(stands_for.get(n, n) for n in pair) for pair in pairs} != {(a.source, a.target) for a in drawing.arrows}:
        found.append("the arrows are not the connections")
    if len({(a.source, a.target) for a in drawing.arrows}) != len(drawing.arrows):
        found.append("an arrow is there twice")
    for box in drawing.boxes:
        layer = graph.layer(box.layer)
        told = [layer.name, f"shape: {layer.shape}", f"neurons: {layer.neurons:,}", f"in-edges: {layer.in_edges:,}"]
        told += [f"operator: {layer.op}", f"parameters: {layer.parameters:,}"]
        found += [f"no {t!r}" for t in told if printable(t) not in box.title]
        if "".join(box.lines[: box.name_lines]) != printable(layer.name):
            found.append(f"{layer.name!r} is not in its box")
        if box.end != (layer.aggregation == "input" or layer.name in graph.outputs):
            found.append(f"{layer.name!r} is wrongly marked")
    return found


def wrong_places(drawing: Drawing) -> list[str]:
    found = []
    paper = (0.0, 0.0, drawing.width, drawing.height)
    for a, b in itertools.combinations(drawing.boxes, 2):
        if overlap(sides(a), sides(b)):
            found.append(f"{a.layer!r} overlaps {b.layer!r}")
    for box in drawing.boxes:
        inside = sides(box) if within(sides(box), paper) else (0.0, 0.0, 0.0, 0.0)
        found += [f"{t.text!r} does not fit" for t in box.texts if not within(text_sides(t), inside)]
    found += [f"{t.text!r} is clipped" for t in drawing.texts if not within(text_sides(t), paper)]
    found += [
        f"{t.text!r} is in the way" for t in drawing.texts for b in drawing.boxes if overlap(text_sides(t), sides(b))
    ]
    return found + wrong_arrows(drawing) + wrong_frames(drawing)


def wrong_arrows(drawing: Drawing) -> list[str]:
    found = []
    paper = (0.0, 0.0, drawing.width, drawing.height)
    at = {box.layer: sides(box) for box in drawing.boxes}
    texts = [text_sides(t) for t in drawing.texts]
    for arrow in drawing.arrows:
        name, source, target = f"{arrow.source} → {arrow.target}", at[arrow.source], at[arrow.target]
        if arrow.points[0] != ((source[0] + source[2]) / 2, source[3]):
            found.append(f"{name} does not begin at its source")
        if arrow.points[-1] != ((target[0] + target[2]) / 2, target[1]):
            found.append(f"{name} does not end at its target")
        if arrow.points[-2][0] != arrow.points[-1][0] or arrow.points[-2][1] > arrow.points[-1][1] - 8:
            found.append(f"{name} has no room for its head")
        for piece in pieces(arrow):
            found += [f"{name} crosses {box.layer!r}" for box in drawing.boxes if overlap(piece, sides(box))]
            if any(overlap(piece, text) for text in texts) or not within(piece, paper):
                found.append(f"{name} leaves its place")
    return found + shared_lines(drawing)


def shared_lines(drawing: Drawing) -> list[str]:
    """Where upright or level pieces of arrows from different boxes lie on one another, but for where they arrive."""
    lines = defaultdict(list)
    for arrow in drawing.arrows:
        for left, top, right, bottom in pieces(arrow)[:-1]:
            if left == right:
                lines["x", left].append((top, bottom, arrow.source))
            elif top == bottom:
                lines["y", top].append((left, right, arrow.source))
    return [
        f"lines from {a[2]!r} and {b[2]!r} are one"
        for line in lines.values()
        for a, b in itertools.combinations(sorted(set(line)), 2)
        if a[2] != b[2] and a[0] < b[1] and b[0] < a[1]
    ]


def wrong_frames(drawing: Drawing) -> list[str]:
    found = []
    paper = (0.0, 0.0, drawing.width, drawing.height)
    framed = set()
    for frame in drawing.frames:
        area = (frame.x, frame.y, frame.x + frame.width, frame.y + frame.height)
        for box in drawing.boxes:
            if box.layer in frame.fold.copies[0] and within(sides(box), area):
                framed.add(box.layer)
            elif overlap(sides(box), area):
                found.append(f"{box.layer!r} is in a frame that is not its own")
        tab = (frame.tab_x, frame.y, frame.tab_x + frame.tab_width, frame.y + 16)
        if not (within(text_sides(frame.text), tab) and within(area, paper) and within(tab, area)):
            found.append("a frame's label does not fit")
        found += ["a tab covers a box" for box in drawing.boxes if overlap(tab, sides(box))]
    if framed != {name for fold in drawing.folds for name in fold.copies[0]}:
        found.append("what is folded has no frame")
    return found


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(networks(), st.booleans())
def test_any_network_is_drawn_without_a_fault(graph: NeuronGraph, fold: bool) -> None:
    drawing = drawn(graph, fold=fold)
    assert not faults(graph, drawing)
    assert drawn(graph, fold=fold) == drawing


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits.onnx", "residual.onnx"])
@pytest.mark.parametrize("detail", ["op", "layer", "neuron"])
def test_fixtures_are_drawn_without_a_fault(name: str, detail: str) -> None:
    graph = o2g.load(FIXTURES / name, detail=detail)
    assert not faults(graph, drawn(graph, fold=True))


@pytest.mark.parametrize(
    "graph", [every_kind(), parallel(), network([[]])], ids=["every kind", "parallel", "one layer"]
)
def test_unusual_graphs_are_drawn_without_a_fault(graph: NeuronGraph) -> None:
    assert not faults(graph, drawn(graph))


def broken(drawing: Drawing, what: str) -> Drawing:
    """A drawing with one thing wrong."""
    first, second, *rest = drawing.boxes
    arrow, *arrows = drawing.arrows
    boxes = {
        "missing": (second, *rest),
        "overlapping": (first, dataclasses.replace(second, x=first.x, y=first.y + first.height - 1), *rest),
        "outside": (dataclasses.replace(first, x=-1.0), second, *rest),
        "narrow": (dataclasses.replace(first, width=20.0), second, *rest),
        "titled": (dataclasses.replace(first, title="nothing"), second, *rest),
        "marked": (dataclasses.replace(first, end=False), second, *rest),
    }
    lines = {
        "no arrow": tuple(arrows),
        "arrow twice": (arrow, *drawing.arrows),
        "arrow through boxes": (dataclasses.replace(arrow, points=(arrow.points[0], (0.0, drawing.height))), *arrows),
        "arrow on another": (
            dataclasses.replace(arrow, points=((0.0, 300.0), (0.0, 400.0), (9.0, 400.0))),
            dataclasses.replace(arrows[0], points=((0.0, 350.0), (0.0, 450.0), (9.0, 450.0))),
            *arrows[1:],
        ),
        "arrow astray": (dataclasses.replace(arrow, points=(arrow.points[0], (-5.0, -5.0))), *arrows),
    }
    return dataclasses.replace(drawing, boxes=boxes.get(what, drawing.boxes), arrows=lines.get(what, drawing.arrows))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ("missing", "the boxes and the folds are not the layers"),
        ("overlapping", "'image' overlaps 'conv1'"),
        ("outside", "'image' does not fit"),
        ("narrow", "'64 neurons' does not fit"),
        ("titled", "no 'neurons: 64'"),
        ("marked", "'image' is wrongly marked"),
        ("no arrow", "the arrows are not the connections"),
        ("arrow twice", "an arrow is there twice"),
        ("arrow through boxes", "image → conv1 crosses 'conv1'"),
        ("arrow on another", "lines from 'image' and 'conv1' are one"),
        ("arrow astray", "image → conv1 leaves its place"),
    ],
)
def test_a_fault_is_found(what: str, fault: str) -> None:
    graph = o2g.load(FIXTURES / "digits.onnx")
    wrong = broken(drawn(graph), what)
    found = wrong_content(graph, wrong) if what == "missing" else faults(graph, wrong)
    assert fault in found


@pytest.mark.slow
def test_texts_say_the_layers_numbers() -> None:
    graph = o2g.load(FIXTURES / "digits.onnx")
    by_name = {box.layer: box for box in drawn(graph).boxes}
    assert by_name["conv2"].lines == (
        "conv2", "Conv2D, Relu", "3×3, stride 2  2×2×24", "96 neurons, 9,600 edges", "3,480 parameters"
    )  # fmt: skip
    assert by_name["digit"].lines[-1] == "output"
    assert [t.text for t in drawn(graph).texts] == [
        "digits.onnx",
        "10 layers, 3,738 neurons, 25.8 k edges, 8,818 parameters",
    ]


def test_a_scalar_and_an_input_that_was_no_input_say_so() -> None:
    scalar = Layer("s", "Constant", (), "constant")
    cut = Layer("c", "Conv", (2, 2), "input")
    assert lettering.fact_lines(scalar, False) == ["Constant  scalar", "1 neuron"]
    assert lettering.fact_lines(cut, False) == ["Conv  2×2", "4 neurons", "input"]


def test_a_join_names_the_layers_that_are_not_right_above_and_each_skip_has_a_colour() -> None:
    graph = network([[], [0], [1], [2], [3, 1], [4, 0]])
    drawing = drawn(graph)
    said = {box.layer: [line for line in box.lines if line.startswith("from ")] for box in drawing.boxes}
    assert said == {f"layer{k}": [] for k in range(4)} | {"layer4": ["from layer1"], "layer5": ["from layer0"]}
    skips = {(a.source, a.target): a.skip for a in drawing.arrows}
    assert skips["layer1", "layer4"] != skips["layer0", "layer5"]
    assert min(skips["layer1", "layer4"], skips["layer0", "layer5"]) == 0
    assert {skip for pair, skip in skips.items() if pair not in (("layer1", "layer4"), ("layer0", "layer5"))} == {-1}


@pytest.mark.parametrize("columns", [1, 2, 3, 1000])
def test_no_more_columns_than_asked_for(columns: int) -> None:
    graph = network([[], *([k] for k in range(39))])
    drawing = drawn(graph, fold=False, columns=columns)
    assert not faults(graph, drawing)
    assert len({box.x for box in drawing.boxes}) == min(columns, 40)


def test_less_than_one_column_is_refused() -> None:
    with pytest.raises(Error, match="columns is 0; expected 1 or more"):
        drawn(network([[]]), columns=0)


def test_a_chain_is_straight_and_long_ones_are_wrapped_to_a_sane_shape() -> None:
    graph = network([[], *([k] for k in range(149))])
    drawing = drawn(graph, fold=False)
    assert not faults(graph, drawing)
    assert 0.5 <= drawing.width / drawing.height <= 2
    columns = {box.x for box in drawing.boxes}
    assert 5 <= len(columns) <= 30
    short = drawn(network([[], [0], [1], [2]]))
    assert len({box.x for box in short.boxes}) == 1
    assert all(len(arrow.points) == 2 for arrow in short.arrows)


def test_branches_stand_side_by_side() -> None:
    graph = network([[], [0], [0], [0], [0], [1, 2, 3, 4]])
    boxes = {box.layer: box for box in drawn(graph).boxes}
    branches = [boxes[f"layer{k}"] for k in range(1, 5)]
    assert len({box.y for box in branches}) == 1
    assert len({box.x for box in branches}) == 4
    assert boxes["layer0"].x == boxes["layer5"].x == sum(box.x for box in branches) / 4


def test_rows_lead_downwards_as_networkx_orders_them() -> None:
    arrows = [(0, 1), (1, 3), (0, 2), (2, 3), (3, 5), (0, 5), (4, 5)]
    layering = layered(6, arrows, [range(6)])
    row = {v: k for k, vertices in enumerate(layering.rows) for v in vertices}
    generations = list(nx.topological_generations(nx.DiGraph(arrows[:-1])))
    assert all(row[v] == k for k, generation in enumerate(generations) for v in generation)
    assert row[4] == row[5] - 1  # an input stands right above what reads it
    for (a, b), chain in layering.chains.items():
        assert [row[v] for v in chain] == list(range(row[a], row[b] + 1))


def test_crossings_that_need_not_be_are_removed() -> None:
    """Two towers, named crosswise: one order has no crossing."""
    arrows = [(0, 3), (1, 2), (2, 5), (3, 4)]
    layering = layered(6, arrows, [range(6)])
    assert crossings([[0, 1], [2, 3], [4, 5]], layering.links) == 2
    assert crossings(layering.rows, layering.links) == 0


numbers = st.floats(-100, 100)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(numbers, st.floats(0.5, 10), st.floats(0, 20)), min_size=1, max_size=6), st.data())
def test_spacing_is_the_nearest_that_holds_the_distances(rows: list[tuple[float, float, float]], data: st.DataObject):
    wished, weights = [r[0] for r in rows], [r[1] for r in rows]
    distances = [r[2] for r in rows[1:]]
    found = spaced(wished, weights, distances)
    assert all(b - a >= d - 1e-6 for (a, b), d in zip(itertools.pairwise(found), distances, strict=True))
    other = sorted(data.draw(st.lists(numbers, min_size=len(rows), max_size=len(rows))))
    for k, d in enumerate(distances):
        other[k + 1] = max(other[k + 1], other[k] + d)

    def cost(x: list[float]) -> float:
        return sum(w * (a - b) ** 2 for w, a, b in zip(weights, x, wished, strict=True))

    assert cost(found) <= cost(other) + 1e-6


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.integers(4, 40))
def test_wrapped_text_is_whole_and_narrow(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert "".join(lines) == text
    assert all(cells(line) <= width for line in lines)


def test_letters_fit_their_cells_in_the_font_that_is_drawn_with() -> None:
    """Measured by FreeType: no line is wider than the room that it is given."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    for weight in ("normal", "bold"):
        font = get_font(findfont(FontProperties(family="DejaVu Sans Mono", weight=weight)))
        font.set_size(FONT, 72)
        for text in ("block1_conv1", "W" * 28, "201 k neurons, 12.8 M edges", "56×56×64", "Größe_Ωμέγα_Слой"):
            font.set_text(text)
            assert font.get_width_height()[0] / 64 <= cells(text) * lettering.CELL * FONT


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0"),
        (9_999, "9,999"),
        (10_000, "10 k"),
        (999_499, "999 k"),
        (999_500, "1 M"),
        (14_975_970_560, "15 G"),
        (3 * 10**20, "3e+05 P"),
    ],
)
def test_amounts(n: int, text: str) -> None:
    assert amount(n) == text


def test_a_graph_without_layers_is_refused() -> None:
    with pytest.raises(OutputError, match="the graph has no layers; there is nothing to draw"):
        drawn(NeuronGraph((), ()))


def test_small_networks_are_not_folded_unless_asked() -> None:
    chain = network([[], *([k] for k in range(FOLD_ABOVE - 1))])
    assert not drawn(chain).folds
    assert drawn(chain, fold=True).folds
    longer = network([[], *([k] for k in range(FOLD_ABOVE))])
    assert drawn(longer).folds
    assert not drawn(longer, fold=False).folds
