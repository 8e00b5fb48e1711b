"""Constants of one value throughout, as ConstantOfShape and Expand make them: they take the memory of one number.

A network of 500 MB of such weights is a file of a few kB. They are arrays whose strides are all 0, and stay that where
operators only move them. Whoever needs all the numbers in memory counts them as made; see `limits.check_folded`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from onnx2graphml.model.limits import MOST_NEURONS
from onnx2graphml.model.metadata import LARGE
from onnx2graphml.model.nodes import TensorType

Array = npt.NDArray[Any]

MOVED = ("Expand", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
"""Operators that a tensor of one value comes out of with that value, in another shape."""


def is_uniform(values: Array) -> bool:
    """Whether all elements are one and the same in memory.

    Example:
        >>> is_uniform(np.broadcast_to(np.float32(0.5), (3, 4))), is_uniform(np.zeros((3, 4)))
        (True, False)
    """
    return values.size > 1 and all(step == 0 for step, n in zip(values.strides, values.shape, strict=True) if n > 1)


def one(values: Array) -> Array:
    """The one element of a uniform array, as an array of rank 0."""
    return np.array(values[(0,) * values.ndim])


def in_memory(values: Array) -> int:
    """How many elements an array has in memory.

    Example:
        >>> in_memory(np.broadcast_to(np.float32(0.5), (3, 4))), in_memory(np.zeros((3, 4)))
        (1, 12)
    """
    return 1 if is_uniform(values) else values.size


def stored(values: Array) -> Array:
    """The part of an array that is in memory: one position along each axis that it is broadcast along.

    Example:
        >>> stored(np.broadcast_to(np.arange(3)[:, None], (3, 1000))).shape
        (3, 1)
    """
    return values[tuple(slice(None) if step else slice(1) for step in values.strides)]


def each(function: Callable[[Array], Array], values: Array) -> Array:
    """A function of single elements, applied only to those that are in memory.

    Example:
        >>> each(np.negative, np.broadcast_to(np.float32(0.5), (3, 4))).strides
        (0, 0)
    """
    return np.broadcast_to(function(stored(values)), values.shape) if 0 in values.strides else function(values)


def filled(node: onnx.NodeProto, inputs: Mapping[str, Array], output: TensorType) -> Array | None:
    """What a node makes of constants, if it is large and of one value throughout; otherwise None.

    Args:
        inputs: the constants that it reads, by name.
        output: the type of what comes out, as ONNX infers it.
    """
    if not LARGE < math.prod(output.shape) <= MOST_NEURONS:
        return None
    if node.op_type == "ConstantOfShape":
        given = [onnx.numpy_helper.to_array(a.t) for a in node.attribute if a.name == "value"]
        value = given[0] if given else np.zeros(1, np.float32)
    elif node.op_type in MOVED:
        value = inputs[node.input[0]]
    else:
        return None
    if value.size != 1 and not is_uniform(value):
        return None
    return np.broadcast_to(one(value).astype(output.dtype, copy=False), output.shape)
