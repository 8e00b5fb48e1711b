"""The ONNX graph that is being made: nodes with their layer, initializers, and names that are given once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from onnx2graphml.frontends.direct.policies import written
from onnx2graphml.frontends.direct.rearranged import Drawn
from onnx2graphml.frontends.direct.stored import Stored
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Mask, Shape, Value
from onnx2graphml.frontends.names import Names
from onnx2graphml.frontends.order import put_in_order
from onnx2graphml.model.light import LightModel
from onnx2graphml.model.metadata import LARGE, LAYER

OPSET, IR_VERSION = 17, 10  # the same as on the way through TensorFlow
OUTSIDE = -1
"""In the place of the number of a call: of a node outside of all layers."""
MOST_NODES = 1 << 16
"""No network that can be a graph has more; a configuration that calls models within models many times over may."""

Scope = tuple[str | int, ...]
"""What is being called: names, and after each the number of the call, from the outermost model to the layer."""

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
        turned: names of values with channels first, for which TensorFlow has them last; whether in several nodes.
        turns: whether axes were brought into ONNX' order, other than those of weights.
        casts: names of values that were cast to a layer's type before they entered it.
        scope: of what is called now; of nodes outside of all layers, it is empty.
        masks: of values, by their names.
        named: names that TensorFlow has given outside of all layers.
        adrift: names of values between layers that an exporter makes without the call that they are of.
    """

    def __init__(self) -> None:
        self.inputs: list[Value] = []
        self.weights: dict[str, Stored] = {}
        self.trained: list[str] = []
        self.padded: dict[str, Padded] = {}
        self.steps: dict[str, Value] = {}
        self.rows: dict[str, str] = {}
        self.calls = 0
        self.in_order: list[str] = []
        self.still: set[str] = set()
        self.turns = False
        self.turned: dict[str, bool] = {}
        self.casts: set[str] = set()
        self.scope: Scope = ()
        self.masks: dict[str, Mask] = {}
        self.named = Names()
        self.adrift: set[str] = set()
        self._scopes: dict[str, Scope | None] = {}
        self._given: dict[str, str] = {}
        self._floating: set[str] = set()
        self._made_in: dict[str, Scope] = {}
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

    def weight(self, name: str, stored: Stored, trained: bool) -> Value:
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
        self._given[node.name] = name
        self._scopes[node.name] = None if layer is None else self.scope
        self._made_in[node.name] = self.scope
        if floating or layer == "":
            self._floating.add(node.name)
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
        self._hand_on_casts(needed, {value.name: name for name, value in outputs.items()})
        calls = self._settled(needed)
        Drawn(needed, calls, self._shapes, self._constants.keys(), ends, self.turned).require_kept()
        graph = onnx.GraphProto(name="keras", node=needed)
        graph.output.extend(_information(value.name, value) for value in outputs.values())
        for node in needed:
            if calls[node.name] is None and not (ends - self.adrift).isdisjoint(node.output):
                calls[node.name] = _call(self._made_in[node.name])
        put_in_order(graph, lambda name: None if calls[name] == OUTSIDE else calls[name])
        self._name(graph, outputs)
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

    def _hand_on_casts(self, nodes: Sequence[onnx.NodeProto], outputs: Mapping[str, str]) -> None:
        """Let a cast before a layer belong to what reads it: the layer, or where that does nothing, the one behind it.

        At the end of the network, it belongs to the layer that puts it out.

        Raises:
            UncoveredError: there are several.
        """
        for node in reversed(nodes):
            if not self.casts.isdisjoint(node.output):
                own = self._scopes[node.name] or ()
                behind = {self._scopes[reader.name] for reader in self._readers(nodes, node.output[0])}
                end = outputs.get(node.output[0])
                require(len(behind) == 1 - bool(end), f"what {own[-2]} casts is read by several layers")
                require(not end or not self.turns, f"what {end} casts may be in ONNX' order")
                self._scopes[node.name] = (end, own[-1]) if end else behind.pop()

    def _readers(self, nodes: Sequence[onnx.NodeProto], name: str) -> Iterator[onnx.NodeProto]:
        """The nodes of layers that read a value, or what stands between layers and reads it."""
        for node in nodes:
            if name in node.input:
                require(node.name not in self._floating, "a mask of what a layer casts")
                if self._scopes[node.name] is not None:
                    yield node
                else:
                    yield from self._readers(nodes, node.output[0])

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
        moved = {first(n.output[0]) for n in self._nodes if self._scopes[n.name] is None and n.op_type == "Transpose"}
        require(not moved & {first(name) for name in self.in_order}, "axes that may have ONNX' order")

    def _settled(self, nodes: Sequence[onnx.NodeProto]) -> dict[str, int | None]:
        """Note the layer of each node, and find the number of its call: None for one between layers."""
        readers: dict[str, list[str]] = {}
        calls: dict[str, int | None] = {}
        for node in reversed(nodes):
            scope = self._scopes[node.name]
            if node.name in self._floating:
                behind = [self._scopes[reader] or () for name in node.output for reader in readers.get(name, [])]
                same = itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*behind, strict=False))
                scope = self._scopes[node.name] = tuple(parts[0] for parts in same)
            for name in node.input:
                readers.setdefault(name, []).append(node.name)
            names = [part for part in scope or () if isinstance(part, str)]
            if names:
                node.metadata_props.add(key=LAYER, value=names[-1])
            calls[node.name] = None if scope is None else _call(scope)
        return calls

    def _name(self, graph: onnx.GraphProto, outputs: Mapping[str, Value]) -> None:
        """Give the outputs their names, and those that float the next free ones, in the order of the nodes."""
        new = {value.name: name for name, value in outputs.items()}
        nodes, tensors = Names(), Names([*outputs, *self._shapes])
        for node in graph.node:
            given = self._given[node.name]
            if node.name in self._floating:
                new |= {name: new.get(name) or tensors.unique(given) for name in node.output}
            node.name = nodes.unique(given)
            node.input[:] = [new.get(name, name) for name in node.input]
            node.output[:] = [new.get(name, name) for name in node.output]
        for value in graph.output:
            value.name = new[value.name]

    def _needed(self, outputs: Iterable[str]) -> list[onnx.NodeProto]:
        """The nodes that the outputs depend on."""
        wanted, kept = set(outputs), []
        for node in reversed(self._nodes):
            if wanted & set(node.output):
                wanted |= set(node.input)
                kept.append(node)
        return kept[::-1]


def _call(scope: Scope) -> int:
    """The number of the call that a scope is of."""
    last = scope[-1] if scope else OUTSIDE
    return last if isinstance(last, int) else OUTSIDE


def _information(name: str, value: Value) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(written(value.dtype)), value.shape)
