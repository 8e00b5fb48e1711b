"""Constants computed: by ONNX's reference evaluator, and all of them once more by ONNX Runtime.

The reference is not the specification: for some operators of older opsets, and in half precision, it computes something
else. What the network computes is what ONNX Runtime makes of it, so its values are taken; where the two differ by more
than rounding, nothing is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from onnx2graphml.errors import ModelError, UnsupportedError, reason
from onnx2graphml.model.boundary import about

Array = npt.NDArray[Any]

TOLERANCE = {2: 2.0**-7, 4: 2.0**-14, 8: 2.0**-30}
"""By the bytes of a float: what sums in another order make of it, in parts of the tensor's largest number."""

EVALUATED_FROM = {"DequantizeLinear": 19, "QuantizeLinear": 19}
"""The first opset whose version of an operator the reference evaluator knows, where an older one means the same."""

TRIVIAL = ("Constant", "Identity")
"""Operators that nothing can be said about twice."""


def evaluated(node: onnx.NodeProto, feeds: Mapping[str, Array], around: onnx.ModelProto) -> dict[str, Array]:
    """The outputs of a node with constant inputs, by ONNX's reference evaluator.

    Args:
        around: a model with its opsets and its version of the format; the graph does not matter.

    Raises:
        UnsupportedError: it can't be evaluated, or an output is no tensor.
    """
    from onnx.reference import ReferenceEvaluator

    outputs = [o for o in node.output if o]
    if max(o.version for o in around.opset_import if not o.domain) < (first := EVALUATED_FROM.get(node.op_type, 0)):
        around = onnx.helper.make_model(onnx.GraphProto(), opset_imports=[onnx.helper.make_opsetid("", first)])
    with about("its inputs are constant but ONNX can't evaluate it", UnsupportedError), np.errstate(all="ignore"):
        values = ReferenceEvaluator(_model([node], list(feeds), outputs, around)).run(None, dict(feeds))
    for name, value in zip(outputs, values, strict=True):
        if not isinstance(value, np.ndarray | np.generic):
            raise UnsupportedError(f"its output {name!r} is a {type(value).__name__}; expected a tensor")
    return dict(zip(outputs, map(np.asarray, values), strict=True))


def confirmed(
    nodes: Sequence[onnx.NodeProto], constants: Mapping[str, Array], wanted: Collection[str], around: onnx.ModelProto
) -> dict[str, Array]:
    """ONNX Runtime's values of constants that nodes compute.

    What it has no code for it can't run in the network either: the reference's values of such nodes are left, and the
    others are compared one by one.

    Args:
        nodes: all that are constant, in topological order.
        constants: the values of all constants, those that the nodes compute as the reference has them.
        wanted: names of those to be computed; what no node computes is left out.

    Raises:
        UnsupportedError: ONNX Runtime makes something else of them; names the tensor.
    """
    chosen = _needed([n for n in nodes if all(i in constants for i in read_by(n))], wanted)
    if all(node.op_type in TRIVIAL for node in chosen):
        return {}
    try:
        found = _by_runtime(chosen, constants, wanted, around)
    except UnsupportedError:
        found = {}
        for node in chosen:
            with contextlib.suppress(UnsupportedError):
                found |= _by_runtime([node], constants, node.output, around)
    made = {o: node for node in chosen for o in node.output if o}
    for name, value in found.items():
        if not agree(constants[name], value):
            node = made[name]
            raise UnsupportedError(
                f"node {node.name or name!r} ({node.op_type}): its inputs are constant, and ONNX Runtime makes another "
                f"value of them than ONNX's reference: store the tensor {name!r} in the model instead"
            )
    return {n: v for n, v in found.items() if n in wanted}


def _needed(nodes: Sequence[onnx.NodeProto], wanted: Collection[str]) -> list[onnx.NodeProto]:
    """The nodes that the wanted tensors depend on, in their order."""
    names, chosen = set(wanted), []
    for node in reversed(nodes):
        if names & set(node.output):
            names |= set(read_by(node))
            chosen.append(node)
    return chosen[::-1]


def _rounds(node: onnx.NodeProto, value: Array) -> bool:
    """Whether ONNX Runtime leaves a rounding out unless it is asked for the tensor."""
    return bool(value.dtype == np.float16) or node.op_type in ("Cast", "CastLike")


def read_by(node: onnx.NodeProto) -> Iterable[str]:
    """The tensors that a node reads, also within its subgraphs."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield from filter(None, each.input)
        waiting += [n for a in each.attribute for g in (a.g, *a.graphs) for n in g.node]


def agree(one: Array, other: Array) -> bool:
    """Whether two arrays are equal but for rounding.

    Example:
        >>> agree(np.float32([1, np.inf]), np.float32([1.0000001, np.inf])), agree(np.float32([1]), np.float32([1.1]))
        (True, False)
    """
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if np.array_equal(one, other) or one.dtype.kind != "f":
        return bool(np.array_equal(one, other))
    finite = np.isfinite(one)
    if not np.array_equal(one[~finite], other[~finite], equal_nan=True) or not np.isfinite(other[finite]).all():
        return False
    a, b = one[finite].astype(np.float64), other[finite].astype(np.float64)
    bound = TOLERANCE[one.dtype.itemsize] * np.abs(a).max(initial=0) if one.dtype.itemsize in TOLERANCE else 0
    return bool((np.abs(a - b) <= bound).all())


def _by_runtime(
    nodes: Sequence[onnx.NodeProto], constants: Mapping[str, Array], wanted: Collection[str], around: onnx.ModelProto
) -> dict[str, Array]:
    """What the nodes make of the constants that they read."""
    import onnxruntime as ort

    made = {o: node for node in nodes for o in node.output if o}
    asked = [n for n in made if n in constants and (n in wanted or _rounds(made[n], constants[n]))]
    read = {i for node in nodes for i in read_by(node)} - made.keys()
    feeds = {n: np.asarray(constants[n], order="C") for n in sorted(read)}
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        proto = _model(nodes, feeds, asked, around, constants).SerializeToString()
        session = ort.InferenceSession(proto, options, providers=["CPUExecutionProvider"])
        return dict(zip(asked, map(np.asarray, session.run(asked, feeds)), strict=True))
    except MemoryError:
        raise
    except Exception as e:
        raise UnsupportedError(f"ONNX Runtime can't compute the model's constants: {reason(e)}") from e


def _model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Iterable[str],
    outputs: Iterable[str],
    around: onnx.ModelProto,
    known: Mapping[str, Array] | None = None,
) -> onnx.ModelProto:
    """A model of some of the nodes."""

    def info(name: str) -> onnx.ValueInfoProto:
        if known is None or name not in known:
            return onnx.helper.make_empty_tensor_value_info(name)
        try:
            kind = onnx.helper.np_dtype_to_tensor_dtype(known[name].dtype)
        except (KeyError, ValueError):
            raise ModelError(f"tensor {name!r} has type {known[name].dtype}; expected one of ONNX's") from None
        return onnx.helper.make_tensor_value_info(name, kind, known[name].shape)

    graph = onnx.helper.make_graph(nodes, "constants", list(map(info, inputs)), list(map(info, outputs)))
    return onnx.helper.make_model(graph, opset_imports=around.opset_import, ir_version=around.ir_version)
