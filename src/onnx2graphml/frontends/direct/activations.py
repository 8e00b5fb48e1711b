"""Keras' activation functions, each with the nodes that TensorFlow's own function becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.registry import LAYERS
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value

Activation = Callable[[Call, Value], Value]

HARD_SIGMOID, OF_KERAS_2 = "hard_sigmoid", "hard_sigmoid of Keras 2"

OBJECTS = ("ELU", "LeakyReLU", "ReLU", "Softmax")
"""Layers without variables that a layer may have as its activation."""

UNARY = {
    "elu": "Elu",
    "exponential": "Exp",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "tanh": "Tanh",
}
"""Those that are one operator of ONNX."""


def activated(call: Call, x: Value, activation: Any) -> Value:
    """A value after a layer's activation, as the configuration names it."""
    if isinstance(activation, Mapping):
        return _object(call, x, activation)
    require(activation is None or isinstance(activation, str), f"the activation {activation!r}")
    if activation in (None, "linear"):
        return x
    if activation in UNARY:
        return call.unary(UNARY[activation], x)
    require(activation in FUNCTIONS, f"the activation {activation!r}")
    return FUNCTIONS[activation](call, x)


def _object(call: Call, x: Value, activation: Mapping[str, Any]) -> Value:
    name, config = activation.get("class_name"), activation.get("config")
    if name == "function" and activation.get("module") in ("keras.activations", "builtins"):
        require(isinstance(config, str), f"the activation {config!r}")
        return activated(call, x, config)
    known = name in OBJECTS and activation.get("module") == "keras.layers" and isinstance(config, dict)
    require(known, f"the activation {name}")
    kind = LAYERS[str(name)]
    assert isinstance(config, dict)
    part = call.part("", str(config.get("name")), kind.options(config), own_types=True)
    made: Value = kind.make(part, call.cast(x, part.dtype))
    return made


def relu6(call: Call, x: Value) -> Value:
    """Between 0 and 6."""
    return call.node("Clip", x, call.number(0), call.number(6), shape=x.shape)


def clip(call: Call, x: Value, low: float, high: float) -> Value:
    """Between two numbers, as `clip_by_value` has it."""
    return call.binary("Max", call.binary("Min", x, call.single(high, x.dtype)), call.single(low, x.dtype))


def leaky_relu(call: Call, x: Value, negative_slope: float = 0.2) -> Value:
    """A small slope below 0."""
    return call.unary("LeakyRelu", x, alpha=float(negative_slope))


def selu(call: Call, x: Value) -> Value:
    """The exponential unit that normalizes itself."""
    return call.unary("Selu", x, alpha=1.6732632423543772, gamma=1.0507009873554805)


def silu(call: Call, x: Value) -> Value:
    """x · sigmoid(x)."""
    return call.binary("Mul", x, call.unary("Sigmoid", x))


def gelu(call: Call, x: Value) -> Value:
    """The exact one, by the error function: x / 2 · (1 - erf(-x / √2))."""
    half = call.binary("Mul", 0.5, x)
    error = call.unary("Erf", call.binary("Mul", call.unary("Neg", x), call.single(np.sqrt(0.5), x.dtype)))
    return call.binary("Mul", half, call.binary("Sub", 1.0, error))


def hard_sigmoid(call: Call, x: Value) -> Value:
    """A ramp from 0 to 1 between -3 and 3."""
    return call.binary("Mul", relu6(call, call.binary("Add", x, 3.0)), call.inverse(6.0, x))


def hard_sigmoid_of_keras_2(call: Call, x: Value) -> Value:
    """A ramp from 0 to 1 between -2.5 and 2.5, which Keras 3 has no more."""
    return call.unary("HardSigmoid", x, alpha=0.2, beta=0.5)


def hard_silu(call: Call, x: Value) -> Value:
    """x · hard_sigmoid(x)."""
    return call.binary("Mul", x, hard_sigmoid(call, x))


def hard_tanh(call: Call, x: Value) -> Value:
    """Between -1 and 1."""
    return clip(call, x, -1.0, 1.0)


def hard_shrink(call: Call, x: Value) -> Value:
    """0 between -0.5 and 0.5."""
    return select(call, call.compare("Greater", call.unary("Abs", x), 0.5), x, 0.0)


def soft_shrink(call: Call, x: Value) -> Value:
    """0 between -0.5 and 0.5, and nearer to 0 by as much beyond."""
    above = call.compare("Greater", x, 0.5)
    below = call.compare("Less", x, -0.5)
    inner = select(call, below, call.binary("Add", x, 0.5), 0.0)
    return select(call, above, call.binary("Sub", x, 0.5), inner)


def glu(call: Call, x: Value) -> Value:
    """One half of the channels, as far as the other lets it."""
    require(x.shape[-1] % 2 == 0, f"halves of {x.shape}")
    kept, gate = call.split(x, 2, x.rank - 1)
    return call.binary("Mul", kept, call.unary("Sigmoid", gate))


def softmax(call: Call, x: Value, axis: int = -1) -> Value:
    """Shares that sum to 1 along an axis."""
    return call.unary("Softmax", x, axis=x.axis(axis))


def log_softmax(call: Call, x: Value) -> Value:
    """Its logarithm."""
    return call.unary("LogSoftmax", x, axis=x.rank - 1)


def log_sigmoid(call: Call, x: Value) -> Value:
    """The logarithm of the sigmoid."""
    return call.unary("Neg", call.unary("Softplus", call.unary("Neg", x)))


def mish(call: Call, x: Value) -> Value:
    """x · tanh(softplus(x))."""
    return call.binary("Mul", x, call.unary("Tanh", call.unary("Softplus", x)))


def tanh_shrink(call: Call, x: Value) -> Value:
    """x - tanh(x)."""
    return call.binary("Sub", x, call.unary("Tanh", x))


def squareplus(call: Call, x: Value) -> Value:
    """(x + √(x² + 4)) / 2."""
    root = call.unary("Sqrt", call.binary("Add", call.binary("Mul", x, x), 4.0))
    return call.binary("Mul", call.binary("Add", x, root), call.inverse(2.0, x))


def select(call: Call, condition: Value, a: Value | float, b: Value | float) -> Value:
    """One or the other, as sums of products."""
    dtype = next(x.dtype for x in (a, b) if isinstance(x, Value))
    kept = call.binary("Mul", call.cast(condition, dtype), a)
    other = call.cast(call.unary("Not", condition), dtype)
    return call.binary("Add", kept, call.binary("Mul", b, other))


FUNCTIONS: dict[str, Activation] = {
    "gelu": gelu,
    "glu": glu,
    "hard_shrink": hard_shrink,
    HARD_SIGMOID: hard_sigmoid,
    OF_KERAS_2: hard_sigmoid_of_keras_2,
    "hard_silu": hard_silu,
    "hard_swish": hard_silu,
    "hard_tanh": hard_tanh,
    "leaky_relu": leaky_relu,
    "log_sigmoid": log_sigmoid,
    "log_softmax": log_softmax,
    "mish": mish,
    "relu6": relu6,
    "selu": selu,
    "silu": silu,
    "soft_shrink": soft_shrink,
    "softmax": softmax,
    "squareplus": squareplus,
    "swish": silu,
    "tanh_shrink": tanh_shrink,
}
"""By Keras' name; the others are left to TensorFlow."""
