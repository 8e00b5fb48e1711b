"""Attributes of all nodes: a measure becomes a column, which NetworkX shows and every format writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx

from onnx2graphml.backend.lazy_graph import LazyGraph
from onnx2graphml.backend.measured import Measured, NoMethod
from onnx2graphml.backend.own import own
from onnx2graphml.measures.values import NodeValues


@own
def set_node_attributes(G: Measured, values: Any, name: str | None = None) -> None:
    """Give all nodes an attribute. `o2g.write(G, path)` writes it."""
    if not isinstance(G, LazyGraph):
        raise NoMethod("NetworkX's own graphs are changed by NetworkX")
    if name is None:
        raise nx.NetworkXError("a graph that is not expanded takes whole columns: give values and their name")
    G.set_column(name, values)


@own
def get_node_attributes(G: Measured, name: str, default: Any = None) -> Mapping[Any, Any]:
    """An attribute of all nodes that have it."""
    if not isinstance(G, LazyGraph):
        raise NoMethod("NetworkX's own graphs hold their attributes themselves")
    if name in G.neuron_graph.columns:
        return NodeValues(G.neuron_graph, G.neuron_graph.columns[name])
    missing = object() if default is None else default
    return {
        node: value
        for node, value in G.nodes(data=name, default=missing)
        if default is not None or value is not missing
    }
