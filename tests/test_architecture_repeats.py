"""Folding: exact, and as much of it as there is."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onnx2graphml.draw.architecture.architecture import drawn
from onnx2graphml.draw.architecture.lettering import note
from onnx2graphml.draw.architecture.repeats import Fold, repeats
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph, numbered
from synthetic import same
from test_architecture import faults


def chain(ops: str, shape: tuple[int, ...] = (3,)) -> NeuronGraph:
    """An input and a layer for each letter: `+` adds the layer two before, all others read the one before."""
    layers = [Layer("x", "Input", shape, "input")]
    for k, op in enumerate(ops):
        back = [1, 3] if op == "+" and k >= 2 else [1]
        incoming = tuple(Incoming(layers[-b].name, same(3)) for b in back)
        layers.append(Layer(f"{op}{k}", op, shape, incoming=incoming))
    return NeuronGraph(numbered(layers), (layers[-1].name,))


def sizes(folds: Sequence[Fold]) -> list[tuple[int, int]]:
    """(copies, layers of each)"""
    return [(len(fold.copies), len(fold.drawn)) for fold in folds]


def as_networkx(graph: NeuronGraph, names: Sequence[str], entry: str) -> nx.DiGraph:
    """A copy of what repeats, with what feeds it, and what each layer is."""
    g = nx.DiGraph()
    g.add_node(entry, what="entry")
    for name in names:
        layer = graph.layer(name)
        g.add_node(name, what=(layer.op, layer.shape, layer.neurons, layer.in_edges, layer.parameters))
        g.add_edges_from((i.source, name) for i in layer.incoming)
    return g


def unlike(graph: NeuronGraph, fold: Fold) -> list[str]:
    """How the copies of a fold differ, by NetworkX' search for an isomorphism, and what else is fed by one of them."""
    order = [layer.name for layer in graph.layers]
    entries = [order[order.index(fold.drawn[0]) - 1], *(copy[-1] for copy in fold.copies[:-1])]
    first, *others = [as_networkx(graph, c, e) for c, e in zip(fold.copies, entries, strict=True)]
    found = []
    for copy, other in zip(fold.copies[1:], others, strict=True):
        if not nx.is_isomorphic(first, other, node_match=lambda a, b: a["what"] == b["what"]):
            found.append(f"{copy[0]} … {copy[-1]} is another part")
    for copy in fold.copies:
        outside = [layer for layer in graph.layers if layer.name not in copy]
        leaks = {i.source for layer in outside for i in layer.incoming} & set(copy[:-1])
        found += [f"{name} is read from outside" for name in sorted(leaks)]
    return found


@pytest.mark.parametrize(
    ("ops", "folds"),
    [
        ("abcd", []),
        ("aa", []),  # saves one layer only
        ("aaaa", [(3, 1)]),  # the last is the output, like no other
        ("abababz", [(3, 2)]),
        ("abcabcabcdedededez", [(3, 3), (4, 2)]),
        ("aaaaaaaab", [(8, 1)]),
        ("a+b+ab+ab+ab+z", [(3, 3)]),
    ],
)
def test_what_is_folded(ops: str, folds: list[tuple[int, int]]) -> None:
    graph = chain(ops)
    assert sizes(repeats(graph)) == folds
    assert not faults(graph, drawn(graph, fold=True))


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(
    st.text("ab+", max_size=4), st.text("ab+", min_size=1, max_size=5), st.integers(1, 6), st.text("abc+", max_size=5)
)
def test_folds_are_exact_and_find_what_repeats(before: str, unit: str, times: int, after: str) -> None:
    graph = chain(before + unit * times + after + "z")
    folds = repeats(graph)
    for fold in folds:
        assert not unlike(graph, fold)
    names = [name for fold in folds for copy in fold.copies for name in copy]
    assert len(names) == len(set(names))
    assert not faults(graph, drawn(graph, fold=True))
    if "+" not in before + unit + after:  # each layer is a part: nothing that saves two layers is left
        assert sum(f.saved for f in folds) >= (times - 1) * len(unit) - 1 or len(folds) > 1


def changed(graph: NeuronGraph, name: str, **changes: object) -> NeuronGraph:
    layers = [dataclasses.replace(x, **changes) if x.name == name else x for x in graph.layers]  # type: ignore[arg-type]
    return dataclasses.replace(graph, layers=numbered(layers))


@pytest.mark.parametrize(
    "changes",
    [{"op": "other"}, {"parameters": 7}, {"aggregation": "max"}, {"incoming": (Incoming("b3", same(2)),)},
     {"incoming": (Incoming("b3", same(3), 1),)}, {"incoming": (Incoming("b3", same(3)), Incoming("a2", same(3)))}],
    ids=str,
)  # fmt: skip
def test_a_part_that_differs_is_not_folded(changes: dict[str, object]) -> None:
    graph = chain("ababababz")
    assert sizes(repeats(graph)) == [(4, 2)]
    assert [f for f in repeats(changed(graph, "a4", **changes)) if "a4" in itertools.chain(*f.copies)] == []


def test_an_output_in_the_middle_is_not_folded() -> None:
    graph = dataclasses.replace(chain("abababz"), outputs=("b3", "z6"))
    assert all("b3" not in itertools.chain(*fold.copies) for fold in repeats(graph))


def test_a_part_that_is_read_later_is_not_folded() -> None:
    graph = changed(chain("abababz"), "z6", incoming=(Incoming("b5", same(3)), Incoming("b1", same(3))))
    assert repeats(graph) == ()
    wrong = Fold((("a0", "b1"), ("a2", "b3"), ("a4", "b5")))
    assert unlike(graph, wrong) == []  # each ends where it is read
    inside = changed(chain("abababz"), "z6", incoming=(Incoming("b5", same(3)), Incoming("a2", same(3))))
    assert unlike(inside, wrong) == ["a2 is read from outside"]
    other = changed(chain("abababz"), "a2", op="c")
    assert unlike(other, wrong) == ["a2 … b3 is another part"]


def test_names_say_where_a_part_begins() -> None:
    """In `oABoABo` either `oAB` or `ABo` repeats; the names tell which."""
    ops = "oABoABoABoz"
    names = ["in/o", *(f"block{k}/{op}" for k in range(3) for op in "ABo"), "out"]
    layers = [Layer("x", "Input", (3,), "input")]
    for op, name in zip(ops, names, strict=True):
        layers.append(Layer(name, op, (3,), incoming=(Incoming(layers[-1].name, same(3)),)))
    (fold,) = repeats(NeuronGraph(numbered(layers), ("out",)))
    assert fold.drawn == ("block0/A", "block0/B", "block0/o")
    assert note(fold) == "× 3: block0/A … block0/o (3 layers), and the same again in a row, up to block2/o"


def test_what_was_folded_stands_in_the_drawing() -> None:
    graph = chain("a" * 50)
    drawing = drawn(graph)
    said = "".join(text.text for text in drawing.texts)
    assert "51 layers (3 drawn)" in said
    assert said.endswith("× 49: a0, and the same again in a row, up to a48")
    assert [frame.label for frame in drawing.frames] == ["× 49"]
    assert [(a.source, a.target) for a in drawing.arrows] == [("x", "a0"), ("a0", "a49")]


def test_a_repeat_longer_than_a_column_goes_on_in_the_next() -> None:
    unit = "".join(chr(ord("A") + k) for k in range(40))
    graph = chain(unit * 2 + "z")
    drawing = drawn(graph)
    assert sizes(drawing.folds) == [(2, 40)]
    assert [frame.label for frame in drawing.frames][:2] == ["× 2", "× 2, continued"]
    assert not faults(graph, drawing)
