"""What can't be changed, and says so."""

from __future__ import annotations

from typing import Any

import networkx as nx


def read_only(*_: Any, **__: Any) -> Any:
    """What all ways to change a graph lead to."""
    raise nx.NetworkXError(
        "a graph that is not expanded can't be changed; G.copy() makes one that can, "
        "and G.set_column(name, values) adds an attribute of all nodes"
    )


class ReadOnly(dict[Any, Any]):
    """Attributes of a node or an edge: a change would be lost, and is refused. Copies are plain dictionaries."""

    __slots__ = ()
    __setitem__ = __delitem__ = __ior__ = read_only
    clear = pop = popitem = setdefault = update = read_only

    def __deepcopy__(self, memo: Any) -> dict[Any, Any]:
        return dict(self)  # of strings and numbers

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)
