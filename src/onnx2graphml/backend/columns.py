"""Attributes of all nodes: a measure becomes a column, which NetworkX shows and every format writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np

from onnx2graphml.backend.functions import own
from onnx2graphml.backend.lazy_graph import LazyGraph
from onnx2graphml.backend.measured import Measured, NoMethod
from onnx2graphml.measures.values import NodeValues


@own
def set_node_attributes(G: Measured, values: Any, name: str | None = None) -> None:
    """Give all nodes an attribute. `o2g.write(G.neuron_graph, path)` writes it."""
    if not isinstance(G, LazyGraph):
        raise NoMethod("NetworkX's own graphs are changed by NetworkX")
    if name is None:
        raise nx.NetworkXError("a graph that is not expanded takes whole columns: give values and their name")
    if isinstance(values, Mapping) and not isinstance(values, NodeValues):
        if len(values) != len(G) or not all(node in values for node in G):  # type: ignore[attr-defined]
            raise nx.NetworkXError(
                f"{name!r} has a value for {len(values):,} nodes; a graph that is not expanded takes a column with a "
                f"value for each of its {len(G):,} nodes; G.copy() makes a graph whose nodes may differ"
            )
        values = np.array([values[node] for node in range(len(G))])
    column = np.broadcast_to(values, len(G)) if np.ndim(values) == 0 else np.asarray(values)
    G.neuron_graph = G.neuron_graph.with_column(name, column)


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
