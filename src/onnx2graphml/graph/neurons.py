"""What one neuron computes: `value = activation(aggregation(bias, in-edges))`, in words and in numbers.

The numbers are float64 and NumPy's: nothing here is shared with the runtime that results are compared with.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.functions import FUNCTIONS, Function, axes_text, find, parse_axes
from onnx2graphml.functions.record import Values

BASIC = ("input", "constant", "sum", "max", "min", "product")
"""How a neuron's value may start, beside the functions of several values."""


@dataclass(frozen=True)
class Activation:
    """An ONNX operator applied to a neuron's combined value, or combining the values that come in by ports.

    Attributes:
        op: the operator; `functions` has what it computes.
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
        if match is None or match[1] not in FUNCTIONS:
            raise UnsupportedError(f"function {text!r} is not known; known: {', '.join(sorted(FUNCTIONS))}")
        pairs = [pair.partition("=") for pair in (match[2] or "").split(",") if pair]
        if not all(equals for _, equals, _ in pairs):
            raise UnsupportedError(f"function {text!r} has a parameter without a value; expected NAME=VALUE")
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
        return self.function.couples

    @property
    def function(self) -> Function:
        """The record of the function."""
        return find(self.op)

    def __call__(self, *values: Values, **more: Any) -> Values:
        """Apply to a layer's values, in the layer's shape (a coupling activation counts its axis there).

        Of several values, those that come in by ports, each is one number a neuron, flat.
        """
        return self.function(*values, **dict(self.parameters), **more)


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
