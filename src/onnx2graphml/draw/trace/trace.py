"""A trace as a page: the input, then a column for each layer, its neurons in their places, and the edges between."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from onnx2graphml.attribution.trace import Trace
from onnx2graphml.draw.colours import Scale, painted
from onnx2graphml.draw.page import GREY, LARGE, NORMAL, SMALL, Command, Image, Mark, Page, Path, Rect, Text, moved
from onnx2graphml.draw.panel import MARGIN
from onnx2graphml.draw.trace.inputs import inputs
from onnx2graphml.draw.trace.placement import DOT, PITCH, TALL, WIDE, Column, columns_of
from onnx2graphml.text import number, shortened

Ints = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

EDGES = 800  # that are drawn into a layer
FEW = 150  # that have strokes of full width; more are thinner
STRENGTHS = (0.0, 0.03, 0.1, 0.25, 0.5, 1.0)  # shares of a layer's strongest flow, where another stroke begins
HEAD, FOOT = 84, 84  # pixels above and below the columns
SAID = "Red raises the value, blue lowers it; each layer's strongest has the strongest colour."
BOTH = Scale(-1.0, 1.0, True)


def page(trace: Trace, colours: str = "rgb") -> Page:
    """The picture of a trace.

    Red raises the target's value, blue lowers it. Of each layer, the strongest flow has the strongest stroke.

    Args:
        colours: of an input of three channels: `rgb` or `bgr`; see `photo`.

    Example:
        >>> import onnx2graphml
        >>> page(onnx2graphml.trace("fixtures/digits.onnx", "ties", top_k=2)).width > 1000
        True
    """
    graph = trace.relevance.graph
    shown = inputs(trace.relevance, colours)
    neurons = trace.neurons
    layers = [x for x in graph.layers if _within(neurons, x.ids).size]
    last = graph.model is not None and graph.model.channels_last
    left = MARGIN + (shown.width + 40 if shown.width else 0)
    columns = columns_of(layers, last, left, MARGIN + HEAD)
    by_name = {column.layer.name: column for column in columns}
    marks: list[Mark] = [*_head(trace), *moved(shown.marks, MARGIN, MARGIN + HEAD - 20)]
    marks += [Rect(column.box, "#f4f4f4", "#c8c8c8") for column in columns]
    drawn = 0
    for column in columns:
        lines, count = _edges(trace, column, by_name)
        marks += lines
        drawn += count
    for column in columns:
        marks.append(_neurons(trace, column, _within(neurons, column.layer.ids)))
    marks += _names(trace, columns)
    marks.append(_target(trace, columns[-1]))
    below = MARGIN + HEAD + TALL + FOOT
    told = f"{len(neurons):,} neurons, {len(trace):,} edges"
    told += f"; the {drawn:,} strongest are drawn" if drawn < len(trace) else ""
    marks.append(Text(left, below, f"{told}. {SAID}", SMALL, colour=GREY))
    width = columns[-1].box.x + max(columns[-1].box.width, PITCH[0]) + 90
    return Page(math.ceil(max(width, 900)) + MARGIN, below + MARGIN, tuple(marks))


def _within(neurons: Ints, ids: slice) -> Ints:
    return np.asarray(neurons[(neurons >= ids.start) & (neurons < ids.stop)])


def _head(trace: Trace) -> list[Mark]:
    explained = trace.relevance
    layer = explained.graph.layer_of(explained.target)
    at = ",".join(map(str, explained.graph.index_of(explained.target)))
    values = " and ".join(number(float(v[explained.target])) for v in explained.values)
    what = "where its value comes from" if len(explained.values) == 1 else "what differs between two inputs"
    title = f"{layer.name} {at}: {values}"
    return [
        Text(MARGIN, MARGIN + LARGE, shortened(title, WIDE / 2, LARGE, bold=True), LARGE, bold=True),
        Text(MARGIN, MARGIN + LARGE + 1.6 * NORMAL, f"{explained.graph.model_name}: {what}", NORMAL, colour=GREY),
    ]


def _edges(trace: Trace, column: Column, by_name: dict[str, Column]) -> tuple[list[Mark], int]:
    """The strongest edges into a layer, weak ones first: a path for each strength and sign."""
    ids = column.layer.ids
    own = np.flatnonzero((trace.target >= ids.start) & (trace.target < ids.stop))
    own = own[np.argsort(-np.abs(trace.flow[own]), kind="stable")][:EDGES]
    if not own.size:
        return [], 0
    share = trace.flow[own] / np.abs(trace.flow[own]).max()
    thin = min(1.0, math.sqrt(FEW / len(own)))
    ends = column.places(trace.target[own])
    starts = _starts(trace.source[own], by_name)
    marks: list[Mark] = []
    for low, high in itertools.pairwise(STRENGTHS):
        for sign in (-1, 1):
            some = np.flatnonzero((sign * share > low) & (sign * share <= high))
            if some.size:
                strength = sign * (0.3 + 0.7 * (low + high) / 2)
                points = zip(*(a[some].tolist() for a in (*starts, *ends)), strict=True)
                commands: list[Command] = [c for x, y, u, v in points for c in (("M", (x, y)), ("L", (u, v)))]
                marks.append(Path(tuple(commands), None, _hex(strength), 0.5 + 2.5 * high * thin))
    return marks, len(own)


def _starts(sources: Ints, by_name: dict[str, Column]) -> tuple[Values, Values]:
    x, y = np.empty(len(sources)), np.empty(len(sources))
    for column in by_name.values():
        ids = column.layer.ids
        here = np.flatnonzero((sources >= ids.start) & (sources < ids.stop))
        x[here], y[here] = column.places(sources[here])
    return x, y


def _neurons(trace: Trace, column: Column, neurons: Ints) -> Image:
    """The neurons of a layer, the strongest on top; each layer has its own scale."""
    score = trace.relevance.score[neurons]
    order = np.argsort(np.abs(score), kind="stable")
    colours = painted(score[order] / (np.abs(score).max(initial=0) or 1.0), BOTH)
    wide, high = (max(side, DOT) for side in column.side)
    pad = DOT
    box = column.box
    pixels = np.zeros((math.ceil(box.height) + 2 * pad, math.ceil(box.width) + 2 * pad, 4), np.uint8)
    x, y = column.places(neurons[order])
    left, top = np.rint(x - wide / 2 - box.x + pad).astype(int), np.rint(y - high / 2 - box.y + pad).astype(int)
    right, bottom = left + max(round(wide), DOT), top + max(round(high), DOT)
    for a, b, c, d, colour in zip(top, bottom, left, right, colours, strict=True):
        pixels[max(a, 0) : b, max(c, 0) : d] = colour
    return Image(round(box.x) - pad, round(box.y) - pad, pixels)


def _names(trace: Trace, columns: list[Column]) -> list[Mark]:
    """Below each column the layer's name, how many neurons it has, and what was kept of the flow into them."""
    steps = {step.layer: step for step in trace.steps}
    neurons, marks = trace.neurons, list[Mark]()
    room = columns[1].box.x - columns[0].box.x - 8 if len(columns) > 1 else WIDE
    for column in columns:
        y, x = MARGIN + HEAD + TALL + 20.0, column.box.x
        count = len(_within(neurons, column.layer.ids))
        lines = [column.layer.name, f"{count:,} neuron{'s' * (count != 1)}"]
        if step := steps.get(column.layer.name):
            lines.append(f"{step.kept / step.flow:.0%} of flow" if step.flow else "")
        for k, text in enumerate(lines):
            colour = GREY if k else "#000000"
            marks.append(Text(x, y + k * 19, shortened(text, room, SMALL), SMALL, colour=colour))
    return marks


def _target(trace: Trace, column: Column) -> Text:
    """Which neuron is explained, beside it."""
    _, y = column.places(np.array([trace.relevance.target]))
    at = ",".join(map(str, trace.relevance.graph.index_of(trace.relevance.target)))
    return Text(column.box.x + column.box.width + 8, float(y[0]), at, NORMAL, bold=True, base="center")


def _hex(value: float) -> str:
    red, green, blue, _ = painted(np.array([value]), BOTH)[0].tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"
