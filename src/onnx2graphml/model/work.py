"""How much work it is to compute a constant, before it is done: a file of 100 bytes can ask for hours.

The unit is about a nanosecond: an operation on one element by compiled code. ONNX's reference evaluator does some
operators in Python. There, and where the work is not known, it is taken for the square of what goes in and comes out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from onnx2graphml.errors import TooLargeError, UnsupportedError
from onnx2graphml.functions import is_pointwise

Array = npt.NDArray[Any]
Shape = tuple[int, ...]

MOST_WORK = 1 << 31
"""For all constants of a model together."""

SLOW = 64
"""How many times more a product takes that has no fast code: of integers, and of half precision."""

NEVER = ("ImageDecoder", "Optional", "Regex", "Sequence", "Split", "String", "TfIdf")
"""Beginnings of the names of operators of text, pictures and sequences; `Split` itself is none."""

ELEMENTWISE = frozenset(
    {
        *("Add", "ArgMax", "ArgMin", "BatchNormalization", "CastLike", "Compress", "Concat", "Constant"),
        *("ConstantOfShape", "CumSum", "DepthToSpace", "Dropout", "Expand", "EyeLike", "Flatten", "Gather"),
        *("GatherElements", "GlobalAveragePool", "GlobalMaxPool", "GroupNormalization", "Hardmax", "Identity"),
        *("InstanceNormalization", "LayerNormalization", "LpNormalization", "Max", "Mean"),
        *("MeanVarianceNormalization", "Min", "Mul", "NonZero", "Pad", "RMSNormalization", "Range", "ReduceL1"),
        *("ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd"),
        *("ReduceSum", "ReduceSumSquare", "Reshape", "Shape", "Size", "Slice", "SpaceToDepth", "Split"),
        *("Squeeze", "Sub", "Sum", "Tile", "TopK", "Transpose", "Trilu", "Unique", "Unsqueeze"),
    }
)
"""Operators that look at each element that goes in or comes out some ten times, beside functions of one position."""

PER_ELEMENT = 32

MOVES = frozenset(
    {
        *("Concat", "Constant", "Expand", "Flatten", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Transpose"),
        "Unsqueeze",
    }
)
"""Operators that copy each element once, if at all: exporters transpose every weight of a large model."""

PER_MOVED = 2


BY_ROW = frozenset({"GatherND", "ScatterND"})
"""Operators of which the reference goes through the rows of indices in Python, and copies what each of them names."""

PER_ROW = 4096


def check_kind(node: onnx.NodeProto, values: Mapping[str, Array]) -> None:
    """Refuse to compute what takes text or gives it, or anything but tensors.

    Raises:
        UnsupportedError: names the operator.
    """
    op = node.op_type
    text = any(v.dtype.kind not in "fiubcV" for v in values.values())
    if text or (op.startswith(NEVER) and op != "Split"):
        raise UnsupportedError(
            f"its inputs are constant, but operators of text and sequences, as {op}, are not computed"
        )


def work(node: onnx.NodeProto, inputs: Sequence[Array], outputs: Sequence[Shape]) -> int:
    """How much work it is to compute a node.

    Args:
        inputs: those that are given.
        outputs: the outputs' shapes; none where they are not known.

    Example:
        >>> relu = onnx.helper.make_node("Relu", ["x"], ["y"])
        >>> work(relu, [np.zeros((3, 4))], [(3, 4)])
        768
    """
    elements = sum(x.size for x in inputs) + sum(map(math.prod, outputs))
    if node.op_type in MOVES:
        return PER_MOVED * elements
    if node.op_type in ELEMENTWISE or is_pointwise(node.op_type):
        return PER_ELEMENT * elements
    if node.op_type in PRODUCTS and len(inputs) >= 1 and outputs:
        fast = all(x.dtype in (np.float32, np.float64) for x in inputs[:2])
        return (1 if fast else SLOW) * PRODUCTS[node.op_type](node, inputs, outputs) + PER_ELEMENT * elements
    if node.op_type in BY_ROW and len(inputs) > 1:
        return PER_ROW * math.prod(inputs[1].shape[:-1]) + PER_ELEMENT * elements
    return elements * elements


def check_work(amount: int) -> None:
    """Refuse to compute constants that are so much work.

    Raises:
        TooLargeError: it is more than `MOST_WORK`.

    Example:
        >>> check_work(1000)
    """
    if amount > MOST_WORK:
        raise TooLargeError(
            f"its inputs are constant, but computing it takes {amount:,} steps, with all others; it may take "
            f"{MOST_WORK:,}: store such weights in the file instead"
        )


def _matmul(node: onnx.NodeProto, inputs: Sequence[Array], outputs: Sequence[Shape]) -> int:
    return math.prod(outputs[0]) * (inputs[0].shape[-1] if inputs[0].ndim else 1)


def _gemm(node: onnx.NodeProto, inputs: Sequence[Array], outputs: Sequence[Shape]) -> int:
    return math.prod(outputs[0]) * max(inputs[0].shape, default=1)


def _einsum(node: onnx.NodeProto, inputs: Sequence[Array], outputs: Sequence[Shape]) -> int:
    """All combinations of all indices: what it takes where the products are not taken one by one."""
    equation = next((a.s.decode() for a in node.attribute if a.name == "equation"), "").replace(" ", "")
    sizes: dict[str, int] = {}
    for term, array in zip(equation.partition("->")[0].split(","), inputs, strict=False):
        named = term.replace("...", "." * max(array.ndim - len(term) + 3, 0))
        for position, (letter, n) in enumerate(zip(named, array.shape, strict=False)):
            key = letter if letter != "." else f".{len(array.shape) - position}"
            sizes[key] = max(sizes.get(key, 1), n)
    return SLOW * math.prod(sizes.values())


PRODUCTS: dict[str, Callable[[onnx.NodeProto, Sequence[Array], Sequence[Shape]], int]] = {
    "Einsum": _einsum,
    "Gemm": _gemm,
    "MatMul": _matmul,
}
