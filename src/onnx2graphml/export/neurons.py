"""Any graph as an ONNX model, neuron by neuron: gather the sources, multiply by the weights, reduce, apply.

Every layer is a tensor (batch, neurons). This holds for every aggregation, every function and every set of edges; it
takes about 8 bytes an edge.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.export.choices import Argument, write_choice
from onnx2graphml.export.functions import wrapped, write_function
from onnx2graphml.export.tables import InEdges, Port, Table, in_edges, tables, term_table
from onnx2graphml.export.writer import Writer
from onnx2graphml.functions import axes_text, find, parse_axes
from onnx2graphml.functions.rounding import is_exact, is_integer
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.neurons import BASIC, Activation

Floats = npt.NDArray[Any]
REDUCE = {"sum": "ReduceSum", "max": "ReduceMax", "min": "ReduceMin", "product": "ReduceProd"}
COMBINE = {"sum": "Add", "max": "Max", "min": "Min", "product": "Mul"}
EMPTY = {"sum": 0.0, "max": -math.inf, "min": math.inf, "product": 1.0}
DENSE = 4  # a matrix is written where at least one in so many of its entries is an edge
CHOOSING = ("ArgMax", "ArgMin", "Hardmax", "TopK", "Gather")
LAST = np.array([-1], np.int64)


def computing_type(layer: Layer) -> np.dtype[Any]:
    """What a layer is computed in: float32, or float64 where that would not hold its numbers."""
    return np.dtype(np.float64 if layer.dtype == np.float64 or is_exact(layer.dtype) else np.float32)


class Neurons:
    """Writes the layers of a graph, one after the other.

    Args:
        graph: whose layers they are.
        w: what nodes are added to.
        like: a tensor whose first axis is the batch; None where there is one input at a time.
    """

    def __init__(self, graph: NeuronGraph, w: Writer, like: str | None) -> None:
        self.graph, self.w, self.like = graph, w, like
        self._values: dict[tuple[str, np.dtype[Any]], str] = {}

    def set(self, layer: Layer, name: str, dtype: np.dtype[Any]) -> None:
        """Say which tensor (batch, neurons) of which type holds a layer's values."""
        self._values[layer.name, dtype] = name

    def get(self, name: str, dtype: np.dtype[Any]) -> str:
        """The tensor that holds a layer's values, in a type."""
        if (name, dtype) not in self._values:
            other = next(value for (layer, _), value in self._values.items() if layer == name)
            self._values[name, dtype] = self.w.cast(other, dtype)
        return self._values[name, dtype]

    def add(self, layer: Layer) -> None:
        """Write a layer, all of whose sources are known."""
        dtype, self.w.scope = computing_type(layer), layer.name
        value = self._combined(layer, dtype)
        value = self._activated(layer, value, dtype)
        if is_integer(layer.dtype) and layer.aggregation != "constant":
            value = wrapped(self.w, value, layer.dtype, dtype)
        self.set(layer, value, dtype)

    # --------------------------------------------------------------------------------------- the in-edges

    def _combined(self, layer: Layer, dtype: np.dtype[Any]) -> str:
        bias = None if layer.bias is None else np.broadcast_to(layer.bias, layer.shape).ravel().astype(dtype)
        if layer.aggregation == "constant":
            return self._constant(np.zeros(layer.neurons, dtype) if bias is None else bias)
        ports = in_edges(self.graph, layer)
        if layer.aggregation not in BASIC:
            return self._function(layer, ports, bias, dtype)
        plain = ports.pop(None, None)
        parts = [] if plain is None else [self._reduced(layer, plain, dtype, layer.aggregation)]
        parts += [self._products(ports, dtype)] if ports else []
        start = EMPTY[layer.aggregation]
        _check_candidates(layer, plain, bias)
        if not parts:
            return self._constant(np.full(layer.neurons, start, dtype) if bias is None else bias)
        total = parts[0] if len(parts) == 1 else self.w.Add(*parts)
        if bias is None or (bias == start).all():
            return total
        return self.w.add(COMBINE[layer.aggregation], total, bias)

    def _function(self, layer: Layer, ports: Mapping[Port, InEdges], bias: Floats | None, dtype: np.dtype[Any]) -> str:
        call = Activation.parse(layer.aggregation)
        function = find(call.op)
        _check_ports(layer, ports)
        order = sorted(p for p in ports if p is not None)
        if not function.candidates:
            return write_function(self.w, call, [self._reduced(layer, ports[p], dtype, "sum") for p in order], dtype)
        terms = {p: 0 if e.term is None else int(e.term.max(initial=0)) + 1 for p, e in ports.items()}
        arguments = [self._argument(layer, ports[p], terms[p], dtype) for p in order]
        return write_choice(self.w, call, arguments, np.zeros(layer.neurons) if bias is None else bias, dtype)

    def _argument(self, layer: Layer, edges: InEdges, terms: int, dtype: np.dtype[Any]) -> Argument:
        if not terms:
            return Argument(self._reduced(layer, edges, dtype, "sum"))
        table = term_table(edges, terms)
        there = table.source < edges.sources
        return Argument(self._gathered(edges, table, dtype, 0.0), there)

    def _products(self, ports: Mapping[Port, InEdges], dtype: np.dtype[Any]) -> str:
        """Of each term the product of the in-edges that share it, all added up."""
        terms = max(1 if e.term is None else int(e.term.max(initial=0)) + 1 for e in ports.values())
        factors = [self._gathered(e, term_table(e, terms), dtype, 0.0) for e in ports.values()]
        product = factors[0]
        for factor in factors[1:]:
            product = self.w.Mul(product, factor)
        return self.w.ReduceSum(product, LAST, keepdims=0)

    def _reduced(self, layer: Layer, edges: InEdges, dtype: np.dtype[Any], how: str) -> str:
        """The products weight · source of each neuron, reduced to one number."""
        if how == "sum" and (matrix := _matrix(edges, dtype)) is not None:
            used, weights = matrix
            x = self._sources(edges, dtype)
            x = x if len(used) == edges.sources else self.w.Gather(x, used.astype(np.int32), axis=1)
            return self.w.MatMul(x, weights)
        found, rows = [], []
        for table in tables(edges):
            rows.append(table.rows)
            x = self._gathered(edges, table, dtype, EMPTY[how])
            one = table.source.shape[1] == 1
            found.append(x if one else self.w.add(REDUCE[how], x, LAST, keepdims=0))
        if len(found) == 1:
            return found[0]
        back = np.argsort(np.concatenate(rows)).astype(np.int32)
        return self.w.Gather(self.w.Concat(*found, axis=1), back, axis=1)

    def _gathered(self, edges: InEdges, table: Table, dtype: np.dtype[Any], empty: float) -> str:
        """The cells of a table, each weight · source: (batch, rows, width), or (batch, rows) where the width is 1."""
        x = self._sources(edges, dtype)
        source, weight = table.source, table.weight.astype(dtype)
        if table.source.shape[1] == 1 and edges.term is None:
            source, weight = source[:, 0], weight[:, 0]
        missing = (source == edges.sources).any() or not edges.sources
        if missing:
            pads = np.array([0, 0, 0, 1], np.int64)
            nothing = np.full(1, empty, dtype)
            x = self.w.Pad(x, pads, nothing[0]) if edges.sources else self._constant(nothing)
        if missing or source.ndim > 1 or not np.array_equal(source, np.arange(edges.sources)):
            x = self.w.Gather(x, source.astype(np.int32), axis=1)
        return x if (weight == 1).all() else self.w.Mul(x, weight)

    def _sources(self, edges: InEdges, dtype: np.dtype[Any]) -> str:
        names = [self.get(name, dtype) for name in edges.layers]
        return names[0] if len(names) == 1 else self.w.Concat(*names, axis=1) if names else ""

    def _constant(self, row: Floats) -> str:
        """The same numbers for each input of the batch."""
        if self.like is None:
            return self.w.constant(row[None])
        batch = self.w.Shape(self.like, start=0, end=1)
        return self.w.Expand(row[None], self.w.Concat(batch, np.array([len(row)], np.int64), axis=0))

    # -------------------------------------------------------------------------------------- the activation

    def _activated(self, layer: Layer, value: str, dtype: np.dtype[Any]) -> str:
        for function in layer.activation:
            if not function.couples:
                value = write_function(self.w, function, [value], dtype)
                continue
            axes = parse_axes(dict(function.parameters)["axis"])
            if len(layer.shape) == len(axes) == 1:
                value = write_function(self.w, function, [value], dtype)
                continue
            shaped = self.w.Reshape(value, np.array([-1, *layer.shape], np.int64))
            shaped = write_function(self.w, Activation(function.op, (("axis", axes_text(axes)),)), [shaped], dtype)
            value = self.w.Reshape(shaped, np.array([-1, layer.neurons], np.int64))
        return value


