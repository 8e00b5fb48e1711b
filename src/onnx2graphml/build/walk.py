"""From an ONNX model's nodes to a graph with a layer for every tensor. Knows no operator by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml import ops
from onnx2graphml.build import axis_roles
from onnx2graphml.build.axis_roles import Traits
from onnx2graphml.errors import ModelError, UnsupportedError, context
from onnx2graphml.functions.rounding import is_integer, is_number
from onnx2graphml.graph.blocks import Side
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph, Provenance, numbered
from onnx2graphml.model import Model, Node, TensorType
from onnx2graphml.model.boundary import about
from onnx2graphml.model.limits import Budget, within
from onnx2graphml.model.nodes import where
from onnx2graphml.model.static import shape_option
from onnx2graphml.model.uniform import each, in_memory, stored
from onnx2graphml.ops import NodeContext, Operand, OutputSpec, Tensor
from onnx2graphml.ops.registry import numbers

Array = npt.NDArray[Any]


def walk(model: Model) -> NeuronGraph:
    """The graph of all tensors that the model's outputs depend on; layers are named as tensors.

    Raises:
        UnsupportedError: names the node, its operator and what of it can't be expanded exactly.
    """
    layers = {name: _input(name, model.types.get(name)) for name in model.inputs}
    traits = {name: Traits(len(model.types[name].shape)) for name in model.inputs}
    used = {i for node in model.nodes for i in node.inputs} | set(model.outputs)
    own = sum(map(in_memory, model.constants.values()))
    budget = Budget(own)
    for node in model.nodes:
        here = context(where(node.name, node.op, node.layer, model.opset, node.domain))
        unfit = about("its inputs and attributes don't fit together", UnsupportedError)
        with here, unfit, within(budget), np.errstate(all="ignore"):
            for layer, trait in _expand(node, model, used, budget):
                layers[layer.name], traits[layer.name] = layer, trait
                _check_positions(layer, layers)
                budget.take(sum(len(a) for i in layer.incoming for a in i.block.axes))
    for name in model.outputs:
        if name not in layers:
            budget.take_numbers(ops.in_full("", [model.constants[name]]))
            layers[name] = _constant(name, model.constants[name])
            traits[name] = Traits(model.constants[name].ndim)
    placed = _placed(layers, traits, model.channels_last)
    return NeuronGraph(numbered(placed), model.outputs, model.name, model.sha256, "op", model)


def _check_positions(layer: Layer, layers: Mapping[str, Layer]) -> None:
    """Refuse edges from or to where there is no neuron: what an operator was given was not valid."""
    for incoming in layer.incoming:
        sides: tuple[tuple[Side, Layer], ...] = (("source", layers[incoming.source]), ("target", layer))
        for side, end in sides:
            offsets = incoming.block.offsets(side)
            first, last = sum(int(o.min()) for o in offsets), sum(int(o.max()) for o in offsets)
            if first < 0 or last >= end.neurons:
                raise ModelError(
                    f"its edges join positions {first} to {last} of {end.name!r}, which has {end.neurons} neurons"
                )


def _placed(layers: Mapping[str, Layer], traits: Mapping[str, Traits], channels_last: bool) -> list[Layer]:
    """The layers with what is known of their axes."""
    roles = axis_roles.roles(traits)
    orders = axis_roles.channels_last_order(traits) if channels_last else {}
    placed = []
    for name, layer in layers.items():
        dropped = traits[name].ndim - len(layer.shape)
        spatial = [d - dropped for d in axis_roles.spatial(roles.get(name, ()))]
        shown_order = tuple(d - dropped for d in orders.get(name, ()) if d >= dropped) or layer.provenance.order
        placed.append(
            dataclasses.replace(
                layer,
                spatial=tuple(spatial) if min(spatial, default=-1) >= 0 else (),  # else one was dropped
                provenance=dataclasses.replace(layer.provenance, framework_order=shown_order),
            )
        )
    return placed


def layer_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A tensor's shape as a layer's: a leading axis of size 1 is dropped where the rank is over 1."""
    return shape[1:] if len(shape) > 1 and shape[0] == 1 else shape


def _layer(name: str, op: str, kind: TensorType, **fields: Any) -> Layer:
    shape = layer_shape(kind.shape)
    provenance = Provenance(tensor=name, order=tuple(range(len(shape))))
    return Layer(name=name, op=op, shape=shape, dtype=kind.dtype, provenance=provenance, **fields)


def _input(name: str, kind: TensorType | None) -> Layer:
    return _layer(name, "Input", _checked_type(f"input {name!r}", kind), aggregation="input")


