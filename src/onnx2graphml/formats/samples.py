"""Small parts of a graph that stand for the whole: what is written of them is multiplied."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph

WEIGHT = 32  # edges that take as much room as a weight that stands nowhere else, where repetition is compressed


@dataclass(frozen=True, eq=False)
class Kind:
    """Blocks of edges that differ in the values of their weights alone.

    Attributes:
        source, target: the layers that the first of them joins.
        incoming: the first of them.
        layers: the number of their edges into each layer.
    """

    source: Layer
    target: Layer
    incoming: Incoming
    layers: dict[str, int]

    @property
    def edges(self) -> int:
        """The number of edges of all of them."""
        return sum(self.layers.values())

    @property
    def share(self) -> int:
        """A rough measure of what they cost: of their edges, and of their distinct weights."""
        block = self.incoming.block
        return self.edges + WEIGHT * min(block.weights.size * self.edges // block.count, self.edges)

    def sample(self, graph: NeuronGraph, edges: int) -> NeuronGraph:
        """A graph with about so many edges of this kind, in columns of the types that the whole graph needs."""
        block = compact(middle(self.incoming.block, edges)) if edges else none_of(self.incoming.block)
        incoming = (*columns_of(graph, self.source.name), dataclasses.replace(self.incoming, block=block))
        ends = {layer.name: fewer_neurons(layer, 1) for layer in (self.source, self.target)}
        ends[self.target.name] = dataclasses.replace(ends[self.target.name], incoming=incoming)
        return dataclasses.replace(graph, layers=tuple(ends.values()), columns={})


def kinds(graph: NeuronGraph) -> list[Kind]:
    """Those of all blocks that have edges, the costliest first."""
    found: dict[object, Kind] = {}
    for layer in graph.layers:
        for incoming in layer.incoming:
            block = incoming.block
            if block.count:
                shape = tuple((len(a), a.term is None) for a in block.axes)
                key = shape, block.weights.size, block.weights.dtype, incoming.port is None
                kind = found.setdefault(key, Kind(graph.layer(incoming.source), layer, incoming, {}))
                kind.layers[layer.name] = kind.layers.get(layer.name, 0) + block.count
    return sorted(found.values(), key=lambda kind: -kind.share)


def columns_of(graph: NeuronGraph, source: str) -> Iterator[Incoming]:
    """Blocks from a layer, without edges, that have what decides all columns: ports, terms, types of weights."""
    seen: set[object] = set()
    for layer in graph.layers:
        for incoming in layer.incoming:
            key = incoming.port is None, incoming.block.has_terms, incoming.block.weights.dtype
            if key not in seen:
                seen.add(key)
                yield dataclasses.replace(incoming, source=source, block=none_of(incoming.block))


def skeleton(graph: NeuronGraph) -> NeuronGraph:
    """The graph with a neuron of every layer and an edge of every block: what is written however small all of it is."""

    def one(layer: Layer) -> Layer:
        incoming = tuple(
            dataclasses.replace(i, block=compact(middle(i.block, 1)) if i.block.count else none_of(i.block))
            for i in layer.incoming
        )
        return dataclasses.replace(fewer_neurons(layer, 1), incoming=incoming)

    return dataclasses.replace(graph, layers=tuple(map(one, graph.layers)))


def none_of(block: EdgeBlock) -> EdgeBlock:
    """The block without its edges."""
    return EdgeBlock(tuple(axis[:0] for axis in block.axes), block.weights.ravel()[:1])


def middle(block: EdgeBlock, edges: int) -> EdgeBlock:
    """About `edges` consecutive edges from the middle of the block."""
    axes: list[Axis] = []
    for position, axis in enumerate(block.axes):
        rest = math.prod(len(a) for a in block.axes[position + 1 :])
        keep = min(max(edges // (rest * math.prod(len(a) for a in axes)), 1), len(axis))
        first = (len(axis) - keep) // 2
        axes.append(axis[first : first + keep])
    return EdgeBlock(tuple(axes), block.weights)


def compact(block: EdgeBlock) -> EdgeBlock:
    """The same edges with no weight that none of them has: to write a few is not to render all weights."""
    taps = [np.unique(axis.tap, return_inverse=True) for axis in block.axes]
    chosen, axes, size = np.zeros(1, np.int64), [], math.prod(len(tap) for tap, _ in taps)
    for axis, (tap, place) in zip(block.axes, taps, strict=True):
        chosen, size = np.add.outer(chosen, tap).ravel(), size // len(tap)
        axes.append(Axis(axis.source, axis.target, place.reshape(-1) * size, axis.term))
    return EdgeBlock(tuple(axes), block.weights[chosen])


def fewer_nodes(graph: NeuronGraph, most: int) -> NeuronGraph:
    """The graph without edges, each layer cut short by the same factor: about `most` nodes of all."""
    share = min(most / max(graph.neurons, 1), 1)
    layers = (fewer_neurons(x, max(math.ceil(x.neurons * share), 1)) for x in graph.layers)
    return dataclasses.replace(graph, layers=tuple(dataclasses.replace(x, incoming=()) for x in layers))


def fewer_neurons(layer: Layer, most: int) -> Layer:
    """The layer without edges, with its long axes cut short."""
    shape, cut = list(layer.shape), layer.neurons
    for d in range(len(shape)):
        rest = max(cut // max(shape[d], 1), 1)
        shape[d] = min(shape[d], max(most // rest, 1))
        cut = shape[d] * rest
    bias = None if layer.bias is None else np.asarray(layer.bias)[tuple(slice(n) for n in shape)]
    return dataclasses.replace(layer, shape=tuple(shape), bias=bias, incoming=())
