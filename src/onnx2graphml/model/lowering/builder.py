"""Nodes in the place of one, added by calls that read like the operators' formulas.

Each node is typed, or evaluated where it is constant, as soon as it is added: a lowering may ask for the shape, the
type and, of a constant, the value of anything it has made so far.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.limits import check_parts
from onnx2graphml.model.nodes import TensorType, node_name, tensor_type
from onnx2graphml.model.static import shape_option

Array = npt.NDArray[Any]
Value = str | float | Array | np.generic | Sequence[int] | None
"""An input: the name of a tensor, or a constant. A number has the type of the first tensor of numbers."""


class Graph(Protocol):
    """What is known of the model so far, and where nodes are added.

    Attributes:
        constants: values by name.
        types: of what is computed.
        taken: names that no new tensor may have.
        parts: how many nodes were added in the place of others.
        sequences: names of the tensors in them, by name.
    """

    opset: int
    constants: dict[str, Array]
    types: dict[str, onnx.TypeProto]
    taken: set[str]
    parts: int
    sequences: dict[str, tuple[str, ...]]

    def add(self, node: onnx.NodeProto, layer: str | None) -> None:
        """Add a node, all of whose inputs are known."""


class Builder:
    """Adds nodes to a graph: `op.MatMul(x, w)` adds a MatMul and returns the name of its output.

    A keyword is an attribute where the operator has one of that name in the model's opset, and otherwise an input:
    `op.ReduceSum(x, axes=[1])` is right in every opset. `label` names the part, `outputs` says how many there are.

    Args:
        graph: is added to.
        node: in whose place nodes are added.
        layer: the framework's layer, which the parts belong to.

    """

    def __init__(self, graph: Graph, node: onnx.NodeProto, layer: str | None) -> None:
        self.graph = graph
        self.node = node
        self.layer = layer
        self.name = _base(node, layer, graph.taken)
        self._scope: tuple[str, ...] = ()

    @property
    def opset(self) -> int:
        """Of ONNX's own domain."""
        return self.graph.opset

    def __getattr__(self, operator: str) -> Callable[..., Any]:
        if not operator[:1].isupper():
            raise AttributeError(operator)
        return functools.partial(self.add, operator)

    @contextlib.contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Inside, the parts' names begin with this one, too."""
        self._scope += (name,)
        try:
            yield
        finally:
            self._scope = self._scope[:-1]

    def add(
        self, operator: str, *inputs: Value, label: str = "", outputs: int = 1, domain: str = "", **keywords: Any
    ) -> Any:
        """Add a node.

        Args:
            label: the last part of its name; the operator's where there is none.
            keywords: attributes, or inputs by their names in the operator's schema.

        Returns:
            The name of its output; a list of names where `outputs` is not 1.
        """
        given, attributes = self._arguments(operator, domain, inputs, keywords)
        name = self.fresh(label or operator)
        names = [name, *(self.fresh(f"{label or operator}_{k}") for k in range(1, outputs))]
        self.emit(onnx.helper.make_node(operator, given, names, name, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def emit(self, node: onnx.NodeProto) -> None:
        """Add a node as it is; it belongs to the framework's layer, and keeps what its metadata says."""
        self.graph.parts += 1
        check_parts(self.graph.parts)
        node.metadata_props.extend(p for p in self.node.metadata_props if p.key not in _keys(node))
        self.graph.add(node, self.layer)

    def fresh(self, label: str) -> str:
        """A name for a part that no tensor has."""
        wanted = "/".join((self.name, *self._scope, label))
        candidates = (wanted if k == 1 else f"{wanted}#{k}" for k in itertools.count(1))
        name = next(c for c in candidates if c not in self.graph.taken)
        self.graph.taken.add(name)
        return name

    def constant(self, value: Any, dtype: Any = None, label: str = "constant") -> str:
        """A tensor of the given values."""
        array = np.asarray(value, dtype)
        name = self.fresh(label)
        self.emit(onnx.helper.make_node("Constant", [], [name], name, value=numpy_helper.from_array(array)))
        return name

    def sequence(self, members: Sequence[str]) -> str:
        """A sequence of tensors."""
        name = self.fresh("sequence")
        self.graph.sequences[name] = tuple(members)
        return name

    def members(self, name: str) -> tuple[str, ...]:
        """The tensors in a sequence.

        Raises:
            UnsupportedError: it is none that is known beforehand.
        """
        if name not in self.graph.sequences:
            raise UnsupportedError(f"the sequence {name!r} is not known beforehand; expected one of tensors")
        return self.graph.sequences[name]

    def value(self, name: str | None) -> Array | None:
        """The values of a tensor; None if it is computed by the network, or left out."""
        return self.graph.constants.get(name) if name else None

    def known(self, name: str, what: str) -> Array:
        """The values of a tensor that has to be constant.

        Raises:
            UnsupportedError: it is computed by the network.
        """
        value = self.value(name)
        if value is None:
            raise UnsupportedError(f"{what} ({name!r}) is computed by the network; it must be constant")
        return value

    def type(self, name: str) -> TensorType:
        """The shape and type of a tensor.

        Raises:
            UnsupportedError: they are not known, or it is no tensor.
        """
        if name in self.graph.constants:
            value = self.graph.constants[name]
            return TensorType(value.shape, value.dtype)
        proto = self.graph.types.get(name)
        known = tensor_type(proto) if proto is not None else None
        if known is None:
            raise UnsupportedError(
                f"tensor {name!r} has no static shape; give the shapes of the model's inputs, as in "
                f"{shape_option('x', (1, 16))}"
            )
        return known

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor."""
        return self.type(name).shape

    def dtype(self, name: str) -> np.dtype[Any]:
        """The element type of a tensor."""
        return self.type(name).dtype

    def cast(self, x: str, dtype: Any, label: str = "") -> str:
        """A tensor in another type; itself where it has it."""
        if self.dtype(x) == np.dtype(dtype):
            return x
        return str(self.Cast(x, to=onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), label=label or "Cast"))

    def _arguments(
        self, operator: str, domain: str, inputs: Sequence[Value], keywords: Mapping[str, Any]
    ) -> tuple[list[str], dict[str, Any]]:
        """The inputs' names, and the attributes."""
        given: list[Value] = list(inputs)
        if operator == "Gemm" and self.opset < 11 and inputs[2:] in ((), (None,)):
            given[2:] = [0.0]  # it has to add something
        attributes = {}
        schema = onnx.defs.get_schema(operator, self.opset, domain) if keywords and not domain else None
        for key, value in keywords.items():
            if schema is None or key in schema.attributes:
                attributes[key] = value
                continue
            position = [i.name for i in schema.inputs].index(key)
            given += [None] * (position + 1 - len(given))
            given[position] = value
        return self._names(given), {k: v for k, v in attributes.items() if v is not None}

    def _names(self, given: Sequence[Value]) -> list[str]:
        kinds = [self.dtype(x) for x in given if isinstance(x, str) and x]
        like = next((k for k in kinds if k != np.bool_), np.dtype(np.float32))
        names = []
        for x in given:
            if x is None or isinstance(x, str):
                names.append(x or "")
            elif isinstance(x, np.ndarray | np.generic):
                names.append(self.constant(x))
            else:
                names.append(self.constant(x, like if isinstance(x, int | float) else np.int64))
        while names and not names[-1]:
            names.pop()
        return names


def _base(node: onnx.NodeProto, layer: str | None, taken: set[str]) -> str:
    """What the names of a node's parts begin with: the framework's layer, or the node's own name."""
    name = node_name(node)
    if layer is None or name.startswith(f"{layer}/"):
        return name
    if f"{layer}/" not in taken:
        taken.add(f"{layer}/")
        return layer
    return next(f"{layer}/{k}" for k in itertools.count(2) if not _claimed(f"{layer}/{k}/", taken))


def _claimed(prefix: str, taken: set[str]) -> bool:
    """Whether a prefix is somebody's; it is claimed by asking."""
    if prefix in taken:
        return True
    taken.add(prefix)
    return False


def _keys(node: onnx.NodeProto) -> set[str]:
    return {p.key for p in node.metadata_props}
