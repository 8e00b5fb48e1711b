"""Operators of ONNX Runtime's own that it writes as ONNX's: under their own domain they can be told from those."""

from __future__ import annotations

import onnx

from onnx2graphml.model.lowering.registry import MICROSOFT

FIRST_OPSETS = {"LayerNormalization": 17, "SimplifiedLayerNormalization": 1 << 30}
"""From when on they are ONNX's, if ever."""


def to_own_domain(proto: onnx.ModelProto) -> None:
    """Move such nodes to the domain `com.microsoft`, and import what domains of ONNX Runtime's the nodes are of.

    Args:
        proto: is changed.
    """
    versions = {o.domain: o.version for o in proto.opset_import}
    opset = max((v for d, v in versions.items() if d in ("", "ai.onnx")), default=0)
    for node in proto.graph.node:
        if node.domain in ("", "ai.onnx") and opset < FIRST_OPSETS.get(node.op_type, 0):
            node.domain = MICROSOFT
    if MICROSOFT not in versions and any(n.domain == MICROSOFT for n in proto.graph.node):
        proto.opset_import.add(domain=MICROSOFT, version=1)


def as_written(proto: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that ONNX Runtime can run: its nodes are of the domains that it knows them by.

    An output of a loop that is left out gets a name: ONNX Runtime 1.32 would crash.
    """
    made = onnx.ModelProto()
    made.CopyFrom(proto)
    for number, node in enumerate(made.graph.node):
        if any(a.HasField("g") for a in node.attribute):
            node.output[:] = [o or f"{node.op_type}/{number}/{k}/unread" for k, o in enumerate(node.output)]
        if node.domain == MICROSOFT and node.op_type in FIRST_OPSETS:
            node.domain = ""
    return made
