"""A neuron graph as an `nx.DiGraph` of which nothing is expanded before it is asked for."""

from __future__ import annotations

import copy as copying
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from onnx2graphml.backend.adjacency import Adjacency, LazyAdjacencyView, LazyMultiAdjacencyView
from onnx2graphml.backend.edges import (
    Degrees,
    LazyInEdgeView,
    LazyInMultiEdgeView,
    LazyOutEdgeView,
    LazyOutMultiEdgeView,
    check_weight,
)
from onnx2graphml.backend.info import NAME
from onnx2graphml.backend.limits import refuse_if_large
from onnx2graphml.backend.nodes import LazyNodeView, Nodes
from onnx2graphml.backend.owner import Direction
from onnx2graphml.backend.readonly import read_only
from onnx2graphml.backend.reverse import reversed_graph
from onnx2graphml.backend.views import PlainDiGraph, PlainMultiDiGraph, plain
from onnx2graphml.errors import Error
from onnx2graphml.graph.attributes import graph_attributes
from onnx2graphml.graph.blocks import Side
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.networkx_graph import to_networkx
from onnx2graphml.graph.parallel import parallel_edges
from onnx2graphml.measures.values import NodeValues

SIDES: dict[str, tuple[Side, ...]] = {"in": ("target",), "out": ("source",), "both": ("target", "source")}
MUTATORS = (
    "add_node", "add_nodes_from", "add_edge", "add_edges_from", "add_weighted_edges_from", "remove_node",
    "remove_nodes_from", "remove_edge", "remove_edges_from", "clear", "clear_edges", "update",
)  # fmt: skip


