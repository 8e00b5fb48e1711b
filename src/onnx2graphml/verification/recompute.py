"""A layer's values from its edges and its node attributes alone, and how far a runtime may be away from them.

The sums are float64. A runtime that computes in a shorter type has a rounding error, which has a bound:

- A sum of n products is off by what `tolerance.fan_in_factor` says.
- A bias may be itself a sum of rounded terms: `Layer.bias_size` or its layer's largest counts, with `SPARE` roundings.
- A function carries the error on: what it makes of the value moved by the error, both ways. Its own evaluation adds a
  few roundings of its result. Functions that are computed through values around 1 (exp, erf, tanh) add roundings of 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.cpu import processors
from onnx2graphml.cuda.device import in_use
from onnx2graphml.functions import parse_axes
from onnx2graphml.functions.rounding import is_integer
from onnx2graphml.graph.axes import are_distinct
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.verification import by_planes, on_device
from onnx2graphml.verification.combine import CODES, START, add_products, combine
from onnx2graphml.verification.tables import by_tables, is_tabled
from onnx2graphml.verification.tolerance import SPARE, bias_size_of, in_type, sum_tolerance, unit_roundoff

Values = npt.NDArray[np.float64]
Progress = Callable[[int], None]

WORTH_THREADS = 1 << 20  # edges
PARTS = 64  # of a block, for the threads to take one after the other


@dataclass(frozen=True, eq=False)
class Recomputed:
    """A layer's values, and the largest rounding error that a runtime may have in each; float64, flat.

    Attributes:
        at_edge: where a rounding decides whether there is a value, as at the end of a function's domain: 1 of Acosh's.
    """

    value: Values
    tolerance: Values
    at_edge: npt.NDArray[np.bool_]

    def is_open(self, expected: Values) -> npt.NDArray[np.bool_]:
        """Where one side has a value and the other NaN, which only a rounding decides."""
        return np.asarray(self.at_edge & (np.isnan(self.value) != np.isnan(expected)))


def recompute(
    layer: Layer, values: Mapping[str, Values], progress: Progress | None = None, fast: bool = False
) -> Recomputed:
    """The values of a layer from those of the layers before it.

    Args:
        layer: any but an input.
        values: flat float64 values by layer name, of all layers that `layer.incoming` names.
        progress: called with the number of edges that have been used since the last call.
        fast: by planes, where that is certain, instead of edge by edge. On a GPU where `cuda.device.using` says so.
    """
    value, tolerance = combined(layer, values, progress or (lambda edges: None), fast)
    return finished(layer.activation, value.reshape(layer.shape), tolerance.reshape(layer.shape), layer.dtype)


def combined(
    layer: Layer, values: Mapping[str, Values], progress: Progress, fast: bool = False
) -> tuple[Values, Values]:
    """What a layer's neurons come to before their activation, and its tolerance, flat; otherwise as `recompute`."""
    u = unit_roundoff(layer.dtype)
    if is_tabled(layer):
        return by_tables(layer, values, u, progress)
    return _combined(layer, values, u, progress, fast)


def finished(activation: Sequence[Activation], value: Values, tolerance: Values, dtype: np.dtype[Any]) -> Recomputed:
    """What a layer's activation makes of its combined values and of their tolerance, both in the layer's shape."""
    tolerance = np.where(np.isinf(value), 0, tolerance)  # no rounding moves infinity
    casts = [k for k, function in enumerate(activation) if "to" in dict(function.parameters)]
    at_edge = np.zeros(value.shape, bool)
    for k, function in enumerate(activation):
        value, tolerance, ends = _activated(function, value, tolerance, unit_roundoff(dtype))
        at_edge |= ends
        if not is_integer(dtype) and k >= max(casts, default=0):  # before a cast, values are of another type
            value, _ = in_type(value, dtype)
    value, tiny = in_type(value, dtype)
    return Recomputed(value.ravel(), tolerance.ravel() + tiny, at_edge.ravel())