def _checked_type(what: str, kind: TensorType | None) -> TensorType:
    if kind is None or not is_number(kind.dtype):
        raise UnsupportedError(f"{what} has type {kind.dtype if kind else 'unknown'}; neurons are numbers")
    return kind


def _constant(name: str, value: Array) -> Layer:
    kind = _checked_type(f"constant {name!r}", TensorType(value.shape, value.dtype))
    layer = _layer(name, "Constant", kind, aggregation="constant")
    return dataclasses.replace(layer, bias=_bias("value", value).reshape(layer.shape))


def _expand(node: Node, model: Model, used: set[str], budget: Budget) -> list[tuple[Layer, Traits]]:
    """The layers of a node's outputs, constants that they need first."""
    operands = [_operand(name, model) for name in node.inputs]
    kinds = [model.types.get(name) for name in node.outputs]
    budget.take_numbers(ops.in_full(node.op, operands))
    budget.check_room(max((sum(k.shape) for k in (*operands, *kinds) if k is not None), default=0))
    if kinds[0] is None or not is_number(kinds[0].dtype):
        ops.find(node.op, node.domain, model.opset)  # an unknown operator is the better message
    first = _checked_type("its output", kinds[0])
    call = NodeContext(
        op=node.op,
        name=node.outputs[0],
        opset=model.opset,
        shapes=tuple(kind.shape if kind else () for kind in kinds),
        used=tuple(name in used for name in node.outputs),
        dtype=first.dtype,
        taken=model.names,
    )
    made: list[tuple[Layer, Traits]] = []
    trained = model.parameters.get(node.outputs[0], 0)
    for name, kind, neurons in zip(
        node.outputs, kinds, ops.expand(call, node.domain, operands, node.attributes), strict=False
    ):
        if name and name in used:
            assert kind is not None
            made += [(_constant(n, v), Traits(v.ndim)) for n, v in neurons.constants.items()]
            layer = _neurons(name, node.op, kind, neurons)
            provenance = dataclasses.replace(layer.provenance, scope=node.layer, node=node.name)
            layer = dataclasses.replace(layer, provenance=provenance, parameters=trained)
            made.append((layer, _traits(node, kind, neurons)))
            trained = 0  # of several outputs, the first one has the parameters
    return made


def _traits(node: Node, kind: TensorType, neurons: OutputSpec) -> Traits:
    computed = [i.source for i in neurons.incoming if i.source not in neurons.constants]
    axes = neurons.axes if computed else ()
    return Traits(
        len(kind.shape), computed[0] if computed else "", axes, neurons.spatial and bool(computed), node.layer is None
    )


def _operand(name: str, model: Model) -> Operand | None:
    if not name:
        return None
    if name in model.constants:
        value = model.constants[name]
        is_short = not is_integer(value.dtype) and is_number(value.dtype) and value.dtype.itemsize < 4
        return each(lambda v: v.astype(np.float32), value) if is_short and value.dtype != np.bool_ else value
    kind = model.types.get(name)
    if kind is None:
        raise UnsupportedError(
            f"input {name!r} has no static shape; give the shapes of the model's inputs, as in "
            f"{shape_option('x', (1, 16))}"
        )
    return Tensor(name, kind.shape, kind.dtype)


def _neurons(name: str, op: str, kind: TensorType, neurons: OutputSpec) -> Layer:
    layer = _layer(name, op, kind, aggregation=neurons.aggregation, incoming=_checked(neurons.incoming))
    rank = len(kind.shape)
    if neurons.bias is not None:
        # The full rank first: a bias has the tensor's axes, of which the layer drops the leading one.
        bias = np.broadcast_to(_bias("bias", neurons.bias), kind.shape)
        bias = bias[0] if len(layer.shape) < rank else bias
        layer = dataclasses.replace(layer, bias=bias, bias_size=neurons.bias_size)
    dropped = rank - len(layer.shape)
    position = {d: d - dropped for d in range(dropped, rank)}
    activation = tuple(a.with_axes(position) for a in neurons.activation)
    return dataclasses.replace(layer, activation=activation)


def _checked(edges: tuple[Incoming, ...]) -> tuple[Incoming, ...]:
    for incoming in edges:
        _finite("weights", incoming.block.weights)
    return tuple(i for i in edges if i.block.count)


def _bias(what: str, values: Array) -> Array:
    """A bias as floats. It may be infinite: masks are."""
    if is_number(values.dtype) and np.isnan(stored(numbers(values))).any():
        raise UnsupportedError(f"its {what} has NaN, which has no place in a graph")
    return numbers(values)


def _finite(what: str, values: Array) -> Array:
    if not np.isfinite(values).all():
        raise UnsupportedError(f"its {what} are not all finite: NaN or infinity has no place in a graph's weights")
    return values
