"""A network's architecture as a picture: a box for each layer, an arrow for each connection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from onnx2graphml.draw.architecture.dot import dot
from onnx2graphml.draw.architecture.drawing import Drawing
from onnx2graphml.draw.architecture.painted import painted
from onnx2graphml.draw.architecture.placement import placed
from onnx2graphml.draw.architecture.repeats import repeats
from onnx2graphml.draw.canvas import content
from onnx2graphml.draw.svg import svg
from onnx2graphml.errors import Error, OutputError, did_you_mean
from onnx2graphml.files.atomic_file import atomic
from onnx2graphml.graph.graph import NeuronGraph

FOLD_ABOVE = 40  # layers: with more, repeats are folded unless it is said otherwise

RENDERERS: dict[str, Callable[[Drawing], bytes]] = {
    ".svg": lambda drawing: svg(painted(drawing)),
    ".png": lambda drawing: content(painted(drawing), "png"),
    ".pdf": lambda drawing: content(painted(drawing), "pdf"),
    ".dot": dot,
}
"""By suffix."""


def architecture(
    graph: NeuronGraph, path: str | Path, *, fold: bool | None = None, columns: int | None = None
) -> Drawing:
    """Draw a graph's layers with their operators, shapes and sizes, and the connections between them.

    Args:
        path: the picture's file; its suffix says what is written: .svg (numbers are exact in its tool tips), .png,
            .pdf (both need matplotlib) or .dot (text for Graphviz).
        fold: draw parts that stand several times in a row once, with their number; None does so where there are more
            than 40 layers. The drawing says what was folded.
        columns: of boxes, at most; None for as many as a screen's shape asks for.

    Returns:
        What was drawn, as values.

    Raises:
        OutputError: the suffix is unknown, or the file can't be written.
        Error: the drawing is too large for a .png.
        MissingExtraError: matplotlib is not installed.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> architecture(graph, "digits.svg").boxes[1].layer  # doctest: +SKIP
        'conv1'
    """
    renderer = RENDERERS[check_suffix(path)]
    drawing = drawn(graph, fold=fold, columns=columns)
    content = renderer(drawing)
    with atomic(Path(path)) as file:
        file.write(content)
    return drawing


def check_suffix(path: str | Path) -> str:
    """The suffix that says how a picture is written.

    Raises:
        OutputError: there is no such one.

    Example:
        >>> check_suffix("network.SVG")
        '.svg'
    """
    suffix = Path(path).suffix.lower()
    if suffix not in RENDERERS:
        near = did_you_mean(suffix, RENDERERS)
        raise OutputError(f"can't draw {str(path)!r}; the file's name must end in one of {', '.join(RENDERERS)}{near}")
    return suffix


def drawn(graph: NeuronGraph, *, fold: bool | None = None, columns: int | None = None) -> Drawing:
    """What `architecture` draws, without writing it.

    Raises:
        OutputError: the graph has no layers.
        Error: there are to be less than one column.

    Example:
        >>> import onnx2graphml
        >>> drawing = drawn(onnx2graphml.load("fixtures/digits.onnx"))
        >>> [(arrow.source, arrow.target) for arrow in drawing.arrows][:2]
        [('image', 'conv1'), ('conv1', 'bn1')]
    """
    if columns is not None and columns < 1:
        raise Error(f"columns is {columns}; expected 1 or more")
    if not graph.layers:
        raise OutputError("the graph has no layers; there is nothing to draw")
    if fold is None:
        fold = len(graph.layers) > FOLD_ABOVE
    return placed(graph, repeats(graph) if fold else (), columns)
