"""The record of a function: all that the package knows of it, in one place.

A function is written once, named as its ONNX operator:

    @function()
    def LeakyRelu(x, *, alpha=0.01): ...

- positional parameters are values, float64 arrays of one number a neuron: of one value it is an activation, of several
  a combination of in-edges that are told apart by their ports, in this order;
- keyword parameters are the operator's attributes, and what else stands in brackets behind the function's name;
- in a function of `candidates`, what comes in by edges with terms is an array (neurons, terms), `ABSENT` where no edge
  has that term; a keyword parameter called `bias` is the neurons' bias, one number each.

From the records come the operators of that signature, the documentation's list and the tests' lists.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import UnsupportedError

Values = npt.NDArray[np.float64]
Evaluate = TypeVar("Evaluate", bound=Callable[..., Any])


@dataclass(frozen=True)
class Function:
    """A function of neurons' values.

    Attributes:
        name: the ONNX operator's.
        evaluate: what it computes, in float64.
        couples: whether a neuron's value depends on other neurons of its layer, along the axes in a parameter `axis`.
        around_one: whether it is computed through values around 1, whose rounding it has, however small its result.
        slope: at most how many times as much as its value the result moves. None: a rounding of the value goes on as
            the difference that the value makes when it is moved by that much, up and down, which is right for functions
            that rise or fall all the way.
        candidates: whether values come in by edges with terms, from which it chooses, or which it reduces.
        size: of the same values, what a rounding is relative to, where the result may be much smaller than its parts.
            None: the result itself.
        moved: the ports of values through which it computes positions; these are rounded, and what that changes counts.
        chooses: the ports of values one of which goes on as it is: unless a `reduction` adds some up, or a `mode`
            interpolates. Which one does not depend on these values, but in TopK and Clip, which compare them.

    Example:
        >>> from onnx2graphml.functions import FUNCTIONS
        >>> FUNCTIONS["LeakyRelu"].inputs, FUNCTIONS["LeakyRelu"].parameters
        (('x',), {'alpha': 0.01})
    """

    name: str
    evaluate: Callable[..., Any]
    couples: bool = False
    around_one: bool = False
    slope: float | None = None
    candidates: bool = False
    size: Callable[..., Any] | None = None
    moved: tuple[int, ...] = ()
    chooses: tuple[int, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of its values, by port."""
        found = inspect.signature(self.evaluate).parameters.values()
        return tuple(p.name for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL))

    @property
    def parameters(self) -> dict[str, Any]:
        """Its parameters with their defaults; `inspect.Parameter.empty` where there is none."""
        found = inspect.signature(self.evaluate).parameters.values()
        return {
            p.name: p.default for p in found if p.kind is p.KEYWORD_ONLY and not (self.candidates and p.name == "bias")
        }

    @property
    def takes_bias(self) -> bool:
        """Whether it is told the neurons' bias."""
        return self.candidates and "bias" in inspect.signature(self.evaluate).parameters

    @property
    def is_activation(self) -> bool:
        """Whether it is a function of one value."""
        return len(self.inputs) == 1 and not self.candidates

    def __call__(self, *values: Any, **parameters: Any) -> Values:
        """Evaluate it."""
        with np.errstate(all="ignore"):
            return np.asarray(self.evaluate(*values, **parameters), np.float64)


FUNCTIONS: dict[str, Function] = {}
"""By name."""


def function(**about: Any) -> Callable[[Evaluate], Evaluate]:
    """Register a function under its own name; the keywords are `Function`'s attributes."""

    def register(evaluate: Evaluate) -> Evaluate:
        name = evaluate.__name__
        if name in FUNCTIONS:
            raise ValueError(f"function {name} is registered twice")
        FUNCTIONS[name] = Function(name, evaluate, **about)
        return evaluate

    return register


def find(name: str) -> Function:
    """The function of a name.

    Raises:
        UnsupportedError: there is none; the message lists those that there are.
    """
    if name not in FUNCTIONS:
        raise UnsupportedError(f"function {name!r} is not known; known: {', '.join(sorted(FUNCTIONS))}")
    return FUNCTIONS[name]


def is_pointwise(op: str) -> bool:
    """Whether an operator is a function of values at one position, or along an axis, and of no candidates.

    Example:
        >>> is_pointwise("Mish"), is_pointwise("TopK")
        (True, False)
    """
    return op in FUNCTIONS and not FUNCTIONS[op].candidates


def axes_text(axes: Iterable[int]) -> str:
    """Positions in a shape as a parameter of a function, such as `0` or `1+2`."""
    return "+".join(map(str, axes))


def parse_axes(text: float | str) -> tuple[int, ...]:
    """The reverse of `axes_text`."""
    return (int(text),) if not isinstance(text, str) else tuple(int(a) for a in text.split("+") if a)


ABSENT = np.uint64(0x7FF8_0000_0000_0B5E).view(np.float64)
"""Where a table of candidates has none: a NaN of its own."""


def is_absent(table: Values) -> npt.NDArray[np.bool_]:
    """Where a table of candidates has none."""
    return np.asarray(np.ascontiguousarray(table).view(np.uint64) == ABSENT.view(np.uint64))
