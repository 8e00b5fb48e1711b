"""Nodes of a body, a subgraph's or a function's, added to a graph under names of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import onnx

from onnx2graphml.model.initializers import initializers
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.nodes import node_name

Names = dict[str, str]
"""What the tensors of a body are called in the graph that it is added to."""


def add_graph(op: Builder, body: onnx.GraphProto, inputs: Sequence[str]) -> list[str]:
    """Add a subgraph's nodes once.

    Args:
        inputs: what its inputs are, in their order.

    Returns:
        What its outputs are called.
    """
    names: Names = dict(zip((i.name for i in body.input), inputs, strict=True))
    for name, value in initializers(body):
        names[name] = op.constant(value, label=name)
    for node in body.node:
        op.emit(_instance(op, node, names))
    return [names.get(o.name, o.name) for o in body.output]


def add_function(
    op: Builder, nodes: Iterable[onnx.NodeProto], names: Names, attributes: Mapping[str, onnx.AttributeProto]
) -> None:
    """Add a function's nodes.

    Args:
        names: of its inputs; gets those of all other tensors.
        attributes: what its nodes' references to the function's attributes are replaced by.
    """
    for node in nodes:
        instance = _instance(op, node, names)
        _set_attributes(instance, attributes)
        op.emit(instance)


def _instance(op: Builder, node: onnx.NodeProto, names: Names) -> onnx.NodeProto:
    """A copy of a node whose outputs have new names, which are put into `names`."""
    made = onnx.NodeProto()
    made.CopyFrom(node)
    made.input[:] = [names.get(i, i) for i in node.input]
    for output in filter(None, node.output):
        names[output] = op.fresh(output)
    made.output[:] = [names.get(o, o) for o in node.output]
    made.name = next((o for o in made.output if o), node_name(node))
    for attribute in made.attribute:
        for graph in (attribute.g, *attribute.graphs):
            _rename_within(graph, names)
    return made


def _rename_within(body: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Rename what a subgraph reads of the tensors around it."""
    own = {i.name for i in body.input} | {i.name for i in body.initializer} | {o for n in body.node for o in n.output}
    around = {old: new for old, new in names.items() if old not in own}
    for node in body.node:
        node.input[:] = [around.get(i, i) for i in node.input]
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                _rename_within(graph, around)
    for output in body.output:
        output.name = around.get(output.name, output.name)


def _set_attributes(node: onnx.NodeProto, attributes: Mapping[str, onnx.AttributeProto]) -> None:
    """Put values in the place of references to a function's attributes; one without a value is left out."""
    kept = []
    for attribute in node.attribute:
        if not attribute.ref_attr_name:
            kept.append(attribute)
        elif attribute.ref_attr_name in attributes:
            value = onnx.AttributeProto()
            value.CopyFrom(attributes[attribute.ref_attr_name])
            value.name = attribute.name
            kept.append(value)
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                _set_attributes(inner, attributes)
    copies = onnx.NodeProto(attribute=kept)
    del node.attribute[:]
    node.attribute.extend(copies.attribute)
