"""Functions of one value, Clip, and Softmax."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from randomnets.builder import Builder, Tensor
from randomnets.constants import constant
from randomnets.ranges import calm, finite, infinite, of_rank, positive
from randomnets.steps import STEPS, Step, step

Bounds = Callable[[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Function:
    """A function of one value.

    Attributes:
        bounds: of its values, from those of its argument.
        parameters: what its attributes may be; each is drawn or left at the default.
        argument: the largest argument that does not overflow, where there is one.
        positive: whether its argument must stay away from 0.
    """

    bounds: Bounds
    since: int = 7
    parameters: tuple[tuple[str, tuple[float | str, ...]], ...] = ()
    argument: float = math.inf
    positive: bool = False


def between(low: float, high: float) -> Bounds:
    return lambda _low, _high: (low, high)


def slope(factor: float = 1.0) -> Bounds:
    """Of functions that are at most so many times as large as their argument."""

    def bounds(low: float, high: float) -> tuple[float, float]:
        size = max(abs(low), abs(high)) * factor + 2
        return -size, size

    return bounds


ALPHA = ("alpha", (0.01, 0.3, 1.0, 1.5, 0.1))
FUNCTIONS: dict[str, Function] = {
    "Relu": Function(lambda low, high: (max(low, 0.0), max(high, 0.0))),
    "Sigmoid": Function(between(0, 1)),
    "Tanh": Function(between(-1, 1)),
    "Softplus": Function(lambda low, high: (0.0, max(high, 0.0) + 0.7)),
    "Softsign": Function(between(-1, 1)),
    "Erf": Function(between(-1, 1), 9),
    "Exp": Function(lambda low, high: (_exp(low), _exp(high)), argument=4.0),
    "Log": Function(lambda low, high: (math.log(max(low, 1e-3)), math.log(max(high, 1e-3))), positive=True),
    "Sqrt": Function(lambda low, high: (0.0, math.sqrt(max(high, 0.0))), positive=True),
    "Abs": Function(lambda low, high: (0.0, max(abs(low), abs(high)))),
    "Neg": Function(lambda low, high: (-high, -low)),
    "Reciprocal": Function(between(0, 10), positive=True),
    "HardSwish": Function(slope(), 14),
    "LeakyRelu": Function(slope(1.5), parameters=(("alpha", (0.01, 0.3, 1.0, 0.0, -0.5)),)),
    "ThresholdedRelu": Function(slope(), 10, (("alpha", (0.0, 1.0, 0.3, 2.5)),)),
    "Elu": Function(slope(), parameters=(ALPHA,)),
    "Celu": Function(slope(), 12, (ALPHA,)),
    "Selu": Function(slope(3), parameters=(("alpha", (1.0, 0.5, 1.6732632)), ("gamma", (1.0507, 2.0, 0.7)))),
    "HardSigmoid": Function(between(0, 1), parameters=(("alpha", (0.2, 0.5, 1.0)), ("beta", (0.5, 0.0, 0.3)))),
    "Gelu": Function(slope(), 20, (("approximate", ("none", "tanh")),)),
}


def _exp(x: float) -> float:
    return math.exp(min(x, 700.0))


def _grow(op: str, function: Function) -> Callable[[Builder, Tensor], Tensor]:
    def grow(b: Builder, x: Tensor) -> Tensor:
        if function.positive and not (b.may_overflow(x.dtype) and op in ("Log", "Sqrt")):
            x = positive(b, x)
        x = calm(b, x, function.argument)
        if b.may_overflow(x.dtype) and not function.positive and b.chance(0.3):
            x = infinite(b, x)
        given = {name: b.random.choice(values) for name, values in function.parameters if b.chance(0.7)}
        if op == "Gelu" and x.dtype == np.float64:
            given["approximate"] = "tanh"  # the other one needs Erf
        low, high = function.bounds(x.low, x.high)
        if function.positive and x.low <= 0:
            low, high = -math.inf, math.inf
        return b.add(op, [x], x.shape, low, high, **given)

    return grow


STEPS |= {op: Step(op, _grow(op, f), f.since) for op, f in FUNCTIONS.items()}


@step("Clip")
def clip(b: Builder, x: Tensor) -> Tensor:
    low = b.random.choice([None, -1.0, 0.0, -0.5, 0.1])
    high = b.random.choice([None, 6.0, 1.0, 0.1])
    bounds = (x.low if low is None else max(x.low, low), x.high if high is None else min(x.high, high))
    if bounds[0] > bounds[1]:
        bounds = (min(bounds), max(bounds))
    if b.opset < 11:
        given = {name: v for name, v in (("min", low), ("max", high)) if v is not None}
        return b.add("Clip", [x], x.shape, *bounds, **given)
    names = ["" if v is None else constant(b, np.asarray(v, x.dtype)) for v in (low, high)]
    while names and not names[-1]:
        names.pop()
    return b.add("Clip", [x, *names], x.shape, *bounds)


def _softmax(op: str, low: float) -> Callable[[Builder, Tensor], Tensor]:
    def grow(b: Builder, x: Tensor) -> Tensor:
        x = of_rank(b, x, 1 if b.opset >= 13 or b.chance(0.3) else 2)
        if op == "LogSoftmax" and x.dtype == np.float64:
            x = finite(b, x)  # see LEFT_OUT in found.py
        axis = b.random.randint(-x.rank if b.opset >= 11 else 0, x.rank - 1)
        given = {"axis": axis}
        if b.opset >= 13 or x.rank > 1:
            given = {} if b.chance(0.2) else given
        return b.add(op, [x], x.shape, low if low == 0 else -2 * x.largest - 10, 1.0 if low == 0 else 0.0, **given)

    return grow


STEPS |= {op: Step(op, _softmax(op, low), 7) for op, low in (("Softmax", 0.0), ("LogSoftmax", -1.0))}
