"""A graph's edges as NetworkX wants to see them: a node's neighbours are read from the blocks when asked for."""

from __future__ import annotations

import functools
import itertools
from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from networkx.classes.coreviews import AdjacencyView, AtlasView, MultiAdjacencyView

from onnx2graphml.backend.limits import WRITE, max_edges, refuse_if_large
from onnx2graphml.backend.nodes import is_id
from onnx2graphml.backend.owner import Owner
from onnx2graphml.backend.readonly import ReadOnly
from onnx2graphml.graph.blocks import Edges, Side
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Data = Mapping[str, Any]

NONE = -1  # no port, no term
HELD = 1 << 18  # neighbours that are kept, of the nodes looked at last


@dataclass(frozen=True, eq=False)
class Ends:
    """Edges of one node or one layer, one a row.

    Attributes:
        own: positions of their ends in the layer, and `ids`: of the other ends in the graph.
        weights: float64.
        ports, terms: -1 where there is none.
        contributions: NaN in a graph without an input.
        winners: of candidates 1 or 0, otherwise -1.
    """

    own: Ids
    ids: Ids
    weights: Floats
    ports: Ids
    terms: Ids
    contributions: Floats
    winners: Ids

    @staticmethod
    def of(edges: Edges, side: Side, first: int, port: int | None) -> Ends:
        """Expanded edges of a block, seen from one side; `first` is the id of the other layer's first neuron."""
        own, other = (edges.source, edges.target) if side == "source" else (edges.target, edges.source)
        ports = np.full(len(edges), NONE if port is None else port)
        terms = np.full(len(edges), NONE) if edges.term is None else edges.term
        contributions = np.full(len(edges), np.nan) if edges.contribution is None else edges.contribution
        winners = np.full(len(edges), NONE) if edges.winner is None else edges.winner
        return Ends(
            own, other + first, edges.weight.astype(np.float64), ports, terms,
            contributions.astype(np.float64), winners.astype(np.int64),
        )  # fmt: skip

    @property
    def columns(self) -> tuple[npt.NDArray[Any], ...]:
        """All attributes, in order."""
        return self.own, self.ids, self.weights, self.ports, self.terms, self.contributions, self.winners

    @staticmethod
    def joined(parts: Iterable[Ends]) -> Ends:
        """All of them, in order."""
        none, no_floats = np.empty(0, np.int64), np.empty(0)
        empty = Ends(none, none, no_floats, none, none, no_floats, none)
        return Ends(*map(np.concatenate, zip(empty.columns, *(e.columns for e in parts), strict=True)))

    def __getitem__(self, rows: slice | Ids) -> Ends:
        return Ends(*(column[rows] for column in self.columns))

    def __len__(self) -> int:
        return len(self.ids)

    def data(self) -> Iterator[Data]:
        """Each edge's attributes, which can't be changed."""
        numbers = (column.tolist() for column in self.columns[2:])
        return itertools.starmap(_edge_data, zip(*numbers, strict=True))


def _edge_data(weight: float, port: int, term: int, contribution: float, winner: int) -> Data:
    """An edge's attributes, which can't be changed."""
    data: dict[str, Any] = {"weight": weight, "abs_weight": abs(weight)}
    if port != NONE:
        data["port"] = port
    if term != NONE:
        data["term"] = term
    if contribution == contribution:  # not NaN
        data |= {"contribution": contribution, "abs_contribution": abs(contribution)}
    if winner != NONE:
        data["winner"] = winner == 1
    return ReadOnly(data)


class Neighbors(Mapping[int, Any]):
    """One node's neighbours on one side: arrays that behave as NetworkX's dictionary of dictionaries."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends

    @functools.cached_property
    def _place(self) -> dict[int, int]:
        return {node: place for place, node in enumerate(self._ends.ids.tolist())}

    def __len__(self) -> int:
        return len(self._ends)

    def __iter__(self) -> Iterator[int]:
        return iter(self._ends.ids.tolist())

    def __contains__(self, node: object) -> bool:
        return node in self._place

    def __getitem__(self, node: int) -> Any:
        place = self._place[node]
        return next(self._ends[place : place + 1].data())

    def items(self) -> ItemsView[int, Any]:
        """The neighbours with their edges' attributes."""
        return _NeighborItems(self)

    def __repr__(self) -> str:
        return f"Neighbors({len(self):,} nodes)"


class _NeighborItems(ItemsView[int, Any]):
    _mapping: Neighbors

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        return zip(self._mapping, self._mapping._ends.data(), strict=True)


class MultiNeighbors(Mapping[int, Any]):
    """One node's neighbours where edges may be parallel: each leads to its edges, by key, in the graph's order."""

    def __init__(self, ends: Ends) -> None:
        edges: dict[int, dict[int, Data]] = {}
        for node, data in zip(ends.ids.tolist(), ends.data(), strict=True):
            of_node = edges.setdefault(node, {})
            of_node[len(of_node)] = data
        self._edges = {node: ReadOnly(by_key) for node, by_key in edges.items()}

    def __len__(self) -> int:
        return len(self._edges)

    def __iter__(self) -> Iterator[int]:
        return iter(self._edges)

    def __getitem__(self, node: int) -> Any:
        return self._edges[node]


