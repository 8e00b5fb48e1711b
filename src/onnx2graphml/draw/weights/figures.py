"""Parts of an array as a page: each under a line that says what it shows, with the original indices beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onnx2graphml.draw.colours import Scale, scale_of
from onnx2graphml.draw.matrix import Matrix
from onnx2graphml.draw.mosaic import Mosaic
from onnx2graphml.draw.page import LARGE, Page, Text
from onnx2graphml.draw.panel import MARGIN, Body, Panel, column, sheet
from onnx2graphml.draw.plots import Curve, Histogram
from onnx2graphml.draw.weights.parts import Part
from onnx2graphml.parameters.statistics import Statistics
from onnx2graphml.text import shortened

ZOOM = 40  # pixels of a number at most
HISTOGRAM = (330, 200)  # pixels


def scale(part: Part) -> Scale:
    """The limits of a part's colours: those of what it shows; for colours, of all three together."""
    found = scale_of([part.values])
    if part.form != "colours":
        return found
    limit = max(abs(found.low), abs(found.high))
    return Scale(-limit, limit, True)


def body(part: Part) -> Body:
    """What is drawn of a part."""
    rows, columns = (tuple(map(str, index.tolist())) for index in (part.rows, part.columns))
    if part.form == "vector":
        return Curve(part.values, None, columns, part.column_name)
    if part.form == "matrix":
        return Matrix(part.values, scale(part), rows, columns, part.row_name, part.column_name, ZOOM)
    if part.form == "table":
        ins, outs, high, wide = part.values.shape
        tiles = part.values.reshape(ins * outs, high, wide)
        return Mosaic(tiles, (), (scale(part),), outs, (rows, columns), marked=False, zoom=ZOOM)
    if part.form == "colours":
        limit = scale(part).high or 1.0
        share = (0.5 + np.asarray(part.values, np.float64) / (2 * limit)).clip(0, 1)
        return Mosaic((255 * share).round().astype(np.uint8), columns, zoom=ZOOM)
    labels = columns if part.form == "grid" else tuple(f"{o},{i}" for o, i in zip(columns, rows, strict=True))
    return Mosaic(part.values, labels, (scale(part),), marked=False, zoom=ZOOM)


def array_page(head: Sequence[str], parts: Sequence[Part]) -> Page:
    """A page of all parts, one below the other.

    Args:
        head: lines above them, the first one bold; long ones are wrapped.
    """
    panels = [
        Panel("", part.statement, (body(part),), (scale(part),) if part.form not in ("vector", "colours") else ())
        for part in parts
    ]
    return column(head[0], [line for line in head[1:] if line], panels)


def histogram_page(head: str, named: Sequence[tuple[str, Statistics]]) -> Page:
    """The distribution of each array of a layer, side by side.

    Args:
        named: arrays with a histogram, at least one.
    """
    panels = [Panel(name, "", (Histogram(found.counts, found.edges),)) for name, found in named]
    across = min(4, len(panels))
    width = across * (HISTOGRAM[0] + MARGIN)
    return sheet(panels, across, HISTOGRAM, [Text(MARGIN, 32, shortened(head, width, LARGE, bold=True), LARGE, True)])
