"""What verification found: a row for each layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from onnx2graphml.files.plain_text import printable
from onnx2graphml.graph.table import Table, shape_text

if TYPE_CHECKING:
    from onnx2graphml.graph.graph import NeuronGraph

SHOWN = 10  # edges of each kind in `str(worst)`


@dataclass(frozen=True)
class Row:
    """What was found of one layer.

    Attributes:
        layer, op, neurons, edges: of the layer.
        absolute, relative: the largest difference between the recomputed and the runtime's value, as it is, and over
            the layer's largest value.
        tolerance: the largest difference that rounding explains, where it is largest.
        share: the largest difference over the tolerance of its own neuron; up to 1 the layer passes.
        worst: the position of that neuron in the layer; in a file where in-edges differ from the model's, of the first
            neuron that has such.
        problems: what else is wrong, in words: how a layer in a file differs from the model's.
        input: with which of several inputs the differences are largest.
    """

    layer: str
    op: str
    neurons: int
    edges: int
    absolute: float
    relative: float
    tolerance: float
    share: float
    worst: int
    problems: tuple[str, ...] = ()
    input: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing differs by more than rounding explains."""
        return self.share <= 1 and not self.problems


@dataclass(frozen=True)
class InEdge:
    """An edge into the neuron.

    Attributes:
        source: the id of the neuron that it comes from, `layer` and `index`: where that is.
        weight: float32 or float64, as the layer's weights are.
        port, term: None where there is none.
    """

    source: int
    layer: str
    index: tuple[int, ...]
    weight: np.floating[Any]
    port: int | None
    term: int | None = None


@dataclass(frozen=True)
class Worst:
    """A neuron with its in-edges in a file and in the model. Ids are the model's, which a file that is whole has, too.

    Attributes:
        id, layer, index: which neuron it is.
        in_file, in_model: all its in-edges there.
        missing, extra: those that only the model has, and those that only the file has.
        changed: of each that has another weight, the one in the file and the one in the model.
    """

    id: int
    layer: str
    index: tuple[int, ...]
    in_file: tuple[InEdge, ...]
    in_model: tuple[InEdge, ...]
    missing: tuple[InEdge, ...]
    extra: tuple[InEdge, ...]
    changed: tuple[tuple[InEdge, InEdge], ...]

    def text(self, edges: int = SHOWN) -> str:
        """What there is, with at most so many edges of each kind."""
        lines = [
            f"n{self.id}: {printable(self.layer)} {shape_text(self.index)}, "
            f"{len(self.in_file):,} in-edges in the file, {len(self.in_model):,} in the model"
        ]
        kinds = {
            "in the file": [_cells(edge) for edge in self.in_file],
            "only in the file": [_cells(edge) for edge in self.extra],
            "only in the model": [_cells(edge) for edge in self.missing],
            "of another weight": [_cells(mine, f"in the model {theirs.weight!s}") for mine, theirs in self.changed],
        }
        for title, rows in kinds.items():
            if rows:
                lines.append(f"{title}: {len(rows):,}")
                lines.append(str(Table(("  id", "layer", "index", "weight", ""), tuple(rows[:edges]), "<<<><")))
            if len(rows) > edges:
                lines.append(f"  and {len(rows) - edges:,} more")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()


def _cells(edge: InEdge, note: str = "") -> tuple[str, ...]:
    port = "" if edge.port is None else f"port {edge.port}"
    term = "" if edge.term is None else f"term {edge.term}"
    notes = " ".join(filter(None, (port, term, note)))
    return f"  n{edge.source}", edge.layer, shape_text(edge.index), str(edge.weight), notes


@dataclass(frozen=True)
class About:
    """What was verified: the model, the graph's file (None: the graph as it would be written), its detail and size.

    `sums` says how: by single `edges`; by `planes` of edges, which is faster and less independent; or by single edges
    on a GPU, `cuda`. `sampled` is the number of neurons of each layer that were looked at; 0 for all.
    """

    model: str = ""
    graph: str | None = None
    detail: str = ""
    neurons: int = 0
    edges: int = 0
    sums: str = "edges"
    sampled: int = 0


HOW = {
    "planes": "sums by planes of edges (fast), not edge by edge",
    "cuda": "sums edge by edge on a GPU",
}
"""What is told of `About.sums`."""


@dataclass(frozen=True)
class Report:
    """What verification found; `print(report)` shows it as a table.

    Attributes:
        rows: of all layers.
        unchecked: in words, what could not be compared because the file lacks it.
        about: what was verified.
        worst: of some layers that differ, the worst neuron with its in-edges.
    """

    rows: tuple[Row, ...]
    unchecked: tuple[str, ...] = ()
    about: About = About()
    worst: tuple[Worst, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every layer passed, and there was one."""
        return bool(self.rows) and all(row.passed for row in self.rows)

    def __str__(self) -> str:
        problems = [printable(f"{r.layer}: {problem}") for r in self.rows for problem in r.problems]
        unchecked = [f"not checked: {what}" for what in self.unchecked]
        how = [HOW[self.about.sums]] if self.about.sums in HOW else []
        if self.about.sampled:
            how.append(f"sampled: at most {self.about.sampled:,} neurons of each layer, each from all edges into it")
        return "\n".join([str(self._table()), *problems, *unchecked, *how, *map(str, self.worst)])

    def _repr_html_(self) -> str:
        return self._table()._repr_html_()

    def _table(self) -> Table:
        header = ("layer", "operator", "neurons", "edges", "max abs", "max rel", "tolerance", "result")
        return Table(header, tuple(map(_row_cells, self.rows)), "<<>>>>><")


def _row_cells(row: Row) -> tuple[str, ...]:
    failed = f"FAIL, worst at {row.worst}" if row.share > 1 else "FAIL"
    differences = (f"{value:.1e}" for value in (row.absolute, row.relative, row.tolerance))
    return row.layer, row.op, f"{row.neurons:,}", f"{row.edges:,}", *differences, "pass" if row.passed else failed


def merge_rows(rows: Mapping[str, tuple[Row, ...]]) -> tuple[Row, ...]:
    """The rows for several inputs, by their names, as one for each layer: the one with the largest share.

    Example:
        >>> row = Row("y", "Relu", 1, 1, 0.5, 0.5, 0.1, 5.0, 0)
        >>> merge_rows({"zeros": (dataclasses.replace(row, share=0.0),), "random": (row,)})[0].input
        'random'
    """
    found = []
    for same in zip(*rows.values(), strict=True):
        name, row = max(zip(rows, same, strict=True), key=lambda pair: (not pair[1].passed, pair[1].share))
        found.append(dataclasses.replace(row, input=name))
    return tuple(found)


def about(graph: NeuronGraph, sums: str = "edges", sampled: int = 0, path: str | None = None) -> About:
    """What a graph, or its file, is, and how it is verified."""
    return About(graph.model_name, path, graph.detail, graph.neurons, graph.edges, sums, sampled)
