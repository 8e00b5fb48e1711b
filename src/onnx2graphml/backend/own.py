"""What notes a function of NetworkX as one with a method of its own, and what such functions share."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import networkx as nx

from onnx2graphml.backend.measured import Measured, NoMethod
from onnx2graphml.errors import Error

Node = Hashable
Values = Mapping[Any, Any]

OWN: dict[str, Callable[..., Any]] = {}
"""By the name that NetworkX's dispatcher has for it."""


def own(function: Callable[..., Any]) -> Callable[..., Any]:
    """Note a function as one with a method of its own. A mistake of the call is NetworkX's error."""

    def run(G: Measured, *args: Any, **kwargs: Any) -> Any:
        try:
            return function(G, *args, **kwargs)
        except Error as e:
            if G.is_converted:
                raise NoMethod(str(e)) from e
            raise nx.NetworkXError(str(e)) from e

    run.__doc__, run.__name__, run.__wrapped__ = function.__doc__, function.__name__, function  # type: ignore[attr-defined]
    OWN[function.__name__] = run
    return run


def refuse_parallel(G: Measured) -> None:
    """Parallel edges count once here, and as many in passes."""
    if G.is_multigraph():
        raise NoMethod("parallel edges")


def id_of(G: Measured, node: Node, what: str = "Source") -> int:
    """A node's id; NetworkX's error if there is no such node."""
    if node not in G:
        raise nx.NodeNotFound(f"{what} {node} is not in G")
    return G.id(node)
