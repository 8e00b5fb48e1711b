"""Graphs into files and folders: one module a format, chosen by the suffix of the name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from onnx2graphml.atomic import atomic
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.machine import processors

if TYPE_CHECKING:
    from onnx2graphml.graph import NeuronGraph

Progress = Callable[[int], None]
Lack = Literal["graph attributes", "node attributes", "ports", "parallel edges", "non-finite numbers"]


@dataclass(frozen=True)
class Format:
    """A format that graphs are written in.

    Attributes:
        function: `module:name` of `(graph, out, progress)`, which writes a graph and tells `progress` the number of
            edges written since it was told. Imported when first used: some need much to be imported.
        out: what it writes into: a binary `file`, or an empty `directory`.
        cannot_hold: what of a graph is lost or refused.
        takes_jobs: whether the function has a keyword `jobs`, the number of threads.
        max_edges: what it is good for; None where there is no limit.
    """

    function: str
    out: Literal["file", "directory"]
    cannot_hold: tuple[Lack, ...] = ()
    takes_jobs: bool = False
    max_edges: int | None = None

    def load(self) -> Callable[..., None]:
        """The function; `MissingExtraError` if it needs what is not installed."""
        module, name = self.function.split(":")
        function: Callable[..., None] = getattr(importlib.import_module(module), name)
        return function


NPZ_EDGES = 200_000_000  # a reader takes 12 bytes of memory for each, and twice that to sort them

FORMATS: dict[str, Format] = {
    ".graphml": Format("onnx2graphml.writers.graphml:write_graphml", "file", ("non-finite numbers",), takes_jobs=True),
    ".graphml.gz": Format(
        "onnx2graphml.writers.compressed:write_graphml_gz", "file", ("non-finite numbers",), takes_jobs=True
    ),
    ".graphml.zst": Format(
        "onnx2graphml.writers.compressed:write_graphml_zst", "file", ("non-finite numbers",), takes_jobs=True
    ),
    ".parquet": Format("onnx2graphml.writers.parquet:write_parquet", "directory", takes_jobs=True),
    ".gephi.csv": Format("onnx2graphml.writers.csv:write_gephi", "directory", ("non-finite numbers",), takes_jobs=True),
    ".neo4j.csv": Format("onnx2graphml.writers.csv:write_neo4j", "directory", ("non-finite numbers",), takes_jobs=True),
    ".npz": Format(
        "onnx2graphml.writers.npz:write_npz",
        "file",
        ("graph attributes", "node attributes", "ports", "parallel edges"),
        max_edges=NPZ_EDGES,
    ),
}
"""By suffix."""

STDOUT = "-"
DEFAULT = ".graphml"  # of standard output, which has no suffix


def write(
    graph: NeuronGraph,
    path: str | Path,
    *,
    format: str | None = None,
    progress: Progress | None = None,
    jobs: int | None = None,
) -> None:
    """Write a graph into a file or a folder, in the format that its suffix names; all of it or nothing.

    Args:
        path: an older one of that name is replaced once the new one is whole; a folder only if this package wrote it.
            `-` is standard output.
        format: a suffix to be taken instead of the path's.
        progress: called now and then, from any thread, with the number of edges written since it was called last.
        jobs: the number of threads, where the format takes some; all processors by default. What is written does not
            depend on it.

    Raises:
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
    function, more = found.load(), options(found, jobs)
    if found.out == "directory":
        if to_stdout:
            raise OutputError(f"{format} is a folder, which standard output can't take; give a path")
        from onnx2graphml.atomic_directory import atomic_directory

        with atomic_directory(Path(path)) as directory:
            function(graph, directory, progress, **more)
    elif to_stdout:
        function(graph, sys.stdout.buffer, progress, **more)
        sys.stdout.buffer.flush()
    else:
        with atomic(Path(path)) as file:
            function(graph, file, progress, **more)


def suffix(name: str) -> str:
    """The suffix in a file's name that names its format; of two that fit, the longer one counts."""
    fitting = [suffix for suffix in FORMATS if name.lower().endswith(suffix)]
    if not fitting:
        raise OutputError(f"no format is known for {name!r}; the file's name must end in one of {', '.join(FORMATS)}")
    return max(fitting, key=len)


def find(name: str) -> Format:
    """The format for a file's name. What it needs is installed."""
    found = FORMATS[suffix(name)]
    found.load()
    return found


def options(format: Format, jobs: int | None = None) -> dict[str, Any]:
    """What the format's function takes besides: as many threads as asked for, or as there are processors."""
    if jobs is not None and jobs < 1:
        raise Error(f"jobs is {jobs}; expected at least 1")
    return {"jobs": jobs or processors()} if format.takes_jobs else {}
