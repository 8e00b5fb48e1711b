"""What NetworkX makes by `G.__class__()`: graphs of its own, and views of a graph that is not expanded."""

from __future__ import annotations

from typing import Any

import networkx as nx

from onnx2graphml.backend.adjacency import Adjacency
from onnx2graphml.backend.info import NAME
from onnx2graphml.backend.nodes import Nodes


class _Plain:
    """A graph as NetworkX has it. As a view of a `LazyGraph` it names this backend, which looks at it first."""

    @property
    def __networkx_backend__(self) -> str:
        return "networkx" if base_of(self) is None else NAME


class PlainDiGraph(_Plain, nx.DiGraph):  # type: ignore[misc]
    """An `nx.DiGraph`."""


class PlainMultiDiGraph(_Plain, nx.MultiDiGraph):  # type: ignore[misc]
    """An `nx.MultiDiGraph`."""


def plain(cls: type[nx.DiGraph], *arguments: Any, **attributes: Any) -> Any:
    """A graph of a class, whatever backend NetworkX is told to prefer."""
    made = object.__new__(cls)
    cls.__init__(made, *arguments, **attributes)
    return made


def base_of(graph: Any) -> Any:
    """The graph with blocks that a view shows, through whatever views lie between; None of any other graph."""
    while isinstance(graph, _Plain):
        graph = vars(graph).get("_graph")
    return graph


def shown_whole(graph: Any) -> Any:
    """The graph with blocks that a view shows all of, either way round; None if it shows a part of it."""
    if not isinstance(graph, _Plain):
        return None
    succ = vars(graph)["_succ"]
    if not isinstance(succ, Adjacency) or not isinstance(vars(graph)["_node"], Nodes):
        return None
    base = base_of(graph)
    return base if succ is base._succ else base.reverse(copy=False)


def shown_nodes(graph: Any) -> int | None:
    """The number of nodes of a view made by `G.subgraph(nodes)`; None where that is not known beforehand."""
    nodes = getattr(getattr(graph, "_NODE_OK", None), "nodes", None)
    return None if nodes is None else len(nodes)
