"""Write a graph into a file or a folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from onnx2graphml.compiled import many
from onnx2graphml.errors import OutputError
from onnx2graphml.files.atomic_file import atomic
from onnx2graphml.files.atomic_folder import atomic_directory
from onnx2graphml.files.inputs import refuse_inputs
from onnx2graphml.formats.registry import DEFAULT, IDS, STDOUT, Format, Progress, find, options
from onnx2graphml.graph.graph import NeuronGraph


def write(
    graph: NeuronGraph,
    path: str | Path,
    *,
    format: str | None = None,
    progress: Progress | None = None,
    jobs: int | None = None,
    labels: bool = False,
    ids: str = IDS[0],
    partition: str | None = None,
) -> None:
    """Write a graph into a file or a folder, in the format that its suffix names; all of it or nothing.

    Args:
        path: an older one of that name is replaced once the new one is whole; a folder only if this package wrote it.
            `-` is standard output.
        format: a suffix to be taken instead of the path's.
        progress: called now and then, from any thread, with the number of edges written since it was called last.
        jobs: the number of threads, where the format takes some; all processors by default. What is written does not
            depend on it.
        labels: also write what people want in GraphML: `label`, `depth`, `x` and `y` of nodes, `abs_weight` of edges.
        ids: the type of ids in Parquet, `int64` or `int32`.
        partition: of Parquet, `layer`: a folder for the edges into each layer.

    Raises:
        Error: the format takes no labels, no other type of ids, or no partition.
        OutputError: the suffix is unknown, the path can't be written, or the format can't hold the graph.
        TooLargeError: the graph has more edges than the format is good for.
        MissingExtraError: the format needs a package that is not installed.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> write(graph, "digits.graphml")  # doctest: +SKIP
    """
    to_stdout = str(path) == STDOUT
    found = find(format or (DEFAULT if to_stdout else Path(path).name))
    more = options(found, jobs, labels, ids, partition)
    many.expect(graph.neurons + graph.edges)
    if graph.model is not None:
        graph.model.check_files()
        refuse_inputs(path, () if to_stdout else graph.model.files)
    if found.out == "directory" and to_stdout:
        raise OutputError(f"{format} is a folder, which standard output can't take; give a path")
    if to_stdout:
        found.load()(graph, sys.stdout.buffer, progress, **more)
        sys.stdout.buffer.flush()
    else:
        write_new(graph, Path(path), found, more, progress)


def write_new(
    graph: NeuronGraph, path: Path, format: Format, more: dict[str, Any], progress: Progress | None = None
) -> None:
    """Write a graph into a file or a folder that nothing is read from; `more` is what the format's function takes.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> write_new(graph, Path("digits.npz"), find(".npz"), {})  # doctest: +SKIP
    """
    function = format.load()
    if format.out == "directory":
        with atomic_directory(path, "graph") as directory:
            function(graph, directory, progress, **more)
    else:
        with atomic(path) as file:
            function(graph, file, progress, **more)
