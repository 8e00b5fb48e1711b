"""A written graph into another format, without a model and with no more in memory than its nodes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.files.inputs import refuse_inputs
from onnx2graphml.formats import reading, writing
from onnx2graphml.formats.conversion.layers import EditedError, layer_of, narrowed
from onnx2graphml.formats.conversion.runs import Run, Runs
from onnx2graphml.formats.conversion.stream import Rows, StreamedBlock
from onnx2graphml.formats.edge_rows import NO_PORT
from onnx2graphml.formats.found import FoundLayer, column_of
from onnx2graphml.formats.registry import STDOUT, Progress, find, options, suffix_of
from onnx2graphml.graph.attributes import unread_layers
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.graph.recorded import VALUE, Recorded
from onnx2graphml.graph.xmltext import unescape


def convert(
    path: Path,
    out: str | Path,
    *,
    format: str,
    progress: Progress | None = None,
    jobs: int | None = None,
    labels: bool = False,
    partition: str | None = None,
) -> NeuronGraph:
    """Write a written graph in another format. The file is read twice: to know what there is, and to write it.

    Args:
        path: a file or folder that this package wrote, and nobody edited.
        out, format, progress, jobs, labels, partition: as for `write`; the format is a suffix.

    Returns:
        The graph that was written; its edges can't be read any more.

    Raises:
        EditedError: nodes or edges are missing, or in another order than this package writes them.
        Error: the file has no attributes of nodes; or it is damaged.
        OutputError, TooLargeError, MissingExtraError: as for `write`.

    Example:
        >>> convert(Path("digits.graphml"), "digits.parquet", format=".parquet")  # doctest: +SKIP
    """
    target = find(format)
    options(target, jobs, labels, partition=partition)  # a mistake is told before the file is read
    if str(out) != STDOUT:
        refuse_inputs(out, [path])
    with ExitStack() as opened:
        graph = stored_graph(path, opened)
        one = "parquet" in target.writer  # its files would be written side by side, and their edges be read so
        jobs = 1 if one else jobs
        writing.write(graph, out, format=format, progress=progress, jobs=jobs, labels=labels, partition=partition)
    return graph


def stored_graph(path: Path, opened: ExitStack) -> NeuronGraph:
    """The graph in a file, whose edges stay there; `opened` keeps it open."""
    from_text = suffix_of(path.name) not in BINARY
    with reading.open_graph(path) as file:
        about, found = file.about(), _layers(file)
        if not found:
            raise Error(
                f"{path}: it has no attributes of nodes, which other formats have; write the graph from the model"
            )
        found = sorted(found, key=lambda layer: int(layer.id.min()))
        first = np.cumsum([0, *(len(layer.id) for layer in found)]).tolist()
        layers = [layer_of(layer, id, from_text, path) for layer, id in zip(found, first[:-1], strict=True)]
        runs = Runs(layers, from_text, path)
        runs.add_all(file.edges())
    columns = _columns(found, from_text)
    winners = {layers[number].name: chosen.winners() for number, chosen in runs.chosen.items()}
    recorded = Recorded(columns[VALUE], winners) if VALUE in columns else None
    connected = _connected(layers, runs.found, Rows(path, opened), recorded)
    return _graph(connected, about, columns, recorded)


def _layers(file: reading.GraphFile) -> list[FoundLayer]:
    try:
        return file.layers()
    except Error as e:
        raise EditedError(str(e)) from None


BINARY = (".parquet", ".npz")


def _columns(found: list[FoundLayer], from_text: bool) -> dict[str, npt.NDArray[Any]]:
    """The further attributes of nodes; values have the type of what was computed."""
    columns = {name: column_of(found, name) for name in found[0].columns}
    return columns | ({VALUE: narrowed(columns[VALUE], from_text)} if VALUE in columns else {})


def _connected(layers: list[Layer], runs: list[Run], rows: Rows, recorded: Recorded | None) -> tuple[Layer, ...]:
    """The layers with their edges."""
    incoming: list[list[Incoming]] = [[] for _ in layers]
    for run in runs:
        source, target = layers[run.source], layers[run.target]
        block = StreamedBlock(
            (), np.empty(0, np.float32 if run.is_single else np.float64), rows=rows, first=run.first, size=run.count,
            most_terms=run.terms if run.has_terms else 0, source_id=source.first_id, target=target, port=run.port,
            recorded=recorded,
        )  # fmt: skip
        incoming[run.target].append(Incoming(source.name, block, None if run.port == NO_PORT else run.port))
    return tuple(dataclasses.replace(x, incoming=tuple(own)) for x, own in zip(layers, incoming, strict=True))


def _graph(
    layers: tuple[Layer, ...],
    about: Mapping[str, str],
    columns: Mapping[str, npt.NDArray[Any]],
    recorded: Recorded | None,
) -> NeuronGraph:
    graph = NeuronGraph(
        layers, (), unescape(about.get("model", "")), about.get("model_sha256", ""), about.get("detail", "layer"),
        thinned=about.get("thinned", ""), columns=columns, recorded=recorded,
    )  # fmt: skip
    told = about.get("outputs")
    outputs = unread_layers(graph) if told is None else [unescape(name) for name in json.loads(told)]
    return dataclasses.replace(graph, outputs=tuple(outputs))
