"""Cytoscape.js JSON, which Cytoscape and NetworkX read, too.

Source: https://js.cytoscape.org/#notation/elements-json
"""

from __future__ import annotations

import json
from typing import BinaryIO

import numpy as np

from onnx2graphml.errors import OutputError
from onnx2graphml.formats.exchange.flat import Dialect, write_flat
from onnx2graphml.formats.lines import FLOAT, NUMBER
from onnx2graphml.formats.parallel import is_multigraph
from onnx2graphml.formats.registry import Progress
from onnx2graphml.graph.attributes import graph_attributes
from onnx2graphml.graph.graph import NeuronGraph


def write_cytoscape(graph: NeuronGraph, file: BinaryIO, progress: Progress | None = None, *, jobs: int = 1) -> None:
    """Write a graph as Cytoscape.js JSON; otherwise as `write_gexf`.

    Example:
        >>> import io
        >>> out = io.BytesIO()
        >>> write_cytoscape(NeuronGraph((), ()), out)
        >>> json.loads(out.getvalue())["elements"]
        {'nodes': [], 'edges': []}
    """
    for layer in graph.layers:
        if layer.bias is not None and np.isinf(layer.bias).any():
            raise OutputError(f"layer {layer.name!r} has an infinite bias, which JSON can't hold; write .graphml")
    write_flat(graph, file, DIALECT, progress, jobs)


def _header(graph: NeuronGraph) -> str:
    about = json.dumps(graph_attributes(graph))
    kind = f'"directed":true,"multigraph":{json.dumps(is_multigraph(graph))}'
    return f'{{"data":{about},{kind},"elements":{{"nodes":['


def _attribute(name: str, value: str, is_text: bool) -> str:
    told = "input_value" if name == IDENTITY and not is_text else name
    return f'"{told}":"{value}"' if is_text else f'"{told}":{value}'


def _node(label: str, attributes: list[str]) -> str:
    data = ",".join([f'"id":"n{NUMBER}","name":"{label}"', *attributes])
    return f',\n{{"data":{{{data}}},"position":{{"x":{FLOAT},"y":{FLOAT}}}}}'


def _edge(attributes: list[str]) -> str:
    return f',\n{{"data":{{"source":"n{NUMBER}","target":"n{NUMBER}",{",".join(attributes)}}}}}'


def _quoted(text: str) -> str:
    return json.dumps(text)[1:-1]


IDENTITY = "value"
"""NetworkX names nodes by this attribute; a neuron's value for an input is `input_value` here."""

DIALECT = Dialect(
    _header, '\n],"edges":[', "\n]}}\n", _attribute, _node, _edge, _quoted, separated=True, identity=IDENTITY
)
