"""TensorFlow's functions as flat graphs, whose large variables are not copied.

Freezing writes a variable's value into the graph, and every step after that copies it: for VGG16, of a SavedModel, that
takes 22 s and 6 GB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np

from onnx2graphml.frontends import started as started
from onnx2graphml.model.metadata import LARGE

import tensorflow as tf  # isort: skip
from tensorflow.python.framework import convert_to_constants  # isort: skip


class _Shape:
    """What the conversion to constants looks at of a large variable: its type and its shape. Its values are zeros."""

    def __init__(self, variable: Any) -> None:
        self.shape, self.dtype = tuple(variable.shape), np.dtype(variable.dtype.as_numpy_dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.zeros((), self.dtype)


class _Light(convert_to_constants._FunctionConverterDataInEager):  # type: ignore[misc]
    """The variables of a function without the values of large ones, which would be copied for each thing done to it."""

    def _eval(self, tensor: Any) -> Any:
        return _Shape(tensor) if _is_large(tensor) else super()._eval(tensor)


def _is_large(variable: Any) -> bool:
    kind = variable.dtype
    floating = kind.is_floating and np.dtype(kind.as_numpy_dtype).isbuiltin == 1
    return floating and isinstance(variable, tf.Variable) and variable.shape.num_elements() > LARGE


@dataclass(frozen=True)
class Frozen:
    """A concrete function as one flat graph, its variables as constants.

    Attributes:
        definition: of the graph; large constants are zeros there.
        inputs, outputs: names of tensors.
        large: values of large constants, by the names of the nodes.
    """

    definition: Any
    inputs: list[str]
    outputs: list[str]
    large: dict[str, np.ndarray]


def freeze(concrete: Any) -> Frozen:
    """A concrete function as a graph; the values of its large variables are not copied."""
    with mock.patch.object(convert_to_constants, "_FunctionConverterDataInEager", _Light):
        found = convert_to_constants.convert_variables_to_constants_v2(
            concrete, lower_control_flow=False, aggressive_inlining=True
        )
    definition = found.graph.as_graph_def(add_shapes=True)
    large = {name: view(v.value()) for name, v in variables_of(concrete).items() if _is_large(v)}
    return Frozen(definition, [t.name for t in found.inputs], [t.name for t in found.outputs], large)


def view(value: Any) -> np.ndarray:
    """A tensor's value, without a copy where NumPy has the type: TensorFlow copies it before it changes it."""
    if value.dtype == tf.bfloat16:
        return np.asarray(value, np.float32)
    return np.asarray(memoryview(value) if np.dtype(value.dtype.as_numpy_dtype).isbuiltin else value)


def variables_of(concrete: Any) -> dict[str, Any]:
    """A function's variables, by the names of the nodes that stand for them."""
    own = {id(variable.handle): variable for variable in concrete.variables}
    return {inner.op.name: own[id(outer)] for outer, inner in concrete.graph.captures if id(outer) in own}