class LazyGraph:
    """What a neuron graph is for NetworkX; `view` makes one.

    Attributes:
        neuron_graph: whose neurons are the nodes, by id; its `columns` are attributes of nodes.
        is_reversed: whether the edges are seen the other way round.
    """

    __networkx_backend__ = NAME
    neuron_graph: NeuronGraph
    is_reversed: bool
    graph: dict[str, Any]
    __networkx_cache__: dict[str, Any]
    _degrees: dict[tuple[Direction, str | None], npt.NDArray[Any]]

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.neuron_graph, self.is_reversed, self.graph)

    def __deepcopy__(self, memo: Any) -> Any:
        return _restored(self.neuron_graph, self.is_reversed, copying.deepcopy(self.graph, memo))  # blocks don't change

    nodes = property(lambda self: LazyNodeView(self))
    degree = property(lambda self: Degrees(self, "both"))
    in_degree = property(lambda self: Degrees(self, "in"))
    out_degree = property(lambda self: Degrees(self, "out"))

    def __len__(self) -> int:
        return self.neuron_graph.neurons

    order = number_of_nodes = __len__

    def degree_array(self, direction: Direction, weight: str | None = None) -> npt.NDArray[Any]:
        """The degrees of all nodes by id: exact int64 counts, or float64 sums of an attribute.

        Raises:
            NetworkXError: edges have no such attribute.
        """
        from onnx2graphml.engine import in_sum, out_sum

        check_weight(self.neuron_graph, weight)
        if (direction, weight) not in self._degrees:
            ones = np.ones(len(self), np.int64)
            sums = [in_sum if side == "target" else out_sum for side in self.sides(direction)]
            parts = [add(self.neuron_graph, ones, weight=weight) for add in sums]
            self._degrees[direction, weight] = np.add.reduce(parts)
        return self._degrees[direction, weight]

    def degrees_of(self, nodes: Sequence[int], direction: Direction, weight: str | None) -> list[int | float]:
        """The degrees of some nodes, without those of the others."""
        check_weight(self.neuron_graph, weight)
        if (direction, weight) in self._degrees:
            found: list[int | float] = self._degrees[direction, weight][np.asarray(nodes, np.int64)].tolist()
            return found
        return [
            sum(self._adjacencies[side].total(int(node), weight) for side in self.sides(direction)) for node in nodes
        ]

    is_converted = False

    @functools.cached_property
    def _turned(self) -> tuple[NeuronGraph, npt.NDArray[np.int64]]:
        return reversed_graph(self.neuron_graph)

    @property
    def measured(self) -> NeuronGraph:
        """The graph that measures run on: of a reversed one, its ids are others."""
        return self._turned[0] if self.is_reversed else self.neuron_graph

    def id(self, node: Any) -> int:
        """A node's id in `measured`."""
        layer = self.neuron_graph.layer_of(int(node))
        return int(node) - layer.first_id + self.measured.layer(layer.name).first_id

    def nodes_of(self, ids: npt.NDArray[np.int64]) -> list[int]:
        """The nodes with these ids."""
        found: list[int] = (self._turned[1][ids] if self.is_reversed else ids).tolist()
        return found

    def by_node(self, values: NodeValues) -> NodeValues:
        """A measure by node."""
        if not self.is_reversed:
            return values
        order = np.argsort(self._turned[1])
        return NodeValues(
            self.neuron_graph, values.array[order], None if values.present is None else values.present[order]
        )

    def weight(self, name: Any) -> str | None:
        """What the engine calls an attribute of edges."""
        check_weight(self.neuron_graph, name)
        found: str | None = name
        return found

    def set_column(self, name: str, values: Any) -> None:
        """Give all nodes an attribute, which `o2g.write(G, path)` writes.

        `nx.set_node_attributes(G, values, name)` does the same from NetworkX 3.5 on.

        Args:
            name: of the attribute.
            values: a number for every node: an array by id, a dictionary, what a measure returned; or one for all.

        Raises:
            NetworkXError: a node has none, or the name is taken.
        """
        if isinstance(values, Mapping) and not isinstance(values, NodeValues):
            if len(values) != len(self) or not all(node in values for node in range(len(self))):
                raise nx.NetworkXError(
                    f"{name!r} has a value for {len(values):,} nodes; a graph that is not expanded takes a column with "
                    f"a value for each of its {len(self):,} nodes; G.copy() makes a graph whose nodes may differ"
                )
            values = np.array([values[node] for node in range(len(self))])
        column = np.broadcast_to(values, len(self)) if np.ndim(values) == 0 else np.asarray(values)
        try:
            self.neuron_graph = self.neuron_graph.with_column(name, column)
        except Error as e:
            raise nx.NetworkXError(str(e)) from e
        self.__networkx_cache__.clear()  # what was expanded does not have it

    def sides(self, direction: Direction) -> tuple[Side, ...]:
        """Where a node stands in the edges of a direction."""
        if self.is_reversed and direction != "both":
            direction = "out" if direction == "in" else "in"
        return SIDES[direction]

    @property
    def _adjacencies(self) -> dict[Side, Adjacency]:
        own = vars(self)
        out, into = ("_pred", "_succ") if self.is_reversed else ("_succ", "_pred")
        return {"source": own[out], "target": own[into]}

    def size(self, weight: str | None = None) -> int | float:
        """The number of edges, or the sum of one of their attributes."""
        return self.neuron_graph.edges if weight is None else float(self.degree_array("in", weight).sum())

    def number_of_edges(self, u: Any = None, v: Any = None) -> int:
        """The number of edges, or of those from one node to another."""
        if u is None:
            return self.neuron_graph.edges
        found = vars(self)["_succ"][u].get(v)
        return 0 if found is None else len(found) if self.is_multigraph() else 1

    def copy(self, as_view: bool = False) -> Any:
        """A graph of NetworkX's own that can be changed, with all edges; or another view like this one.

        Raises:
            TooLargeError: the graph has more edges than `nx.config.backends.onnx2graphml.max_edges`.
        """
        if as_view:
            return _restored(self.neuron_graph, self.is_reversed, self.graph)
        refuse_if_large(self.neuron_graph, "a copy has all edges")
        found = expanded(self)
        found.graph.update(self.graph)
        return found

    def reverse(self, copy: bool = True) -> Any:
        """The graph with its edges turned round: expanded, or another view of the same blocks."""
        if copy:
            return self.copy().reverse(copy=False).copy()
        return _restored(self.neuron_graph, not self.is_reversed, self.graph)

    def to_directed(self, as_view: bool = False) -> Any:
        """The same as a copy: the graph is directed."""
        return self.copy(as_view)

    def to_undirected(self, reciprocal: bool = False, as_view: bool = False) -> Any:
        """A graph of NetworkX's own without directions; also a view gathers all nodes.

        Raises:
            TooLargeError: the graph has more edges than `nx.config.backends.onnx2graphml.max_edges`.
        """
        refuse_if_large(self.neuron_graph, "an undirected graph gathers all neighbours")
        base = nx.MultiDiGraph if self.is_multigraph() else nx.DiGraph
        return base.to_undirected(self, reciprocal, as_view)

    def is_multigraph(self) -> bool:
        raise NotImplementedError


