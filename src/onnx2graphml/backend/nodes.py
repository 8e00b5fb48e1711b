"""A graph's nodes as NetworkX wants to see them: attributes made when they are asked for."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping
from typing import Any

import numpy as np
from networkx.classes.reportviews import NodeDataView, NodeView

from onnx2graphml.backend.limits import WRITE, refuse_if_large
from onnx2graphml.backend.owner import Owner
from onnx2graphml.backend.readonly import ReadOnly
from onnx2graphml.graph.networkx_graph import neuron_attributes, node_attributes, node_column

Attributes = Mapping[str, Any]
MOST_IN_TURN = 1 << 17  # nodes of a large graph whose attributes are read one after the other
CHUNK = 1 << 16  # nodes whose values become Python numbers at once


class Nodes(Mapping[int, Attributes]):
    """`G._node`: a neuron's id to its attributes, which can't be changed."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._last, self._in_turn = -1, 0

    def __len__(self) -> int:
        return len(self._owner)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __contains__(self, node: object) -> bool:
        hash(node)  # by the TypeError NetworkX tells a list of nodes from a node
        return is_id(node, len(self))

    def __getitem__(self, node: int) -> Attributes:
        if node not in self:
            raise KeyError(node)
        node = int(node)
        self._in_turn = self._in_turn + 1 if node == self._last + 1 else 0
        self._last = node
        if self._in_turn > MOST_IN_TURN:
            self.refuse_all()
        return ReadOnly(self._attributes(node))

    def _attributes(self, node: int) -> dict[str, Any]:
        graph = self._owner.neuron_graph
        layer = graph.layer_of(node)
        found = neuron_attributes(layer, node - layer.first_id)
        for name, column in graph.columns.items():
            found[name] = column[node].item()
        return found

    def items(self) -> ItemsView[int, Attributes]:
        """All nodes with all attributes: only of a graph that may be expanded."""
        self.refuse_all()
        return _AllNodes(self)

    def refuse_all(self) -> None:
        """`TooLargeError` where all attributes of all nodes are too much."""
        refuse_if_large(
            self._owner.neuron_graph,
            f"all attributes of all nodes are {len(self):,} dictionaries",
            f"{WRITE}; G.nodes(data='layer') reads one attribute, G.nodes[n] one node",
        )

    def column(self, name: str, default: Any) -> Iterator[Any]:
        """One attribute, node by node; `default` where a node has none."""
        graph = self._owner.neuron_graph
        if name in graph.columns:
            yield from values(graph.columns[name])
            return
        for layer in graph.layers:
            column = node_column(layer, name)
            yield from [default] * layer.neurons if column is None else column


class _AllNodes(ItemsView[int, Attributes]):
    _mapping: Nodes

    def __iter__(self) -> Iterator[tuple[int, Attributes]]:
        graph, node = self._mapping._owner.neuron_graph, 0
        columns = {name: values(column) for name, column in graph.columns.items()}
        for layer in graph.layers:
            for attributes in node_attributes(layer):
                attributes |= {name: next(column) for name, column in columns.items()}
                yield node, ReadOnly(attributes)
                node += 1


class LazyNodeView(NodeView):  # type: ignore[misc]
    """`G.nodes`: to show it does not list millions of nodes."""

    __slots__ = ()

    def __call__(self, data: Any = False, default: Any = None) -> Any:
        return self if data is False else LazyNodeDataView(self._nodes, data, default)

    def data(self, data: Any = True, default: Any = None) -> Any:
        """The nodes with one attribute, or with all of them."""
        return self(data, default)

    def __str__(self) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return f"NodeView({len(self):,} nodes)"


class LazyNodeDataView(NodeDataView):  # type: ignore[misc]
    """`G.nodes(data="layer")`: one attribute is read from any number of nodes."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self._data, bool):
            return iter(super().__iter__())
        return enumerate(self._nodes.column(self._data, self._default))

    def __str__(self) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return f"NodeDataView({len(self):,} nodes, data={self._data!r})"


def is_id(node: object, nodes: int) -> bool:
    """Whether an object equals one of the integers 0 … nodes-1, as a key of a dictionary would."""
    if isinstance(node, float | np.floating) and not float(node).is_integer():
        return False
    return isinstance(node, int | float | np.integer | np.floating) and bool(0 <= node < nodes)


def values(column: np.ndarray[Any, Any]) -> Iterator[Any]:
    """A column's values as Python numbers."""
    for first in range(0, len(column), CHUNK):
        yield from column[first : first + CHUNK].tolist()
