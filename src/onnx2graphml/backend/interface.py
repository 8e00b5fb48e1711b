"""What NetworkX's dispatcher calls: functions with a method of their own, and all others on small graphs.

Source: https://networkx.org/documentation/stable/reference/backends.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import networkx as nx
from networkx.utils.backends import _registered_algorithms  # its only private name here: all functions by name

from onnx2graphml.backend.convert import ConvertedGraph, from_networkx
from onnx2graphml.backend.functions import OWN
from onnx2graphml.backend.info import NAME
from onnx2graphml.backend.lazy_graph import LazyGraph, expanded
from onnx2graphml.backend.limits import max_edges, refuse_function
from onnx2graphml.backend.measured import NoMethod
from onnx2graphml.backend.readonly import read_only
from onnx2graphml.backend.views import base_of, shown_nodes, shown_whole


class Backend:
    """The object that the entry point `networkx.backends` names. Every function of NetworkX is an attribute of it."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in _registered_algorithms or not _registered_algorithms[name].graphs:
            raise AttributeError(name)
        return functools.partial(_run, name)

    def convert_from_nx(self, graph: Any, **wanted: Any) -> Any:
        """An acyclic graph of NetworkX as blocks; `NotImplementedError` for any other."""
        return from_networkx(graph, **wanted)

    def convert_to_nx(self, result: Any, *, name: str | None = None) -> Any:
        """A graph of this backend as NetworkX's own; any other result as it is."""
        if isinstance(result, LazyGraph):
            return _expanded_once(result, name or "Graph.copy")
        return result.original if isinstance(result, ConvertedGraph) else result

    def can_run(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Whether a call is for this backend: on its own graphs any; on others those that have a method here."""
        return name in OWN or any(_is_ours(g) for g in (*args, *kwargs.values()))

    def should_run(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Whether a call with a graph of another backend is worth a conversion."""
        return name in OWN


backend = Backend()


def _is_ours(graph: Any) -> bool:
    if isinstance(graph, list | tuple):  # a few functions take several graphs
        return any(_is_ours(g) for g in graph)
    return getattr(graph, "__networkx_backend__", None) == NAME


def _run(name: str, /, *args: Any, **kwargs: Any) -> Any:
    """Call a function of NetworkX by its own method, or else by NetworkX's, with an expanded graph."""
    first = next(iter(_registered_algorithms[name].graphs))
    graph = args[0] if args else kwargs[first]
    whole = graph if isinstance(graph, LazyGraph | ConvertedGraph) else shown_whole(graph)
    if name in OWN and whole is not None:
        try:
            if args:
                return OWN[name](whole, *args[1:], **kwargs)
            return OWN[name](**(kwargs | {first: whole}))
        except NoMethod:
            if isinstance(whole, ConvertedGraph):
                raise
    return _run_expanded(name, args, kwargs)


def _run_expanded(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    function = _registered_algorithms[name]
    if any(isinstance(g, LazyGraph) for g in (*args, *kwargs.values())) and _changes(function, args, kwargs):
        read_only()
    return function.orig_func(
        *(_for_networkx(a, name) for a in args), **{k: _for_networkx(v, name) for k, v in kwargs.items()}
    )


def _changes(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call changes its graph: always, or as an argument says."""
    by = function.mutates_input
    if isinstance(by, bool):
        return by
    for argument, place in by.items():
        name = argument.removeprefix("not ")
        given = args[place] if place < len(args) else kwargs.get(name, True if name != argument else None)
        if (not given) if name != argument else (given is not None):
            return True
    return False


def _for_networkx(value: Any, name: str) -> Any:
    """An argument as NetworkX's own code can take it; `TooLargeError` if that would expand a large graph."""
    if isinstance(value, list | tuple) and any(_is_ours(v) for v in value):
        return type(value)(_for_networkx(v, name) for v in value)
    if isinstance(value, ConvertedGraph):
        return value.original
    if isinstance(value, LazyGraph):
        return _expanded_once(value, name)
    if _is_ours(value):
        nodes = shown_nodes(value)
        if nodes is None or nodes**2 > max_edges():  # of fewer nodes, the edges are fewer, too
            refuse_function(base_of(value).neuron_graph, name)
    return value


def _expanded_once(graph: LazyGraph, name: str) -> nx.DiGraph:
    refuse_function(graph.neuron_graph, name)
    cache: dict[str, Any] = graph.__networkx_cache__
    if "expanded" not in cache:
        cache["expanded"] = expanded(graph)
    return cache["expanded"]
