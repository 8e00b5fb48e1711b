"""What a layer's box says, and the room that it takes.

The letters are of a fixed width, which is nearly the same in all such fonts: where text ends does not depend on the
reader's fonts. What may come from another font (anything but Latin, Greek and Cyrillic) is given twice the room.
"""

from __future__ import annotations

from collections.abc import Sequence

from onnx2graphml.draw.architecture.repeats import Fold
from onnx2graphml.files.plain_text import printable
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.layer_kinds import Kind
from onnx2graphml.graph.neurons import activations_text
from onnx2graphml.text import cells, counted, wrapped

CELL = 0.64  # a letter's width as a share of its size: at most 0.602 in such fonts, and then rounded to a pixel
CELLS = 28  # of a line in a box: what is longer goes on in the next line

UNKNOWN = Kind()

_DENSE = ("Gemm", "MatMul")
_MOVES = ("Concat", "Flatten", "Reshape", "Transpose", "Slice", "Split", "Gather", "Pad", "Expand", "Tile", "Identity")


def name_lines(layer: Layer) -> list[str]:
    """The layer's name."""
    return wrapped(printable(layer.name), CELLS)


def fact_lines(layer: Layer, is_output: bool, is_a: Kind = UNKNOWN, sources: Sequence[str] = ()) -> list[str]:
    """Type, window, activations and shape; neurons, in-edges and parameters, those that there are.

    Args:
        is_a: the framework's type, or else the operator is told; and the window.
        sources: the layers that are not right above, from which arrows lead here.
    """
    what = is_a.type or layer.op
    others = [op for op in dict.fromkeys(a.op for a in layer.activation) if op.casefold() != what.casefold()]
    ops = ", ".join([f"{what} {is_a.window}".rstrip(), *others])
    shape = "×".join(map(str, layer.shape)) or "scalar"
    together = f"{ops}  {shape}"
    apart = [", ".join([what, *others]), f"{is_a.window}  {shape}".strip()]
    lines = [together] if cells(together) <= CELLS else [line for part in apart for line in wrapped(part, CELLS)]
    counts = [counted(layer.neurons, "neuron")]
    if layer.in_edges:
        counts.append(counted(layer.in_edges, "edge"))
    joined = ", ".join(counts)
    lines += [joined] if cells(joined) <= CELLS else counts
    if layer.parameters:
        lines.append(counted(layer.parameters, "parameter"))
    if sources:
        lines += wrapped(f"from {', '.join(map(printable, sources))}", CELLS)
    if layer.aggregation == "input" and layer.op != "Input":
        lines.append("input")
    return [*lines, "output"] if is_output else lines


def title(layer: Layer, is_a: Kind = UNKNOWN) -> str:
    """All that is in the box, exact."""
    lines = [layer.name, f"operator: {layer.op}"]
    if is_a.type:
        lines.insert(1, f"type: {is_a.type}")
    if is_a.window:
        lines.append(f"window: {is_a.window}")
    if layer.activation:
        lines.append(f"activation: {activations_text(layer.activation)}")
    lines += [f"shape: {layer.shape}", f"neurons: {layer.neurons:,}", f"in-edges: {layer.in_edges:,}"]
    return "\n".join(printable(line) for line in [*lines, f"parameters: {layer.parameters:,}"])


def kind(layer: Layer) -> str:
    """What a layer does with its in-edges: a key of the colours."""
    if layer.aggregation in ("input", "constant"):
        return layer.aggregation
    if "Pool" in layer.op:
        return "pool"
    if len({i.source for i in layer.incoming}) > 1:
        return "join"
    if "Conv" in layer.op:
        return "convolution"
    if layer.op in _DENSE:
        return "dense"
    return "move" if layer.op in _MOVES else "other"


def heading(graph: NeuronGraph) -> str:
    """The network's name."""
    return printable(graph.model_name) or "network"


def sizes(graph: NeuronGraph, folds: Sequence[Fold]) -> str:
    """The network's sizes, and how many of its layers are drawn where not all are."""
    saved = sum(fold.saved for fold in folds)
    layers = counted(len(graph.layers), "layer") + (f" ({len(graph.layers) - saved:,} drawn)" if saved else "")
    numbers = [counted(graph.neurons, "neuron"), counted(graph.edges, "edge"), counted(graph.parameters, "parameter")]
    return ", ".join([layers, *numbers])


def label(fold: Fold) -> str:
    """What the tab of a fold's frame says."""
    return f"× {len(fold.copies):,}"


def note(fold: Fold) -> str:
    """What a fold stands for, in words."""
    drawn, last = fold.drawn, fold.copies[-1]
    first = f"{drawn[0]} … {drawn[-1]} ({len(drawn):,} layers)" if len(drawn) > 1 else drawn[0]
    return printable(f"{label(fold)}: {first}, and the same again in a row, up to {last[-1]}")
