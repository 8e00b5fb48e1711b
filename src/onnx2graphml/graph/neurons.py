"""What one neuron computes: `value = activation(aggregation(bias, in-edges))`, in words and in numbers.

The numbers are float64 and NumPy's: nothing here is shared with the runtime that results are compared with.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import UnsupportedError

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Activation:
    """An ONNX operator applied to a neuron's combined value.

    Attributes:
        op: the operator; `ACTIVATIONS` has what it computes.
        parameters: its attributes and constant scalar inputs, in order.

    Example:
        >>> str(Activation("Clip", (("min", 0.0), ("max", 6.0))))
        'Clip(min=0,max=6)'
        >>> Activation.parse("Clip(min=0,max=6)").parameters
        (('min', 0.0), ('max', 6.0))
    """

    op: str
    parameters: tuple[tuple[str, float | str], ...] = ()

    def __str__(self) -> str:
        inside = ",".join(f"{name}={_text(value)}" for name, value in self.parameters)
        return f"{self.op}({inside})" if inside else self.op

    @staticmethod
    def parse(text: str) -> Activation:
        """The activation that `str` wrote."""
        match = re.fullmatch(r"(\w+)(?:\((.*)\))?", text)
        if match is None or match[1] not in ACTIVATIONS:
            raise UnsupportedError(f"activation {text!r} is not known; known: {', '.join(sorted(ACTIVATIONS))}")
        pairs = [pair.partition("=") for pair in (match[2] or "").split(",") if pair]
        if not all(equals for _, equals, _ in pairs):
            raise UnsupportedError(f"activation {text!r} has a parameter without a value; expected NAME=VALUE")
        return Activation(match[1], tuple((n, v if n == "axis" else _number(v)) for n, _, v in pairs))

    def with_axes(self, position: Mapping[int, int]) -> Activation:
        """The activation for a layer shown with other axes: old position -> new; an axis of size 1 may be missing."""
        if not self.couples:
            return self
        axes = sorted(position[a] for a in parse_axes(dict(self.parameters)["axis"]) if a in position)
        return Activation(self.op, (("axis", axes_text(axes)),))

    @property
    def couples(self) -> bool:
        """Whether a neuron's value depends on other neurons of its layer."""
        return self.op in COUPLING

    def __call__(self, x: Values) -> Values:
        """Apply to a layer's values, in the layer's shape (a coupling activation counts its axis there)."""
        with np.errstate(all="ignore"):
            return np.asarray(ACTIVATIONS[self.op](x, **dict(self.parameters)), np.float64)


def _text(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return str(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else repr(value)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def activations_text(activations: Sequence[Activation]) -> str:
    """The `activation` of the file format: joined by `|`, in order of application."""
    return "|".join(map(str, activations))


def parse_activations(text: str) -> tuple[Activation, ...]:
    """The reverse of `activations_text`."""
    return tuple(Activation.parse(part) for part in text.split("|") if part)


def _erf(x: Values) -> Values:
    return np.array([math.erf(v) for v in x.ravel()]).reshape(x.shape)


def axes_text(axes: Iterable[int]) -> str:
    """Positions in a shape as a parameter of an activation, such as `0` or `1+2`."""
    return "+".join(map(str, axes))


def parse_axes(text: float | str) -> tuple[int, ...]:
    """The reverse of `axes_text`."""
    return (int(text),) if not isinstance(text, str) else tuple(int(a) for a in text.split("+") if a)


def _softmax(x: Values, axis: float | str) -> Values:
    axes = parse_axes(axis)
    e = np.exp(x - x.max(axis=axes, keepdims=True))
    return np.asarray(e / e.sum(axis=axes, keepdims=True))


def _log_softmax(x: Values, axis: float | str) -> Values:
    axes = parse_axes(axis)
    y = x - x.max(axis=axes, keepdims=True)
    return np.asarray(y - np.log(np.exp(y).sum(axis=axes, keepdims=True)))


# ONNX defines HardSwish and the Gelu that is approximated by tanh with float32 numbers.
SIXTH, TWO_OVER_PI, CUBIC = (float(np.float32(x)) for x in (1 / 6, 2 / math.pi, 0.044715))


def _gelu(x: Values, approximate: str = "none") -> Values:
    if approximate == "tanh":
        return np.asarray(0.5 * x * (1 + np.tanh(math.sqrt(TWO_OVER_PI) * (x + CUBIC * x**3))))
    return 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def _clip(x: Values, min: float = -math.inf, max: float = math.inf) -> Values:
    return np.minimum(np.maximum(x, min), max)


ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "Relu": lambda x: np.maximum(x, 0),
    "LeakyRelu": lambda x, alpha=0.01: np.where(x < 0, alpha * x, x),
    "PRelu": lambda x, slope: np.where(x < 0, slope * x, x),
    "Elu": lambda x, alpha=1.0: np.where(x < 0, alpha * np.expm1(x), x),
    "Selu": lambda x, alpha, gamma: gamma * np.where(x > 0, x, alpha * np.expm1(x)),
    "Celu": lambda x, alpha=1.0: np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(x / alpha)),
    "ThresholdedRelu": lambda x, alpha=1.0: np.where(x > alpha, x, 0),
    "Sigmoid": lambda x: np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x))),
    "HardSigmoid": lambda x, alpha=0.2, beta=0.5: np.clip(alpha * x + beta, 0, 1),
    "HardSwish": lambda x: x * np.clip(x * SIXTH + 0.5, 0, 1),
    "Tanh": np.tanh,
    "Softplus": lambda x: np.logaddexp(0, x),
    "Softsign": lambda x: x / (1 + np.abs(x)),
    "Clip": _clip,
    "Gelu": _gelu,
    "Erf": _erf,
    "Exp": np.exp,
    "Log": np.log,
    "Sqrt": np.sqrt,
    "Abs": np.abs,
    "Neg": np.negative,
    "Reciprocal": np.reciprocal,
    "Pow": lambda x, exponent: np.power(x, exponent),
    "Softmax": _softmax,
    "LogSoftmax": _log_softmax,
}
COUPLING = ("Softmax", "LogSoftmax")

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Div": np.divide,
    "Pow": np.power,
    "PRelu": lambda x, slope: np.where(x < 0, slope * x, x),
}
"""Scalar functions of several inputs, by port."""
