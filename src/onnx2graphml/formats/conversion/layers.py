"""Nodes that were read, as layers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.formats.conversion.floats import are_float32
from onnx2graphml.formats.found import SPATIAL, FoundLayer
from onnx2graphml.graph.attributes import layer_attributes
from onnx2graphml.graph.graph import Floats, Layer
from onnx2graphml.graph.neurons import parse_activations
from onnx2graphml.graph.xmltext import unescape


class EditedError(Error):
    """A file is not as this package writes it: it has to be read as a whole, not piece by piece."""


def layer_of(found: FoundLayer, first_id: int, from_text: bool, path: object) -> Layer:
    """The layer without edges, whose nodes are in their order.

    Raises:
        EditedError: nodes are missing, in another order, or differ in what a layer's nodes have in common.
    """
    shape, name = found.shape, unescape(found.name)
    position = np.arange(len(found.id))
    at = np.stack(np.unravel_index(position, shape or (1,)), axis=1)[:, : len(shape)]
    if not (np.array_equal(found.id, position + first_id) and np.array_equal(found.at, at)):
        raise EditedError(f"{path}: the nodes of layer {name!r} are not all there, each once and in order; {AGAIN}")
    layer = Layer(
        name, unescape(found.op), shape, unescape(found.combine), _bias(found, from_text, path),
        parse_activations(unescape(found.activation)), spatial=_spatial(found, path), first_id=first_id,
    )  # fmt: skip
    if layer_attributes(layer).get("activation", "") != found.activation:
        raise EditedError(
            f"{path}: layer {name!r} has activation {found.activation!r}, in other words than ours; {AGAIN}"
        )
    return layer


AGAIN = "load it, and write the graph"


def _bias(found: FoundLayer, from_text: bool, path: object) -> Floats | None:
    if not found.biased.any():
        return None
    if not found.biased.all():
        raise EditedError(f"{path}: some nodes of layer {found.name!r} have a bias, and others none; {AGAIN}")
    return narrowed(found.bias, from_text).reshape(found.shape)


def narrowed(values: npt.NDArray[np.float64], from_text: bool) -> Floats:
    """As float32, where that holds them."""
    return values.astype(np.float32) if are_float32(values, from_text) else values


def _spatial(found: FoundLayer, path: object) -> tuple[int, ...]:
    """The dimensions that are told again as channel, row and col."""
    dimensions = []
    for name, told in zip(SPATIAL, found.spatial.T, strict=True):
        if (told < 0).all():
            continue
        fitting = [d for d in range(found.at.shape[1]) if d not in dimensions and np.array_equal(found.at[:, d], told)]
        if not fitting:
            raise EditedError(f"{path}: {name} of layer {found.name!r} is no coordinate of its index; {AGAIN}")
        dimensions.append(fitting[0])
    return tuple(dimensions)
