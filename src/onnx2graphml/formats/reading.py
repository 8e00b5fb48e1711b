"""Written graphs read back: one module a format, chosen by the suffix of the name.

A reader knows the file and nothing of the model, nor of how a graph is made from one. Its memory grows with the number
of neurons, not of edges; with both where a GraphML file of others has nodes behind edges.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from onnx2graphml.errors import Error
from onnx2graphml.formats.edge_rows import EdgeRows
from onnx2graphml.formats.found import FoundLayer, Values
from onnx2graphml.formats.registry import FORMATS, suffix_of


class GraphFile(Protocol):
    """An open file that holds a graph; what it holds is read in this order, once."""

    def about(self) -> dict[str, str]:
        """The attributes of the graph, as `detail` and `model_sha256`; the number of `nodes` where some are missing."""

    def layers(self) -> list[FoundLayer]:
        """All nodes, layer by layer, which the file does not keep; none where it has no attributes of nodes."""

    def values(self) -> Values | None:
        """What an input makes of all nodes, by id, once the layers were read; None where the file has nothing of it."""

    def edited_layers(self) -> list[FoundLayer]:
        """The same of a graph that may have been edited: nodes may be missing, and those of a layer differ."""

    def edges(self) -> Iterator[EdgeRows]:
        """All edges, in chunks; after the last one it is known that the file is whole."""


def open_graph(path: str | Path) -> AbstractContextManager[GraphFile]:
    """Open a written graph for reading, in the format that its suffix names.

    Raises:
        Error: there is no such file, or no reader for its format; and, while it is read: it is truncated or damaged.
        MissingExtraError: the format needs a package that is not installed.

    Example:
        >>> with open_graph("digits.graphml") as file:  # doctest: +SKIP
        ...     detail, layers = file.about()["detail"], file.layers()
        ...     edges = sum(len(chunk) for chunk in file.edges())
    """
    path = Path(path)
    suffix = suffix_of(path.name)
    if suffix not in FORMATS:
        raise Error(f"{path}: no reader for this format; what can be read back: {', '.join(FORMATS)}")
    if not path.exists():
        raise Error(f"{path}: no such file or folder")
    opened: AbstractContextManager[GraphFile] = FORMATS[suffix].load_reader()(path)
    return opened
