"""A model as it should be: checked by ONNX, its nodes in order, of an opset from 7 on, and without functions."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Iterator

import onnx
from onnx import inliner

from onnx2graphml.errors import ModelError
from onnx2graphml.model.boundary import about
from onnx2graphml.model.legacy import raised
from onnx2graphml.model.limits import check_nodes as check_number_of_nodes
from onnx2graphml.model.schema import check_nodes

OLDEST_OPSET = 7
NEUTRAL_OPSET = 21
"""Of the operators that take the place of others, in a model that has none of ONNX's own domain."""

Function = tuple[str, str, str]  # domain, name, overload


def opset_of(proto: onnx.ModelProto) -> int:
    """The version of ONNX's own domain that the model is written in.

    Where a model says it more than once, the last one counts, as in ONNX Runtime.

    Raises:
        ModelError: there is none, or the installed onnx doesn't know it.

    Example:
        >>> opset_of(onnx.load("fixtures/residual.onnx")) >= OLDEST_OPSET
        True
    """
    versions = [int(o.version) for o in proto.opset_import if o.domain in ("", "ai.onnx")]
    newest = onnx.defs.onnx_opset_version()
    if not versions:
        raise ModelError("the model imports no opset of ONNX's own domain; expected one: export it again")
    version = versions[-1]
    if not 1 <= version <= newest:
        raise ModelError(f"the model's opset is {version}; the installed onnx knows opsets from 1 up to {newest}")
    return version


def normalized(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model, valid, of an opset that the operators are written for, and without functions of its own.

    Args:
        proto: is changed.

    Raises:
        ModelError: it is not valid, or can't be raised to a newer opset.
        TooLargeError: inlined, its functions would be too many nodes.
    """
    with about("not a valid ONNX model"):
        _import_own_domain(proto)
        opset = opset_of(proto)
        _import_once(proto)
        if not proto.graph.output:
            raise ModelError("the graph has no outputs; expected one or more: name what the network computes")
        _sort(proto)
        _check_functions(proto)
        check_nodes(proto, opset)
        _check(proto)
        if opset < OLDEST_OPSET:
            proto = raised(proto)
        if proto.functions:
            proto = inliner.inline_local_functions(proto)
    return proto


def _import_own_domain(proto: onnx.ModelProto) -> None:
    """Import ONNX's own domain where no node is of it: the nodes that replace others are."""
    domains = {o.domain for o in proto.opset_import}
    nodes = list(_with_inner([*proto.graph.node, *(n for f in proto.functions for n in f.node)]))
    if nodes and domains and not domains & {"", "ai.onnx"} and not any(n.domain in ("", "ai.onnx") for n in nodes):
        proto.opset_import.add(domain="", version=NEUTRAL_OPSET)


def _import_once(proto: onnx.ModelProto) -> None:
    """Leave of several imports of a domain, of which ONNX's own has two names, the last one."""
    last = {"" if o.domain == "ai.onnx" else o.domain: o.version for o in proto.opset_import}
    del proto.opset_import[:]
    for domain, version in last.items():
        proto.opset_import.add(domain=domain, version=version)


def _check(proto: onnx.ModelProto) -> None:
    """ONNX's checker; outputs without a type or shape, which it refuses and ONNX Runtime runs, are inferred later."""
    bare = [
        o for o in proto.graph.output if not o.type.HasField("tensor_type") or not o.type.tensor_type.HasField("shape")
    ]
    bare = [o for o in bare if o.type.WhichOneof("value") in (None, "tensor_type")]
    for output in bare:
        output.type.tensor_type.elem_type = output.type.tensor_type.elem_type or onnx.TensorProto.FLOAT
        output.type.tensor_type.shape.SetInParent()
    onnx.checker.check_model(proto)
    for output in bare:
        output.ClearField("type")


def _sort(proto: onnx.ModelProto) -> None:
    """Put the nodes in topological order, as ONNX demands and not every exporter provides."""
    nodes = list(proto.graph.node)
    maker = {o: k for k, node in enumerate(nodes) for o in node.output if o}
    before = {k: {maker[i] for i in _read_by(node) if maker.get(i, k) != k} for k, node in enumerate(nodes)}
    if all(j < k for k, needed in before.items() for j in needed):
        return
    try:
        order = list(graphlib.TopologicalSorter(before).static_order())
    except graphlib.CycleError as e:
        names = [nodes[k].name or nodes[k].output[0] for k in e.args[1]]
        raise ModelError(f"its nodes form a cycle: {' <- '.join(names)}") from None
    in_order = onnx.GraphProto(node=[nodes[k] for k in order])
    del proto.graph.node[:]
    proto.graph.node.extend(in_order.node)


def _read_by(node: onnx.NodeProto) -> Iterator[str]:
    """The tensors that a node reads, also within its subgraphs."""
    for each in _with_inner([node]):
        yield from each.input


def _with_inner(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """The nodes, and those of their subgraphs."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _with_inner(graph.node)


def _check_functions(proto: onnx.ModelProto) -> None:
    """Refuse functions that call themselves, or that inlining multiplies."""
    if not proto.functions:
        return
    bodies = {(f.domain, f.name, f.overload): f.node for f in proto.functions}
    calls = {key: _calls(nodes) for key, nodes in bodies.items()}
    try:
        order = list(graphlib.TopologicalSorter(calls).static_order())
    except graphlib.CycleError as e:
        names = [name for _, name, _ in e.args[1]]
        raise ModelError(f"its functions call themselves: {' <- '.join(names)}") from None
    size: dict[Function, int] = {}
    for key in order:
        size[key] = sum(size[c] for c in calls[key]) if key in bodies else 1
    check_number_of_nodes(sum(size.get(c, 1) for c in _calls(proto.graph.node)))


def _calls(nodes: Iterable[onnx.NodeProto]) -> list[Function]:
    """What is called, a function or an operator, as often as it is."""
    return [(n.domain, n.op_type, n.overload) for n in _with_inner(nodes)]
