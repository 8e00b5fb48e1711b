"""What stays of a network: of its edges, its weights or its neurons, those with the greatest scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error, TooLargeError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.graph.select import edges_at
from onnx2graphml.graph.table import Table
from onnx2graphml.pruning.scores import Floats, Key, edge_scores, edges_that_may_go, measure, neuron_scores

KINDS = ("edges", "weights", "neurons")
MOST_EDGES = 50_000_000
Numbers = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pruned:
    """A network with less.

    Attributes:
        graph: what stays.
        before: the graph that it was made of.
        moved: how far predictions moved, where inputs were given; None otherwise.
    """

    graph: NeuronGraph
    before: NeuronGraph
    moved: Table | None = None

    @property
    def layers(self) -> Table:
        """By layer, how many of the edges into it are left."""
        rows = []
        for old in self.before.layers:
            new = self.graph.layer(old.name)
            if new.in_edges < old.in_edges:
                rows.append((old.name, f"{old.in_edges:,}", f"{new.in_edges:,}", f"{new.in_edges / old.in_edges:.1%}"))
        total = (
            "total",
            f"{self.before.edges:,}",
            f"{self.graph.edges:,}",
            f"{self.graph.edges / self.before.edges:.1%}",
        )
        return Table(("layer", "edges", "kept", "share"), tuple(rows), "<>>>", total)

    def __str__(self) -> str:
        return "\n\n".join(str(table) for table in (self.layers, self.moved) if table is not None)


def prune(
    graph: NeuronGraph, by: str, keep: float, *, of: str = "edges", by_layer: bool = False, values: Floats | None = None
) -> NeuronGraph:
    """The graph with a share of its edges, weights or neurons.

    Args:
        by: a key of `pruning.MEASURES`.
        keep: which share stays, above 0 and at most 1: of the edges that may go, or of the neurons they go into.
        of: `edges`, each by itself; `weights`, each with all edges that have it; or `neurons`: one that goes has no
            edges into a sum any more, in or out, and no bias.
        by_layer: that share of each layer, instead of all together.
        values: the mean absolute value of each neuron over some inputs; for contributions.

    Raises:
        Error: an option is none of these, or the graph is thinned already.
        TooLargeError: there are more than 50 million edges that may go.
    """
    check(by, keep, of)
    if graph.thinned:
        raise Error(f"the graph is thinned already ({graph.thinned}); choose one way")
    if not any(True for _ in edges_that_may_go(graph)):
        raise Error("nothing may go: no layer adds up several trained edges")
    edges = sum(i.block.count for _, _, i in edges_that_may_go(graph))
    if edges > MOST_EDGES:
        raise TooLargeError(f"{edges:,} edges may go; at most {MOST_EDGES:,} can be compared: select some layers")
    told = f"pruned to {keep:g} of {of} by {by}{', layer by layer' if by_layer else ''}"
    if of == "neurons":
        return dataclasses.replace(_of_neurons(graph, by, keep, by_layer, values), thinned=told)
    return dataclasses.replace(_of_edges(graph, by, keep, of == "weights", by_layer, values), thinned=told)


def check(by: str, keep: float, of: str) -> None:
    """`Error` for an option that is none."""
    measure(by)
    if of not in KINDS:
        raise Error(f"of is {of!r}; expected one of {', '.join(KINDS)}")
    if not 0 < keep <= 1:
        raise Error(f"keep is {keep}; expected a share above 0, at most 1")


def _of_edges(
    graph: NeuronGraph, by: str, keep: float, whole: bool, by_layer: bool, values: Floats | None
) -> NeuronGraph:
    scores = edge_scores(graph, by, values)
    taps = {key: _taps(i.block) for key, _, i in edges_that_may_go(graph)} if whole else {}
    units: dict[Key, Numbers] = {key: np.bincount(taps[key], own) if whole else own for key, own in scores.items()}
    sizes: dict[Key, Numbers] = {k: np.bincount(taps[k]) if whole else np.ones(len(scores[k])) for k in scores}
    kept = _kept(units, sizes, keep, by_layer)
    chosen = {key: kept[key][taps[key]] if whole else kept[key] for key in kept}

    def less(layer: Layer) -> Layer:
        incoming = [
            dataclasses.replace(i, block=edges_at(i.block, np.flatnonzero(chosen[layer.name, k])))
            if (layer.name, k) in chosen and not chosen[layer.name, k].all()
            else i
            for k, i in enumerate(layer.incoming)
        ]
        return dataclasses.replace(layer, incoming=tuple(i for i in incoming if i.block.count))

    return dataclasses.replace(graph, layers=tuple(map(less, graph.layers)))


def _taps(block: EdgeBlock) -> npt.NDArray[np.int64]:
    """Which weight each edge has, in the order in which the block expands."""
    return ax.outer_sum([axis.tap for axis in block.axes])


def _kept(units: Mapping[Key, Numbers], sizes: Mapping[Key, Numbers], keep: float, by_layer: bool) -> dict[Key, Bools]:
    """Which units stay: the greatest, as many as have that share of all edges; of equal ones the first."""
    if by_layer:
        layers = dict.fromkeys(layer for layer, _ in units)
        parts = [{key: own for key, own in units.items() if key[0] == layer} for layer in layers]
        return {k: b for part in parts for k, b in _kept(part, sizes, keep, False).items()}
    every = np.concatenate([np.zeros(0), *units.values()])
    size = np.concatenate([np.zeros(0), *(sizes[key] for key in units)])
    order = np.argsort(-every, kind="stable")
    enough = np.searchsorted(np.cumsum(size[order]), keep * size.sum() * (1 - 1e-12))
    stays = np.zeros(len(every), bool)
    stays[order[: enough + 1]] = True
    return dict(zip(units, np.split(stays, np.cumsum([len(u) for u in units.values()])[:-1]), strict=True))


def _of_neurons(graph: NeuronGraph, by: str, keep: float, by_layer: bool, values: Floats | None) -> NeuronGraph:
    scores = neuron_scores(graph, by, values)
    layers = {layer.name for _, layer, _ in edges_that_may_go(graph)} - set(graph.outputs)
    units = {(x.name, 0): scores[x.ids] for x in graph.layers if x.name in layers}
    kept = _kept(units, {key: np.ones(len(own)) for key, own in units.items()}, keep, by_layer)
    stays = {name: own for (name, _), own in kept.items()}

    def less(layer: Layer) -> Layer:
        own = stays.get(layer.name)
        incoming = []
        for i in layer.incoming:
            from_ = stays.get(i.source) if layer.aggregation == "sum" and i.port is None else None
            incoming += [i] if own is None and from_ is None else [_between(i, from_, own)]
        bias = layer.bias
        if own is not None and bias is not None:
            bias = np.where(own.reshape(layer.shape), np.broadcast_to(bias, layer.shape), np.zeros((), bias.dtype))
        return dataclasses.replace(layer, bias=bias, incoming=tuple(i for i in incoming if i.block.count))

    return dataclasses.replace(graph, layers=tuple(map(less, graph.layers)))


def _between(incoming: Incoming, source: Bools | None, target: Bools | None) -> Incoming:
    """The edges between neurons that stay."""
    block = incoming.block
    stays = np.ones(block.count, bool)
    if source is not None:
        stays &= source[ax.outer_sum([a.source for a in block.axes])]
    if target is not None:
        stays &= target[ax.outer_sum([a.target for a in block.axes])]
    return incoming if stays.all() else dataclasses.replace(incoming, block=edges_at(block, np.flatnonzero(stays)))
