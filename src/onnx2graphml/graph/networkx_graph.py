"""The whole graph in memory, for NetworkX."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import networkx as nx
import numpy as np

from onnx2graphml.errors import TooLargeError, check_whole
from onnx2graphml.graph.attributes import NODE, graph_attributes, layer_attributes, spatial_dimensions
from onnx2graphml.graph.blocks import Edges
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.recorded import NO
from onnx2graphml.progress import size

EDGE_BYTES = 400  # of memory, in NetworkX's dictionaries
Attributes = dict[str, Any]


def to_networkx(graph: NeuronGraph, max_edges: int = 20_000_000) -> nx.DiGraph:
    """The graph for NetworkX: nodes are neurons' ids, attributes have the names and types that they have in GraphML.

    A weight or a bias is a Python float of the very value that the model has; the decimal in a file, read as float64,
    may differ from it by less than what float32 resolves.

    Args:
        max_edges: an edge takes about 0.4 kB here.

    Returns:
        A DiGraph; a MultiDiGraph where several edges join the same two neurons, as in Div(x, x), told apart by `port`
        and `term`.

    Raises:
        TooLargeError: the graph has more than `max_edges` edges.

    Example:
        >>> import onnx2graphml
        >>> g = to_networkx(onnx2graphml.load("fixtures/digits.onnx"))
        >>> g.nodes[0]["op"], g.nodes[0]["index"]
        ('Input', '0,0,0')
    """
    check_whole("max_edges", max_edges, 0)
    if graph.edges > max_edges:
        memory = size(graph.edges * EDGE_BYTES)
        raise TooLargeError(
            f"the graph has {graph.edges:,} edges, which would take about {memory} in NetworkX; max_edges is "
            f"{max_edges:,}: take to_networkx(as_view=True), which expands none, select a part of the graph, or raise "
            f"max_edges"
        )
    g = _filled(nx.DiGraph(), graph)
    return g if g.number_of_edges() == graph.edges else _filled(nx.MultiDiGraph(), graph)


def _filled(g: nx.DiGraph, graph: NeuronGraph) -> nx.DiGraph:
    g.graph.update(graph_attributes(graph))
    first_id = {layer.name: layer.first_id for layer in graph.layers}
    for layer in graph.layers:
        ids = range(layer.first_id, layer.first_id + layer.neurons)
        g.add_nodes_from(zip(ids, node_attributes(layer), strict=True))
    for name, column in graph.columns.items():
        nx.set_node_attributes(g, dict(enumerate(column.tolist())), name)
    for layer in graph.layers:
        for incoming, edges in graph.edges_into(layer):
            source = (edges.source + first_id[incoming.source]).tolist()
            target = (edges.target + layer.first_id).tolist()
            port: Attributes = {} if incoming.port is None else {"port": incoming.port}
            attributes: list[Attributes] = [{"weight": w, **port} for w in edges.weight.tolist()]
            if edges.term is not None:
                attributes = [own | {"term": t} for own, t in zip(attributes, edges.term.tolist(), strict=True)]
            for own, told in zip(attributes, recorded_attributes(edges), strict=False):
                own.update(told)
            g.add_edges_from(zip(source, target, attributes, strict=True))
    return g


def recorded_attributes(edges: Edges) -> Iterator[Attributes]:
    """What a graph's input makes of each of its edges; nothing of a graph without an input."""
    if edges.contribution is None or edges.winner is None:
        return
    for contribution, winner in zip(edges.contribution.tolist(), edges.winner.tolist(), strict=True):
        yield {"contribution": contribution} | ({} if winner == NO else {"winner": winner == 1})


def node_attributes(layer: Layer) -> Iterator[Attributes]:
    """The attributes of a layer's nodes, in order."""
    columns = {a.name: column for a in NODE if (column := node_column(layer, a.name)) is not None}
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def neuron_attributes(layer: Layer, position: int) -> Attributes:
    """The attributes of one neuron, at a flat position in its layer; no other's are made."""
    index = tuple(int(i) for i in np.unravel_index(position, layer.shape))
    own: Attributes = {**layer_attributes(layer), "index": ",".join(map(str, index))}
    own |= {name: index[dimension] for name, dimension in spatial_dimensions(layer).items()}
    if layer.bias is not None:
        own["bias"] = float(layer.bias[index])
    return {a.name: own[a.name] for a in NODE if a.name in own}


def node_column(layer: Layer, name: str) -> Iterable[Any] | None:
    """One attribute of a layer's nodes, in order; None where they don't have it."""
    shared, spatial = layer_attributes(layer), spatial_dimensions(layer)
    if name in shared:
        return itertools.repeat(shared[name], layer.neurons)
    if name == "index":
        return map(",".join, itertools.product(*([str(i) for i in range(n)] for n in layer.shape)))
    if name in spatial:
        at = np.indices(layer.shape, sparse=True)[spatial[name]]
        places: list[int] = np.broadcast_to(at, layer.shape).ravel().tolist()
        return places
    if name == "bias" and layer.bias is not None:
        bias: list[float] = np.asarray(layer.bias).ravel().tolist()
        return bias
    return None
