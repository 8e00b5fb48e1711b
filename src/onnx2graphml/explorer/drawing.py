"""The architecture's drawing as JSON: what `architecture` paints, in one column, for the page to paint."""

from __future__ import annotations

from typing import Any

from onnx2graphml.draw.architecture import colours
from onnx2graphml.draw.architecture.architecture import FOLD_ABOVE
from onnx2graphml.draw.architecture.drawing import Drawing
from onnx2graphml.draw.architecture.painted import line_of
from onnx2graphml.draw.architecture.placement import placed
from onnx2graphml.draw.architecture.repeats import repeats
from onnx2graphml.draw.page import Path
from onnx2graphml.draw.svg import commands
from onnx2graphml.graph.graph import NeuronGraph

Json = dict[str, Any]

AROUND = 8  # pixels


def drawings(graph: NeuronGraph) -> Json:
    """The drawing of all layers, and the one with repeats folded where there are any.

    Example:
        >>> import onnx2graphml
        >>> found = drawings(onnx2graphml.load("fixtures/digits.onnx"))
        >>> len(found["whole"]["boxes"]), found["folded"]
        (10, None)
    """
    folds = repeats(graph)
    number = {layer.name: k for k, layer in enumerate(graph.layers)}
    return {
        "whole": _drawing(placed(graph, (), 1), number),
        "folded": _drawing(placed(graph, folds, 1), number) if folds else None,
        "fold": bool(folds) and len(graph.layers) > FOLD_ABOVE,
        "skips": colours.SKIPS,
    }


def _drawing(drawing: Drawing, number: dict[str, int]) -> Json:
    return {
        "view": _view(drawing),
        "boxes": [
            {
                "layer": number[b.layer],
                "kind": b.kind,
                "end": b.end,
                "names": b.name_lines,
                "title": b.title,
                "box": [b.x, b.y, b.width, b.height],
                "texts": [[t.x, t.y, t.text] for t in b.texts],
            }
            for b in drawing.boxes
        ],
        "arrows": [
            {
                "line": commands(Path(line_of(a), stroke=None)),
                "end": a.points[-1],
                "skip": a.skip,
                "from": number[a.source],
                "to": number[a.target],
            }
            for a in drawing.arrows
        ],
        "frames": [
            {"box": [f.x, f.y, f.width, f.height], "tab": [f.tab_x, f.tab_width], "label": f.label}
            for f in drawing.frames
        ],
        "copies": [[[number[n] for n in copy] for copy in fold.copies] for fold in drawing.folds],
    }


def _view(drawing: Drawing) -> list[float]:
    """The part that boxes, frames and arrows take, without heading and notes: x, y, width, height."""
    areas = [(a.x, a.y, a.x + a.width, a.y + a.height) for a in drawing.boxes]
    areas += [(a.x, a.y, a.x + a.width, a.y + a.height) for a in drawing.frames]
    areas += [(x, y, x, y) for arrow in drawing.arrows for x, y in arrow.points]
    left, top = (min(area[k] for area in areas) - AROUND for k in (0, 1))
    right, bottom = (max(area[k] for area in areas) + AROUND for k in (2, 3))
    return [left, top, right - left, bottom - top]
