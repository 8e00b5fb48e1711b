"""The layers of any graph as ONNX operators.

Edges that are windows over a picture become a convolution or a pool, edges from most neurons of a layer to most of
another a matrix. All others are written one by one, about 8 bytes each: gather the sources, multiply by the weights,
reduce. This holds for every aggregation, every function and every set of edges.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.export.checks import check_candidates, check_ports
from onnx2graphml.export.choices import Argument, write_choice
from onnx2graphml.export.convolutions import write_windows
from onnx2graphml.export.functions import wrapped, write_function
from onnx2graphml.export.reach import reach
from onnx2graphml.export.tables import InEdges, Port, Table, check_size, dense, in_edges, tables, term_table
from onnx2graphml.export.windows import windows
from onnx2graphml.export.writer import Writer
from onnx2graphml.functions import axes_text, find, parse_axes
from onnx2graphml.functions.rounding import is_exact, is_integer
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.neurons import BASIC, Activation

Floats = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
REDUCE = {"sum": "ReduceSum", "max": "ReduceMax", "min": "ReduceMin", "product": "ReduceProd"}
COMBINE = {"sum": "Add", "max": "Max", "min": "Min", "product": "Mul"}
EMPTY = {"sum": 0.0, "max": -math.inf, "min": math.inf, "product": 1.0}
LAST = np.array([-1], np.int64)


def computing_type(layer: Layer) -> np.dtype[Any]:
    """What a layer is computed in: float32, or float64 where that would not hold its numbers."""
    return np.dtype(np.float64 if layer.dtype == np.float64 or is_exact(layer.dtype) else np.float32)


class Neurons:
    """Writes the layers of a graph, one after the other.

    A layer's values are a tensor (batch, neurons), or of a picture (batch, channels, rows, columns); it has the neurons
    that are kept.

    Args:
        graph: whose layers they are.
        w: what nodes are added to.
        like: a tensor whose first axis is the batch; None where there is one input at a time.
        max_edges: of a layer, how many may be written one by one.
    """

    def __init__(self, graph: NeuronGraph, w: Writer, like: str | None, max_edges: int) -> None:
        self.graph, self.w, self.like, self.max_edges = graph, w, like, max_edges
        self.reach = reach(graph)
        self._flat: dict[tuple[str, np.dtype[Any]], str] = {}
        self._picture: dict[tuple[str, np.dtype[Any]], str] = {}

    def hold(self, layer: Layer, name: str, dtype: np.dtype[Any]) -> None:
        """Say which tensor (batch, neurons) of which type holds a layer's values."""
        self._flat[layer.name, dtype] = name

    def get(self, name: str, dtype: np.dtype[Any]) -> str:
        """The tensor (batch, neurons) that holds a layer's values, in a type."""
        if (name, dtype) not in self._flat:
            known = [(own, value) for (layer, own), value in self._flat.items() if layer == name]
            if known:
                self._flat[name, dtype] = self.w.cast(known[0][1], dtype)
            else:
                own, value = next((own, value) for (layer, own), value in self._picture.items() if layer == name)
                flat = self._flattened(self.graph.layer(name), value)
                self._flat[name, dtype] = flat if own == dtype else self.w.cast(flat, dtype)
        return self._flat[name, dtype]

    def picture(self, layer: Layer) -> str:
        """The same of a picture, as (batch, channels, rows, columns), in float32."""
        key = layer.name, np.dtype(np.float32)
        if key not in self._picture:
            self._picture[key] = self._shaped(layer, self.get(*key))
        return self._picture[key]

    def _shaped(self, layer: Layer, flat: str) -> str:
        shape = list(layer.shape)
        shape[layer.spatial[0]] = len(self.reach.channels[layer.name])
        x = self.w.Reshape(flat, np.array([-1, *shape], np.int64))
        return x if _in_order(layer) else self.w.Transpose(x, perm=[0, *(d + 1 for d in layer.spatial)])

    def _flattened(self, layer: Layer, picture: str) -> str:
        back = [int(k) + 1 for k in np.argsort(layer.spatial)]
        x = picture if _in_order(layer) else self.w.Transpose(picture, perm=[0, *back])
        return self.w.Reshape(x, np.array([-1, int(self.reach.kept[layer.name].sum())], np.int64))

    def add(self, layer: Layer) -> None:
        """Write a layer, all of whose sources are known."""
        dtype, self.w.scope = computing_type(layer), layer.name
        if not self.reach.kept[layer.name].any():
            return
        value, is_picture = self._combined(layer, dtype)
        if is_picture and any(f.couples for f in layer.activation):
            value, is_picture = self._flattened(layer, value), False
        value = self._activated(layer, value, dtype)
        if is_integer(layer.dtype) and layer.aggregation != "constant":
            value = wrapped(self.w, value, layer.dtype, dtype)
        (self._picture if is_picture else self._flat)[layer.name, dtype] = value

    # --------------------------------------------------------------------------------------- the in-edges

    def _combined(self, layer: Layer, dtype: np.dtype[Any]) -> tuple[str, bool]:
        """What the neurons come to before their activation, and whether it is a picture."""
        bias, kept = self._bias(layer), self.reach.kept[layer.name]
        if layer.aggregation == "constant":
            row = np.zeros(layer.neurons) if bias is None else bias
            return self._constant(row[kept].astype(dtype)), False
        if layer.aggregation not in BASIC:
            return self._function(layer, self._in_edges(layer), bias, dtype), False
        pictures, done = self._windows(layer, dtype)
        parts = self._dense(layer, dtype, done)
        ports = self._in_edges(layer, done)
        plain = ports.pop(None, None)
        if plain is not None and len(plain.source):
            parts.append(self._reduced(plain, dtype, layer.aggregation))
        parts += [self._products(ports, dtype)] if ports else []
        if not done:
            check_candidates(layer, plain, bias, kept)
        combine, start = COMBINE[layer.aggregation], EMPTY[layer.aggregation]
        if not parts and not pictures:
            row = np.full(layer.neurons, start) if bias is None else bias
            return self._constant(row[kept].astype(dtype)), False
        parts = pictures + [self._shaped(layer, p) for p in parts] if pictures else parts
        total = functools.reduce(lambda x, y: self.w.add(combine, x, y), parts)
        if bias is None or (bias[kept] == start).all():
            return total, bool(pictures)
        row = bias[kept].astype(dtype)
        return self.w.add(combine, total, self._like_a_picture(layer, row) if pictures else row), bool(pictures)

    def _bias(self, layer: Layer) -> Floats | None:
        """In float64, flat, with what constant neurons add that are left out."""
        added = self.reach.added.get(layer.name)
        if layer.bias is None:
            return added
        bias = np.broadcast_to(layer.bias, layer.shape).ravel().astype(np.float64)
        return bias if added is None else bias + added

    def _like_a_picture(self, layer: Layer, row: Floats) -> Floats:
        """Numbers of kept neurons as (channels, rows, columns); one for each channel where that is all there is."""
        shape = list(layer.shape)
        shape[layer.spatial[0]] = len(self.reach.channels[layer.name])
        array = row.reshape(shape).transpose(layer.spatial)
        first = array.reshape(len(array), -1)[:, :1]
        same = (array.reshape(len(array), -1) == first).all()
        return first.reshape(-1, *[1] * (array.ndim - 1)) if same else np.ascontiguousarray(array)

    def _in_edges(self, layer: Layer, without: Collection[str] = ()) -> dict[Port, InEdges]:
        """The edges between kept neurons that are written one by one, by port."""
        left = [i for i in layer.incoming if i.port is not None or i.source not in without]
        check_size(layer, left, self.max_edges)
        kept = self.reach.kept
        found = {}
        for port, edges in in_edges(self.graph, layer, without).items():
            sources = np.concatenate([np.zeros(0, bool), *(kept[name] for name in edges.layers)])
            found[port] = edges.between(sources, kept[layer.name])
        return found

    def _windows(self, layer: Layer, dtype: np.dtype[Any]) -> tuple[list[str], set[str]]:
        """The parts that are windows over pictures, and the layers that they read."""
        found: list[str] = []
        done: set[str] = set()
        if dtype != np.float32 or not layer.spatial or layer.aggregation not in ("sum", "max"):
            return found, done
        for name, blocks in _by_source(layer).items():
            source = self.graph.layer(name)
            if computing_type(source) != dtype:
                continue
            there = windows(blocks, source, layer)
            if there is None:
                continue
            edges = sum(b.count for b in blocks)
            x = write_windows(
                self.w, there, functools.partial(self.picture, source), layer.aggregation,
                self.reach.channels[name], self.reach.channels[layer.name], edges, self.max_edges,
            )  # fmt: skip
            if x is not None:
                found.append(x)
                done.add(name)
        if done and layer.aggregation == "max" and len(_by_source(layer)) > 1:
            return [], set()
        return found, done

    def _dense(self, layer: Layer, dtype: np.dtype[Any], done: set[str]) -> list[str]:
        """The parts that are matrices, each from one layer, which is added to those that are done."""
        parts: list[str] = []
        if layer.aggregation != "sum":
            return parts
        for name, blocks in _by_source(layer).items():
            sources, targets = self.reach.kept[name], self.reach.kept[layer.name]
            matrix = None if name in done or not sources.any() else dense(blocks, sources, targets, dtype)
            if matrix is not None:
                parts.append(self.w.MatMul(self.get(name, dtype), matrix))
                done.add(name)
        return parts

    def _function(self, layer: Layer, ports: Mapping[Port, InEdges], bias: Floats | None, dtype: np.dtype[Any]) -> str:
        call = Activation.parse(layer.aggregation)
        function = find(call.op)
        check_ports(layer, ports, self.reach.kept[layer.name])
        order = sorted(p for p in ports if p is not None)
        if not function.candidates:
            return write_function(self.w, call, [self._reduced(ports[p], dtype, "sum") for p in order], dtype)
        terms = {p: 0 if e.term is None else int(e.term.max(initial=0)) + 1 for p, e in ports.items()}
        arguments = [self._argument(ports[p], terms[p], dtype) for p in order]
        row = np.zeros(layer.neurons) if bias is None else bias
        return write_choice(self.w, call, arguments, row[self.reach.kept[layer.name]], dtype)

    def _argument(self, edges: InEdges, terms: int, dtype: np.dtype[Any]) -> Argument:
        if not terms:
            return Argument(self._reduced(edges, dtype, "sum"))
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

    def _reduced(self, edges: InEdges, dtype: np.dtype[Any], how: str) -> str:
        """The products weight · source of each neuron, reduced to one number."""
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
        names = [self.get(name, dtype) for name in edges.layers if self.reach.kept[name].any()]
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
            if not axes or len(layer.shape) == len(axes) == 1:
                value = write_function(self.w, function, [value], dtype)
                continue
            shaped = self.w.Reshape(value, np.array([-1, *layer.shape], np.int64))
            shaped = write_function(self.w, Activation(function.op, (("axis", axes_text(axes)),)), [shaped], dtype)
            value = self.w.Reshape(shaped, np.array([-1, layer.neurons], np.int64))
        return value


def _by_source(layer: Layer) -> dict[str, list[EdgeBlock]]:
    """The blocks of plain edges, by the layer that they come from."""
    found: dict[str, list[EdgeBlock]] = {}
    with_ports = {i.source for i in layer.incoming if i.port is not None or i.block.has_terms}
    for i in layer.incoming:
        if i.block.count and i.source not in with_ports:
            found.setdefault(i.source, []).append(i.block)
    return found


def _in_order(layer: Layer) -> bool:
    return layer.spatial == tuple(range(len(layer.shape)))
