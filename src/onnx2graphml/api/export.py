"""A graph as a network that runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx2graphml.api.loading import as_graph
from onnx2graphml.arguments import typed
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.files.atomic_file import atomic, check_parent
from onnx2graphml.files.inputs import refuse_inputs

if TYPE_CHECKING:
    import onnx

    from onnx2graphml.formats.estimate import Cost
    from onnx2graphml.graph.graph import NeuronGraph

SUFFIX = ".onnx"


@typed
def to_onnx(model: Any, path: str | Path | None = None, *, max_edges: int = 50_000_000) -> onnx.ModelProto:
    """A graph as an ONNX model: what its nodes and edges say, in operators that ONNX Runtime runs.

    Args:
        model: a graph, a part of one that `select` or `prune` chose, or what `load` takes: a written graph or one for
            NetworkX, edited since or not, among it.
        path: an .onnx file to write the model into: all of it or nothing.
        max_edges: refuse a layer of more edges that have to be written one by one, about 8 bytes each.

    Returns:
        The model. Its inputs and outputs are those of the model that the graph was made from; otherwise they are named
        as their layers, and have their shapes behind a first axis for the batch.

    Raises:
        Error: a maximum has no candidate left, a function has not all of its values, or there is no output.
        OutputError: the file can't be written.
        TooLargeError: there are more edges than allowed, or the file would have 2 GB or more.
        UnsupportedError: a function can't be written as ONNX.

    Example:
        >>> import onnx2graphml
        >>> strongest = onnx2graphml.select("fixtures/digits.onnx", min_abs_weight=0.05)
        >>> onnx2graphml.to_onnx(strongest).graph.output[0].name
        'digit'
    """
    from onnx2graphml.export import model as export

    if path is not None:
        if Path(path).suffix.lower() != SUFFIX:
            raise OutputError(f"can't write {str(path)!r}: the file's name must end in {SUFFIX}")
        check_parent(path)
    graph = as_graph(model)
    made = export.to_onnx(graph, max_edges)
    if path is not None:
        refuse_inputs(path, [] if graph.model is None else graph.model.files)
        with atomic(Path(path)) as file:
            file.write(export.serialized(made))
    return made


def export_cost(graph: NeuronGraph, folder: Path) -> Cost:
    """What it will take to make the file in a folder."""
    start = time.perf_counter()
    from onnx2graphml.export.estimate import estimated_bytes
    from onnx2graphml.export.speed import seconds

    importing = time.perf_counter() - start
    from onnx2graphml.files.disk import disk_of
    from onnx2graphml.formats.estimate import Cost

    size, (loading, making) = estimated_bytes(graph), seconds(graph)
    return Cost(size, importing + loading + making + disk_of(folder).seconds(size, 0))


def refuse_labels(labels: bool) -> None:
    """`Error` where labels are asked for: a network has none."""
    if labels:
        raise Error("labels are for GraphML; leave them out of an .onnx file")
