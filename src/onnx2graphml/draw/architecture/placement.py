"""A network's layers as a drawing: boxes with texts, rows of them, columns of rows, and arrows along what is free."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

from onnx2graphml.draw.architecture import lettering
from onnx2graphml.draw.architecture.columns import FRAME, Rows, Sheet, arranged
from onnx2graphml.draw.architecture.drawing import FONT, LINE, PADDING, Box, Drawing, Line
from onnx2graphml.draw.architecture.layering import Layering, layered
from onnx2graphml.draw.architecture.paper import Paper
from onnx2graphml.draw.architecture.repeats import Fold
from onnx2graphml.draw.architecture.spacing import places
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.layer_kinds import Kind, layer_kinds
from onnx2graphml.text import cells, wrapped

MARGIN = 24  # around everything
LANE = 2  # the width of a lane
GAP = 16  # between boxes or lanes in a row
HEADING = 15  # the size of the network's name
NARROWEST = 44  # cells of the whole picture: room for the heading


FAR = 3  # sources that are not right above, which a box names, at most


def placed(graph: NeuronGraph, folds: Sequence[Fold] = (), columns: int | None = None) -> Drawing:
    """The drawing of a graph.

    Args:
        folds: the repeats of which only the first copy is drawn.
        columns: of boxes, at most; by default as many as a screen's shape asks for.

    Example:
        >>> import onnx2graphml
        >>> drawing = placed(onnx2graphml.load("fixtures/digits.onnx"))
        >>> drawing.boxes[1].lines
        ('conv1', 'Conv2D 3×3  8×8×16', '1,024 neurons, 7,744 edges', '160 parameters')
    """
    hidden = {name for fold in folds for copy in fold.copies[1:] for name in copy}
    layers = [layer for layer in graph.layers if layer.name not in hidden]
    number = {layer.name: k for k, layer in enumerate(layers)}
    pairs = [(number[a], number[b]) for a, b in shown_pairs(graph, folds)]
    layering = layered(len(layers), pairs, _sections(number, folds))
    far: dict[int, list[str]] = {}
    for a, b in pairs:
        far.setdefault(b, []).extend([layers[a].name] if a != b - 1 else [])
    kinds = layer_kinds(graph)
    boxes = _sized(
        [
            _box(layer, layer.name in graph.outputs, kinds[layer.name], _named(far.get(k, []), pairs, k))
            for k, layer in enumerate(layers)
        ]
    )
    rows = _rows(layering, boxes, [_repeat(layers, row, folds) for row in layering.rows])
    return _on_paper(graph, folds, boxes, rows, arranged(rows, columns))


def shown_pairs(graph: NeuronGraph, folds: Sequence[Fold]) -> list[tuple[str, str]]:
    """The pairs of drawn layers that edges lead between. What leads from copy to copy is said by the fold."""
    drawn = {n: d for fold in folds for copy in fold.copies for n, d in zip(copy, fold.drawn, strict=True)}
    again = {name for fold in folds for copy in fold.copies[1:] for name in copy}
    pairs = [
        (drawn.get(incoming.source, incoming.source), layer.name)
        for layer in graph.layers
        if layer.name not in again
        for incoming in layer.incoming
    ]
    return list(dict.fromkeys(pairs))


def _sections(number: dict[str, int], folds: Sequence[Fold]) -> list[range]:
    """The drawn layers, cut before and after each fold."""
    cuts = {0, len(number)}
    for fold in folds:
        cuts |= {number[fold.drawn[0]], number[fold.drawn[-1]] + 1}
    ends = sorted(cuts)
    return [range(a, b) for a, b in itertools.pairwise(ends)]


def _repeat(layers: Sequence[Layer], row: Sequence[int], folds: Sequence[Fold]) -> int:
    names = {layers[v].name for v in row if v < len(layers)}
    return next((k for k, fold in enumerate(folds) if names & set(fold.drawn)), -1)


def _named(far: Sequence[str], pairs: Sequence[tuple[int, int]], box: int) -> Sequence[str]:
    """The sources that a box names: those of a join that are not right above, if they are few."""
    return far if len(far) <= FAR and sum(b == box for _, b in pairs) > 1 else ()


def _box(layer: Layer, is_output: bool, is_a: Kind, sources: Sequence[str]) -> Box:
    name, facts = lettering.name_lines(layer), lettering.fact_lines(layer, is_output, is_a, sources)
    end = is_output or layer.aggregation == "input"
    return Box(layer.name, lettering.kind(layer), end, (*name, *facts), len(name), lettering.title(layer, is_a))


def _sized(boxes: Sequence[Box]) -> list[Box]:
    """Equally wide boxes, each as high as its text."""
    widest = max((cells(line) for box in boxes for line in box.lines), default=0)
    width = 2 * math.ceil((widest * lettering.CELL * FONT + 2 * PADDING) / 2)
    return [dataclasses.replace(box, width=width, height=LINE * len(box.lines) + PADDING) for box in boxes]


def _rows(layering: Layering, boxes: Sequence[Box], repeat: Sequence[int]) -> Rows:
    vertices = sum(map(len, layering.rows))
    widths = [boxes[v].width if v < len(boxes) else LANE for v in range(vertices)]
    x = places(layering, widths, GAP)
    frame = [FRAME if r >= 0 else 0 for r in repeat]
    left = [min(x[v] - widths[v] / 2 for v in row) - f for row, f in zip(layering.rows, frame, strict=True)]
    right = [max(x[v] + widths[v] / 2 for v in row) + f for row, f in zip(layering.rows, frame, strict=True)]
    heights = [max(boxes[v].height if v < len(boxes) else 0 for v in row) for row in layering.rows]
    return Rows(layering, x, left, right, heights, repeat)


def _on_paper(graph: NeuronGraph, folds: Sequence[Fold], boxes: Sequence[Box], rows: Rows, sheet: Sheet) -> Drawing:
    cell = FONT * lettering.CELL
    room = math.ceil(max(sheet.width, NARROWEST * cell))
    head = _texts(wrapped(lettering.heading(graph), int(room / cell * FONT / HEADING)), MARGIN, HEADING, True)
    head += _texts(wrapped(lettering.sizes(graph, folds), int(room / cell)), head[-1].y)
    paper = Paper(boxes, rows, sheet, MARGIN + (room - sheet.width) // 2, head[-1].y + MARGIN)
    lines = [part for fold in folds for part in wrapped(lettering.note(fold), int(room / cell))]
    notes = _texts(lines, paper.y + sheet.height + MARGIN)
    height = math.ceil((notes[-1].y if notes else paper.y + sheet.height) + MARGIN)
    arrows, frames = paper.arrows(), paper.frames(folds)
    return Drawing(room + 2 * MARGIN, height, paper.boxes(), arrows, tuple(folds), frames, (*head, *notes))


def _texts(lines: Sequence[str], y: float, size: int = FONT, bold: bool = False) -> list[Line]:
    """Lines below a height."""
    step = LINE * size / FONT
    return [Line(MARGIN, y + step * k, line, size, bold) for k, line in enumerate(lines, start=1)]
