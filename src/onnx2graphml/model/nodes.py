"""A node of a model, and the type of a tensor, as plain Python values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from onnx2graphml.errors import ModelError


@dataclass(frozen=True)
class Node:
    """An ONNX node, with its attributes as Python values.

    Attributes:
        layer: the framework's layer that it comes from; None where there is none.
    """

    op: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    layer: str | None = None


@dataclass(frozen=True)
class TensorType:
    """The shape and the element type of a tensor."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def is_float(self) -> bool:
        """Whether its scalars can be neurons."""
        return is_float(self.dtype)


def is_float(dtype: np.dtype[Any]) -> bool:
    """Whether it is one of NumPy's own floating types, which are those that can be expanded."""
    return dtype.type in (np.float16, np.float32, np.float64)


def node_name(node: onnx.NodeProto) -> str:
    """The node's name, or where it has none that of its first output."""
    return node.name or next(iter(node.output), node.op_type)


def where(name: str, op: str, layer: str | None, opset: int, domain: str = "") -> str:
    """What a message says of a node: the framework's layer first, which the user knows.

    Args:
        opset: of ONNX's own domain; it says nothing of another one.

    Example:
        >>> where("MatMul_3", "MatMul", "dense", 17)
        "layer 'dense', node 'MatMul_3' (MatMul, opset 17)"
    """
    kind = f"{op} of {domain}" if domain not in ("", "ai.onnx") else f"{op}, opset {opset}"
    return f"{f'layer {layer!r}, ' if layer else ''}node {name!r} ({kind})"


def plain(node: onnx.NodeProto, layer: str | None) -> Node:
    """The node with its attributes as Python values, bytes among them as text."""
    attributes = {a.name: _attribute(a) for a in node.attribute}
    return Node(node.op_type, node.domain, node_name(node), tuple(node.input), tuple(node.output), attributes, layer)


def _attribute(attribute: onnx.AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if attribute.type == onnx.AttributeProto.STRINGS:
        return [text.decode("utf-8", "replace") for text in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def tensor_type(proto: onnx.TypeProto) -> TensorType | None:
    """The static shape and the NumPy type; None where either is not known.

    Raises:
        ModelError: the element type is none of ONNX's.
    """
    kind = proto.tensor_type
    if not proto.HasField("tensor_type") or not kind.HasField("shape"):
        return None
    if any(not d.HasField("dim_value") for d in kind.shape.dim):
        return None
    return TensorType(tuple(d.dim_value for d in kind.shape.dim), element_type(kind.elem_type))


def element_type(number: int) -> np.dtype[Any]:
    """The NumPy type of an ONNX element type.

    Raises:
        ModelError: it is none of ONNX's.

    Example:
        >>> element_type(onnx.TensorProto.FLOAT)
        dtype('float32')
    """
    try:
        return onnx.helper.tensor_dtype_to_np_dtype(number)
    except KeyError:
        newest = max(onnx.TensorProto.DataType.values())
        raise ModelError(
            f"its element type is {number}; the installed onnx knows 1 (float) to {newest}: export the model again"
        ) from None
