"""Shapes that a model computes from its data, and declares of an output: what it declares is taken."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from onnx2graphml.model.nodes import tensor_type

SHAPED = ("Expand", "Reshape")
"""Operators whose second input says the shape of their output, and nothing else."""


def with_declared_shapes(proto: onnx.ModelProto) -> onnx.ModelProto | None:
    """The model with constant shapes where it declares an output's; None where there is no such place.

    The nodes that nobody reads then are gone.

    Example:
        >>> with_declared_shapes(onnx.load("fixtures/digits.onnx")) is None
        True
    """
    made = onnx.ModelProto()
    made.CopyFrom(proto)
    graph = made.graph
    declared = {i.name: tensor_type(i.type) for i in graph.output}
    computed = {o for node in graph.node for o in node.output}
    changed = False
    for node in graph.node:
        known = declared.get(node.output[0]) if node.output else None
        if node.op_type in SHAPED and not node.domain and known is not None and node.input[1] in computed:
            name = f"{node.output[0]}/declared shape"
            graph.initializer.append(numpy_helper.from_array(np.array(known.shape, np.int64), name))
            node.input[1] = name
            changed = True
    if not changed:
        return None
    _drop_unread(graph)
    return made


def _drop_unread(graph: onnx.GraphProto) -> None:
    wanted, kept = {o.name for o in graph.output}, []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input) | {i for a in node.attribute for g in (a.g, *a.graphs) for i in _read_in(g)}
            kept.append(node)
    kept = [*reversed(kept)]
    del graph.node[:]
    graph.node.extend(kept)


def _read_in(graph: onnx.GraphProto) -> set[str]:
    """What the nodes of a subgraph read, those within theirs among them."""
    inner = (g for node in graph.node for a in node.attribute for g in (a.g, *a.graphs))
    return {i for node in graph.node for i in node.input}.union(*map(_read_in, inner))
