"""graph-tool.

Source: https://graph-tool.skewed.de/static/doc/autosummary/graph_tool.Graph.html
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnx2graphml.errors import Error
from onnx2graphml.graph.attributes import graph_attributes
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.memory.arrays import all_edges, edge_attributes, node_attributes

NOTHING: dict[str, Any] = {"int": -1, "double": np.nan, "string": ""}
"""What stands where a node has no such attribute; a property map has a value for each."""


def to_graph_tool(graph: NeuronGraph, max_edges: int) -> Any:
    """A directed `graph_tool.Graph`: vertex i is neuron i, with all attributes as internal property maps."""
    try:
        import graph_tool
    except ModuleNotFoundError as e:
        raise Error(
            "this needs graph-tool, which pip does not install: conda install -c conda-forge graph-tool; or see "
            "https://graph-tool.skewed.de/installation.html"
        ) from e

    edges = all_edges(graph, max_edges, "graph-tool")
    g = graph_tool.Graph(directed=True)
    g.add_vertex(graph.neurons)
    g.add_edge_list(np.stack([edges.source, edges.target], axis=1))
    for name, array in edge_attributes(graph, edges).items():
        values = g.new_edge_property("double" if array.dtype.kind == "f" else "int64_t")
        values.a = array  # by the number of the edge, which counts them as they were added
        g.edge_properties[name] = values
    for name, column in node_attributes(graph).items():
        kind = _kind(column)
        told = [NOTHING[kind] if value is None else value for value in column]
        g.vertex_properties[name] = g.new_vertex_property("int64_t" if kind == "int" else kind, vals=told)
    for name, text in graph_attributes(graph).items():
        g.graph_properties[name] = g.new_graph_property("string", val=text)
    return g


def _kind(column: list[Any]) -> str:
    """Of which type a column's values are."""
    value = next((value for value in column if value is not None), "")
    return "string" if isinstance(value, str) else "double" if isinstance(value, float) else "int"
