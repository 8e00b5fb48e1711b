"""DOT, which Graphviz draws: for small graphs. Nodes have a `pos`, which `neato -n` keeps.

Source: https://graphviz.org/doc/info/lang.html
"""

from __future__ import annotations

from typing import BinaryIO

from onnx2graphml.errors import TooLargeError
from onnx2graphml.formats.exchange.flat import Dialect, write_flat
from onnx2graphml.formats.lines import FLOAT, NUMBER
from onnx2graphml.formats.registry import DOT_EDGES, Progress
from onnx2graphml.graph.attributes import graph_attributes
from onnx2graphml.graph.graph import NeuronGraph


def write_dot(graph: NeuronGraph, file: BinaryIO, progress: Progress | None = None, *, jobs: int = 1) -> None:
    """Write a graph as DOT; otherwise as `write_gexf`.

    Raises:
        OutputError: a weight is not finite.
        TooLargeError: it has more edges than Graphviz is good for.

    Example:
        >>> import io
        >>> out = io.BytesIO()
        >>> write_dot(NeuronGraph((), ()), out)
        >>> out.getvalue().startswith(b"digraph {")
        True
    """
    if graph.edges > DOT_EDGES:
        raise TooLargeError(
            f"the graph has {graph.edges:,} edges, more than the {DOT_EDGES:,} that Graphviz is good for; select a "
            f"part of it, or write .gexf"
        )
    write_flat(graph, file, DIALECT, progress, jobs)


def _header(graph: NeuronGraph) -> str:
    about = "".join(f'  {name}="{_quoted(value)}";\n' for name, value in graph_attributes(graph).items())
    return f"digraph {{\n{about}"


def _attribute(name: str, value: str, is_text: bool) -> str:
    return f'{name}="{value}"'


def _node(label: str, attributes: list[str]) -> str:
    own = ", ".join([f'label="{label}"', *attributes])
    return f'  n{NUMBER} [{own}, pos="{FLOAT},{FLOAT}!"];\n'


def _edge(attributes: list[str]) -> str:
    return f"  n{NUMBER} -> n{NUMBER} [{', '.join(attributes)}];\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


DIALECT = Dialect(_header, "", "}\n", _attribute, _node, _edge, _quoted)
