"""A written graph, read back, against ONNX Runtime's values and the model's own edges."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.build.detail import LEVELS
from onnx2graphml.errors import Error
from onnx2graphml.formats import reading, registry
from onnx2graphml.formats.columns import uses_ports
from onnx2graphml.formats.edge_rows import NO_TERM
from onnx2graphml.formats.registry import Feature
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.verification.against_runtime import compared, network_values
from onnx2graphml.verification.file.accumulate import Fingerprints
from onnx2graphml.verification.file.combined import Combined, rows_of
from onnx2graphml.verification.file.freed import return_freed
from onnx2graphml.verification.file.matched import Matched
from onnx2graphml.verification.file.recorded import OWN, RecordedCheck
from onnx2graphml.verification.file.worst import worst_neurons
from onnx2graphml.verification.recompute import Progress, Recomputed
from onnx2graphml.verification.report import Report, Row, about, merge_rows
from onnx2graphml.verification.unspecified import settled

Array = npt.NDArray[Any]

UNCHECKED: dict[Feature, str] = {
    "graph attributes": "the name and hash of the model, and the level of detail",
    "node attributes": "combine, bias, activation and the other attributes of nodes, which were taken from the model",
    "ports": "ports of edges, which were taken from the model",
}
"""What a format may lack without refusing a graph that has it."""


@np.errstate(all="ignore")  # a file's numbers may be any, signalling NaN among them: they are compared
def verify_file(
    graph: NeuronGraph,
    path: str | Path,
    inputs: Mapping[str, Mapping[str, Array]],
    *,
    worst: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Compare a written graph with ONNX Runtime's values of the model, and with the model's edges.

    These checks are made of each layer, in one pass over the file, whose edges may come in any order:

    - Its neurons' values are computed from `combine`, `bias`, `activation` and the in-edges in the file alone, starting
      from ONNX Runtime's values of all other layers, and compared with ONNX Runtime's. The tolerance is that of
      `recompute`, with the in-degrees of the file.
    - Where the file was written with an input, its values are recomputed layer by layer, starting from each other, and
      its contributions and winners compared with what follows from them.
    - An edge whose source happens to be 0, as many are after a Relu, and a wrong candidate that does not win a maximum
      change no value. So each neuron's in-edges, as pairs of source, weight, port and term, are compared with those
      that the model has, by count and by fingerprint, and its bias and other attributes one for one. Weights are
      compared as float32 values, except those into layers whose weights are all float64.

    Args:
        graph: loaded from the model at the file's own `detail`.
        path: a file or folder in a format of `readers.READERS`.
        inputs: by the name that the report gives an input, its arrays by input name.
        worst: of how many layers that differ the worst neuron's in-edges are read, in a second pass.
        progress: called with numbers of edges of the file as they are read.

    Raises:
        Error: the file is damaged, is of another model, or has other layers; or as `network_values`.
    """
    with reading.open_graph(path) as file:
        matched = Matched.of_file(graph, file, path)
        return_freed()
        got = {name: Combined(matched, network_values(graph, feeds)) for name, feeds in inputs.items()}
        values = file.values()
        own = None if values is None else RecordedCheck(matched, values)
        found = Fingerprints(matched.single)
        for edges in matched.edges(file.edges()):
            found.add(edges.source, edges.target, edges.weight, edges.port.astype(np.int64), edges.term)
            for combined in got.values():
                combined.add(edges)
            if own is not None:
                own.add(edges)
            if progress is not None:
                progress(len(edges))
    wrong = [edge_faults(graph, layer, found) for layer in graph.layers]
    every = {name: _rows(graph, matched, combined, found, wrong) for name, combined in got.items()}
    if own is not None:
        every[OWN] = _own_rows(own, _rows(graph, matched, own.combined, found, wrong), graph)
    rows = merge_rows(every)
    report = Report(rows, unchecked(matched), about(graph, path=str(path)))
    failed = [row for row in rows if not row.passed][:worst]
    return dataclasses.replace(report, worst=worst_neurons(graph, path, failed)) if failed else report


