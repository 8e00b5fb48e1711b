"""ONNX to ONNX, before the walk: operators that have intermediate results become the operators of those results.

What is left are primitives, for which `ops` has a function each. Any other operator is replaced: by a function in
`LOWERINGS`, or, for those in `BY_BODY`, by the function body that ONNX itself defines.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

import onnx

from onnx2graphml.errors import ModelError, UnsupportedError, reason
from onnx2graphml.model.lowering import (  # noqa: F401  (they register their functions)
    classical,
    compress,
    control,
    embedding,
    flexible,
    grids,
    linear,
    microsoft,
    ngrams,
    normalization,
    quantized,
    recurrent,
    regions,
    sampled,
    sequences,
    trees,
)
from onnx2graphml.model.lowering.builder import Builder, Graph
from onnx2graphml.model.lowering.functions import BY_BODY, by_body, has_body
from onnx2graphml.model.lowering.registry import (
    LOWERINGS,
    ONLY_IF_CONSTANT,
    ONLY_IF_REPEATED,
    PRIMITIVE_IF_CONSTANT,
    call,
)
from onnx2graphml.model.nodes import plain

__all__ = ["BY_BODY", "LOWERINGS", "add_lowered", "can_be_evaluated", "is_lowered"]

ONNX_DOMAINS = ("", "ai.onnx")


def is_lowered(node: onnx.NodeProto, opset: int, constants: Container[str] = ()) -> bool:
    """Whether a node is replaced by others.

    Args:
        opset: of ONNX's own domain.
        constants: names of tensors.

    Example:
        >>> [is_lowered(onnx.helper.make_node(op, [], []), 17) for op in ("LSTM", "LayerNormalization", "Conv")]
        [True, True, False]
    """
    domain, op = _key(node)
    if (domain, op) in ONLY_IF_CONSTANT:
        return node.input[ONLY_IF_CONSTANT[domain, op]] in constants
    if (domain, op) in ONLY_IF_REPEATED:
        repeated = ONLY_IF_REPEATED[domain, op]
        return any(i and i not in constants and i in node.input[:repeated] for i in node.input[repeated : repeated + 1])
    if (domain, op) in PRIMITIVE_IF_CONSTANT:
        inputs = [node.input[k] for k in PRIMITIVE_IF_CONSTANT[domain, op] if k < len(node.input)]
        return any(i and i not in constants for i in inputs)
    return (domain, op) in LOWERINGS or (not domain and op in BY_BODY and has_body(op, opset))


def _key(node: onnx.NodeProto) -> tuple[str, str]:
    """The domain, empty for ONNX's own, and the operator."""
    return "" if node.domain in ONNX_DOMAINS else node.domain, node.op_type


def can_be_evaluated(node: onnx.NodeProto) -> bool:
    """Whether ONNX's reference evaluator is to compute a node with constant inputs, rather than its parts each.

    How long a loop runs can't be told beforehand, but counted.
    """
    return (
        "Sequence" not in node.op_type
        and node.domain in ONNX_DOMAINS
        and not any(a.HasField("g") or a.graphs for a in node.attribute)
    )


def add_lowered(graph: Graph, node: onnx.NodeProto, layer: str | None) -> dict[str, str]:
    """Add the nodes that compute what an operator does.

    Returns:
        For each of the node's outputs that is asked for, the name of the tensor that was made for it, by that name.

    Raises:
        UnsupportedError: an output, an input or an attribute is none that the lowering knows.
        ModelError: its attributes or its subgraphs don't fit its inputs.
    """
    op = Builder(graph, node, layer)
    try:
        outputs = _outputs(op, node, layer)
    except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError) as e:  # of a file that is not valid
        raise ModelError(f"its attributes or its subgraphs don't fit its inputs: {reason(e)}") from None
    made: dict[str, str] = {}
    for k, name in enumerate(node.output):
        if not name:
            continue
        result = outputs[k] if k < len(outputs) else None
        if result is None:
            raise UnsupportedError(f"its output {k} ({name!r}) is used, which can't be expressed by other operators")
        if result in graph.sequences:
            graph.sequences[name] = graph.sequences[result]
            continue
        if result in made or not result.startswith(f"{op.name}/"):
            result = str(op.Identity(result, label="output"))
        made[result] = name
    return made


def _outputs(op: Builder, node: onnx.NodeProto, layer: str | None) -> Sequence[str | None]:
    """What a node's outputs are called after its parts were added."""
    if (function := LOWERINGS.get(_key(node))) is not None:
        return call(function, op, node.input, plain(node, layer).attributes)
    return by_body(op, node)
