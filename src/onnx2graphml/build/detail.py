"""How much of the ONNX graph shows: a layer for every tensor, what a framework's user calls a layer, or still less.

Two rewritings, each exact, do all of it:

- **compose away** a layer that only moves values: its consumers take their edges from where the values come from;
- **absorb** a layer that only moves, scales, shifts or activates another layer's values, one for one, into that layer.

A level of detail is a choice of where they are done.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from onnx2graphml.build.absorb import absorbed, is_one_to_one
from onnx2graphml.build.framework_order import as_declared, in_framework_order
from onnx2graphml.build.names import in_order_of, named
from onnx2graphml.errors import Error
from onnx2graphml.functions.rounding import is_exact
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock, Side
from onnx2graphml.graph.compose import NotComposableError, compose
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph, numbered
from onnx2graphml.model.limits import Budget, within
from onnx2graphml.model.uniform import in_memory

LEVELS = ("op", "layer", "neuron")

COPIES = ("Identity", "Dropout", "Cast", "CastLike")  # never a layer
REARRANGES = ("Transpose", "Squeeze", "Unsqueeze")  # an exporter's, where no layer of the framework claims it
MOST_LOOKED_AT = 1 << 24  # positions of two blocks, to tell whether they meet
PRODUCTS = ("MatMul", "Gemm")


def at_detail(graph: NeuronGraph, level: str) -> NeuronGraph:
    """The graph at a level of detail.

    Args:
        graph: with a layer for every tensor, as `walk` makes it.
        level: `op`, `layer` or `neuron`.

    Raises:
        Error: there is no such level.
        TooLargeError: a layer can't be brought into the framework's order in bounded memory.
    """
    if level not in LEVELS:
        raise Error(f"detail is {level!r}; expected one of {', '.join(LEVELS)}")
    if level == "op":
        return graph
    own = graph.model.constants.values() if graph.model is not None else ()
    with within(Budget(sum(map(in_memory, own)))):
        return _rewritten(graph, level)


def _rewritten(graph: NeuronGraph, level: str) -> NeuronGraph:
    network = _Network(graph)
    network.join_copied_outputs(level == "neuron")
    # In Keras all that computes belongs to a layer, so that what belongs to none is the exporter's.
    all_in_layers = graph.model is not None and graph.model.channels_last
    if level == "layer":
        behind = network.scopes_behind()
        network.rewrite(
            lambda layer, near: _is_plumbing(layer, near, behind[layer.name], all_in_layers),
            lambda layer, producer: _is_one_layer(layer, producer, all_in_layers),
        )
    else:
        network.rewrite(lambda layer, near: True, lambda layer, producer: True)
    shown = [in_framework_order(layer, network.layers) for layer in network.layers.values()]
    layers, names = named(shown, network.read_by, all_in_layers)
    if graph.model is not None:
        shapes = graph.model.layer_shapes
        layers = in_order_of(shapes, [_declared(layer, shapes) for layer in layers])
    outputs = tuple(names[o] for o in network.outputs)
    return NeuronGraph(numbered(layers), outputs, graph.model_name, graph.model_sha256, level, graph.model)


def _declared(layer: Layer, shapes: Mapping[str, tuple[int, ...]]) -> Layer:
    """The layer in the framework's shape, if it is the one that has the name of its scope."""
    scope = layer.provenance.scope or ""
    shape = shapes.get(scope) if layer.name.partition("#")[0] == scope else None
    return as_declared(layer, shape) if shape else layer


def _is_plumbing(layer: Layer, near: list[Layer], scopes: frozenset[str | None], all_in_layers: bool) -> bool:
    """Whether a layer that only moves values is no layer to the framework's user.

    Args:
        near: what reads it.
        scopes: of what reads it, looking through what an exporter has put in between; two, where there are more.
    """
    if layer.op in COPIES:
        return True
    if layer.provenance.scope is not None:
        return scopes == {layer.provenance.scope}
    pads_a_convolution = layer.op == "Pad" and bool(near) and all(n.op == "Conv" for n in near)
    return all_in_layers or layer.op in REARRANGES or pads_a_convolution


