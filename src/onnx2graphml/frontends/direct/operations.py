"""Functions of `keras.ops` that compute, such as `x + 1` or `ops.mean(x)` on Keras tensors, named as Keras' classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from onnx2graphml.frontends.direct import activations, masks
from onnx2graphml.frontends.direct.call import Call, Like
from onnx2graphml.frontends.direct.policies import FLOATS, is_float
from onnx2graphml.frontends.direct.registry import REQUIRED, operation
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value

ELEMENTWISE = {
    "Add": "Add",
    "Subtract": "Sub",
    "Multiply": "Mul",
    "Maximum": "Max",
    "Minimum": "Min",
    "Power": "Pow",
}
NEUTRAL = {"Add": (0,), "Sub": (0,), "Mul": (0, 1), "Pow": (0, 1)}
"""Numbers that leave nothing to compute, which TensorFlow finds out."""
UNARY = {
    "Absolute": "Abs",
    "Exp": "Exp",
    "Log": "Log",
    "Negative": "Neg",
    "Sqrt": "Sqrt",
    "Tanh": "Tanh",
}
NEURAL = {"Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Silu": "silu", "HardSigmoid": "hard_sigmoid",
          "HardSilu": "hard_silu", "Softplus": "softplus"}  # fmt: skip
REDUCED = {"Mean": "ReduceMean", "Sum": "ReduceSum"}
EXTREME = {"Max": "ReduceMax", "Min": "ReduceMin"}


def _elementwise(op: str) -> Callable[[Call, Like, Like], Value]:
    def make(call: Call, x1: Like, x2: Like) -> Value:
        if any(isinstance(x, float) or (isinstance(x, Value) and is_float(x.dtype)) for x in (x1, x2)):
            x1, x2 = _fractions(call, x1, x2)
        require_floats(x1, x2)
        require(x1 != x2, "a value with itself")
        neutral = NEUTRAL.get(op, ())
        require(all(isinstance(x, Value) or x not in neutral for x in (x1, x2)), "a number that changes nothing")
        return call.binary(op, x1, x2)

    return make


def _unary(op: str) -> Callable[[Call, Value], Value]:
    def make(call: Call, x: Value) -> Value:
        require_floats(x)
        return call.unary(op, x)

    return make


def _neural(activation: str) -> Callable[[Call, Value], Value]:
    def make(call: Call, x: Value) -> Value:
        require_floats(x)
        return activations.activated(call, x, activation)

    return make


def _reduced(op: str) -> Callable[[Call, Value], Value]:
    def make(call: Call, x: Value) -> Value:
        require_floats(x)
        axis = call["axis"]
        axes = [axis] if isinstance(axis, int) else list(axis or ())
        axes = sorted(x.axis(a) for a in axes)
        require(axes and 0 not in axes, "a reduction of the batch")
        pools = op in ("ReduceMean", "ReduceMax") and axes == list(range(2, x.rank))
        require(not pools, "a reduction that becomes a pooling")
        return call.reduce(op, x, axes, call["keepdims"])

    return make


for _name, _op in ELEMENTWISE.items():
    operation(_name, module="numpy")(_elementwise(_op))
for _name, _op in UNARY.items():
    operation(_name, module="numpy")(_unary(_op))
for _name, _op in NEURAL.items():
    operation(_name, module="nn")(_neural(_op))
for _name, _op in REDUCED.items():
    operation(_name, module="numpy", takes={"axis": None, "keepdims": False})(_reduced(_op))
for _name, _op in EXTREME.items():
    operation(_name, module="numpy", takes={"axis": None, "keepdims": False}, only={"initial": None})(_reduced(_op))


@operation("Cast", module="core", takes={"dtype": REQUIRED})
def Cast(call: Call, x: Value) -> Value:
    """The same numbers in another type."""
    dtype = FLOATS.get(call["dtype"])
    require(dtype not in (None, x.dtype), f"a cast of {x.dtype} to {call['dtype']}")
    return call.cast(x, dtype)


@operation("TrueDivide", module="numpy")
def TrueDivide(call: Call, x1: Like, x2: Like) -> Value:
    """The quotient; of a number, the product with its inverse."""
    x1, x2 = _fractions(call, x1, x2)
    require(x1 not in (0, x2) and x2 != 1, "a number that changes nothing")
    if isinstance(x2, Value):
        return call.binary("Div", x1, x2)
    assert isinstance(x1, Value)
    return call.binary("Mul", x1, call.inverse(x2, x1))


@operation("NotEqual", module="numpy")
def NotEqual(call: Call, x1: Value, x2: Like) -> Value:
    """Where a value is another number, as a mask has it."""
    require(not isinstance(x2, Value) or (x1.shape, x1.dtype) == (x2.shape, x2.dtype), "numbers of different kinds")
    return masks.not_equal(call, x1, x2)


@operation("LogicalOr", module="numpy")
def LogicalOr(call: Call, x1: Value, x2: Value) -> Value:
    """Where one of two masks is true."""
    require(x1.dtype == x2.dtype == bool, "numbers as masks")
    return masks.either(call, x1, x2)


@operation("Any", module="numpy", takes={"axis": None, "keepdims": False})
def Any_(call: Call, x: Value) -> Value:
    """Where one of the last axis is true."""
    require(x.dtype == bool and x.axis(call["axis"]) == x.rank - 1, "another axis than the last")
    return masks.any_of(call, x, call["keepdims"])


@operation("ZerosLike", module="numpy", takes={"dtype": None})
def ZerosLike(call: Call, x: Value) -> Value:
    """A mask of the same shape, true nowhere."""
    require(call["dtype"] == "bool", "zeros that are numbers")
    return call.array(np.zeros(x.shape, bool))


@operation("OnesLike", module="numpy", takes={"dtype": None})
def OnesLike(call: Call, x: Value) -> Value:
    """A mask of the same shape, true everywhere."""
    require(call["dtype"] == "bool", "ones that are numbers")
    return call.array(np.ones(x.shape, bool))


@operation("Square", module="numpy")
def Square(call: Call, x: Value) -> Value:
    """The product with itself."""
    require_floats(x)
    return call.binary("Mul", x, x)


@operation("Matmul", module="numpy")
def Matmul(call: Call, x1: Value, x2: Value) -> Value:
    """The product of matrices."""
    require_floats(x1, x2)
    return call.matmul(x1, x2)


@operation("Softmax", module="nn", takes={"axis": -1})
def Softmax(call: Call, x: Value) -> Value:
    """Shares that sum to 1."""
    require_floats(x)
    return activations.softmax(call, x, call["axis"])


def _fractions(call: Call, *values: Like) -> list[Like]:
    """Values in the type of a result that may be a fraction."""
    return [call.cast(x, call.dtype) if isinstance(x, Value) else x for x in values]


def require_floats(*values: Any) -> None:
    """Of whole numbers, Keras decides what type a result has."""
    require(all(not isinstance(v, Value) or is_float(v.dtype) for v in values), "an operation on whole numbers")
