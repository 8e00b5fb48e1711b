"""Where ONNX doesn't say what comes out, and ONNX Runtime's answer depends on the processor's instructions.

- Which of several values is the greatest, or the smallest, if one of them is NaN.
- What integer NaN and infinity become, and which position in a picture they are.
- A sum that is more than its type holds if it is added up in one order, and not in another.

Nothing can be compared there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from onnx2graphml.functions.rounding import about_floats, is_integer
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.graph.neurons import BASIC, Activation
from onnx2graphml.model import is_float
from onnx2graphml.verification.recompute import Recomputed

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

CHOOSES = ("max", "min", "Hardmax", "TopK")


def settled(layer: Layer, values: Mapping[str, Values], recomputed: Recomputed, expected: Values) -> Values:
    """A layer's recomputed values, flat; where anything may come out, those that were expected."""
    anything = unspecified(layer, values, recomputed.value) | recomputed.is_open(expected)
    return np.where(anything, expected, recomputed.value)


def unspecified(layer: Layer, values: Mapping[str, Values], recomputed: Values) -> Mask:
    """Which of a layer's neurons may come to anything, flat.

    Args:
        values: flat float64 values by layer name, of all layers that `layer.incoming` names.
        recomputed: the layer's own, flat.
    """
    if _chooses(layer):
        return _reached_by(layer, {i.source: np.isnan(values[i.source]) for i in layer.incoming}, layer.incoming)
    if layer.aggregation.startswith("GridSample("):
        positions = [i for i in layer.incoming if i.port]
        return _reached_by(layer, {i.source: ~np.isfinite(values[i.source]) for i in positions}, positions)
    if is_integer(layer.dtype):
        return np.asarray(~np.isfinite(recomputed))
    if layer.aggregation == "sum" and is_float(layer.dtype):
        return _overflowing(layer, values)
    return np.zeros(layer.neurons, bool)


def _chooses(layer: Layer) -> bool:
    """Whether its neurons are the greatest or the smallest of some values."""
    if layer.aggregation.partition("(")[0] in CHOOSES:
        return True
    return layer.aggregation not in BASIC and _parameters(layer).get("reduction") in ("max", "min")


def _parameters(layer: Layer) -> dict[str, float | str]:
    return dict(Activation.parse(layer.aggregation).parameters)


def _reached_by(layer: Layer, some: Mapping[str, Mask], edges: Iterable[Incoming]) -> Mask:
    """Which neurons have an edge from one of some neurons, flat."""
    found = np.zeros(layer.neurons, bool)
    for incoming in edges:
        if some[incoming.source].any():
            axes = tuple(Axis(a.source, a.target, np.zeros_like(a.tap)) for a in incoming.block.axes)
            found |= EdgeBlock(axes).apply(some[incoming.source], layer.neurons) > 0
    return found


def _overflowing(layer: Layer, values: Mapping[str, Values]) -> Mask:
    """Sums of at least two numbers, whose magnitudes add up to more than the type holds."""
    largest, terms = float(about_floats(layer.dtype).max), 0.0 if layer.bias is None else 1.0
    bound = 0.0 if layer.bias is None else float(np.abs(layer.bias).max(initial=0))
    for incoming in layer.incoming:
        weights, degree = incoming.block.weights, incoming.block.degree("target")
        size = max(abs(float(weights.max(initial=0))), abs(float(weights.min(initial=0))))
        bound += degree * size * float(np.abs(values[incoming.source]).max(initial=0))
        terms += degree
    if bound <= largest or terms < 2:
        return np.zeros(layer.neurons, bool)
    total = np.zeros(layer.neurons) + (0 if layer.bias is None else np.abs(layer.bias).ravel())
    for incoming in layer.incoming:
        block = EdgeBlock(incoming.block.axes, np.abs(incoming.block.weights))
        total += block.apply(np.abs(values[incoming.source]), layer.neurons)
    return np.asarray((total > largest) & np.isfinite(total))


FIRST = {"ArgMax": -1, "ArgMin": 1, "Hardmax": -1}
"""Choices of one value, by whether it is the last in ascending order or the first; a TopK's order is all of it."""


def tossed(graph: NeuronGraph, values: Mapping[str, Values], rounding: float) -> str | None:
    """The first layer whose choice rounding decides, as two values are that near each other; None where there is none.

    Args:
        values: flat float64 values by layer name.
        rounding: of a value, relative to a layer's largest one. Zeros are exactly equal, and no toss.
    """
    for layer in graph.layers:
        kind = layer.aggregation.partition("(")[0]
        if kind not in FIRST and kind != "TopK":
            continue
        for incoming, edges in graph.edges_into(layer):
            read = values[incoming.source]
            order = np.lexsort((read[edges.source], edges.target))
            value, target = read[edges.source][order], edges.target[order]
            fellow = target[1:] == target[:-1]
            near = np.diff(value) <= rounding * np.abs(read[np.isfinite(read)]).max(initial=0)
            found = fellow & near & ((value[1:] != 0) | (value[:-1] != 0))
            if kind in FIRST:
                found &= np.append(~fellow, True)[1:] if FIRST[kind] < 0 else np.append(True, ~fellow)[:-1]
            if found.any():
                return layer.name
    return None
