"""A model without its large weights: these are arrays beside it, and nothing that is done to the model copies them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt
import onnx

from onnx2graphml.errors import ModelError
from onnx2graphml.model.external import DataFiles, is_external
from onnx2graphml.model.initializers import array, external_bytes, mapped_array
from onnx2graphml.model.messages import messages
from onnx2graphml.model.metadata import LARGE

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class LightModel:
    """An ONNX model, and the values of its large initializers.

    Files, models in memory and frameworks all come in as this. While the model is checked, raised to a newer opset and
    inlined, the large initializers are inputs; `refer` makes initializers of them again, whose values stand elsewhere,
    and which are lent to ONNX Runtime (`lent`).

    Attributes:
        proto: the model, large initializers declared as inputs.
        arrays: their values, by name.
    """

    proto: onnx.ModelProto
    arrays: Mapping[str, Array] = field(default_factory=dict)

    @staticmethod
    def of(proto: onnx.ModelProto, files: DataFiles) -> LightModel:
        """A copy of what the package reads of a model.

        Args:
            proto: is left as it is.
            files: where external data is. That of what is not a large initializer is in the copy.

        Raises:
            ModelError: a tensor's values are missing, or not as many as its shape says.
        """
        light = _without_initializers(proto)
        declared = {i.name for i in light.graph.input}
        values: dict[str, Array] = {}
        for tensor in proto.graph.initializer:
            if math.prod(tensor.dims) <= LARGE:
                light.graph.initializer.append(tensor)
                continue
            if tensor.name in values:
                raise ModelError(f"initializer {tensor.name!r} is there twice; every tensor needs a name of its own")
            values[tensor.name] = mapped_array(tensor, files) if is_external(tensor) else array(tensor)
            if tensor.name not in declared:
                info = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
                light.graph.input.append(info)
        for message in messages(light):
            if isinstance(message, onnx.TensorProto) and is_external(message):
                message.raw_data = external_bytes(message, files)[1].tobytes()
                message.ClearField("data_location")
                message.ClearField("external_data")
        return LightModel(light, values)

    def refer(self, proto: onnx.ModelProto) -> None:
        """Make initializers of the large ones, in the model or in what has become of it."""
        kept = []
        for info in proto.graph.input:
            if info.name not in self.arrays:
                kept.append(info)
                continue
            kind = info.type.tensor_type
            dims = [d.dim_value for d in kind.shape.dim]
            tensor = proto.graph.initializer.add(name=info.name, data_type=kind.elem_type, dims=dims)
            tensor.data_location = onnx.TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value="constants")
        del proto.graph.input[:]
        proto.graph.input.extend(kept)


def lent(proto: onnx.ModelProto) -> list[str]:
    """The names of initializers that a model only refers to, and that a runtime is lent."""
    return [t.name for t in proto.graph.initializer if is_external(t)]


def _without_initializers(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model without its initializers."""
    graph = proto.graph
    return onnx.ModelProto(
        ir_version=proto.ir_version,
        opset_import=proto.opset_import,
        producer_name=proto.producer_name,
        functions=proto.functions,
        metadata_props=proto.metadata_props,
        graph=onnx.GraphProto(
            name=graph.name,
            node=graph.node,
            input=graph.input,
            output=graph.output,
            sparse_initializer=graph.sparse_initializer,
        ),
    )