class Adjacency(Mapping[int, Mapping[int, Any]]):
    """`G._succ` or `G._pred`: a node's edges are expanded when it is looked up, and no others.

    Args:
        owner: the graph.
        side: where the node itself stands in the edges: `source` gives its successors, `target` its predecessors.
    """

    def __init__(self, owner: Owner, side: Side) -> None:
        self._owner, self._side = owner, side
        self._held: dict[int, Mapping[int, Any]] = {}
        self._count = 0
        self._last, self._in_turn = -1, 0

    def __len__(self) -> int:
        return len(self._owner)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __contains__(self, node: object) -> bool:
        hash(node)  # by the TypeError NetworkX tells a list of nodes from a node
        return is_id(node, len(self))

    def __getitem__(self, node: int) -> Mapping[int, Any]:
        if node not in self:
            raise KeyError(node)
        node = int(node)
        if node not in self._held:
            found = self._read(node)
            if self._count + len(found) > HELD:
                self._held, self._count = {}, 0
            self._held[node] = found
            self._count += len(found)
        self._notice(node, len(self._held[node]))
        return self._held[node]

    def _read(self, node: int) -> Mapping[int, Any]:
        graph = self._owner.neuron_graph
        layer = graph.layer_of(node)
        return self._neighbors(
            Ends.joined(
                Ends.of(graph.with_recorded(edges, into, incoming), self._side, first, incoming.port)
                for incoming, into, first in blocks_at(graph, layer, self._side)
                for block in incoming.block.select(self._side, node - layer.first_id)
                for edges in block.expand()
            )
        )

    def _neighbors(self, ends: Ends) -> Mapping[int, Any]:
        return MultiNeighbors(ends) if self._owner.is_multigraph() else Neighbors(ends)

    def total(self, node: int, weight: str | None) -> int | float:
        """A node's degree on this side; no edge is expanded to be counted."""
        graph = self._owner.neuron_graph
        layer = graph.layer_of(node)
        blocks = [
            (block, incoming, into)
            for incoming, into, _ in blocks_at(graph, layer, self._side)
            for block in incoming.block.select(self._side, node - layer.first_id)
        ]
        if weight is None:
            return sum(block.count for block, _, _ in blocks)
        absolute, name = (np.abs, weight.removeprefix("abs_")) if weight.startswith("abs_") else (np.asarray, weight)
        found = (graph.with_recorded(e, into, incoming) for b, incoming, into in blocks for e in b.expand())
        return float(sum(absolute(getattr(edges, name).astype(np.float64)).sum() for edges in found))

    def _notice(self, node: int, edges: int) -> None:
        """Who looks up one node after the other goes through all edges."""
        self._in_turn = self._in_turn + edges if node == self._last + 1 else 0
        self._last = node
        if self._in_turn > max_edges():
            self.refuse_all()

    def items(self) -> ItemsView[int, Mapping[int, Any]]:
        """All nodes with their neighbours: only of a graph that may be expanded."""
        self.refuse_all()
        return _AllNeighbors(self)

    def values(self) -> ValuesView[Mapping[int, Any]]:
        """All nodes' neighbours: only of a graph that may be expanded."""
        self.refuse_all()
        return super().values()

    def refuse_all(self) -> None:
        """`TooLargeError` where all edges are too many."""
        refuse_if_large(
            self._owner.neuron_graph,
            "this goes through all edges",
            f"{WRITE}; G[n] reads the edges of one node, and graph.weighted_edges() goes through all without an end",
        )


class _AllNeighbors(ItemsView[int, Mapping[int, Any]]):
    """All nodes with their neighbours; each layer's edges are expanded once."""

    _mapping: Adjacency

    def __iter__(self) -> Iterator[tuple[int, Mapping[int, Any]]]:
        adjacency = self._mapping
        graph, side = adjacency._owner.neuron_graph, adjacency._side
        for layer in graph.layers:
            ends = Ends.joined(
                Ends.of(graph.with_recorded(edges, into, incoming), side, first, incoming.port)
                for incoming, into, first in blocks_at(graph, layer, side)
                for edges in incoming.block.expand()
            )
            ends = ends[np.argsort(ends.own, kind="stable")]
            bounds = np.searchsorted(ends.own, np.arange(layer.neurons + 1)).tolist()
            for place, (first, last) in enumerate(itertools.pairwise(bounds)):
                yield layer.first_id + place, adjacency._neighbors(ends[first:last])


def blocks_at(graph: NeuronGraph, layer: Layer, side: Side) -> Iterator[tuple[Incoming, Layer, int]]:
    """The blocks that have a layer on one side, the layer that each leads into, and the other layer's first id."""
    if side == "target":
        for incoming in layer.incoming:
            yield incoming, layer, graph.layer(incoming.source).first_id
        return
    for consumer in graph.layers:
        for incoming in consumer.incoming:
            if incoming.source == layer.name:
                yield incoming, consumer, consumer.first_id


class LazyAdjacencyView(AdjacencyView):  # type: ignore[misc]
    """`G.adj`, `G.succ`, `G.pred`: gone through only where the graph may be expanded."""

    __slots__ = ()

    def __iter__(self) -> Iterator[int]:
        self._atlas.refuse_all()
        return iter(self._atlas)

    def items(self) -> Any:
        """All nodes with their neighbours."""
        return ((node, AtlasView(found)) for node, found in self._atlas.items())

    def __repr__(self) -> str:
        return f"AdjacencyView({len(self):,} nodes)"

    def __str__(self) -> str:
        return repr(self)


class LazyMultiAdjacencyView(MultiAdjacencyView):  # type: ignore[misc]
    """The same of a multigraph."""

    __slots__ = ()
    __iter__ = LazyAdjacencyView.__iter__
    __repr__ = LazyAdjacencyView.__repr__
    __str__ = LazyAdjacencyView.__str__

    def items(self) -> Any:
        """All nodes with their neighbours."""
        return ((node, AdjacencyView(found)) for node, found in self._atlas.items())
