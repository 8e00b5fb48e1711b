"""The ONNX graph that is being made: nodes with their layer, initializers, and names that are given once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from onnx2graphml.frontends.direct.places import OUTSIDE, Places, Scope
from onnx2graphml.frontends.direct.policies import written
from onnx2graphml.frontends.direct.rearranged import Drawn
from onnx2graphml.frontends.direct.stored import Array
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Mask, Shape, Value
from onnx2graphml.frontends.names import Names
from onnx2graphml.frontends.order import put_in_order
from onnx2graphml.model.light import LightModel
from onnx2graphml.model.metadata import LARGE

OPSET, IR_VERSION = 17, 10  # the same as on the way through TensorFlow
MOST_NODES = 1 << 16
"""No network that can be a graph has more; a configuration that calls models within models many times over may."""

NEW_ORDER = ("Gemm", "MatMul", "Reshape")
"""Operators that an exporter carries no order of axes through."""


Result = TypeVar("Result")


@dataclass(frozen=True)
class Padded:
    """What a tensor is with zeros around it, which a convolution may take for its own padding."""

    value: Value
    before: list[int]
    after: list[int]
    channels_first: bool = False


class Network:
    """Nodes, and what they read, in the order in which they are added.

    Attributes:
        inputs: of the network.
        weights: trained and measured arrays by name, none of which has been read.
        trained: the names of those that training changes.
        padded: by the name of the padded tensor.
        steps: by the name of a series, the same with its steps first.
        rows: by the name of one with channels first, which layer has them last.
        calls: how many calls of layers there were.
        in_order: names of values whose axes no exporter may bring into another order.
        still: names of values that no input changes.
        turned: names of values with channels first, for which TensorFlow has them last; and how.
        turns: whether axes were brought into ONNX' order, other than those of weights.
        casts: names of values that were cast to a layer's type before they entered it.
        scope: of what is called now; of nodes outside of all layers, it is empty.
        masks: of values, by their names.
        named: names that TensorFlow has given outside of all layers.
        adrift: names of values between layers that an exporter makes without the call that they are of.
    """

    def __init__(self) -> None:
        self.inputs: list[Value] = []
        self.weights: dict[str, Array] = {}
        self.trained: list[str] = []
        self.padded: dict[str, Padded] = {}
        self.steps: dict[str, Value] = {}
        self.rows: dict[str, str] = {}
        self.calls = 0
        self.in_order: list[str] = []
        self.still: set[str] = set()
        self.turns = False
        self.turned: dict[str, str] = {}
        self.casts: set[str] = set()
        self.scope: Scope = ()
        self.masks: dict[str, Mask] = {}
        self.named = Names()
        self.adrift: set[str] = set()
        self._places = Places()
        self._shapes: dict[str, Shape] = {}
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, npt.NDArray[Any]] = {}
        self._names = Names([""])
        self._node_names = Names([""])

    def input(self, name: str, shape: Shape, dtype: np.dtype[Any]) -> Value:
        """Another input."""
        value = self._value(name, shape, dtype)
        self.inputs.append(value)
        return value

    def constant(self, name: str, array: npt.NDArray[Any], dtype: np.dtype[Any] | None = None) -> Value:
        """A number or an array of the network, which nobody has trained; of the array's type, unless told."""
        value = self._value(name, array.shape, dtype or array.dtype)
        self.still.add(value.name)
        self._constants[value.name] = array.astype(written(array.dtype), copy=False)
        return value

    def weight(self, name: str, stored: Array, trained: bool) -> Value:
        """An array from the file."""
        value = self._value(name, stored.shape, stored.dtype)
        self.weights[value.name] = stored
        self.still.add(value.name)
        if trained:
            self.trained.append(value.name)
        return value

    def node(
        self,
        op: str,
        inputs: Sequence[Value | None],
        outputs: Sequence[tuple[Shape, np.dtype[Any]]],
        *,
        name: str,
        layer: str | None,
        floating: bool = False,
        tensor: str = "",
        **attributes: Any,
    ) -> list[Value]:
        """Add a node.

        Args:
            op: of ONNX.
            inputs: None where one is left out.
            outputs: shapes and types.
            name: of the node, and with its layer's name before it of its outputs.
            layer: that it belongs to; None for one that only rearranges axes between layers; empty outside of all.
            floating: whether it belongs to the layer that reads it, as what an exporter makes without a name.
            tensor: the name of its outputs, where it is another one.
            attributes: of the node.
        """
        require(len(self._nodes) < MOST_NODES, "too many nodes")
        within = tensor or (f"{layer}/{name}" if layer else name)
        values = [self._value(within, *output) for output in outputs]
        node = helper.make_node(
            op, [i.name if i else "" for i in inputs], [v.name for v in values], self._node_names.unique(name)
        )
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self._places.add(node.name, name, self.scope, layer, floating)
        self._nodes.append(node)
        if all(value is None or value.name in self.still for value in inputs):
            self.still.update(value.name for value in values)
        return values

    def cast(self, value: Value, dtype: np.dtype[Any], layer: str) -> Value:
        """A value in another type, which is made in a layer."""
        to = helper.np_dtype_to_tensor_dtype(written(dtype))
        (made,) = self.node("Cast", [value], [(value.shape, dtype)], name="Cast", layer=layer, to=to)
        return made

    def within(self, scope: Scope, make: Callable[[], Result]) -> Result:
        """What is made in another scope."""
        before, self.scope = self.scope, scope
        try:
            return make()
        finally:
            self.scope = before

    def _value(self, name: str, shape: Shape, dtype: np.dtype[Any]) -> Value:
        value = Value(self._names.unique(name), shape, dtype)
        self._shapes[value.name] = shape
        return value

    def finish(
        self, outputs: Mapping[str, Value], metadata: Callable[[Collection[str]], Mapping[str, str]]
    ) -> LightModel:
        """The model; large arrays are beside it.

        Args:
            outputs: by the names that they are to have, which no input has.
            metadata: of the model, by the layers that nodes belong to.

        Raises:
            UncoveredError: on the way through TensorFlow, something of it would move.
        """
        needed = self._needed(value.name for value in outputs.values())
        ends = {value.name for value in outputs.values()}
        named = {value.name: name for name, value in outputs.items()}
        self._places.hand_on_casts(needed, self.casts, named, self.turns)
        calls = self._places.settled(needed)
        Drawn(needed, calls, self._shapes, self._constants.keys(), ends, self.turned).require_kept()
        graph = onnx.GraphProto(name="keras", node=needed)
        graph.output.extend(_information(value.name, value) for value in outputs.values())
        for node in needed:
            if calls[node.name] is None and not (ends - self.adrift).isdisjoint(node.output):
                calls[node.name] = self._places.made_in(node.name)
        put_in_order(graph, lambda name: None if calls[name] == OUTSIDE else calls[name])
        self._places.name(graph, named, self._shapes)
        read = {name for node in graph.node for name in node.input}
        arrays = {name: stored.read() for name, stored in self.weights.items() if name in read}
        large = {name: array for name, array in arrays.items() if array.size > LARGE}
        small = {name: array for name, array in arrays.items() if name not in large} | self._constants
        for value in (*self.inputs, *(Value(n, a.shape, a.dtype) for n, a in large.items())):
            graph.input.append(_information(value.name, value))
        graph.initializer.extend(numpy_helper.from_array(a, n) for n, a in small.items() if n in read)
        proto = helper.make_model(
            graph, ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="onnx2graphml"
        )
        layers = {entry.value for node in graph.node for entry in node.metadata_props}
        for key, text in metadata(layers).items():
            proto.metadata_props.add(key=key, value=text)
        return LightModel(proto, large)

    def check_order(self) -> None:
        """Leave to TensorFlow what may be in ONNX' order there: what is joined to a convolution's own transposition.

        An exporter moves those as far as it can, and what a normalization is made of depends on where they end.
        """
        group: dict[str, str] = {}

        def first(name: str) -> str:
            while (above := group.setdefault(name, name)) != name:
                group[name] = group[above]
                name = above
            return name

        for node in self._nodes:
            for name in (*node.input, *node.output) if node.op_type not in NEW_ORDER else ():
                group[first(name)] = first(node.output[0])
        moved = {
            first(n.output[0]) for n in self._nodes if self._places.scopes[n.name] is None and n.op_type == "Transpose"
        }
        require(not moved & {first(name) for name in self.in_order}, "axes that may have ONNX' order")

    def _needed(self, outputs: Iterable[str]) -> list[onnx.NodeProto]:
        """The nodes that the outputs depend on."""
        wanted, kept = set(outputs), []
        for node in reversed(self._nodes):
            if wanted & set(node.output):
                wanted |= set(node.input)
                kept.append(node)
        return kept[::-1]


def _information(name: str, value: Value) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(written(value.dtype)), value.shape)
