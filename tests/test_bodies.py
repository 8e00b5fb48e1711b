"""The registry of drawings: each kind keeps to its room, says what it draws, and is painted in every kind of file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from onnx2graphml.draw.bodies import BODIES
from onnx2graphml.draw.canvas import KINDS, content
from onnx2graphml.draw.colours import Scale
from onnx2graphml.draw.matrix import Matrix
from onnx2graphml.draw.mosaic import Mosaic
from onnx2graphml.draw.page import Image, Path, Rect, Text, flat
from onnx2graphml.draw.panel import Body, Panel, page
from onnx2graphml.draw.plots import Curve, Curves, Histogram, Ranking
from pages import illegible, texts

VALUES = np.linspace(-1, 1, 24)
SCALE = Scale(-1.0, 1.0, True)
EXAMPLES: dict[type[Body], tuple[Body, str]] = {
    Mosaic: (Mosaic(VALUES.reshape(6, 2, 2), tuple("abcdef"), (SCALE,)), "f"),
    Matrix: (Matrix(VALUES.reshape(4, 6), SCALE, row_name="class", column_name="unit"), "class"),
    Curve: (Curve(VALUES, SCALE, name="position"), "position"),
    Curves: (Curves(VALUES.reshape(2, 12), ("left", "right"), SCALE, "time"), "right"),
    Ranking: (Ranking(("cat", "dog"), (0.75, 0.25)), "0.75"),
    Histogram: (Histogram((3, 0, 9), (-1.0, 0.0, 1.0, 2.0)), "9"),
}
"""By kind, a drawing, and something that must stand in it."""


def points(marks: Any) -> Iterator[tuple[float, float]]:
    """The corners of all that is no text."""
    for mark in flat(marks):
        if isinstance(mark, Image):
            yield from ((mark.x, mark.y), (mark.x + mark.pixels.shape[1], mark.y + mark.pixels.shape[0]))
        elif isinstance(mark, Rect):
            yield from ((mark.box.x, mark.box.y), (mark.box.x + mark.box.width, mark.box.y + mark.box.height))
        elif isinstance(mark, Path):
            yield from ((at[0], at[1]) for _, at in mark.commands if at)


def test_every_kind_has_an_example() -> None:
    assert EXAMPLES.keys() == set(BODIES)


@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("room", [(600.0, 400.0), (250.0, 160.0)])
def test_a_drawing_keeps_to_its_room(kind: type[Body], room: tuple[float, float]) -> None:
    body, said = EXAMPLES[kind]
    piece = body.placed(*room)
    assert piece.width <= room[0] + 1
    assert piece.height <= room[1] + 1
    assert any(said in mark.text for mark in flat(piece.marks) if isinstance(mark, Text))
    for x, y in points(piece.marks):
        assert math.isfinite(x)
        assert math.isfinite(y)
        assert -1 <= x <= piece.width + 1
        assert -1 <= y <= piece.height + 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: kind.__name__)
def test_a_drawing_is_legible_on_a_page_and_painted_in_every_kind_of_file(kind: type[Body]) -> None:
    body, said = EXAMPLES[kind]
    made = page(Panel("title", "subtitle", (body,), (SCALE,) if body.coloured else (), ("a note",)))
    assert illegible(made) == []
    assert any(said in text for text in texts(made))
    for suffix in KINDS:
        assert content(made, suffix) == content(made, suffix), "the same page gives the same bytes"


@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: kind.__name__)
def test_a_drawing_out_of_its_room_is_noticed(kind: type[Body]) -> None:
    piece = EXAMPLES[kind][0].placed(600, 400)
    wrong = [mark.moved(-700, 0) for mark in piece.marks]
    assert any(x < -1 for x, _ in points(wrong))
