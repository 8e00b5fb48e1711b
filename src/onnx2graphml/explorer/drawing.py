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
    head = {text.text for text in drawing.texts}
    top = min((box.y for box in drawing.boxes), default=0.0)
    return {
        "width": drawing.width,
        "height": drawing.height,
        "top": max(0.0, top - 24) if head else 0.0,
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
