"""What a layer's box says, and the room that it takes.

The letters are of a fixed width, which is nearly the same in all such fonts: where text ends does not depend on the
reader's fonts. What may come from another font (anything but Latin, Greek and Cyrillic) is given twice the room.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from onnx2graphml.draw.architecture.repeats import Fold
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.neurons import activations_text

CELL = 0.64  # a letter's width as a share of its size: at most 0.602 in such fonts, and then rounded to a pixel
CELLS = 28  # of a line in a box: what is longer goes on in the next line
_NARROW = "\u0530"  # the first character after Cyrillic

_BREAKS = re.compile(r"(?<=[/_.:\- ,])")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")

_DENSE = ("Gemm", "MatMul")
_MOVES = ("Concat", "Flatten", "Reshape", "Transpose", "Slice", "Split", "Gather", "Pad", "Expand", "Tile", "Identity")


def cells(text: str) -> int:
    """The number of letter widths that a line needs.

    Example:
        >>> cells("conv1"), cells("畳み込み")
        (5, 8)
    """
    return sum(1 if c < _NARROW else 2 for c in text)


def printable(name: str) -> str:
    r"""The name with every character that can't be shown as its number.

    Example:
        >>> printable("a\x00b")
        'a\\u0000b'
    """
    return _UNPRINTABLE.sub(lambda m: f"\\u{ord(m[0]):04x}", name)


def wrapped(text: str, width: int = CELLS) -> list[str]:
    """The text in lines of at most `width` cells, broken after punctuation where there is some.

    Example:
        >>> wrapped("a_very/long_name", 8)
        ['a_very/', 'long_', 'name']
    """
    lines = [""]
    for piece in _pieces(text, width):
        if cells(lines[-1]) + cells(piece) > width:
            lines.append("")
        lines[-1] += piece
    return lines


def _pieces(text: str, width: int) -> Iterable[str]:
    for piece in _BREAKS.split(text):
        if cells(piece) <= width:
            yield piece
        else:
            yield from piece  # a long word is broken anywhere


def amount(n: int) -> str:
    """A count in three digits; exact below 10,000.

    Example:
        >>> amount(7744), amount(25_600_000), amount(999_999), amount(1_852_000_000)
        ('7,744', '25.6 M', '1 M', '1.85 G')
    """
    if n < 10_000:
        return f"{n:,}"
    value = float(n)
    for unit in ("k", "M", "G", "T", "P"):
        value /= 1000
        if value < 999.5:
            return f"{value:.3g} {unit}"
    return f"{value:.3g} P"


def counted(n: int, what: str) -> str:
    """A count and its noun.

    Example:
        >>> counted(1, "neuron"), counted(0, "edge")
        ('1 neuron', '0 edges')
    """
    return f"{amount(n)} {what}{'' if n == 1 else 's'}"


def name_lines(layer: Layer) -> list[str]:
    """The layer's name."""
    return wrapped(printable(layer.name))


def fact_lines(layer: Layer, is_output: bool) -> list[str]:
    """Operator, activations and shape; neurons, in-edges and parameters, those that there are."""
    ops = ", ".join(dict.fromkeys([layer.op, *(a.op for a in layer.activation)]))
    shape = "×".join(map(str, layer.shape)) or "scalar"
    lines = [f"{ops}  {shape}"] if cells(f"{ops}  {shape}") <= CELLS else [*wrapped(ops), *wrapped(shape)]
    counts = [counted(layer.neurons, "neuron")]
    if layer.in_edges:
        counts.append(counted(layer.in_edges, "edge"))
    joined = ", ".join(counts)
    lines += [joined] if cells(joined) <= CELLS else counts
    if layer.parameters:
        lines.append(counted(layer.parameters, "parameter"))
    if layer.aggregation == "input" and layer.op != "Input":
        lines.append("input")
    return [*lines, "output"] if is_output else lines


def title(layer: Layer) -> str:
    """All that is in the box, exact."""
    lines = [layer.name, f"operator: {layer.op}"]
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
