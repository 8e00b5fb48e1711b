"""The network around one input: every neuron's value and slope, and of each choice the edge that was chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.attribution.slopes import slope
from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.verification.recompute import combined

Values = npt.NDArray[np.float64]
CHOICES = ("max", "min")


@dataclass(frozen=True, eq=False)
class LocalGraph:
    """A graph with what one input makes of it; arrays have a float64 number for every neuron, by id.

    Attributes:
        graph: whose edges are meant.
        value: of each neuron. A softmax is left out: of its layer, these are the logits.
        total: bias and in-edges together, before the activation.
        slope: of the activation, there.
        bias: 0 where there is none.
        blocks: by layer, the sources and their blocks; of a maximum or minimum, the chosen edges alone: the first of
            equal ones, as ONNX has it.
        logits: the layers whose softmax is left out.
    """

    graph: NeuronGraph
    value: Values
    total: Values
    slope: Values
    bias: Values
    blocks: Mapping[str, tuple[tuple[str, EdgeBlock], ...]]
    logits: tuple[str, ...]


def local(graph: NeuronGraph, feeds: Mapping[str, Values]) -> LocalGraph:
    """The network around an input, computed from its edges in float64.

    Args:
        feeds: by the name of each input layer, its values in the layer's shape.

    Raises:
        UnsupportedError: a layer multiplies computed tensors or combines its in-edges by a function of several values,
            or a softmax stands in the middle: it couples neurons, which no rule here follows.

    Example:
        >>> import numpy as np, onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> around = local(graph, {"image": np.ones((8, 8, 1))})
        >>> around.logits, around.value.shape
        (('digit',), (3738,))
    """
    read = {i.source for layer in graph.layers for i in layer.incoming}
    arrays = {name: np.zeros(graph.neurons) for name in ("value", "total", "slope", "bias")}
    blocks: dict[str, tuple[tuple[str, EdgeBlock], ...]] = {}
    logits: list[str] = []
    values: dict[str, Values] = {}
    for layer in graph.layers:
        check(layer, layer.name in read)
        if layer.aggregation == "input":
            total = np.asarray(feeds[layer.name], np.float64).ravel()
        else:
            total, _ = combined(layer, values, lambda edges: None, fast=True)
        value, gate = total.reshape(layer.shape), np.ones(layer.shape)
        for activation in layer.activation:
            if activation.couples:
                logits.append(layer.name)
                break
            gate = gate * slope(activation, value)
            value = activation(value)
        values[layer.name] = value.ravel()
        blocks[layer.name] = tuple(_chosen(layer, values)) if layer.aggregation in CHOICES else tuple(_all(layer))
        for name, array in (("value", value), ("total", total), ("slope", gate)):
            arrays[name][layer.ids] = array.ravel()
        if layer.bias is not None:
            arrays["bias"][layer.ids] = np.broadcast_to(layer.bias, layer.shape).ravel()
    return LocalGraph(graph, **arrays, blocks=blocks, logits=tuple(logits))


def check(layer: Layer, is_read: bool) -> None:
    """`UnsupportedError` for a layer that attribution is not defined for."""
    if layer.aggregation not in ("input", "constant", "sum", *CHOICES):
        raise UnsupportedError(
            f"layer {layer.name!r} combines its in-edges by {layer.aggregation}: "
            f"no rule of attribution is defined for that"
        )
    if any(i.block.has_terms for i in layer.incoming):
        raise UnsupportedError(
            f"layer {layer.name!r} multiplies computed tensors: no rule of attribution is defined for that"
        )
    coupling = [a for a in layer.activation if a.couples]
    if coupling and (is_read or coupling[0] is not layer.activation[-1]):
        raise UnsupportedError(
            f"layer {layer.name!r} has a {coupling[0].op} in the middle of the network: it couples neurons, and no "
            f"rule goes through it; select the layers up to its source"
        )


def _all(layer: Layer) -> list[tuple[str, EdgeBlock]]:
    return [(i.source, i.block) for i in layer.incoming]


def _chosen(layer: Layer, values: Mapping[str, Values]) -> list[tuple[str, EdgeBlock]]:
    """For each neuron the candidate that went on; where several are equal, the one that comes first."""
    sign = 1 if layer.aggregation == "max" else -1
    best, winner = np.full(layer.neurons, -math.inf), np.full((layer.neurons, 2), -1, np.int64)
    weight = np.ones(layer.neurons)
    for number, incoming in enumerate(layer.incoming):
        source, reached, its_weight = _best(incoming, values[incoming.source], layer.neurons, sign)
        better = reached > best
        best[better], weight[better] = reached[better], its_weight[better]
        winner[better] = np.stack([np.full(layer.neurons, number), source], axis=1)[better]
    found = []
    for number, incoming in enumerate(layer.incoming):
        (targets,) = np.nonzero(winner[:, 0] == number)
        if len(targets):
            axis = ax.Axis(winner[targets, 1], targets, np.arange(len(targets)))
            found.append((incoming.source, EdgeBlock((axis,), weight[targets])))
    return found


def _best(incoming: Incoming, x: Values, neurons: int, sign: int) -> tuple[npt.NDArray[Any], Values, Values]:
    """Of one source layer: for each target the first of its best candidates, sign · weight · value, and the weight."""
    source, best, weight = np.full(neurons, -1, np.int64), np.full(neurons, -math.inf), np.ones(neurons)
    for e in incoming.block.expand():
        reached = sign * e.weight * x[e.source]
        # Sorted so that of each target its best candidate, and of equal ones the first source, comes first.
        order = np.lexsort((e.source, -reached, e.target))
        targets, first = np.unique(e.target[order], return_index=True)
        chosen = order[first]
        better = reached[chosen] > best[targets]
        level = (reached[chosen] == best[targets]) & (e.source[chosen] < source[targets])
        take = better | level
        at = targets[take]
        source[at], best[at], weight[at] = e.source[chosen][take], reached[chosen][take], e.weight[chosen][take]
    return source, best, weight
