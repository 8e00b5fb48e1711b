"""The values of a model's tensors as arrays; large initializers are taken out of it.

What remains is light: it is copied, checked and inlined at no cost, however large the weights are. Meanwhile the large
initializers are declared as inputs; at the end they are referred to.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from onnx2graphml.errors import ModelError, context, reason
from onnx2graphml.model.external import Bytes, DataFiles, is_external
from onnx2graphml.model.limits import check_folded, most_folded
from onnx2graphml.model.messages import messages
from onnx2graphml.model.metadata import LARGE
from onnx2graphml.model.nodes import element_type

Array = npt.NDArray[Any]

BITS = {"UINT2": 2, "INT2": 2, "UINT4": 4, "INT4": 4, "FLOAT4E2M1": 4, "FLOAT6E2M3": 6, "FLOAT6E3M2": 6}
"""Of types of which NumPy's elements are wider than those in a file."""


def without_large(proto: onnx.ModelProto, files: DataFiles) -> tuple[onnx.ModelProto, dict[str, Array]]:
    """A copy of what the package reads of a model, large initializers declared as inputs; and their values by name.

    Args:
        proto: is left as it is.
        files: where external data is. That of what is not a large initializer is in the copy.

    Raises:
        ModelError: a tensor's values are missing, or not as many as its shape says.
    """
    light = _light(proto)
    declared = {i.name for i in light.graph.input}
    values: dict[str, Array] = {}
    for tensor in proto.graph.initializer:
        if math.prod(tensor.dims) <= LARGE:
            light.graph.initializer.append(tensor)
            continue
        if tensor.name in values:
            raise ModelError(f"initializer {tensor.name!r} is there twice; every tensor needs a name of its own")
        values[tensor.name] = _mapped(tensor, files) if is_external(tensor) else array(tensor)
        if tensor.name not in declared:
            info = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            light.graph.input.append(info)
    for message in messages(light):
        if isinstance(message, onnx.TensorProto) and is_external(message):
            message.raw_data = _external(message, files)[1].tobytes()
            message.ClearField("data_location")
            message.ClearField("external_data")
    return light, values


def _light(proto: onnx.ModelProto) -> onnx.ModelProto:
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


def refer(light: onnx.ModelProto, names: Collection[str]) -> None:
    """Make initializers again of those large ones that are declared as inputs: references to data elsewhere."""
    kept = []
    for info in light.graph.input:
        if info.name not in names:
            kept.append(info)
            continue
        kind = info.type.tensor_type
        dims = [d.dim_value for d in kind.shape.dim]
        tensor = light.graph.initializer.add(name=info.name, data_type=kind.elem_type, dims=dims)
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="constants")
    del light.graph.input[:]
    light.graph.input.extend(kept)


def initializers(graph: onnx.GraphProto) -> Iterator[tuple[str, Array]]:
    """The names and values of those that are in the graph, sparse ones made dense."""
    for tensor in graph.initializer:
        if not is_external(tensor):
            yield tensor.name, array(tensor)
    for sparse in graph.sparse_initializer:
        yield sparse.values.name, _dense(sparse)


def array(tensor: onnx.TensorProto) -> Array:
    """The values that stand in the tensor itself.

    Raises:
        ModelError: they are not as many as its shape says, or of no known type.
    """
    try:
        _element_type(tensor)
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, ModelError) as e:
        raise ModelError(f"tensor {tensor.name!r} of shape {list(tensor.dims)}: {reason(e)}") from None


def _element_type(tensor: onnx.TensorProto) -> np.dtype[Any]:
    if min(tensor.dims, default=0) < 0:
        raise ModelError("a size is negative")
    return element_type(tensor.data_type)


def _external(tensor: onnx.TensorProto, files: DataFiles) -> tuple[np.dtype[Any], Bytes]:
    """The type and the bytes of a tensor whose values stand in a file beside the model."""
    with context(f"tensor {tensor.name!r} of shape {list(tensor.dims)}: external data"):
        dtype = _element_type(tensor)
        if tensor.data_type == onnx.TensorProto.STRING:
            raise ModelError("strings must be in the model itself")
        bits = BITS.get(onnx.TensorProto.DataType.Name(tensor.data_type), 8 * dtype.itemsize)
        return dtype, files.read(tensor, -(-math.prod(tensor.dims) * bits // 8))


def _mapped(tensor: onnx.TensorProto, files: DataFiles) -> Array:
    """The values where they are in the file; nothing is read before it is used."""
    dtype, data = _external(tensor, files)
    if data.size < math.prod(tensor.dims) * dtype.itemsize:
        return array(onnx.TensorProto(data_type=tensor.data_type, dims=tensor.dims, raw_data=data.tobytes()))
    return np.require(data.view(dtype).reshape(tensor.dims), requirements="A")


def _dense(sparse: onnx.SparseTensorProto) -> Array:
    """A sparse initializer as an array."""
    values, indices = array(sparse.values), array(sparse.indices)
    check_folded(math.prod(sparse.dims), most_folded(values.size))
    dense = np.zeros(tuple(sparse.dims), values.dtype)
    try:
        where = np.unravel_index(indices, dense.shape) if indices.ndim == 1 else tuple(indices.T)
        if min((int(w.min(initial=0)) for w in where), default=0) < 0:
            raise IndexError("an index is negative")
        dense[where] = values
    except (IndexError, ValueError) as e:
        raise ModelError(
            f"sparse tensor {sparse.values.name!r} of shape {list(sparse.dims)}: its indices don't fit: {reason(e)}"
        ) from None
    return dense