def _is_one_layer(layer: Layer, producer: Layer, all_in_layers: bool) -> bool:
    """Whether a layer and the one it reads are one to the framework's user."""
    if layer.provenance.scope is not None or producer.provenance.scope is not None:
        return layer.provenance.scope == producer.provenance.scope or (
            layer.provenance.scope is None and (all_in_layers or bool(layer.activation))
        )
    is_bias = layer.op == "Add" and producer.op in PRODUCTS and producer.bias is None
    return bool(layer.activation) or is_bias or layer.op in (*COPIES, *REARRANGES)


class _Network:
    """Layers by tensor name, with who reads whom, while they are rewritten."""

    def __init__(self, graph: NeuronGraph) -> None:
        self.layers = {layer.name: layer for layer in graph.layers}
        self.outputs = list(graph.outputs)
        self.read_by: dict[str, set[str]] = {name: set() for name in self.layers}
        for layer in graph.layers:
            self._read(layer)

    def rewrite(self, composes: Callable[[Layer, list[Layer]], bool], absorbs: Callable[[Layer, Layer], bool]) -> None:
        """Go through the layers in order, and absorb or compose away wherever that is exact and asked for."""
        for name in list(self.layers):
            layer = self.layers[name]
            near = [self.layers[n] for n in self.read_by[name]]
            moves = is_selection(layer) or (is_repetition(layer) and all(_takes_one(n, name) for n in near))
            if moves and name not in self.outputs and composes(layer, near) and self._compose_away(layer, near):
                continue
            producer = self._only_producer(layer)
            if producer is not None and absorbs(layer, producer):
                self._absorb(producer, layer)

    def join_copied_outputs(self, all: bool) -> None:
        """Leave out outputs that are copies: of other outputs, and of what has the same name in the framework."""
        first: dict[tuple[str, str | None], str] = {}
        for k, name in enumerate(self.outputs):
            layer = self.layers[name]
            if layer.op != "Identity" or self.read_by[name] or len(layer.incoming) != 1:  # none where it has no neurons
                continue
            (incoming,) = layer.incoming
            source = self.layers[incoming.source]
            is_input = source.aggregation == "input"
            own = source.name if is_input else source.provenance.scope
            if layer.provenance.scope == own or (not is_input and (all or source.name in self.outputs)):
                self.outputs[k] = source.name
            else:
                self.outputs[k] = first.setdefault((source.name, layer.provenance.scope), name)
            if name not in self.outputs:
                self._drop(layer)

    def scopes_behind(self) -> dict[str, frozenset[str | None]]:
        """The scopes of what reads each layer, and of what reads that where it has none and only moves values.

        Two are enough to tell that there is more than one, and the time is in proportion to the network.
        """
        behind: dict[str, frozenset[str | None]] = {}
        seen: dict[str, frozenset[str | None]] = {}  # by whoever is read by the layer
        for name in reversed(self.layers):
            layer = self.layers[name]
            behind[name] = _two_of(seen[reader] for reader in self.read_by[name])
            through = layer.provenance.scope is None and name not in self.outputs and is_selection(layer)
            seen[name] = behind[name] if through else frozenset({layer.provenance.scope})
        return behind

    def _drop(self, layer: Layer) -> None:
        for incoming in layer.incoming:
            self.read_by[incoming.source] -= {layer.name}
        del self.layers[layer.name], self.read_by[layer.name]

    def _read(self, layer: Layer) -> None:
        for incoming in layer.incoming:
            self.read_by[incoming.source].add(layer.name)

    def _only_producer(self, layer: Layer) -> Layer | None:
        """The one layer that this one reads, where nothing else reads it."""
        if len(layer.incoming) != 1 or layer.incoming[0].port is not None:
            return None
        producer = self.layers[layer.incoming[0].source]
        read_only_here = self.read_by[producer.name] == {layer.name} and producer.name not in self.outputs
        return producer if read_only_here and producer.aggregation not in ("input", "constant") else None

    def _absorb(self, producer: Layer, layer: Layer) -> None:
        """Replace both layers by one in the later one's place, where that is exact."""
        merged = absorbed(producer, layer)
        if merged is None:
            return
        for incoming in producer.incoming:
            self.read_by[incoming.source] -= {producer.name}
        del self.layers[producer.name], self.read_by[producer.name]
        self.layers[layer.name] = merged
        self._read(merged)

    def _compose_away(self, layer: Layer, near: list[Layer]) -> bool:
        """Let all readers of a layer read what it reads; false, and nothing changed, unless that is exact for all."""
        rewired = [self._rewired(reader, layer) for reader in near]
        if not near or any(edges is None for edges in rewired):
            return False
        self._drop(layer)
        for reader, edges in zip(near, rewired, strict=True):
            assert edges is not None
            self.layers[reader.name] = dataclasses.replace(reader, incoming=edges)
            self._read(self.layers[reader.name])
        return True

    def _rewired(self, reader: Layer, layer: Layer) -> tuple[Incoming, ...] | None:
        """The reader's edges with those from `layer` taken from its sources; None where that is not exact."""
        if any(self.layers[i.source].dtype.itemsize > layer.dtype.itemsize for i in layer.incoming):
            return None  # a cast to a shorter type rounds
        if is_exact(layer.dtype) and any(self.layers[i.source].dtype != layer.dtype for i in layer.incoming):
            return None  # integers wrap around
        every = reader.aggregation != "sum" or any(i.block.has_terms for i in reader.incoming)
        if every and sum(i.block.count for i in layer.incoming) != layer.neurons:
            return None  # a neuron without in-edges is 0, which a maximum or a product would miss
        edges: list[Incoming] = []
        try:
            for incoming in reader.incoming:
                if incoming.source != layer.name:
                    edges.append(incoming)
                    continue
                for first in layer.incoming:
                    block = compose(first.block, incoming.block, layer.shape)
                    edges.append(Incoming(first.source, block, incoming.port))
        except NotComposableError:
            return None
        edges = [e for e in edges if e.block.count]
        return None if may_repeat(edges) else tuple(edges)


