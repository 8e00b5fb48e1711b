"""Operators that ONNX itself defines by others: their bodies, for the types at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper

from onnx2graphml.errors import UnsupportedError, reason
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.instances import Names, add_function

Schema = Any  # onnx.defs.OpSchema, whose annotations lack its functions


BY_BODY = (
    "Attention", "BlackmanWindow", "CausalConvWithState", "CenterCropPad", "DynamicQuantizeLinear",
    "GroupNormalization", "HammingWindow", "HannWindow", "LayerNormalization", "LinearAttention",
    "MeanVarianceNormalization", "NegativeLogLikelihoodLoss", "RMSNormalization", "RotaryEmbedding",
    "SoftmaxCrossEntropyLoss", "SwiGLU",
)  # fmt: skip
"""The operators that are replaced by ONNX's own bodies."""


def has_body(op: str, opset: int) -> bool:
    """Whether ONNX has a function body for an operator in an opset.

    Example:
        >>> has_body("LayerNormalization", 17), has_body("LayerNormalization", 16), has_body("Conv", 17)
        (True, False, False)
    """
    schema = _schema(op, opset)
    return schema is not None and _version(schema, opset) is not None


def by_body(op: Builder, node: onnx.NodeProto) -> Sequence[str | None]:
    """Add the nodes of an operator's function body, and return what its outputs are called.

    Raises:
        UnsupportedError: ONNX has no body for these inputs and attributes.
    """
    schema = _schema(node.op_type, op.opset)
    assert schema is not None
    body = _body(schema, op, node)
    names: Names = dict(zip(body.input, [*node.input, *[""] * len(body.input)], strict=False))
    given = {a.name: a for a in node.attribute}
    defaults = {name: a.default_value for name, a in schema.attributes.items() if a.default_value.type}
    own = {a.name: a for a in body.attribute_proto}
    add_function(op, body.node, names, defaults | own | given)
    return [names.get(o) for o in body.output]


def _schema(op: str, opset: int) -> Schema | None:
    try:
        return onnx.defs.get_schema(op, opset, "")
    except onnx.defs.SchemaError:
        return None


def _version(schema: Schema, opset: int) -> int | None:
    """The newest version of the body that holds in an opset."""
    versions = [*schema.function_opset_versions, *schema.context_dependent_function_opset_versions]
    return max((v for v in versions if v <= opset), default=None)


def _body(schema: Schema, op: Builder, node: onnx.NodeProto) -> onnx.FunctionProto:
    version = _version(schema, op.opset)
    body = onnx.FunctionProto()
    try:
        if version in schema.function_opset_versions:
            body.ParseFromString(schema.get_function_with_opset_version(version))
        else:
            types = [_type(op, i).SerializeToString() for i in node.input]
            text = schema.get_context_dependent_function_with_opset_version(version, node.SerializeToString(), types)
            body.ParseFromString(text)
    except RuntimeError as e:
        raise UnsupportedError(f"ONNX defines no function for it with these inputs: {reason(e)}") from None
    return body


def _type(op: Builder, name: str) -> onnx.TypeProto:
    if not name:
        return onnx.TypeProto()
    known = op.type(name)
    return helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(np.dtype(known.dtype)), known.shape)
