"""NetworkX's own graphs as blocks: any directed acyclic graph, an axis of explicit pairs between two generations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from onnx2graphml.backend.info import NAME
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph, numbered
from onnx2graphml.measures.values import NodeValues

Node = Hashable


class ConvertedGraph:
    """A graph of NetworkX's as blocks.

    Attributes:
        original: the graph that was converted.
        neuron_graph: its layers are the generations of the original; edges have the one attribute that was asked for.
        labels: the original's nodes by id.
    """

    __networkx_backend__ = NAME

    def __init__(self, original: nx.DiGraph, neuron_graph: NeuronGraph, labels: list[Node]) -> None:
        self.original, self.neuron_graph, self.labels = original, neuron_graph, labels
        self._ids = {node: id for id, node in enumerate(labels)}
        self.__networkx_cache__: dict[str, Any] = {}

    is_converted = True

    @property
    def measured(self) -> NeuronGraph:
        """The graph itself."""
        return self.neuron_graph

    def is_directed(self) -> bool:
        """True."""
        return True

    def is_multigraph(self) -> bool:
        """As the original is."""
        return bool(self.original.is_multigraph())

    def __len__(self) -> int:
        return len(self.labels)

    def __contains__(self, node: object) -> bool:
        return node in self._ids

    def __iter__(self) -> Any:
        return iter(self.original)

    def id(self, node: Node) -> int:
        """A node's id in `neuron_graph`."""
        return self._ids[node]

    def nodes_of(self, ids: npt.NDArray[np.int64]) -> list[Node]:
        """The nodes with these ids."""
        return [self.labels[id] for id in ids.tolist()]

    def by_node(self, values: NodeValues) -> Mapping[Any, Any]:
        """A measure as a dictionary, in the original's order."""
        found = dict(values.items())
        return {node: found[id] for node in self.original if (id := self._ids[node]) in found}

    def weight(self, name: Any) -> Any:
        """What the engine calls an attribute of edges: there is but one."""
        return None if name is None else "weight"


def from_networkx(
    graph: Any, *, edge_attrs: Mapping[str, Any] | None = None, preserve_edge_attrs: bool = False, **_: Any
) -> ConvertedGraph:
    """A directed acyclic graph as blocks.

    Args:
        edge_attrs: the attribute of edges that is wanted, with its default.

    Raises:
        NotImplementedError: the graph is undirected or has a cycle, more than one attribute is wanted, or one that is
            no finite number; NetworkX then goes on to its own code.
    """
    if not isinstance(graph, nx.DiGraph):
        raise NotImplementedError("only directed graphs are converted")
    if preserve_edge_attrs or len(edge_attrs or {}) > 1:
        raise NotImplementedError("only one attribute of edges is converted")
    generations = _generations(graph)
    labels = list(itertools.chain.from_iterable(generations))
    place = {node: (g, i) for g, nodes in enumerate(generations) for i, node in enumerate(nodes)}
    attribute, default = next(iter((edge_attrs or {"": 1}).items()))
    pairs: dict[tuple[int, int], list[tuple[int, int, float]]] = {}
    for u, v, weight in graph.edges(data=attribute, default=default):
        (a, i), (b, j) = place[u], place[v]
        pairs.setdefault((b, a), []).append((i, j, _number(weight)))
    layers = [
        Layer(
            str(b),
            "",
            (len(nodes),),
            incoming=tuple(Incoming(str(a), _block(pairs[b, a])) for a in range(b) if (b, a) in pairs),
        )
        for b, nodes in enumerate(generations)
    ]
    return ConvertedGraph(graph, NeuronGraph(numbered(layers), ()), labels)


def _block(edges: list[tuple[int, int, float]]) -> EdgeBlock:
    source, target, weight = (np.array(column) for column in zip(*edges, strict=True))
    return EdgeBlock((Axis(source, target, np.arange(len(edges))),), weight.astype(np.float64))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise NotImplementedError("only numbers are converted")
    if not math.isfinite(value) or (isinstance(value, int) and abs(value) > 1 << 53):
        raise NotImplementedError("only finite float64 is converted")
    return float(value)


def _generations(graph: nx.DiGraph) -> list[list[Node]]:
    """Nodes by the longest path that leads to them."""
    missing = {v: sum(len(d) if graph.is_multigraph() else 1 for d in graph._pred[v].values()) for v in graph}
    ready: Iterable[Node] = [v for v, n in missing.items() if n == 0]
    found = []
    while ready:
        found.append(list(ready))
        following = []
        for u in found[-1]:
            for v, data in graph._succ[u].items():
                missing[v] -= len(data) if graph.is_multigraph() else 1
                if missing[v] == 0:
                    following.append(v)
        ready = following
    if sum(map(len, found)) < len(missing):
        raise NotImplementedError("only acyclic graphs are converted")
    return found
