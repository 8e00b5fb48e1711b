"""The inputs and outputs of the model: as the original has them where it is known, otherwise as the layers are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper

from onnx2graphml.export.writer import Writer
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.model import Model

COPIES = ("Identity", "Dropout", "Cast")
BATCH = "N"


@dataclass(frozen=True)
class Port:
    """An input or an output.

    Attributes:
        name: of the tensor.
        shape: of the tensor, its batch of 1 included.
        dtype: of the tensor.
        order: as in `Provenance`.
        layer: whose values it holds.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: tuple[int, ...]
    layer: Layer

    @property
    def has_batch(self) -> bool:
        """Whether the first axis is the batch's."""
        return len(self.shape) == len(self.order) + 1

    @property
    def inside(self) -> tuple[int, ...]:
        """The shape without the batch."""
        return self.shape[1:] if self.has_batch else self.shape

    def info(self, batch: bool) -> onnx.ValueInfoProto:
        """Its declaration; with an open first axis for batches of any size."""
        shape: list[int | str] = list(self.shape)
        if batch:
            shape[0] = BATCH
        return helper.make_tensor_value_info(self.name, helper.np_dtype_to_tensor_dtype(self.dtype), shape)

    def read(self, w: Writer) -> str:
        """The tensor as (batch, neurons)."""
        x = self.name
        if self.order != tuple(sorted(self.order)):
            x = x if self.has_batch else w.Reshape(x, np.array([1, *self.inside], np.int64))
            x = w.Transpose(x, perm=[0, *(o + 1 for o in self.order)])
        return w.Reshape(x, np.array([-1, self.layer.neurons], np.int64))

    def written(self, w: Writer, value: str, dtype: np.dtype[Any]) -> None:
        """Give the tensor the values (batch, neurons) of its layer."""
        inside = self.inside
        x = value if dtype == self.dtype else w.cast(value, self.dtype)
        if self.order != tuple(sorted(self.order)):
            x = w.Reshape(x, np.array([-1, *(inside[o] for o in self.order)], np.int64))
            x = w.Transpose(x, perm=[0, *(int(k) + 1 for k in np.argsort(self.order))])
        first = [-1] if self.has_batch else []
        shape = w.constant(np.array([*first, *inside], np.int64))
        w.nodes.append(helper.make_node("Reshape", [x, shape], [self.name], self.name))


def inputs_of(graph: NeuronGraph) -> list[Port]:
    """A port for each input layer."""
    model = graph.model
    found = []
    for layer in graph.layers:
        if layer.aggregation != "input":
            continue
        tensor = layer.provenance.tensor
        if model is not None and tensor in model.inputs:
            found.append(_original(layer, model, tensor))
        else:
            found.append(_own(layer, layer.name))
    return found


def outputs_of(graph: NeuronGraph, taken: Sequence[str]) -> list[Port]:
    """A port for each output."""
    found: list[Port] = []
    for k, name in enumerate(graph.outputs):
        layer, model = graph.layer(name), graph.model
        if model is not None and k < len(model.outputs) and _is_copy(model, model.outputs[k], layer.provenance.tensor):
            port = _original(layer, model, model.outputs[k])
        else:
            port = _own(layer, layer.name)
        names = {*taken, *(p.name for p in found)}
        while port.name in names:  # an input that is an output, too
            port = Port(f"{port.name}_out", port.shape, port.dtype, port.order, layer)
        found.append(port)
    return found


def _original(layer: Layer, model: Model, tensor: str) -> Port:
    kind = model.types.get(tensor)
    shape, dtype = (kind.shape, kind.dtype) if kind else (model.constants[tensor].shape, model.constants[tensor].dtype)
    return Port(tensor, shape, dtype, layer.provenance.order, layer)


def _own(layer: Layer, name: str) -> Port:
    return Port(name, (1, *layer.shape), layer.dtype, tuple(range(len(layer.shape))), layer)


def _is_copy(model: Model, output: str, tensor: str) -> bool:
    """Whether an output holds the values of a tensor, which only operators that copy lie behind."""
    maker = {o: node for node in model.nodes for o in node.outputs}
    while output != tensor:
        node = maker.get(output)
        if node is None or node.op not in COPIES:
            return False
        output = node.inputs[0]
    return True