def _two_of(sets: Iterable[frozenset[str | None]]) -> frozenset[str | None]:
    """All that the sets have, or two of it."""
    found: set[str | None] = set()
    for each in sets:
        found |= each
        if len(found) > 1:
            return frozenset(itertools.islice(found, 2))
    return frozenset(found)


def is_selection(layer: Layer) -> bool:
    """Whether a layer only moves values, each to at most one place: none is changed, added or doubled."""
    return (
        layer.aggregation == "sum"
        and layer.bias is None
        and not layer.activation
        and (len(layer.incoming) == 1 or layer.op == "Concat")
        and all(i.port is None for i in layer.incoming)
        and all(i.block.is_selection and is_one_to_one(i.block) for i in layer.incoming)
        and not may_repeat(list(layer.incoming))
    )


def is_repetition(layer: Layer) -> bool:
    """Whether every neuron has the value of one other, which several may share."""
    return (
        layer.aggregation == "sum"
        and layer.bias is None
        and not layer.activation
        and len(layer.incoming) == 1
        and layer.incoming[0].block.is_selection
        and layer.incoming[0].block.count == layer.neurons
        and _one_per_target(layer.incoming[0].block)
    )


def _takes_one(reader: Layer, name: str) -> bool:
    """Whether each neuron takes at most one value from another layer, so that what that repeats never meets."""
    return reader.aggregation == "sum" and all(_one_per_target(i.block) for i in reader.incoming if i.source == name)


def _one_per_target(block: EdgeBlock) -> bool:
    return all(ax.are_distinct(a.target) for a in block.axes)


def may_repeat(edges: list[Incoming]) -> bool:
    """Whether two blocks might hold the same pair of neurons: same source, and positions in common."""
    for k, one in enumerate(edges):
        for other in edges[:k]:
            if (one.source, one.port) == (other.source, other.port) and _meet(one.block, other.block):
                return True
    return False


def _meet(one: EdgeBlock, other: EdgeBlock) -> bool:
    """Whether they have positions in common on both sides; taken for granted where looking would take gigabytes."""
    sides: tuple[Side, ...] = ("source", "target")
    return all(
        max(_covered(one, side), _covered(other, side)) > MOST_LOOKED_AT
        or len(np.intersect1d(one.covers(side), other.covers(side), assume_unique=True)) > 0
        for side in sides
    )


def _covered(block: EdgeBlock, side: Side) -> int:
    return math.prod(len(ax.distinct(offsets)) for offsets in block.offsets(side))
