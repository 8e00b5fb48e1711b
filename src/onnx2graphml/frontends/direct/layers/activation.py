"""`keras.layers`, activations."""

from __future__ import annotations

from typing import Any

from onnx2graphml.frontends.direct import activations
from onnx2graphml.frontends.direct.activations import select
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value, broadcast

LOW = -1e9
"""What Keras has in the place of values that a mask hides."""


@layer("Activation", takes={"activation": REQUIRED})
def Activation(call: Call, x: Value) -> Value:
    """Any of Keras' activation functions."""
    return activations.activated(call, x, call["activation"])


@layer("ReLU", takes={"max_value": None, "negative_slope": 0.0, "threshold": 0.0})
def ReLU(call: Call, x: Value) -> Value:
    """At least 0; or with a threshold, a greatest value, a slope below."""
    most, slope, threshold = call["max_value"], call["negative_slope"], call["threshold"]
    require(min(slope, threshold, most or 0) >= 0, "a negative option")
    if slope and most is None and not threshold:
        return activations.leaky_relu(call, x, slope)
    if threshold:
        y = select(call, call.compare("Greater", x, call.single(threshold, x.dtype)), x, 0.0)
    else:
        y = activations.relu6(call, x) if most == 6 else call.unary("Relu", x)
    if most is not None and (threshold or most != 6):
        y = activations.clip(call, y, 0.0, most)
    if not slope:
        return y
    below = call.unary("Neg", x)
    below = call.unary("Relu", call.binary("Add", below, threshold) if threshold else below)
    return call.binary("Sub", y, call.binary("Mul", slope, below))


@layer("LeakyReLU", takes={"negative_slope": 0.3})
def LeakyReLU(call: Call, x: Value) -> Value:
    """A small slope below 0."""
    return activations.leaky_relu(call, x, call["negative_slope"])


@layer("ELU", takes={"alpha": 1.0})
def ELU(call: Call, x: Value) -> Value:
    """Exponential below 0."""
    if call["alpha"] == 1:
        return call.unary("Elu", x)
    above = call.compare("Greater", x, 0.0)
    y = call.unary("Elu", x)
    return select(call, above, y, call.binary("Mul", call["alpha"], y))


@layer("PReLU", takes={"shared_axes": None})
def PReLU(call: Call, x: Value) -> Value:
    """A slope below 0 that is trained."""
    shared = call["shared_axes"] or []
    (alpha,) = call.weights(alpha=tuple(1 if a in shared else n for a, n in enumerate(x.shape))[1:])
    above = call.unary("Relu", x)
    below = call.unary("Relu", call.unary("Neg", x))
    return call.binary("Add", above, call.binary("Mul", below, call.unary("Neg", alpha)))


@layer("Softmax", takes={"axis": -1})
def Softmax(call: Call, x: Value, mask: Value | None = None) -> Value:
    """Shares that sum to 1 along an axis; none where a mask hides it."""
    axis: Any = call["axis"]
    if isinstance(axis, list):
        require(len(axis) == 1, "Softmax along several axes")
        (axis,) = axis
    if mask is None:
        return activations.softmax(call, x, axis)
    return masked_shares(call, x, mask, axis)


def masked_shares(call: Call, x: Value, mask: Value, axis: int) -> Value:
    """Shares of what a mask does not hide."""
    require(mask.rank <= x.rank and broadcast([mask.shape, x.shape]) == x.shape, f"a mask of {mask.shape}")
    shares = activations.softmax(call, select(call, mask, x, LOW), axis)
    return select(call, mask, shares, 0.0)
