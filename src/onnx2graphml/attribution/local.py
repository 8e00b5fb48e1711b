"""The network around one input: every neuron's value and slope, and of each choice the edge that was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onnx2graphml.attribution.slopes import slope
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.recorded import NONE_CHOSEN, Recorded
from onnx2graphml.graph.select import chosen
from onnx2graphml.verification.recompute import combined
from onnx2graphml.verification.winners import chooses, winners_of

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LocalGraph:
    """A graph with what one input makes of it; arrays have a float64 number for every neuron, by id.

    Attributes:
        graph: whose edges are meant.
        value: of each neuron. A softmax is left out: of its layer, these are the logits.
        total: bias and in-edges together, before the activation.
        slope: of the activation, there.
        bias: 0 where there is none.
        blocks: by layer, the sources and their blocks; of a choice, the chosen edges alone.
        logits: the layers whose softmax is left out.
        undefined: by the names of layers that no rule goes through, why.
    """

    graph: NeuronGraph
    value: Values
    total: Values
    slope: Values
    bias: Values
    blocks: Mapping[str, tuple[tuple[str, EdgeBlock], ...]]
    logits: tuple[str, ...]
    undefined: Mapping[str, str]


def local(graph: NeuronGraph, feeds: Mapping[str, Values]) -> LocalGraph:
    """The network around an input, computed from its edges in float64.

    Args:
        feeds: by the name of each input layer, its values in the layer's shape.

    Example:
        >>> import numpy as np, onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> around = local(graph, {"image": np.ones((8, 8, 1))})
        >>> around.logits, around.value.shape
        (('digit',), (3738,))
    """
    read = {i.source for layer in graph.layers for i in layer.incoming}
    arrays = {name: np.zeros(graph.neurons) for name in ("value", "total", "slope", "bias")}
    logits: list[str] = []
    undefined: dict[str, str] = {}
    values: dict[str, Values] = {}
    for layer in graph.layers:
        if reason := why_undefined(layer, layer.name in read):
            undefined[layer.name] = reason
        if layer.aggregation == "input":
            total = np.asarray(feeds[layer.name], np.float64).ravel()
        else:
            total, _ = combined(layer, values, lambda edges: None, fast=True)
        value, gate = total.reshape(layer.shape), np.ones(layer.shape)
        for activation in layer.activation:
            if activation.couples and layer.name not in undefined:
                logits.append(layer.name)
                break
            gate = gate if activation.couples else gate * slope(activation, value)
            value = activation(value)
        values[layer.name] = value.ravel()
        for name, array in (("value", value), ("total", total), ("slope", gate)):
            arrays[name][layer.ids] = array.ravel()
        if layer.bias is not None:
            arrays["bias"][layer.ids] = np.broadcast_to(layer.bias, layer.shape).ravel()
    winners = winners_of(graph, values)
    for name, won in winners.items():  # a bias is a candidate as others, or a position
        own = arrays["bias"][graph.layer(name).ids]
        own[slice(None) if won.source is None else won.source != NONE_CHOSEN] = 0
    whole = graph.holding(Recorded(arrays["value"], winners))
    around = {x.name: chosen(whole, x) if x.name in winners else x.incoming for x in graph.layers}
    blocks = {name: tuple((i.source, i.block) for i in incoming) for name, incoming in around.items()}
    return LocalGraph(graph, **arrays, blocks=blocks, logits=tuple(logits), undefined=undefined)


def why_undefined(layer: Layer, is_read: bool) -> str:
    """Why no rule of attribution goes through a layer; empty where one does.

    A layer may still be there if nothing of the target's value comes from it, such as one that makes a condition.
    """
    if layer.aggregation not in ("input", "constant", "sum") and not chooses(layer):
        return f"combines its in-edges by {layer.aggregation}: no rule of attribution is defined for that"
    if layer.aggregation == "sum" and any(i.block.has_terms for i in layer.incoming):
        return "multiplies computed tensors: no rule of attribution is defined for that"
    coupling = [a for a in layer.activation if a.couples]
    if coupling and (is_read or coupling[0] is not layer.activation[-1]):
        return (
            f"has a {coupling[0].op} in the middle of the network: it couples neurons, and no rule goes through it; "
            f"select the layers up to its source"
        )
    return ""
