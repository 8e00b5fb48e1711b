"""The values of a model's tensors as arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from onnx2graphml.errors import ModelError, context, reason
from onnx2graphml.files.mapped import Bytes
from onnx2graphml.model.external import DataFiles, is_external
from onnx2graphml.model.limits import check_folded, most_folded
from onnx2graphml.model.nodes import element_type

Array = npt.NDArray[Any]

BITS = {"UINT2": 2, "INT2": 2, "UINT4": 4, "INT4": 4, "FLOAT4E2M1": 4, "FLOAT6E2M3": 6, "FLOAT6E3M2": 6}
"""Of types of which NumPy's elements are wider than those in a file."""


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


def external_bytes(tensor: onnx.TensorProto, files: DataFiles) -> tuple[np.dtype[Any], Bytes]:
    """The type and the bytes of a tensor whose values stand in a file beside the model."""
    with context(f"tensor {tensor.name!r} of shape {list(tensor.dims)}: external data"):
        dtype = _element_type(tensor)
        if tensor.data_type == onnx.TensorProto.STRING:
            raise ModelError("strings must be in the model itself")
        bits = BITS.get(onnx.TensorProto.DataType.Name(tensor.data_type), 8 * dtype.itemsize)
        return dtype, files.read(tensor, -(-math.prod(tensor.dims) * bits // 8))


def mapped_array(tensor: onnx.TensorProto, files: DataFiles) -> Array:
    """The values where they are in the file; nothing is read before it is used."""
    dtype, data = external_bytes(tensor, files)
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
