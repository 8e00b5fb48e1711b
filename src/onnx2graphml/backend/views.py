"""What NetworkX makes by `G.__class__()`: graphs of its own, and views of a graph that is not expanded."""

from __future__ import annotations

from typing import Any

import networkx as nx

from onnx2graphml.backend.info import NAME


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
    base = vars(graph).get("_graph")
    if isinstance(base, _Plain):
        base = shown_whole(base)
    if base is None or hasattr(graph, "_NODE_OK"):
        return None
    ends = tuple(id(vars(graph)[side]) for side in ("_succ", "_pred"))
    if ends == (id(base._succ), id(base._pred)):
        return base
    return base.reverse(copy=False) if ends == (id(base._pred), id(base._succ)) else None


def shown_nodes(graph: Any) -> int | None:
    """The number of nodes of a view made by `G.subgraph(nodes)`; None where that is not known beforehand."""
    nodes = getattr(getattr(graph, "_NODE_OK", None), "nodes", None)
    return None if nodes is None else len(nodes)
