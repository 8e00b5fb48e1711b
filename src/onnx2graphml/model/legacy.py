"""Models older than opset 7, raised by ONNX's own version converter, and what that does not see to."""

from __future__ import annotations

from collections.abc import Mapping

import onnx
from onnx import version_converter

from onnx2graphml.errors import ModelError

RAISED_TO = 13


def raised(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model in opset 13.

    Raises:
        ModelError: the converter changes the shape of an output.
    """
    own = onnx.ModelProto()
    own.CopyFrom(proto)
    ranks = _ranks(own)
    _align_broadcast(own, ranks)
    later = version_converter.convert_version(own, RAISED_TO)
    _spread_slopes(later, ranks)
    _check_outputs(own, later)
    return later


def _ranks(proto: onnx.ModelProto) -> dict[str, int]:
    graph = onnx.shape_inference.infer_shapes(proto).graph
    known = [*graph.input, *graph.value_info, *graph.output]
    ranks = {v.name: len(v.type.tensor_type.shape.dim) for v in known if v.type.tensor_type.HasField("shape")}
    return ranks | {t.name: len(t.dims) for t in graph.initializer}


def _align_broadcast(proto: onnx.ModelProto, ranks: Mapping[str, int]) -> None:
    """Before opset 7 an operand could be broadcast from a given axis on: axes of size 1 behind it say the same.

    The converter has a case for this that puts those axes in the wrong place.
    """
    nodes = []
    for node in proto.graph.node:
        axis = next((a for a in node.attribute if a.name == "axis"), None)
        if axis is not None and any(a.name == "broadcast" and a.i for a in node.attribute):
            large, small = (ranks.get(i) for i in node.input[:2])
            if large is None or small is None:
                raise ModelError(f"node {node.name or node.output[0]!r}: its broadcast needs inputs of known rank")
            behind = large - axis.i % large - small
            node.attribute.remove(axis)
            if behind:
                name = f"{node.output[0]}/aligned"
                axes = list(range(small, small + behind))
                nodes.append(onnx.helper.make_node("Unsqueeze", [node.input[1]], [name], axes=axes))
                node.input[1] = name
        nodes.append(node)
    kept = [onnx.NodeProto.FromString(n.SerializeToString()) for n in nodes]
    del proto.graph.node[:]
    proto.graph.node.extend(kept)


def _spread_slopes(proto: onnx.ModelProto, ranks: Mapping[str, int]) -> None:
    """PRelu's slopes used to be one per channel; since opset 7 they are broadcast as any array."""
    tensors = {t.name: t for t in proto.graph.initializer}
    inputs = {i.name: i.type.tensor_type.shape for i in proto.graph.input}
    for node in proto.graph.node:
        slope = tensors.get(node.input[1]) if node.op_type == "PRelu" else None
        if slope is not None and list(slope.dims) not in ([], [1]) and len(slope.dims) == 1:
            behind = ranks[node.input[0]] - 2
            slope.dims.extend([1] * behind)
            for _ in range(behind if slope.name in inputs else 0):
                inputs[slope.name].dim.add().dim_value = 1


def _check_outputs(before: onnx.ModelProto, after: onnx.ModelProto) -> None:
    """A conversion that goes wrong mostly shows in the outputs' shapes."""
    bare = onnx.ModelProto()
    bare.CopyFrom(after)
    for output in bare.graph.output:
        output.type.tensor_type.ClearField("shape")
    found = onnx.shape_inference.infer_shapes(bare, data_prop=True).graph.output
    for declared, inferred in zip(before.graph.output, found, strict=True):
        old, new = ([d.dim_value for d in v.type.tensor_type.shape.dim] for v in (declared, inferred))
        if not old or not new:
            continue  # one is a scalar or, as often, not known
        if len(old) != len(new) or any(a and b and a != b for a, b in zip(old, new, strict=True)):
            raise ModelError(
                f"raised to opset {RAISED_TO}, its output {declared.name!r} has shape {new} instead of {old}; "
                f"export the model in opset 7 or later"
            )
