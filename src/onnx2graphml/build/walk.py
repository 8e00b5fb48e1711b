"""From an ONNX model's nodes to a graph with a layer for every tensor. Knows no operator by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.build import axis_roles
from onnx2graphml import ops
from onnx2graphml.errors import Error, UnsupportedError
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph, Provenance, numbered
from onnx2graphml.build.axis_roles import Traits
from onnx2graphml.model import Model, Node, TensorType, is_float
from onnx2graphml.ops import NodeContext, OutputSpec, Operand, Tensor

Array = npt.NDArray[Any]


def walk(model: Model) -> NeuronGraph:
    """The graph of all tensors that the model's outputs depend on; layers are named as tensors.

    Raises:
        UnsupportedError: names the node, its operator and what of it can't be expanded exactly.
    """
    layers = {name: _input(name, model.types.get(name)) for name in model.inputs}
    traits = {name: Traits(len(model.types[name].shape)) for name in model.inputs}
    used = {i for node in model.nodes for i in node.inputs} | set(model.outputs)
    for node in model.nodes:
        try:
            for layer, trait in _expand(node, model, used):
                layers[layer.name], traits[layer.name] = layer, trait
        except Error as e:
            raise type(e)(f"node {node.name!r} ({node.op}, opset {model.opset}): {e}") from None
    for name in model.outputs:
        if name not in layers:
            layers[name] = _constant(name, model.constants[name])
            traits[name] = Traits(model.constants[name].ndim)
    placed = _placed(layers, traits, model.channels_last)
    return NeuronGraph(numbered(placed), model.outputs, model.name, model.sha256, "op", model)


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


def shown(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A tensor's shape as a layer's: a leading axis of size 1 is dropped where the rank is over 1."""
    return shape[1:] if len(shape) > 1 and shape[0] == 1 else shape


def _layer(name: str, op: str, kind: TensorType, **fields: Any) -> Layer:
    shape = shown(kind.shape)
    provenance = Provenance(tensor=name, order=tuple(range(len(shape))))
    return Layer(name=name, op=op, shape=shape, dtype=kind.dtype, provenance=provenance, **fields)


def _input(name: str, kind: TensorType | None) -> Layer:
    if kind is None or not kind.is_float:
        raise UnsupportedError(f"input {name!r} has type {kind.dtype if kind else 'unknown'}; neurons are floats")
    return _layer(name, "Input", kind, aggregation="input")


def _constant(name: str, value: Array) -> Layer:
    if not is_float(value.dtype):
        raise UnsupportedError(f"constant {name!r} has type {value.dtype}; neurons are floats")
    layer = _layer(name, "Constant", TensorType(value.shape, value.dtype), aggregation="constant")
    return dataclasses.replace(layer, bias=_finite("value", value).reshape(layer.shape))


def _expand(node: Node, model: Model, used: set[str]) -> list[tuple[Layer, Traits]]:
    """The layers of a node's outputs, constants that they need first."""
    operands = [_operand(name, model) for name in node.inputs]
    kinds = [model.types.get(name) for name in node.outputs]
    if kinds[0] is None or not kinds[0].is_float:
        ops.find(node.op, node.domain, model.opset)  # an unknown operator is the better message
        raise UnsupportedError(f"its output has type {kinds[0].dtype if kinds[0] else 'unknown'}; neurons are floats")
    call = NodeContext(
        op=node.op,
        name=node.outputs[0],
        opset=model.opset,
        shapes=tuple(kind.shape if kind else () for kind in kinds),
        used=tuple(name in used for name in node.outputs),
        dtype=kinds[0].dtype,
        taken=model.names,
    )
    made: list[tuple[Layer, Traits]] = []
    trained = sum(o.size for o in operands if isinstance(o, np.ndarray) and o.ndim and is_float(o.dtype))
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
        return value.astype(np.float32) if value.dtype == np.float16 else value
    kind = model.types.get(name)
    if kind is None:
        raise UnsupportedError(f"input {name!r} has no static shape; give --shape for the model's inputs")
    return Tensor(name, kind.shape, kind.dtype)


def _neurons(name: str, op: str, kind: TensorType, neurons: OutputSpec) -> Layer:
    layer = _layer(name, op, kind, aggregation=neurons.aggregation, incoming=_checked(neurons.incoming))
    rank = len(kind.shape)
    if neurons.bias is not None:
        # The full rank first: a bias has the tensor's axes, of which the layer drops the leading one.
        bias = np.broadcast_to(_finite("bias", neurons.bias), kind.shape)
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


def _finite(what: str, values: Array) -> Array:
    if not np.isfinite(values).all():
        raise UnsupportedError(f"its {what} are not all finite: NaN or infinity has no place in a graph's weights")
    return values