def _combined(
    layer: Layer, values: Mapping[str, Values], u: float, progress: Progress, fast: bool
) -> tuple[Values, Values]:
    quick = on_device if in_use() == "cuda" else by_planes if fast else None
    bias = np.full(layer.shape, -0.0 if is_one_to_one(layer) else 0.0) if layer.bias is None else layer.bias
    total = np.array(np.broadcast_to(bias, layer.shape), np.float64).ravel()
    if layer.aggregation == "constant":
        return total, np.zeros_like(total)
    if layer.aggregation == "sum":
        bias_size = bias_size_of(layer, values, total)
        size = np.abs(total)  # the bias is a term like the products, wherever the runtime adds it
        for incoming in layer.incoming:
            if quick and quick.sums(incoming, values[incoming.source], total, size):
                progress(incoming.block.count)
            else:
                _each(incoming, values, progress, add_products, total, size)
        n = sum(i.block.degree("target") for i in layer.incoming)
        return total, sum_tolerance(n, size, bias_size, u)
    code = CODES[layer.aggregation]
    if layer.bias is None:
        total.fill(START[code])
    codes, never, unused = np.full(len(total), code, np.int8), np.zeros(len(total), bool), np.zeros(0)
    for incoming in layer.incoming:
        if quick and quick.selected(layer, incoming, values[incoming.source], total):
            progress(incoming.block.count)
        else:
            _each(incoming, values, progress, combine, total, unused, codes, never)
    return total, SPARE * u * np.abs(total)


def is_one_to_one(layer: Layer) -> bool:
    """Whether each neuron takes one value from each layer that it reads: then -0 stays -0, of which 1/x tells."""
    blocks = [i.block for i in layer.incoming]
    return bool(blocks) and all(
        b.count == layer.neurons and all(are_distinct(a.target) for a in b.axes) for b in blocks
    )


def _each(incoming: Incoming, values: Mapping[str, Values], progress: Progress, loop: Any, *arrays: Any) -> None:
    """Run a loop over all edges, as `expand` gives them; threads share them out so that no two write to one neuron."""
    x = np.ascontiguousarray(values[incoming.source], np.float64)

    def run(block: EdgeBlock) -> None:
        for edges in block.expand():
            loop(edges.source, edges.target, edges.weight, x, *arrays)
            progress(len(edges))

    if incoming.block.count < WORTH_THREADS:
        run(incoming.block)
        return
    parts = incoming.block.disjoint(PARTS)
    with ThreadPoolExecutor(processors()) as pool:
        for done in [pool.submit(run, part) for part in parts]:
            done.result()


def _activated(
    activation: Activation, value: Values, tolerance: Values, u: float
) -> tuple[Values, Values, npt.NDArray[np.bool_]]:
    """Values, their tolerance, and where the function has a value within that of its argument on one side only."""
    result, at_edge = activation(value), np.zeros(value.shape, bool)
    with np.errstate(invalid="ignore"):
        if activation.couples:  # each moves with the largest error of those it is coupled to
            axes = parse_axes(dict(activation.parameters)["axis"])
            coupled = 2 * tolerance.max(axis=axes, keepdims=True, initial=0)
            carried = coupled * (result if activation.op == "Softmax" else np.ones_like(result))
        elif activation.function.slope is not None:
            carried = activation.function.slope * tolerance
        else:
            above, below = (activation(value + way * tolerance) for way in (1, -1))
            carried = np.fmax(_distance(above, result), _distance(below, result))
            at_edge = np.isnan(above) != np.isnan(below)
        own = np.abs(result) + (1.0 if activation.function.around_one else 0.0)
        return result, carried + SPARE * u * np.where(np.isinf(result), 0, own), at_edge


def _distance(one: Values, other: Values) -> Values:
    return np.where(one == other, 0, np.abs(one - other))  # equal infinities have none