class LazyDiGraph(LazyGraph, nx.DiGraph):  # type: ignore[misc]
    """A neuron graph without parallel edges as an `nx.DiGraph`."""

    def __new__(cls, *arguments: Any, **attributes: Any) -> Any:
        return plain(PlainDiGraph, *arguments, **attributes)

    adj = succ = property(lambda self: LazyAdjacencyView(self._succ))
    pred = property(lambda self: LazyAdjacencyView(self._pred))
    edges = out_edges = property(lambda self: LazyOutEdgeView(self))
    in_edges = property(lambda self: LazyInEdgeView(self))

    def is_multigraph(self) -> bool:
        """False."""
        return False


class LazyMultiDiGraph(LazyGraph, nx.MultiDiGraph):  # type: ignore[misc]
    """A neuron graph in which edges are parallel, as those of Div(x, x) are, as an `nx.MultiDiGraph`."""

    def __new__(cls, *arguments: Any, **attributes: Any) -> Any:
        return plain(PlainMultiDiGraph, *arguments, **attributes)

    adj = succ = property(lambda self: LazyMultiAdjacencyView(self._succ))
    pred = property(lambda self: LazyMultiAdjacencyView(self._pred))
    edges = out_edges = property(lambda self: LazyOutMultiEdgeView(self))
    in_edges = property(lambda self: LazyInMultiEdgeView(self))

    def is_multigraph(self) -> bool:
        """True."""
        return True


for _name in MUTATORS:
    setattr(LazyDiGraph, _name, read_only)
    setattr(LazyMultiDiGraph, _name, read_only)


def view(graph: NeuronGraph) -> nx.DiGraph:
    """A read-only `nx.DiGraph` over a graph's blocks, of any size.

    Nodes, edges, degrees and attributes are read when they are asked for. Functions of NetworkX run on the blocks where
    they have a method of their own here; others expand the graph where it has at most
    `nx.config.backends.onnx2graphml.max_edges` edges, and refuse to otherwise.

    Returns:
        An `nx.DiGraph`; an `nx.MultiDiGraph` where several edges join the same two neurons.

    Raises:
        Error: NetworkX does not know this backend.

    Example:
        >>> import networkx as nx, onnx2graphml
        >>> G = view(onnx2graphml.load("fixtures/digits.onnx"))
        >>> G.number_of_edges(), G.nodes[0]["layer"], list(G.successors(64))[:2]
        (25816, 'image', [1088])
    """
    if NAME not in nx.config.backends:
        raise Error(
            f"NetworkX {nx.__version__} does not know the backend {NAME!r}; it needs NetworkX 3.4 or newer, and this "
            f"package installed by pip"
        )
    return _restored(graph, False, graph_attributes(graph))


def expanded(owner: LazyGraph) -> nx.DiGraph:
    """All nodes and edges in NetworkX's own graph, however many; both weights are attributes."""
    found = to_networkx(owner.neuron_graph, owner.neuron_graph.edges)
    for _, _, data in found.edges(data=True):
        data["abs_weight"] = abs(data["weight"])
        if "contribution" in data:
            data["abs_contribution"] = abs(data["contribution"])
    return found.reverse(copy=False).copy() if owner.is_reversed else found


def _restored(graph: NeuronGraph, is_reversed: bool, attributes: dict[str, Any]) -> Any:
    cls = LazyDiGraph if parallel_edges(graph) is None else LazyMultiDiGraph
    made: Any = object.__new__(cls)
    made.neuron_graph, made.is_reversed, made.graph = graph, is_reversed, attributes
    made.__networkx_cache__ = {}
    made._degrees = {}
    made._node = Nodes(made)
    succ, pred = Adjacency(made, "source"), Adjacency(made, "target")
    made._adj, made._pred = (pred, succ) if is_reversed else (succ, pred)
    return made
