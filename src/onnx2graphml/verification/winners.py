"""Which candidate a neuron's value is, where it chooses one: by their size, a computed position or a condition.

Of equal candidates of a maximum or minimum, the first goes on, as in ONNX. Where functions choose, the candidates'
values are exchanged for their numbers, and the function's own evaluation says which one goes on.
"""

# mypy: disallow-untyped-decorators=False

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled_for_many
from onnx2graphml.functions.record import ABSENT, is_absent
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.neurons import BASIC, Activation
from onnx2graphml.graph.recorded import NO, NONE_CHOSEN, Winners
from onnx2graphml.verification.tables import CELLS, Ports, columns_of, filled

Values = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EXTREMES = {"max": 1.0, "min": -1.0}


def winners_of(graph: NeuronGraph, values: Mapping[str, Values]) -> dict[str, Winners]:
    """The winners of every layer that chooses, from the flat values of all layers by name."""
    return {layer.name: winners(graph, layer, values) for layer in graph.layers if chooses(layer)}


def chooses(layer: Layer) -> bool:
    """Whether a neuron's value is that of one of its candidates.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> [layer.name for layer in graph.layers if chooses(layer)]
        ['maxpool']
    """
    return layer.aggregation in EXTREMES or bool(_ports_of(layer))


def winners(graph: NeuronGraph, layer: Layer, values: Mapping[str, Values]) -> Winners:
    """Which candidates go on in a layer that chooses.

    Args:
        values: flat, by name, of all layers that it reads.
    """
    if layer.aggregation in EXTREMES:
        return _extreme(graph, layer, values)
    return _by_function(layer, values)


def _extreme(graph: NeuronGraph, layer: Layer, values: Mapping[str, Values]) -> Winners:
    """The first of the best; the bias, where it is better than all of them."""
    sign = EXTREMES[layer.aggregation]
    start = -np.inf if layer.bias is None else sign * layer.bias.astype(np.float64)
    best = np.array(np.broadcast_to(start, layer.shape), np.float64).ravel()
    source = np.full(layer.neurons, NONE_CHOSEN, np.int64)
    for incoming in layer.incoming:
        x = sign * np.ascontiguousarray(values[incoming.source], np.float64)
        for e in incoming.block.expand():
            first_best(e.source, e.target, e.weight, x, graph.layer(incoming.source).first_id, best, source)
    none = np.empty(0, np.int64)
    return Winners((NO,), source, none, none)


@compiled_for_many
def first_best(
    source: Ints, target: Ints, weight: npt.NDArray[Any], x: Values, first_id: int, best: Values, found: Ints
) -> None:
    """For each target the id of the first source of the greatest `weight · x[source]`, where that is `best` or more.

    `found` is below 0 where none was found yet.
    """
    for i in range(source.size):
        p, at, here = weight[i] * x[source[i]], target[i], first_id + source[i]
        if p > best[at] or (p == best[at] and (found[at] < 0 or here < found[at])):
            best[at], found[at] = p, here


def _ports_of(layer: Layer) -> tuple[int, ...]:
    """The ports of a function's candidates; none where it does not choose."""
    if layer.aggregation in BASIC:
        return ()
    call = Activation.parse(layer.aggregation)
    given = dict(call.parameters)
    mixes = given.get("reduction", "none") != "none" or (call.op == "GridSample" and given["mode"] != "nearest")
    there = {i.port for i in layer.incoming}
    ports = () if mixes or given.get("output") == 1 else call.function.chooses
    return tuple(port for port in ports if port in there)


def _by_function(layer: Layer, values: Mapping[str, Values]) -> Winners:
    columns, ports = columns_of(layer), _ports_of(layer)
    port, term = np.full(layer.neurons, NONE_CHOSEN, np.int64), np.full(layer.neurons, NO, np.int64)
    step = max(1, CELLS // max(1, sum(max(n, 1) for n in columns.values())))
    bias = np.zeros(layer.neurons) if layer.bias is None else np.broadcast_to(layer.bias, layer.shape).ravel()
    for first in range(0, layer.neurons, step):
        last = min(first + step, layer.neurons)
        tables = filled(layer, columns, values, first, last, lambda edges: None)
        numbers, cells = _numbered(tables, ports)
        chosen = _chosen(Activation.parse(layer.aggregation), tables, numbers, bias[first:last].astype(np.float64))
        known = np.isfinite(chosen) & (chosen > 0)
        found = np.array(cells)[np.where(known, chosen, 0).astype(np.int64)]
        port[first:last], term[first:last] = np.where(known, found.T, [[NONE_CHOSEN], [NO]])
    return Winners(ports, None, port, term)


def _numbered(tables: Ports, ports: tuple[int, ...]) -> tuple[Ports, list[tuple[int, int]]]:
    """The tables with the candidates' numbers, from 1 on, in place of their values; and port and term of each."""
    numbers, cells = dict(tables), [(NONE_CHOSEN, NO)]
    for port in ports:
        table = tables[port]
        own = [(port, NO)] if table.ndim == 1 else [(port, term) for term in range(table.shape[1])]
        number = len(cells) + (0.0 if table.ndim == 1 else np.arange(table.shape[1], dtype=np.float64))
        numbers[port] = np.where(is_absent(table), ABSENT, np.broadcast_to(number, table.shape))
        cells += own
    return numbers, cells


def _chosen(call: Activation, tables: Ports, numbers: Ports, bias: Values) -> Values:
    """The number of the candidate that goes on; 0 or NaN where none does."""
    more: dict[str, Any] = {"bias": bias} if call.function.takes_bias else {}
    if call.op == "TopK":
        parameters = {**dict(call.parameters), "output": 1.0}
        return 1 + dataclasses.replace(call, parameters=tuple(parameters.items()))(*_in_order(tables, call), **more)
    if call.op == "Clip":
        value, found = call(*_in_order(tables, call)), np.zeros(len(bias))
        for port in sorted((p for p in tables if p is not None), reverse=True):
            found = np.where(tables[port] == value, numbers[port], found)
        return found
    return call(*_in_order(numbers, call), **more)


def _in_order(tables: Ports, call: Activation) -> list[Any]:
    """The function's arguments, by port."""
    rows = len(next(iter(tables.values())))
    nothing = np.zeros((rows, 0)) if call.function.candidates else None
    return [tables.get(port, nothing) for port in range(1 + max(p for p in tables if p is not None))]
