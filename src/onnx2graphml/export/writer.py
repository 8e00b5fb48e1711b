"""ONNX nodes and initializers, one after the other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

OPSET = 20  # Gelu's
IR_VERSION = 9

Array = npt.NDArray[Any]


class Writer:
    """Adds nodes: `w.Mul(x, y)` adds a Mul and returns the name of its output; an array becomes an initializer.

    Attributes:
        scope: what the names begin with, such as the layer that is being written.

    Example:
        >>> w = Writer()
        >>> w.scope = "relu1"
        >>> w.Relu(w.Add("x", np.ones(3, np.float32)))
        'relu1/Relu'
        >>> [node.op_type for node in w.nodes], [t.name for t in w.initializers]
        (['Add', 'Relu'], ['relu1/constant'])
    """

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.scope = ""
        self._taken: set[str] = set()
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def __getattr__(self, operator: str) -> Callable[..., str]:
        if not operator[:1].isupper():
            raise AttributeError(operator)
        return functools.partial(self.add, operator)

    def add(self, operator: str, *inputs: str | Array, **attributes: Any) -> str:
        """Add a node of one output; returns its name."""
        return self.several(operator, 1, *inputs, **attributes)[0]

    def several(self, operator: str, outputs: int, *inputs: str | Array, **attributes: Any) -> list[str]:
        """Add a node of several outputs; returns their names."""
        given = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        names = [self.fresh(operator) for _ in range(outputs)]
        self.nodes.append(helper.make_node(operator, given, names, names[0], **attributes))
        return names

    def constant(self, array: Array) -> str:
        """The name of an initializer; small equal ones are one."""
        array = np.ascontiguousarray(array).reshape(np.shape(array))
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= 64 else None
        if key is not None and key in self._constants:
            return self._constants[key]
        name = self.fresh("constant")
        self.initializers.append(numpy_helper.from_array(array, name))
        if key is not None:
            self._constants[key] = name
        return name

    def cast(self, x: str, dtype: npt.DTypeLike) -> str:
        """A Cast to a type of NumPy's."""
        return self.Cast(x, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def fresh(self, label: str) -> str:
        """A name that no tensor has."""
        name = stem = f"{self.scope}/{label}" if self.scope else label
        k = 1
        while name in self._taken:
            k += 1
            name = f"{stem}_{k}"
        self._taken.add(name)
        return name

    def claim(self, name: str) -> str:
        """A name that an input or an output has: no other tensor gets it."""
        self._taken.add(name)
        return name

    def model(
        self, name: str, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        """All that was added, as a model."""
        graph = helper.make_graph(self.nodes, name or "graph", inputs, outputs, self.initializers)
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="onnx2graphml")
