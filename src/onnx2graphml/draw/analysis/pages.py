"""What an analysis looks like, as pages."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onnx2graphml.analysis.analysis import Analysis
from onnx2graphml.analysis.chosen import MEASURES
from onnx2graphml.analysis.course import Course
from onnx2graphml.draw.colours import scale_of
from onnx2graphml.draw.maps import picture
from onnx2graphml.draw.page import GREY, LARGE, NORMAL, SMALL, Mark, Page, Path, Text
from onnx2graphml.draw.panel import MARGIN, Panel, sheet
from onnx2graphml.draw.plots import BLUE, Curves, Histogram
from onnx2graphml.graph.graph import Layer
from onnx2graphml.model import Array
from onnx2graphml.text import amount, number, shortened

BINS = 40
HISTOGRAM, COURSE = (330, 210), (640, 90)  # pixels
ACROSS = 4
ROW, LINE = 46, 300  # pixels between layers, and where their line stands
THICKEST = 14  # pixels of a line between layers


def distributions(found: Analysis, measure: str) -> Page:
    """How a measure's values are distributed in each layer."""
    panels = []
    for layer, values in found.values[measure].by_layer().items():
        known = values[np.isfinite(values)].astype(np.float64)
        if known.size:
            about = f"median {number(float(np.median(known)))}"
            panels.append(Panel(shortened(layer, 200, NORMAL, bold=True), about, (_histogram(known),)))
    across = min(ACROSS, len(panels))
    return sheet(panels, across, HISTOGRAM, [_title(f"{measure}: {MEASURES[measure].about}")])


def _histogram(values: Array) -> Histogram:
    least, most = float(values.min()), float(values.max())
    if least == most:
        return Histogram((values.size,), (least, most))
    counts, edges = np.histogram(values, BINS)
    return Histogram(tuple(counts.tolist()), tuple(edges.tolist()))


def maps(found: Analysis, layer: Layer, limit: int) -> Page:
    """Every measure of a layer's neurons, in the layer's shape."""
    panels = {name: values.by_layer()[layer.name].astype(np.float64) for name, values in found.values.items()}
    channels_last = bool(layer.spatial) and layer.spatial[0] > min(layer.spatial[1:], default=0)
    return picture(layer, channels_last, panels, {}, limit)


def layers_as_graph(found: Analysis) -> Page:
    """The quotient by layer: a circle for each layer, a line for the edges between two.

    Lines are as wide as the log of the number of edges. Circles have the area of the layer's share of a measure's sum:
    PageRank's, or that of the first measure there is.
    """
    g = found.graph.quotient("layer")
    measure = "pagerank" if "pagerank" in found.values else next(iter(found.values))
    share = {s.layer: s.share for s in found.layers if s.measure == measure}
    place = {name: (LINE, 90 + ROW * k) for k, name in enumerate(g)}
    most = max((math.log10(1 + d["count"]) for *_, d in g.edges(data=True)), default=1)
    marks: list[Mark] = [
        _title(f"{found.graph.model_name}: layers, and the edges between them"),
        Text(MARGIN, 56, f"circles: share of {measure}; lines: log of the number of edges", SMALL, colour=GREY),
    ]
    for u, v, data in g.edges(data=True):
        (x, y), (_, to) = place[u], place[v]
        out = 0.0 if to - y == ROW else min(0.35 * (to - y), LINE - 60)
        wide = 1 + (THICKEST - 1) * math.log10(1 + data["count"]) / most
        curve = (("M", (x, y)), ("C", (x - out, y, x - out, to, x, to))) if out else (("M", (x, y)), ("L", (x, to)))
        marks.append(Path(curve, stroke="#b9c9d6", line=wide))
        if not out:
            mean = data["abs_weight"] / data["count"]
            text = f"{amount(data['count'])} edges, mean |w| {number(mean)}"
            marks.append(Text(x - 24, (y + to) / 2, text, SMALL, colour=GREY, align="right", base="center"))
    for name, (x, y) in place.items():
        marks.append(_circle(x, y, 4 + 30 * math.sqrt(max(share.get(name, 0.0), 0.0) / math.pi)))
        about = (
            f"{name}   {g.nodes[name]['op']}, {amount(g.nodes[name]['neurons'])} neurons, {share.get(name, 0.0):.1%}"
        )
        marks.append(Text(x + 34, y, shortened(about, 500, NORMAL), NORMAL, base="center"))
    return Page(LINE + 560, 90 + ROW * len(place), tuple(marks))


def course(found: Course, measure: str) -> Page:
    """A measure's median in each layer, through training."""
    panels = []
    for layer, values in found.medians(measure).items():
        scale = scale_of([np.array(values)])
        strip = Curves(np.array([values]), ("",), scale, "epoch")
        panels.append(Panel(shortened(layer, 400, NORMAL, bold=True), "", (strip,)))
    return sheet(panels, 2, (COURSE[0], COURSE[1] + 80), [_title(f"{measure}, median of each layer, by epoch")])


def _title(text: str) -> Text:
    return Text(MARGIN, 32, text, LARGE, bold=True)


def _circle(x: float, y: float, radius: float) -> Path:
    k = 0.5523 * radius
    quarters: Sequence[tuple[float, ...]] = (
        (x + k, y - radius, x + radius, y - k, x + radius, y),
        (x + radius, y + k, x + k, y + radius, x, y + radius),
        (x - k, y + radius, x - radius, y + k, x - radius, y),
        (x - radius, y - k, x - k, y - radius, x, y - radius),
    )
    return Path(
        (("M", (x, y - radius)), *(("C", q) for q in quarters), ("Z", ())), fill=BLUE, stroke="#ffffff", line=1.5
    )