def detail_of(path: str | Path) -> str | None:
    """The level of detail that a file says it has; None where its format can't.

    Raises:
        Error: it says something else.

    Example:
        >>> detail_of("digits.graphml")  # doctest: +SKIP
        'layer'
    """
    with reading.open_graph(path) as file:
        about = file.about()
    found = about.get("detail")
    if found is None and "nodes" in about:
        return None
    if found not in LEVELS:
        raise Error(f"{path}: detail is {found!r}; expected one of {', '.join(LEVELS)}")
    return found


def unchecked(matched: Matched) -> tuple[str, ...]:
    """What of a graph can't be compared, because the file does not have it, in words."""
    relevant = [feature for feature in matched.missing if feature != "ports" or uses_ports(matched.graph)]
    suffix = registry.suffix(matched.path.name)
    cannot = registry.FORMATS[suffix].cannot_hold
    return tuple(f"{UNCHECKED[f]}: {suffix if f in cannot else 'this file'} does not hold them" for f in relevant)


def model_fingerprints(graph: NeuronGraph, layer: Layer, single: npt.NDArray[np.bool_]) -> Fingerprints:
    """The fingerprints of the model's own edges into a layer."""
    fingerprints = Fingerprints(single)
    for incoming, edges in graph.edges_into(layer):
        port = np.full(len(edges), -1 if incoming.port is None else incoming.port)
        first = graph.layer(incoming.source).first_id
        term = np.full(len(edges), NO_TERM) if edges.term is None else edges.term
        fingerprints.add(edges.source + first, edges.target, edges.weight, port, term)
    return fingerprints


@dataclasses.dataclass(frozen=True)
class EdgeFaults:
    """How a layer's in-edges differ from the model's: the first neuron that has others, and what is said of them."""

    first: int | None = None
    problem: str = ""


def edge_faults(graph: NeuronGraph, layer: Layer, found: Fingerprints) -> EdgeFaults:
    """Compare the fingerprints of the edges into a layer; the model's are in memory for one layer at a time."""
    rows = rows_of(layer)
    expected, degrees = model_fingerprints(graph, layer, found.single[rows]), found.degree[rows]
    wrong = np.flatnonzero((found.fingerprint[rows] != expected.fingerprint) | (degrees != expected.degree))
    if not wrong.size:
        return EdgeFaults()
    first = int(wrong[0])
    index = tuple(int(i) for i in np.unravel_index(first, layer.shape))
    counts = f"{degrees[first]} there, in the model {expected.degree[first]}"
    return EdgeFaults(first, f"other in-edges than in the model at {wrong.size} neurons, such as {index}: {counts}")


def _rows(
    graph: NeuronGraph, matched: Matched, got: Combined, found: Fingerprints, wrong: Sequence[EdgeFaults]
) -> tuple[Row, ...]:
    """A row for each layer; for an input only where something is wrong."""
    rows = [_row(at, matched, got, found, faults) for at, faults in enumerate(wrong)]
    return tuple(
        row for row, layer in zip(rows, graph.layers, strict=True) if layer.aggregation != "input" or row.problems
    )


def _own_rows(own: RecordedCheck, rows: tuple[Row, ...], graph: NeuronGraph) -> tuple[Row, ...]:
    """The rows of the file's own input, with what is wrong with its edges."""
    return tuple(
        dataclasses.replace(row, problems=(*row.problems, *own.problems(rows_of(graph.layer(row.layer)))))
        for row in rows
    )


def _row(number: int, matched: Matched, got: Combined, found: Fingerprints, faults: EdgeFaults) -> Row:
    layer, rows = matched.graph.layers[number], rows_of(matched.graph.layers[number])
    degrees, value = found.degree[rows], got.values[rows]
    if matched.found[number].combine == "input":
        recomputed = Recomputed(value, np.zeros(layer.neurons), np.zeros(layer.neurons, bool))
    else:
        recomputed = got.of(number, int(degrees.max(initial=0)))
    own = settled(layer, got.sources(layer), recomputed, value)
    row = compared(layer.name, layer.op, int(degrees.sum()), own, value, recomputed.tolerance)
    problems = (*matched.problems[number], *([faults.problem] if faults.problem else []))
    worst = row.worst if faults.first is None else faults.first  # of neurons that a Softmax couples, the one at fault
    return dataclasses.replace(row, worst=worst, problems=problems)
