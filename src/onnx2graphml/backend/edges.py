"""All edges and all degrees of a graph as NetworkX wants to see them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import networkx as nx
from networkx.classes.reportviews import InEdgeView, InMultiEdgeView, OutEdgeView, OutMultiEdgeView

from onnx2graphml.backend.nodes import values
from onnx2graphml.backend.owner import Direction, Owner
from onnx2graphml.graph.graph import NeuronGraph

WEIGHTS = (None, "weight", "abs_weight")
OF_INPUT = ("contribution", "abs_contribution")
"""Attributes that edges have besides, in a graph with an input."""
FEW = 64  # nodes whose degrees are counted one by one rather than all at once


class _Counted:
    """A view of all edges that knows their number, and doesn't list them to be shown."""

    __slots__ = ()
    _graph: Owner
    _adjdict: Any

    def __iter__(self) -> Iterator[Any]:
        self._adjdict.refuse_all()  # at once: list() makes room for all of them first
        return iter(super().__iter__())  # type: ignore[misc]

    def __len__(self) -> int:
        return self._graph.neuron_graph.edges

    def __repr__(self) -> str:
        return f"{type(self).__name__.removeprefix('Lazy')}({len(self):,} edges)"

    def __str__(self) -> str:
        return repr(self)


class LazyOutEdgeView(_Counted, OutEdgeView):  # type: ignore[misc]
    """`G.edges`."""

    __slots__ = ()


class LazyInEdgeView(_Counted, InEdgeView):  # type: ignore[misc]
    """`G.in_edges`."""

    __slots__ = ()


class LazyOutMultiEdgeView(_Counted, OutMultiEdgeView):  # type: ignore[misc]
    """`G.edges` of a multigraph."""

    __slots__ = ()


class LazyInMultiEdgeView(_Counted, InMultiEdgeView):  # type: ignore[misc]
    """`G.in_edges` of a multigraph."""

    __slots__ = ()


class Degrees:
    """`G.degree`, `G.in_degree`, `G.out_degree`: NetworkX's degree views, read from arrays.

    Attributes:
        direction: which edges are counted.
        nbunch: the nodes to go through; None for all.
        weight: the attribute whose values are added up; None counts edges.
    """

    def __init__(self, owner: Owner, direction: Direction, nbunch: Any = None, weight: str | None = None) -> None:
        check_weight(owner.neuron_graph, weight)
        self._owner, self.direction, self.weight = owner, direction, weight
        self._nodes = None if nbunch is None else list(owner.nbunch_iter(nbunch))

    def __call__(self, nbunch: Any = None, weight: str | None = None) -> Any:
        if nbunch is None:
            return self if (weight, self._nodes) == (self.weight, None) else self._with(None, weight)
        try:
            if nbunch in self._owner:
                return self._with(None, weight)[nbunch]
        except TypeError:
            pass  # a list of nodes
        return self._with(nbunch, weight)

    def _with(self, nbunch: Any, weight: str | None) -> Degrees:
        return Degrees(self._owner, self.direction, nbunch, weight)

    def __getitem__(self, node: int) -> int | float:
        if node not in self._owner:
            raise KeyError(node)
        found = self._owner.degrees_of([int(node)], self.direction, self.weight)
        return found[0]

    def __iter__(self) -> Iterator[tuple[int, int | float]]:
        if self._nodes is None:
            yield from enumerate(values(self._owner.degree_array(self.direction, self.weight)))
        elif len(self._nodes) <= FEW:
            yield from zip(self._nodes, self._owner.degrees_of(self._nodes, self.direction, self.weight), strict=True)
        else:
            array = self._owner.degree_array(self.direction, self.weight)
            yield from ((node, array[int(node)].item()) for node in self._nodes)

    def __len__(self) -> int:
        return len(self._owner) if self._nodes is None else len(self._nodes)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """The degrees of all nodes, by id."""
        array = self._owner.degree_array(self.direction, self.weight)
        return array if dtype is None else array.astype(dtype)

    def __repr__(self) -> str:
        return f"Degrees({len(self):,} nodes, {self.direction}, weight={self.weight!r})"


def check_weight(graph: NeuronGraph, weight: Any) -> None:
    """`NetworkXError` unless edges have that attribute, and it is a number."""
    known = WEIGHTS if graph.recorded is None else WEIGHTS + OF_INPUT
    if weight not in known:
        names = " and ".join(map(repr, known[1:]))
        raise nx.NetworkXError(f"edges have the attributes {names}, not {weight!r}; None counts them")
