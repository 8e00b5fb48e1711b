"""Layers in the order of axes that the framework shows, which is not always that of the ONNX tensor."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from onnx2graphml.errors import TooLargeError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.compose import NotComposableError, compose, compose_in_first_order
from onnx2graphml.graph.graph import Incoming, Layer


def in_framework_order(layer: Layer, layers: Mapping[str, Layer]) -> Layer:
    """The layer with its axes in the framework's order, and its in-edges between layers so shown.

    Args:
        layers: by name, those that it reads, in the order of their tensors.

    Raises:
        TooLargeError: that is not possible in bounded memory.
    """
    try:
        edges = [_between(i, layers[i.source], layer) for i in layer.incoming]
    except NotComposableError:
        raise TooLargeError(
            f"layer {layer.name!r} is too large to be brought from ONNX's order of axes into the framework's; "
            f"detail op shows it in ONNX's"
        ) from None
    if _in_order(layer):
        return dataclasses.replace(layer, incoming=tuple(edges))
    order = layer.provenance.framework_order
    place = {axis: position for position, axis in enumerate(order)}
    return dataclasses.replace(
        layer,
        shape=tuple(layer.shape[a] for a in order),
        provenance=dataclasses.replace(layer.provenance, order=order),
        bias=None if layer.bias is None else layer.bias.transpose(order),
        activation=tuple(a.with_axes(place) for a in layer.activation),
        spatial=tuple(place[a] for a in layer.spatial),
        incoming=tuple(edges),
    )


def _between(incoming: Incoming, source: Layer, layer: Layer) -> Incoming:
    block = incoming.block
    if not _in_order(source):
        block = compose(reordering(source).flipped(), block, source.shape)
    if not _in_order(layer):
        block = compose_in_first_order(block, reordering(layer), layer.shape)
    return Incoming(incoming.source, block, incoming.port)


def _in_order(layer: Layer) -> bool:
    order = layer.provenance.framework_order
    return order == tuple(sorted(order))


def reordering(layer: Layer) -> EdgeBlock:
    """From a layer's positions in its tensor to those in the framework's order."""
    order = layer.provenance.framework_order
    shown = [layer.shape[a] for a in order]
    source, target = ax.strides(layer.shape), ax.strides(shown)
    return EdgeBlock(tuple(ax.same(n).strided(source[a], t) for n, a, t in zip(shown, order, target, strict=True)))


def as_declared(layer: Layer, shape: tuple[int, ...]) -> Layer:
    """The layer in the shape that the framework shows, where that differs only in axes of size 1.

    Exporters leave such axes behind, or lose track of them.
    """
    if layer.shape == shape or [n for n in layer.shape if n > 1] != [n for n in shape if n > 1]:
        return layer
    long = iter([d for d, n in enumerate(shape) if n > 1])
    free = iter([d for d, n in enumerate(shape) if n == 1])
    place = {a: next(long) for a, n in enumerate(layer.shape) if n > 1}
    place |= {a: d for a, n in enumerate(layer.shape) if n == 1 and (d := next(free, None)) is not None}
    kept = tuple(place[a] for a in layer.spatial if a in place)
    return dataclasses.replace(
        layer,
        shape=shape,
        bias=None if layer.bias is None else layer.bias.reshape(shape),
        activation=tuple(a.with_axes(place) for a in layer.activation),
        spatial=kept if len(kept) >= 2 and layer.spatial[0] in place else (),
    )
