"""Neurons that look at their in-edges one by one: told apart by ports, and by terms.

A table has a row for each neuron and a column for each term of a port. It is filled from the in-edges and then
evaluated. It stays small: it is for some of a layer's neurons at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.cpu import processors
from onnx2graphml.functions.record import ABSENT
from onnx2graphml.graph.graph import Layer
from onnx2graphml.graph.neurons import BASIC, Activation
from onnx2graphml.verification.tolerance import SPARE, fan_in_factor, sum_tolerance

Values = npt.NDArray[np.float64]
Ports = dict[int | None, Values]

CELLS = 1 << 21  # of the tables that one thread has


def is_tabled(layer: Layer) -> bool:
    """Whether its neurons tell their in-edges apart."""
    return layer.aggregation not in BASIC or any(i.port is not None for i in layer.incoming)


def columns_of(layer: Layer) -> dict[int | None, int]:
    """Per port, the number of terms; 0 where its edges have none, and so add up."""
    columns: dict[int | None, int] = {}
    for incoming in layer.incoming:
        terms = incoming.block.terms if incoming.block.has_terms else 0
        columns[incoming.port] = max(columns.get(incoming.port, 0), terms)
    if layer.aggregation != "sum":
        return columns
    most = max(columns.values(), default=0)
    return {port: most if n else 0 for port, n in columns.items()}  # one product has as many factors as ports


def empty_table(aggregation: str, rows: int, columns: int) -> Values:
    """A table that no edge has been put into; what is missing from a sum of products is 0."""
    shape = (rows, columns) if columns else (rows,)
    return np.full(shape, ABSENT) if columns and aggregation != "sum" else np.zeros(shape)


def by_tables(
    layer: Layer, values: Mapping[str, Values], u: float, progress: Callable[[int], None]
) -> tuple[Values, Values]:
    """A layer's combined values and their tolerance, flat."""
    columns = columns_of(layer)
    bias = np.zeros(layer.neurons) if layer.bias is None else np.broadcast_to(layer.bias, layer.shape).ravel()
    value, tolerance = np.zeros(layer.neurons), np.zeros(layer.neurons)
    step = max(1, CELLS // max(1, sum(max(n, 1) for n in columns.values())))

    def run(first: int) -> None:
        last = min(first + step, layer.neurons)
        ports = filled(layer, columns, values, first, last, progress)
        value[first:last], tolerance[first:last] = evaluated(
            layer.aggregation, bias[first:last].astype(np.float64), ports, layer.bias_size, u
        )

    firsts = range(0, layer.neurons, step)
    with ThreadPoolExecutor(min(processors(), max(len(firsts), 1))) as pool:
        for done in [pool.submit(run, first) for first in firsts]:
            done.result()
    return value, tolerance


def filled(
    layer: Layer,
    columns: Mapping[int | None, int],
    values: Mapping[str, Values],
    first: int,
    last: int,
    progress: Callable[[int], None],
) -> Ports:
    """The tables of neurons first … last-1."""
    ports = {port: empty_table(layer.aggregation, last - first, n) for port, n in columns.items()}
    for incoming in layer.incoming:
        x = np.ascontiguousarray(values[incoming.source], np.float64)
        n, table = columns[incoming.port], ports[incoming.port].reshape(-1)
        for block in incoming.block.within(first, last):
            for edges in block.expand():
                products = edges.weight * x[edges.source]
                if n:
                    table[edges.target * n + (0 if edges.term is None else edges.term)] = products
                else:
                    np.add.at(table, edges.target, products)
                progress(len(edges))
    return ports


def evaluated(aggregation: str, bias: Values, ports: Ports, bias_size: float, u: float) -> tuple[Values, Values]:
    """What neurons make of their tables, and how far a runtime may be away from it.

    Args:
        aggregation: of all of them.
        bias: of each.
        ports: by port, one number a neuron, or a row of candidates; None for edges without a port, which add up.
        bias_size: as in `Layer`.
        u: the unit roundoff of the layer's type.
    """
    if aggregation == "sum":
        return _sum_of_products(bias, ports, bias_size, u)
    call = Activation.parse(aggregation)
    function = call.function
    empty: Any = np.zeros((len(bias), 0)) if function.candidates else None
    there = [p for p in ports if p is not None]
    least = len(function.inputs) if function.candidates else 0
    arguments: list[Any] = [ports.get(p, empty) for p in range(max(max(there, default=-1) + 1, min(least, 1)))]
    more = {"bias": bias} if function.takes_bias else {}
    value = call(*arguments, **more)
    terms = max((x.shape[1] for x in ports.values() if x.ndim == 2), default=0)
    factor = fan_in_factor(terms) if function.candidates else SPARE
    with np.errstate(invalid="ignore"):
        size = np.abs(value) if function.size is None else function.size(*arguments)
        size = np.where(np.isfinite(size), size, 0) + (1.0 if function.around_one else 0.0)
        tolerance = u * factor * size
        for port in (p for p in function.moved if p < len(arguments)):
            for way in (1, -1):
                moved = list(arguments)
                moved[port] = moved[port] + way * SPARE * u * (1 + np.abs(moved[port]))
                tolerance = tolerance + np.abs(np.nan_to_num(call(*moved, **more) - value))
    return value, tolerance


def _sum_of_products(bias: Values, ports: Ports, bias_size: float, u: float) -> tuple[Values, Values]:
    """The bias, plain in-edges, and of each term the product of the in-edges that share it."""
    plain = ports.get(None, np.zeros(len(bias)))
    products = math.prod((table for port, table in ports.items() if port is not None), start=np.ones(1))
    value = bias + plain + products.sum(axis=1)
    size = np.abs(bias) + np.abs(plain) + np.abs(products).sum(axis=1)
    bias_size = max(bias_size, float(np.abs(bias).max(initial=0)))
    return value, sum_tolerance(products.shape[1] + 1, size, bias_size, u)
