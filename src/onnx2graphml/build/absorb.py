"""A layer that only moves, scales, shifts or activates another one's values, one for one: both as a single layer."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.functions.rounding import is_exact
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.compose import NotComposableError, compose_in_first_order
from onnx2graphml.graph.graph import Incoming, Layer
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.model.limits import ask
from onnx2graphml.model.uniform import stored


def absorbed(producer: Layer, layer: Layer) -> Layer | None:
    """One layer that computes both; None where none does.

    `layer` reads only `producer`, all of it, neuron for neuron.
    """
    (incoming,) = layer.incoming
    block = incoming.block
    if layer.dtype.itemsize > producer.dtype.itemsize or is_exact(layer.dtype) != is_exact(producer.dtype):
        return None  # the producer's values were rounded to its type, which the merged layer would not tell
    if (
        layer.aggregation != "sum"
        or not is_one_to_one(block)
        or block.count != layer.neurons
        or layer.neurons != producer.neurons
    ):
        return None
    linear = producer.aggregation == "sum" and not producer.activation
    if not linear and not (block.is_selection and layer.bias is None):
        return None
    if not block.is_selection and any(i.block.has_terms for i in producer.incoming):
        return None  # of a product of edges, only one may be scaled
    if is_exact(layer.dtype) and layer.dtype != producer.dtype:
        return None  # integers wrap around, each in its type
    activation = _moved_activation(producer, layer, block)
    if activation is None:
        return None
    try:
        edges = tuple(
            Incoming(i.source, compose_in_first_order(i.block, block, producer.shape), i.port)
            for i in producer.incoming
        )
    except NotComposableError:
        return None
    return dataclasses.replace(
        layer,
        op=producer.op,
        aggregation=producer.aggregation,
        bias=_moved_bias(producer, layer, block),
        bias_size=_size(producer) * float(np.abs(block.weights).max(initial=0)) + _size(layer),
        activation=(*activation, *layer.activation),
        incoming=edges,
        provenance=dataclasses.replace(
            layer.provenance,
            scope=producer.provenance.scope or layer.provenance.scope,
            node=producer.provenance.node,
        ),
        spatial=layer.spatial or (producer.spatial if producer.shape == layer.shape else ()),
        parameters=producer.parameters + layer.parameters,
    )


def _size(layer: Layer) -> float:
    return max(layer.bias_size, 0.0 if layer.bias is None else float(np.abs(stored(layer.bias)).max(initial=0)))


def _moved_activation(producer: Layer, layer: Layer, block: EdgeBlock) -> tuple[Activation, ...] | None:
    """The producer's activation in the axes of `layer`; None where it couples neurons along axes that are lost."""
    if not any(a.couples for a in producer.activation) or (is_in_place(block) and producer.shape == layer.shape):
        return producer.activation
    position = _moved_axes(block, producer.shape, layer.shape)
    return None if position is None else tuple(a.with_axes(position) for a in producer.activation)


def _moved_axes(block: EdgeBlock, source: tuple[int, ...], target: tuple[int, ...]) -> dict[int, int] | None:
    """Where a transposition moves each axis; None if the block is none. Axes of size 1 have no place."""
    steps, long = dict(zip(ax.strides(target), range(len(target)), strict=True)), {}
    for axis, (n, s) in enumerate(zip(source, ax.strides(source), strict=True)):
        if n == 1:
            continue
        step = _target_of(block, s) - _target_of(block, 0)
        if step not in steps or target[steps[step]] != n:
            return None
        long[axis] = steps[step]
    return long


def _target_of(block: EdgeBlock, source: int) -> int:
    """Where a one-to-one block takes a position."""
    (edge,) = block.select("source", source)
    return sum(int(a.target[0]) for a in edge.axes)


def _moved_bias(producer: Layer, layer: Layer, block: EdgeBlock) -> npt.NDArray[Any] | None:
    """The bias of both: the producer's, moved and scaled, and the layer's own."""
    bias = producer.bias
    if bias is not None and not (is_in_place(block) and block.is_selection):
        ask(layer.neurons)
        dtype = bias.dtype
        bias = block.apply(np.asarray(bias).ravel(), layer.neurons).reshape(layer.shape).astype(dtype)
    elif bias is not None:
        bias = bias.reshape(layer.shape)
    if bias is None or layer.bias is None:
        return bias if layer.bias is None else layer.bias
    return np.asarray(bias + layer.bias)


def is_one_to_one(block: EdgeBlock) -> bool:
    """Whether no position has two edges on either side."""
    return all(ax.are_distinct(side) for a in block.axes for side in (a.source, a.target))


def is_in_place(block: EdgeBlock) -> bool:
    """Whether every edge joins equal positions."""
    return all(np.array_equal(a.source, a.target) for a in block.axes)
