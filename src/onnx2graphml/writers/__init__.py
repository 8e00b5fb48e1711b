"""Graphs into files: one module a format, chosen by the file's suffix."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from onnx2graphml.errors import OutputError
from onnx2graphml.writers.atomic import atomic

if TYPE_CHECKING:
    from onnx2graphml.graph import NeuronGraph

Progress = Callable[[int], None]


class Writer(Protocol):
    """Writes a graph into an open binary file, and tells `progress` the number of edges written since it was told."""

    def __call__(self, graph: NeuronGraph, file: BinaryIO, progress: Progress | None = None) -> None: ...


# suffix -> "module:function" of a Writer. Imported when first used: some need much to be imported.
FORMATS: dict[str, str] = {
    ".graphml": "onnx2graphml.writers.graphml:write_graphml",
}

STDOUT = "-"
DEFAULT = ".graphml"  # of standard output, which has no suffix


def write(graph: NeuronGraph, path: str | Path, *, format: str | None = None, progress: Progress | None = None) -> None:
    """Write a graph into a file, in the format that its suffix names; all of it or nothing.

    Args:
        path: an older file of that name is replaced once the new one is whole. `-` is standard output.
        format: a suffix to be taken instead of the path's.
        progress: called now and then with the number of edges written since it was called last.

    Raises:
        OutputError: the suffix is unknown, or the file can't be written.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> write(graph, "digits.graphml")  # doctest: +SKIP
    """
    if str(path) == STDOUT:
        find(format or DEFAULT)(graph, sys.stdout.buffer, progress)
        sys.stdout.buffer.flush()
        return
    writer = find(format or Path(path).name)
    with atomic(Path(path)) as file:
        writer(graph, file, progress)


def find(name: str) -> Writer:
    """The writer for a file's name; of two suffixes that fit, the longer one counts."""
    fitting = [suffix for suffix in FORMATS if name.lower().endswith(suffix)]
    if not fitting:
        raise OutputError(f"no format is known for {name!r}; the file's name must end in one of {', '.join(FORMATS)}")
    module, function = FORMATS[max(fitting, key=len)].split(":")
    return cast(Writer, getattr(importlib.import_module(module), function))
