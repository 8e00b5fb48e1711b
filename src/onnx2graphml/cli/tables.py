"""What the command line prints: tables of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from onnx2graphml.files.plain_text import LONGEST, printable
from onnx2graphml.graph.axes import Ints
from onnx2graphml.graph.blocks import Floats
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.neurons import activations_text
from onnx2graphml.graph.receptive_field import receptive_field
from onnx2graphml.progress import duration, size

if TYPE_CHECKING:
    from onnx2graphml.formats.estimate import Cost
    from onnx2graphml.verification.against_runtime import Report
    from onnx2graphml.verification.file import InEdge, Worst


def info(graph: NeuronGraph) -> str:
    """A row a layer: its name, operator, shape, and numbers of neurons, in-edges and parameters; and the totals."""
    rows = [
        (x.name, x.op, shape(x.shape), f"{x.neurons:,}", f"{x.in_edges:,}", f"{x.parameters:,}") for x in graph.layers
    ]
    total = (
        "total",
        f"{len(graph.layers)} layers",
        "",
        f"{graph.neurons:,}",
        f"{graph.edges:,}",
        f"{graph.parameters:,}",
    )
    return table(("layer", "operator", "shape", "neurons", "in-edges", "parameters"), rows, "<<<>>>", total)


def costs(found: Mapping[str, Cost | str]) -> str:
    """A row a format: its size and time, or why it can't be written."""
    rows = [
        (suffix, "", "", cost) if isinstance(cost, str) else (suffix, size(cost.bytes), duration(cost.seconds), "")
        for suffix, cost in found.items()
    ]
    return table(("format", "size", "time", ""), rows, "<>><")


def verification(report: Report) -> str:
    """A row a layer: neurons, edges, the largest differences, the tolerance, the result; then what is wrong."""
    rows = [
        (
            r.layer,
            r.op,
            f"{r.neurons:,}",
            f"{r.edges:,}",
            f"{r.absolute:.1e}",
            f"{r.relative:.1e}",
            f"{r.tolerance:.1e}",
            "pass" if r.passed else f"FAIL, worst at {r.worst}" if r.share > 1 else "FAIL",
        )
        for r in report.rows
    ]
    header = ("layer", "operator", "neurons", "edges", "max abs", "max rel", "tolerance", "result")
    problems = [printable(f"{r.layer}: {problem}") for r in report.rows for problem in r.problems]
    unchecked = [f"not checked: {what}" for what in report.unchecked]
    return "\n".join([table(header, rows, "<<>>>>><"), *problems, *unchecked])


def worst(found: Worst, limit: int = 10) -> str:
    """The worst neuron of a layer: its in-edges in the file, and how they differ from the model's, `limit` of each."""
    lines = [
        f"n{found.id}: {printable(found.layer)} {shape(found.index)}, {len(found.in_file):,} in-edges in the file, "
        f"{len(found.in_model):,} in the model"
    ]
    kinds = {
        "in the file": [_in_edge(edge) for edge in found.in_file],
        "only in the file": [_in_edge(edge) for edge in found.extra],
        "only in the model": [_in_edge(edge) for edge in found.missing],
        "of another weight": [_in_edge(mine, f"in the model {theirs.weight!s}") for mine, theirs in found.changed],
    }
    for title, rows in kinds.items():
        if rows:
            lines.append(f"{title}: {len(rows):,}")
            lines += table(("  id", "layer", "index", "weight", ""), rows[:limit], "<<<><").splitlines()
        if len(rows) > limit:
            lines.append(f"  and {len(rows) - limit:,} more")
    return "\n".join(lines)


def _in_edge(edge: InEdge, note: str = "") -> tuple[str, ...]:
    port = "" if edge.port is None else f"port {edge.port}"
    term = "" if edge.term is None else f"term {edge.term}"
    last = " ".join(filter(None, (port, term, note)))
    return f"  n{edge.source}", edge.layer, shape(edge.index), str(edge.weight), last


def neuron(graph: NeuronGraph, id: int, limit: int = 20) -> str:
    """What a neuron computes, its edges (the first `limit` each way, all with 0), and where it looks at."""
    layer = graph.layer_of(id)
    index = graph.index_of(id)
    lines = [
        f"n{id}: {printable(layer.name)} {shape(index)} of {shape(layer.shape)}, {layer.op}",
        f"aggregation: {layer.aggregation}",
    ]
    if layer.bias is not None:
        lines.append(f"bias: {layer.bias[index]!s}")
    if layer.activation:
        lines.append(f"activation: {activations_text(layer.activation)}")
    for name, reached in receptive_field(graph, id).items():
        lines.append(f"receptive field in {printable(name)}: {_extent(reached)}, {int(reached.sum()):,} neurons")
    into, out = graph.in_edges(id), graph.out_edges(id)
    lines += [f"in-edges: {len(into):,}", *_edge_lines(graph, into.source, into.weight, limit)]
    lines += [f"out-edges: {len(out):,}", *_edge_lines(graph, out.target, out.weight, limit)]
    return "\n".join(lines)


def _edge_lines(graph: NeuronGraph, neurons: Ints, weights: Floats, limit: int) -> list[str]:
    shown = len(neurons) if limit == 0 else min(limit, len(neurons))
    rows = [
        (f"  n{n}", graph.layer_of(n).name, shape(graph.index_of(n)), str(w))
        for n, w in zip(neurons[:shown].tolist(), weights[:shown], strict=True)
    ]
    more = [f"  and {len(neurons) - shown:,} more (--limit 0 prints all)"] if shown < len(neurons) else []
    return [*(table(("  id", "layer", "index", "weight"), rows, "<<<>").splitlines() if rows else []), *more]


def _extent(mask: npt.NDArray[np.bool_]) -> str:
    """First and last position along each axis."""
    ends = [(int(p.min()), int(p.max())) for p in np.nonzero(mask)]
    return "[" + ", ".join(f"{a}:{b + 1}" for a, b in ends) + "]"


def shape(sizes: Sequence[int]) -> str:
    """A shape as Python writes it.

    Example:
        >>> shape((224, 224, 3)), shape((10,))
        ('(224, 224, 3)', '(10,)')
    """
    return str(tuple(int(n) for n in sizes))


def table(header: Sequence[str], rows: Sequence[Sequence[str]], align: str, total: Sequence[str] | None = None) -> str:
    """Rows in columns as wide as their widest cell; `align` has `<` or `>` for each."""
    rows = [[printable(cell, LONGEST) for cell in row] for row in rows]
    every = [header, *rows, *([total] if total else [])]
    widths = [max(len(row[c]) for row in every) for c in range(len(header))]

    def written(row: Sequence[str]) -> str:
        return "  ".join(f"{cell:{a}{w}}" for cell, a, w in zip(row, align, widths, strict=True)).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    lines = [written(header), rule, *map(written, rows)]
    return "\n".join([*lines, rule, written(total)] if total else lines)
