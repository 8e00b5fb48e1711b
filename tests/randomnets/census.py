"""What occurs in a model, for a count over many of them: no operator, attribute or type should be missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import onnx
from onnx import helper

from randomnets.draw import Network


def occurring(network: Network) -> Iterator[tuple[str, str]]:
    """Pairs of what is counted and what it is, such as `("attribute", "Conv.group=2")`."""
    graph = network.proto.graph
    constant = {t.name for t in graph.initializer}
    computed = {i.name for i in graph.input} - constant
    yield "opset", str(network.proto.opset_import[0].version)
    yield "inputs", f"{len(computed)} {network.feeding}{' wild' if network.wild else ''}"
    yield "outputs", str(len(graph.output))
    for node in graph.node:
        if computed & set(node.input):
            computed |= set(node.output)
            yield "operator", node.op_type
            yield "inputs of", f"{node.op_type}({', '.join(_kind(i, computed) for i in node.input)})"
            for attribute in node.attribute:
                yield "attribute", f"{node.op_type}.{attribute.name}={bucket(helper.get_attribute_value(attribute))}"
    yield "nodes", str(len([n for n in graph.node if computed & set(n.output)]))
    for info in (*graph.input, *graph.output, *graph.value_info):
        if info.name in computed:
            kind = info.type.tensor_type
            yield "type", onnx.TensorProto.DataType.Name(kind.elem_type)
            yield "rank", str(len(kind.shape.dim))


def _kind(name: str, computed: set[str]) -> str:
    return "-" if not name else "x" if name in computed else "k"


def bucket(value: Any) -> str:
    """Attributes in few words: a list by whether its elements are all the same."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return str(value) if -5 <= value <= 5 else "beyond 5"
    if isinstance(value, onnx.GraphProto):
        return "a graph"
    found = set(value)
    if len(found) == 1:
        return f"{len(value)} of {bucket(found.pop())}"
    return f"{len(value)} mixed" + (", negative ones" if min(value, default=0) < 0 else "")
