"""Every node against its operator's schema, before any native code looks at it.

ONNX's checker asks whether attributes have the schema's types. It does not look inside of what it does not know, and it
does not look at values. Its inference then takes whatever stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import onnx
from onnx import AttributeProto, NodeProto

from onnx2graphml.errors import ModelError, did_you_mean

FLAGS = frozenset(
    {
        *("align_corners", "allowzero", "antialias", "broadcast", "ceil_mode", "center_point_box", "count_include_pad"),
        *("detect_negative", "detect_positive", "exclude_outside", "exclusive", "fmod", "input_forget", "inverse"),
        *("interleaved", "is_case_sensitive", "is_causal", "is_test", "keepdims", "largest", "layout"),
        *("linear_before_reset", "new_axis", "noop_with_empty_axes", "onesided", "periodic", "reverse", "saturate"),
        *("select_last_index", "sorted", "spatial", "storage_order", "training_mode", "transA", "transB", "upper"),
    }
)
"""Attributes that are 0 or 1: of another number ONNX makes one thing, and its runtime another."""

EQUATION = re.compile(r"[A-Za-z]*(\.\.\.)?[A-Za-z]*")
LONGEST_EQUATION = 200

FIELDS = {
    AttributeProto.FLOAT: "f", AttributeProto.INT: "i", AttributeProto.STRING: "s", AttributeProto.TENSOR: "t",
    AttributeProto.GRAPH: "g", AttributeProto.SPARSE_TENSOR: "sparse_tensor", AttributeProto.TYPE_PROTO: "tp",
    AttributeProto.FLOATS: "floats", AttributeProto.INTS: "ints", AttributeProto.STRINGS: "strings",
    AttributeProto.TENSORS: "tensors", AttributeProto.GRAPHS: "graphs",
    AttributeProto.SPARSE_TENSORS: "sparse_tensors", AttributeProto.TYPE_PROTOS: "type_protos",
}  # fmt: skip
LISTS = frozenset({"floats", "ints", "strings", "tensors", "graphs", "sparse_tensors", "type_protos"})


def check_nodes(proto: onnx.ModelProto, opset: int) -> None:
    """Refuse nodes whose attributes are not what their operators' schemas say.

    Raises:
        ModelError: names the node, its operator and the attribute.

    Example:
        >>> check_nodes(onnx.load("fixtures/digits.onnx"), 17)
    """
    for node, in_function in _every(proto):
        try:
            _check_node(node, opset, in_function)
        except ModelError as e:
            name = node.name or next(iter(node.output), "")
            raise ModelError(f"node {name!r} ({node.op_type}, opset {opset}): {e}") from None


def _every(proto: onnx.ModelProto) -> Iterator[tuple[NodeProto, bool]]:
    """All nodes, also of subgraphs; and whether one stands in a function's body."""
    waiting: list[tuple[Iterable[NodeProto], bool]] = [(proto.graph.node, False)]
    waiting += [(f.node, True) for f in proto.functions]
    while waiting:
        nodes, in_function = waiting.pop()
        for node in nodes:
            yield node, in_function
            waiting += [(g.node, in_function) for a in node.attribute for g in (a.g, *a.graphs) if g.node]


def _check_node(node: NodeProto, opset: int, in_function: bool) -> None:
    schema = _schema(node, opset)
    known = schema.attributes if schema is not None else {}
    seen: set[str] = set()
    for attribute in node.attribute:
        name = attribute.name
        if not name or name in seen:
            raise ModelError(f"attribute {name!r} {'is there twice' if name else 'has no name'}; expected one of each")
        seen.add(name)
        if attribute.ref_attr_name:
            if not in_function:
                raise ModelError(
                    f"attribute {name!r} refers to {attribute.ref_attr_name!r} of a function; it is in none"
                )
            continue
        _check_field(attribute)
        if name in known and not node.domain:
            _check_value(attribute, known[name])
    if node.op_type == "Einsum" and not node.domain:
        _check_equation(node)


def _schema(node: NodeProto, opset: int) -> onnx.defs.OpSchema | None:
    if node.domain not in ("", "ai.onnx"):
        return None
    try:
        return onnx.defs.get_schema(node.op_type, opset, "")
    except onnx.defs.SchemaError:
        known = {s.name for s in onnx.defs.get_all_schemas_with_history() if not s.domain}
        if node.op_type in known:
            return None  # of another opset, which the checker says
        raise ModelError(f"ONNX has no operator {node.op_type!r}{did_you_mean(node.op_type, sorted(known))}") from None
    except (TypeError, ValueError):
        return None  # which the checker says better


def _check_field(attribute: AttributeProto) -> None:
    """Exactly the field that the attribute's type says has a value."""
    expected = FIELDS.get(attribute.type)
    if expected is None:
        return  # the checker says what is missing
    there = [d.name for d, _ in attribute.ListFields() if d.name in FIELDS.values()]
    if any(name != expected for name in there) or (expected not in there and expected not in LISTS | {"f", "i", "s"}):
        kind = AttributeProto.AttributeType.Name(attribute.type)
        raise ModelError(f"attribute {attribute.name!r} is of type {kind} and has {', '.join(there) or 'no value'}")


def _check_value(attribute: AttributeProto, schema: onnx.defs.OpSchema.Attribute) -> None:
    name = attribute.name
    kind: Any = schema.type  # onnx does not say that it is an enumeration
    if int(attribute.type) != int(kind.value):
        got = AttributeProto.AttributeType.Name(attribute.type)
        raise ModelError(f"attribute {name!r} is of type {got}; expected {kind.name}")
    if name in FLAGS and attribute.type == AttributeProto.INT and attribute.i not in (0, 1):
        raise ModelError(f"attribute {name!r} is {attribute.i}; expected 0 or 1")
    for text in (attribute.s, *attribute.strings):
        try:
            text.decode()
        except UnicodeDecodeError:
            raise ModelError(f"attribute {name!r} is {text[:40]!r}, which is not UTF-8") from None


def _check_equation(node: NodeProto) -> None:
    """ONNX's inference reads other signs for ever."""
    equation = next((a.s.decode() for a in node.attribute if a.name == "equation"), "")
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = [*left.split(","), *([right] if arrow else [])]
    fits = len(equation) <= LONGEST_EQUATION and all(map(EQUATION.fullmatch, terms))
    if not fits or len(left.split(",")) != len(node.input):
        raise ModelError(
            f"equation is {equation[:80]!r}; expected letters, a term for each of {len(node.input)} inputs: 'ij,jk->ik'"
        )