def _matrix(edges: InEdges, dtype: np.dtype[Any]) -> tuple[npt.NDArray[np.int64], Floats] | None:
    """The edges as a matrix (used sources, targets), with the sources that are used; None where it would be sparse."""
    if len(edges.source) <= edges.targets:
        return None
    used, row = np.unique(edges.source, return_inverse=True)
    if len(used) * edges.targets > DENSE * len(edges.source):
        return None
    weights = np.zeros((len(used), edges.targets))
    np.add.at(weights, (row.ravel(), edges.target), edges.weight)
    return used, weights.astype(dtype)


def _check_candidates(layer: Layer, plain: InEdges | None, bias: Floats | None) -> None:
    if layer.aggregation not in ("max", "min") or bias is not None:
        return
    degrees = np.zeros(layer.neurons, np.int64) if plain is None else plain.degrees
    _refuse_first(layer, degrees == 0, f"takes a {layer.aggregation}imum and has no candidate left")


def _check_ports(layer: Layer, ports: Mapping[Port, InEdges]) -> None:
    """Every value of a function comes in by an edge; of candidates there is one at least."""
    call = Activation.parse(layer.aggregation)
    if None in ports:
        _refuse_first(layer, ports[None].degrees > 0, f"computes {call.op} and has an edge without a port")
    for port in _needed(call, ports):
        degrees = ports[port].degrees if port in ports else np.zeros(layer.neurons, np.int64)
        what = "no candidate left" if call.function.candidates else f"no edge with port {port}"
        _refuse_first(layer, degrees == 0, f"computes {call.op} and has {what}")


def _needed(call: Activation, ports: Mapping[Port, InEdges]) -> list[int]:
    """The ports that every neuron must have an edge with."""
    if call.function.candidates:
        return [0] if call.op in CHOOSING else []
    given = dict(call.parameters)
    parameters = inspect.signature(call.function.evaluate).parameters.values()
    values = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.name not in given]
    least = sum(p.default is p.empty for p in values)
    return list(range(max([least, *(p + 1 for p in ports if p is not None)])))


def _refuse_first(layer: Layer, wrong: npt.NDArray[np.bool_], problem: str) -> None:
    if wrong.any():
        position = int(np.argmax(wrong))
        index = ",".join(str(int(i)) for i in np.unravel_index(position, layer.shape))
        raise Error(
            f"layer {layer.name!r}: neuron n{layer.first_id + position} (index {index}) {problem}; keep one of its "
            f"edges, or remove the neuron"
        )
