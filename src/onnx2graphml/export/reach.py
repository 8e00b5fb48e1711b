"""Neurons that need not be computed: those that no output depends on, and those that depend on no input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onnx2graphml.engine.passes import backward, forward
from onnx2graphml.functions import parse_axes
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.verification.recompute import recompute

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reach:
    """What of a graph has to be computed.

    Attributes:
        kept: by layer, which of its neurons, flat.
        added: by layer, what constant neurons that are left out add to the bias of its neurons, flat.
        channels: by layer that is a picture, which of its channels are kept: those that have a kept neuron.
    """

    kept: Mapping[str, Bools]
    added: Mapping[str, Floats]
    channels: Mapping[str, npt.NDArray[np.int64]]

    @property
    def left_out(self) -> int:
        """The number of neurons that are not computed."""
        return sum(int((~own).sum()) for own in self.kept.values())


def reach(graph: NeuronGraph) -> Reach:
    """Two passes over the graph, one from the outputs and one from the inputs."""
    needed = _needed(graph)
    constant = _constant(graph, needed)
    kept, channels = {}, {}
    for layer in graph.layers:
        own = (needed & ~constant)[layer.ids]
        if layer.aggregation == "input" or layer.name in graph.outputs:
            own = np.ones(layer.neurons, bool)
        if layer.spatial:
            (channels[layer.name],) = np.nonzero(_by_channel(layer, own))
            own = _of_channels(layer, channels[layer.name])
        kept[layer.name] = own
        constant[layer.ids] &= ~own  # what stands beside others in a channel that is kept is computed with them
    return Reach(kept, _folded(graph, constant) if constant.any() else {}, channels)


def _needed(graph: NeuronGraph) -> Bools:
    """Which neurons an output depends on; those that are coupled, and those of a picture's channel, all together."""
    start = np.zeros(graph.neurons, bool)
    for name in graph.outputs:
        start[graph.layer(name).ids] = True
    found: Bools = backward(graph, start, semiring="any", each=_together)
    return found


def _together(layer: Layer, own: Bools) -> Bools:
    own = _coupled(layer, own)
    return _of_channels(layer, np.flatnonzero(_by_channel(layer, own))) if layer.spatial else own


def _coupled(layer: Layer, own: Bools) -> Bools:
    """All neurons of a layer whose neurons a function couples, where there is one of them."""
    couples = any(f.couples and parse_axes(dict(f.parameters)["axis"]) for f in layer.activation)
    return np.full(own.shape, own.any()) if couples else own


def _constant(graph: NeuronGraph, needed: Bools) -> Bools:
    """Which needed neurons depend on no input, and are read by sums alone, so that they can be part of a bias."""
    start = np.concatenate([np.full(x.neurons, x.aggregation == "input") for x in graph.layers])
    reached = forward(graph, start, semiring="any", each=_coupled)
    found = needed & ~reached
    for layer in graph.layers:
        if layer.aggregation not in ("sum", "constant"):
            found[layer.ids] = False  # what has no candidate is refused, not folded
        for i in layer.incoming:
            sums = layer.aggregation == "sum" and i.port is None and not i.block.has_terms
            if not sums and found[graph.layer(i.source).ids].any():
                found[graph.layer(i.source).ids] = False
    for name in graph.outputs:
        found[graph.layer(name).ids] = False
    return found


def _folded(graph: NeuronGraph, constant: Bools) -> dict[str, Floats]:
    """What constant neurons add to those that read them and are none."""
    values: dict[str, Floats] = {}
    added = {}
    for layer in graph.layers:
        if layer.aggregation == "input":
            values[layer.name] = np.zeros(layer.neurons)
        else:
            values[layer.name] = recompute(layer, values, fast=True).value
        total = np.zeros(layer.neurons)
        for i in layer.incoming:
            own = constant[graph.layer(i.source).ids]
            if own.any():
                total += i.block.apply(np.where(own, values[i.source], 0.0), layer.neurons)
        if total.any():
            added[layer.name] = total
    return added


def _by_channel(layer: Layer, own: Bools) -> Bools:
    """Which channels of a picture have a neuron among those."""
    others = tuple(d for d in range(len(layer.shape)) if d != layer.spatial[0])
    found: Bools = np.asarray(own.reshape(layer.shape).any(axis=others))
    return found


def _of_channels(layer: Layer, channels: npt.NDArray[np.int64]) -> Bools:
    """All neurons of some channels."""
    found = np.zeros(layer.shape, bool)
    found[(slice(None),) * layer.spatial[0] + (channels,)] = True
    return found.ravel()
