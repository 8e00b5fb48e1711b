"""A step for each function of one or two values that the package has a record of, and none is written out for.

Truth values and integers are cast to floats again, so that the network may go on from them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from onnx2graphml.functions import FUNCTIONS, Function
from onnx2graphml.ops import OPERATORS
from randomnets.builder import Builder, Tensor, Unfit
from randomnets.constants import constant, numbers
from randomnets.ranges import calm
from randomnets.runtime import OPSETS
from randomnets.steps import STEPS, Step

LOGIC = ("Not", "And", "Or", "Xor")
BITS = ("BitwiseNot", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitShift")
OWN = ("BitCast", "Cast", "OneHot", "QuantizeLinear", "DequantizeLinear")
"""Those that have steps of their own."""
UNTIL = {"Swish": 24}
"""The last opsets in which ONNX Runtime has an operator, or makes it of others."""
INTEGERS = 1e9
"""Larger floats have no specified value as 32-bit integers."""
MORE: dict[str, dict[str, Sequence[Any]]] = {
    "Shrink": {"bias": (0.0, 0.5), "lambd": (0.5, 1.5)},
    "Swish": {"alpha": (1.0, 0.5)},
    "IsInf": {"detect_negative": (0, 1)},
    "Mod": {"fmod": (1,)},
    "BitShift": {"direction": ("LEFT", "RIGHT")},
}
"""Attributes, of which the operators whose floats need one always have it."""


def first_opset(op: str) -> int:
    """Since when ONNX has an operator."""
    return min(s.since_version for s in onnx.defs.get_all_schemas_with_history() if s.name == op and not s.domain)


def single(b: Builder, x: Tensor) -> Tensor:
    """The tensor if it is a float32, in which ONNX Runtime has every kernel."""
    if x.dtype != np.float32:
        raise Unfit
    return x


def hidden(b: Builder, op: str, inputs: Sequence[str], **attributes: Any) -> str:
    """A node from whose output only the next one goes on."""
    name = b.fresh("h")
    b.node(op, inputs, [name], **attributes)
    return name


def as_float(b: Builder, name: str, shape: Sequence[int], low: float, high: float, edges: int) -> Tensor:
    """The values of a hidden tensor as floats."""
    size = int(np.prod(shape))
    b.afford("Cast", [np.dtype(np.float32)], 2 * size, edges + size)
    found = b.take(Tensor("", tuple(shape), np.dtype(np.float32), low, high))
    b.node("Cast", [name], [found.name], to=TensorProto.FLOAT)
    return found


def second(b: Builder, x: Tensor, largest: float = math.inf) -> str:
    """Another tensor of the same shape that is no larger, or a constant."""
    found = [t for t in b.tensors if t.shape == x.shape and t.dtype == x.dtype and t.largest <= largest] or [x]
    return b.random.choice(found).name if b.chance(0.5) else constant(b, numbers(b, x.shape, x.dtype, largest=2))


def _float(op: str, function: Function) -> Callable[[Builder, Tensor], Tensor]:
    def grow(b: Builder, x: Tensor) -> Tensor:
        x = calm(b, single(b, x), 1.0)
        given = {name: b.random.choice(values) for name, values in MORE.get(op, {}).items()}
        with np.errstate(invalid="ignore"):  # between infinities
            values = function(np.linspace(x.low, x.high, 101), **given)
        ends = (float(values.min()) - 1, float(values.max()) + 1) if np.isfinite(values).all() else (-np.inf, np.inf)
        return b.add(op, [x], x.shape, *ends, **given)

    return grow


def _through(op: str, function: Function, kind: int | None) -> Callable[[Builder, Tensor], Tensor]:
    """Of truth values, integers or floats, to floats."""

    def grow(b: Builder, x: Tensor) -> Tensor:
        x = calm(b, single(b, x), 50.0)
        if op in BITS and x.largest > INTEGERS:
            raise Unfit
        names = [x.name, *(second(b, x, INTEGERS if op in BITS else math.inf) for _ in function.inputs[1:])]
        if op == "BitShift":
            names[1] = constant(b, np.full(x.shape, 3, np.float32))
            names[0] = hidden(b, "Abs", names[:1])
        if kind is not None:
            names = [hidden(b, "Cast", [name], to=kind) for name in names]
        given = {name: b.random.choice(values) for name, values in MORE.get(op, {}).items()}
        return as_float(b, hidden(b, op, names, **given), x.shape, -1000.0, 1000.0, 4 * x.size)

    return grow


def _where(b: Builder, x: Tensor) -> Tensor:
    x = single(b, x)
    condition = hidden(b, "Greater", [x.name, second(b, x)])
    b.afford("Where", [x.dtype], x.size, 4 * x.size)
    size = max(x.largest, 1e5)
    return b.add("Where", [condition, x, second(b, x)], x.shape, -size, size)


def _mod(b: Builder, x: Tensor) -> Tensor:
    x = single(b, x)
    divisor = np.abs(numbers(b, x.shape, x.dtype, largest=3)) + np.float32(0.5)
    return b.add("Mod", [x, constant(b, divisor)], x.shape, -4, 4, fmod=1)


def _step(op: str, function: Function) -> Callable[[Builder, Tensor], Tensor]:
    if op in LOGIC:
        return _through(op, function, TensorProto.BOOL)
    if op in BITS:
        return _through(op, function, TensorProto.UINT32 if op == "BitShift" else TensorProto.INT32)
    special = {"Where": _where, "Mod": _mod}.get(op)
    if special is not None:
        return special
    is_question = op in ("IsNaN", "IsInf") or len(function.inputs) > 1
    return _through(op, function, None) if is_question else _float(op, function)


def add_steps() -> None:
    """Those that are missing, once the others are registered."""
    for op, function in FUNCTIONS.items():
        if op in OPERATORS and op not in STEPS and op not in OWN and not function.candidates:
            since = max(first_opset(op), 11 if op == "Equal" else 9)
            STEPS[op] = Step(op, _step(op, function), since, UNTIL.get(op, OPSETS[-1]))
