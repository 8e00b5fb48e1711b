"""Products with all blocks of a graph: once each, or layer after layer, so that what arrives goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.engine.products import accumulate
from onnx2graphml.engine.semirings import CONTRIBUTIONS, Semiring, Weight, semiring_of, weight_function
from onnx2graphml.errors import Error, UnsupportedError
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Layer, NeuronGraph

Floats = npt.NDArray[Any]
Scale = npt.NDArray[np.float64] | float | None
Each = Callable[[Layer, Floats], Floats]


def forward(
    graph: NeuronGraph,
    start: npt.ArrayLike,
    *,
    semiring: str = "sum",
    weight: Weight = None,
    source_scale: Scale = None,
    target_scale: Scale = None,
    each: Each | None = None,
) -> Floats:
    """One pass along the edges, from the inputs to the outputs.

        x[v] = start[v] + target_scale[v] · Σ over in-edges u→v of weight · source_scale[u] · x[u]

    Args:
        graph: its layers are gone through in their order, which is topological.
        start: one number for every neuron, by id.
        semiring: as in `product`.
        weight: as in `product`; in a graph with an input, sums also take `contribution`, `abs_contribution`.
        source_scale: one number for every neuron, or for all; for sums only.
        target_scale: one number for every neuron, or for all; for sums only.
        each: is given each layer and its values once they are complete, and returns those that go on.

    Returns:
        A number for every neuron, by id.

    Raises:
        Error: an array has not as many entries as there are neurons, or scales are given for another semiring.
        UnsupportedError: weights are asked for, and the graph multiplies computed tensors.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> starts = [int(layer.aggregation == "input") for layer in graph.layers for _ in range(layer.neurons)]
        >>> int(forward(graph, starts)[-10:].sum())  # paths from the inputs to the outputs
        280350720
    """
    return _pass(graph, start, False, semiring, weight, (source_scale, target_scale), each)


def backward(
    graph: NeuronGraph,
    start: npt.ArrayLike,
    *,
    semiring: str = "sum",
    weight: Weight = None,
    source_scale: Scale = None,
    target_scale: Scale = None,
    each: Each | None = None,
) -> Floats:
    """One pass against the edges, from the outputs to the inputs; otherwise as `forward`, of which it is the adjoint.

    x[u] = start[u] + source_scale[u] · Σ over out-edges u→v of weight · target_scale[v] · x[v]
    """
    return _pass(graph, start, True, semiring, weight, (target_scale, source_scale), each)


def in_sum(graph: NeuronGraph, x: npt.ArrayLike, *, semiring: str = "sum", weight: Weight = None) -> Floats:
    """`y[v] = Σ over in-edges u→v of weight · x[u]`: each edge once, so that nothing goes further than one step."""
    return _once(graph, x, False, semiring, weight)


def out_sum(graph: NeuronGraph, x: npt.ArrayLike, *, semiring: str = "sum", weight: Weight = None) -> Floats:
    """`y[u] = Σ over out-edges u→v of weight · x[v]`: each edge once."""
    return _once(graph, x, True, semiring, weight)


def positions(graph: NeuronGraph) -> dict[str, slice]:
    """Where the neurons of each layer are in an array of all."""
    return {layer.name: slice(layer.first_id, layer.first_id + layer.neurons) for layer in graph.layers}


def steps(graph: NeuronGraph, transpose: bool, weighted: bool) -> Iterator[tuple[Layer, list[tuple[str, EdgeBlock]]]]:
    """Each layer with the layers that hand it values and the blocks by which they do, in the order of a pass."""
    for layer in graph.layers:
        check_terms(layer, weighted or None)
    if not transpose:
        for layer in graph.layers:
            yield layer, [(i.source, i.block) for i in layer.incoming]
        return
    outgoing: dict[str, list[tuple[str, EdgeBlock]]] = {layer.name: [] for layer in graph.layers}
    for layer in graph.layers:
        for i in layer.incoming:
            outgoing[i.source].append((layer.name, i.block.flipped()))
    for layer in reversed(graph.layers):
        yield layer, outgoing[layer.name]


def check_terms(layer: Layer, weight: object) -> None:
    """Refuse weights, where a weight is asked for, of a layer whose edges have none of their own."""
    for incoming in layer.incoming:
        if weight is not None and incoming.block.has_terms:
            raise UnsupportedError(
                f"layer {layer.name!r} multiplies computed tensors: its edges have no weights of their own; "
                f"use weight=None"
            )


def _pass(
    graph: NeuronGraph,
    start: npt.ArrayLike,
    transpose: bool,
    name: str,
    weight: Weight,
    scales: tuple[Scale, Scale],
    each: Each | None,
) -> Floats:
    ring, at = semiring_of(name), positions(graph)
    if any(s is not None for s in scales) and ring.name != "sum":
        raise Error(f"scales are for sums, not for the semiring {name!r}")
    weight, value = recorded_weight(graph, weight, ring)
    function = weight_function(weight)
    before, after = (_scale(graph, s) for s in scales)
    if value is not None:  # it scales where an edge begins, whichever way it is gone
        before, after = (before, _times(after, value)) if transpose else (_times(before, value), after)
    x = _values(graph, start, ring, weight is not None or before is not None or after is not None)
    for layer, incoming in steps(graph, transpose, weight is not None):
        own = at[layer.name]
        arrived = x[own] if after is None else np.zeros(layer.neurons)
        for source, block in incoming:
            values = x[at[source]]
            if _empty(values, ring):
                continue
            scaled = values if before is None else values * before[at[source]]
            accumulate(block, scaled, arrived, ring, function)
        if after is not None:
            x[own] += after[own] * arrived
        if each is not None:
            x[own] = each(layer, x[own])
    return x


def _once(graph: NeuronGraph, x: npt.ArrayLike, transpose: bool, name: str, weight: Weight) -> Floats:
    ring, at = semiring_of(name), positions(graph)
    weight, value = recorded_weight(graph, weight, ring)
    function = weight_function(weight)
    values = _values(graph, x, ring, weight is not None)
    if value is not None and not transpose:
        values *= value
    out = np.full_like(values, ring.zero(values.dtype))
    for layer, incoming in steps(graph, transpose, weight is not None):
        for source, block in incoming:
            if not _empty(values[at[source]], ring):
                accumulate(block, values[at[source]], out[at[layer.name]], ring, function)
    return out * value if value is not None and transpose else out


def recorded_weight(graph: NeuronGraph, weight: Weight, ring: Semiring) -> tuple[Weight, Floats | None]:
    """What edges weigh, and where it is what they contribute for the graph's input, by what their sources scale it."""
    if not isinstance(weight, str) or weight not in CONTRIBUTIONS:
        return weight, None
    if graph.recorded is None:
        raise Error(f"weight is {weight!r}, and the graph has no input; graph.with_input(x) gives it one")
    if ring.name != "sum":
        raise UnsupportedError(f"weight is {weight!r}, which is for sums, not for paths of most or least weight")
    value = graph.recorded.value.astype(np.float64)
    return CONTRIBUTIONS[weight], np.abs(value) if weight == "abs_contribution" else value


def _times(scale: Floats | None, value: Floats) -> Floats:
    return value if scale is None else scale * value


def _values(graph: NeuronGraph, x: npt.ArrayLike, ring: Semiring, floats: bool) -> Floats:
    array = ring.values(x)
    if array.shape != (graph.neurons,):
        raise Error(f"the values have shape {array.shape}; expected ({graph.neurons},), one for each neuron")
    return np.array(array, np.float64 if floats and ring.along == "multiply" else array.dtype)


def _scale(graph: NeuronGraph, scale: Scale) -> Floats | None:
    if scale is None:
        return None
    array = np.asarray(scale, np.float64)
    if array.shape not in ((), (graph.neurons,)):
        raise Error(f"a scale has shape {array.shape}; expected one number, or {graph.neurons}, one for each neuron")
    return np.broadcast_to(array, (graph.neurons,))


def _empty(values: Floats, ring: Semiring) -> bool:
    """Whether nothing would be added."""
    return bool((values == ring.zero(values.dtype)).all())
