"""Where the nodes of a network belong: to which layer, to which of its calls; and how they are called in the end."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence

import onnx

from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.names import Names
from onnx2graphml.model.metadata import LAYER

Scope = tuple[str | int, ...]
"""What is being called: names, and after each the number of the call, from the outermost model to the layer."""

OUTSIDE = -1
"""In the place of the number of a call: of a node outside of all layers."""


Nodes = Sequence[onnx.NodeProto]


class Places:
    """Scopes of nodes, by the nodes' names while the network is made.

    Attributes:
        scopes: None of one that only rearranges axes between layers.
    """

    def __init__(self) -> None:
        self.scopes: dict[str, Scope | None] = {}
        self._made_in: dict[str, Scope] = {}
        self._given: dict[str, str] = {}
        self._floating: set[str] = set()

    def add(self, node: str, given: str, scope: Scope, layer: str | None, floating: bool) -> None:
        """Another node.

        Args:
            node: its name while the network is made.
            given: the name that it is to have, as far as no other one has it.
            scope: that it is made in.
            layer: that it belongs to; None for one between layers; empty outside of all.
            floating: whether it belongs to the layer that reads it.
        """
        self._given[node] = given
        self.scopes[node] = None if layer is None else scope
        self._made_in[node] = scope
        if floating or layer == "":
            self._floating.add(node)

    def hand_on_casts(self, nodes: Nodes, casts: set[str], outputs: Mapping[str, str], turns: bool) -> None:
        """Let a cast before a layer belong to what reads it: the layer, or where that does nothing, the one behind it.

        At the end of the network, it belongs to the layer that puts it out.

        Args:
            nodes: of the network.
            casts: names of what they make.
            outputs: the names of those that put a value out, by the value's.
            turns: whether axes were brought into another order.

        Raises:
            UncoveredError: there are several.
        """
        readers: dict[str, list[onnx.NodeProto]] = {}
        for node in nodes:
            for name in dict.fromkeys(node.input):
                readers.setdefault(name, []).append(node)
        for node in reversed(nodes):
            if not casts.isdisjoint(node.output):
                own = self.scopes[node.name] or ()
                behind = {self.scopes[reader.name] for reader in self._readers(readers, node.output[0])}
                end = outputs.get(node.output[0])
                require(len(behind) == 1 - bool(end), f"what {own[-2]} casts is read by several layers")
                require(not end or not turns, f"what {end} casts may be in ONNX' order")
                self.scopes[node.name] = (end, own[-1]) if end else behind.pop()

    def _readers(self, readers: Mapping[str, Nodes], name: str) -> Iterator[onnx.NodeProto]:
        """The nodes of layers that read a value, or what stands between layers and reads it."""
        for node in readers.get(name, []):
            require(node.name not in self._floating, "a mask of what a layer casts")
            if self.scopes[node.name] is not None:
                yield node
            else:
                yield from self._readers(readers, node.output[0])

    def settled(self, nodes: Sequence[onnx.NodeProto]) -> dict[str, int | None]:
        """Note the layer of each node, and find the number of its call: None for one between layers."""
        readers: dict[str, list[str]] = {}
        calls: dict[str, int | None] = {}
        for node in reversed(nodes):
            scope = self.scopes[node.name]
            if node.name in self._floating:
                behind = [self.scopes[reader] or () for name in node.output for reader in readers.get(name, [])]
                same = itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*behind, strict=False))
                scope = self.scopes[node.name] = tuple(parts[0] for parts in same)
            for name in node.input:
                readers.setdefault(name, []).append(node.name)
            names = [part for part in scope or () if isinstance(part, str)]
            if names:
                node.metadata_props.add(key=LAYER, value=names[-1])
            calls[node.name] = None if scope is None else _call(scope)
        return calls

    def made_in(self, node: str) -> int:
        """The number of the call in which a node was made, also of one between layers."""
        return _call(self._made_in[node])

    def name(self, graph: onnx.GraphProto, outputs: Mapping[str, str], taken: Collection[str]) -> None:
        """Give the outputs their names, and those that float the next free ones, in the order of the nodes.

        Args:
            graph: is changed.
            outputs: new names, by those that they have.
            taken: names of tensors.
        """
        new = dict(outputs)
        nodes, tensors = Names(), Names([*outputs.values(), *taken])
        for node in graph.node:
            given = self._given[node.name]
            if node.name in self._floating:
                new |= {name: new.get(name) or tensors.unique(given) for name in node.output}
            node.name = nodes.unique(given)
            node.input[:] = [new.get(name, name) for name in node.input]
            node.output[:] = [new.get(name, name) for name in node.output]
        for value in graph.output:
            value.name = new[value.name]


def _call(scope: Scope) -> int:
    """The number of the call that a scope is of."""
    last = scope[-1] if scope else OUTSIDE
    return last if isinstance(last, int) else OUTSIDE
