"""What `+` and `×` mean in a product, and what counts as an edge's weight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error

Floats = npt.NDArray[Any]
Weight = str | Callable[[Floats], Floats] | None
"""None: every edge weighs 1. `weight`, `abs_weight`, `squared_weight`, or a function of an array of weights."""

WEIGHTS: dict[str, Callable[[Floats], Floats]] = {
    "weight": lambda w: w,
    "abs_weight": np.abs,
    "squared_weight": np.square,
}


CONTRIBUTIONS = {"contribution": "weight", "abs_contribution": "abs_weight"}
"""Of a graph with an input: weight · value of the source, and its magnitude. Passes know them, for sums."""


def weight_function(weight: Weight) -> Callable[[Floats], Floats] | None:
    """The function that is applied to weights; None where edges weigh 1."""
    if weight is None or callable(weight):
        return weight
    if weight not in WEIGHTS:
        raise Error(f"weight is {weight!r}; expected None (each edge weighs 1), {', '.join(map(repr, WEIGHTS))}")
    return WEIGHTS[weight]


@dataclass(frozen=True)
class Semiring:
    """How values of neurons go along edges and come together.

    Attributes:
        name: `sum`, ...
        add: joins what arrives at a neuron.
        along: how an edge's weight acts on a value: `multiply`, `add`, or `pass`, where it has no effect.
        kernel: the suffix of the compiled loops' names.
    """

    name: str
    add: Any
    along: str
    kernel: str = ""

    def values(self, x: npt.ArrayLike) -> Floats:
        """The values in the type that this semiring computes in."""
        array = np.asarray(x)
        if self.name == "any":
            return np.ascontiguousarray(array, bool)
        if self.name == "sum" and array.dtype.kind in "bui":
            return np.ascontiguousarray(array, np.int64)
        if self.along == "pass" and array.dtype.kind == "i":
            return np.ascontiguousarray(array)
        return np.ascontiguousarray(array, np.float64)

    def zero(self, dtype: np.dtype[Any]) -> Any:
        """What changes nothing when it is added: the value of a neuron without in-edges."""
        if self.add is np.minimum:
            return np.iinfo(dtype).max if dtype.kind == "i" else np.inf
        if self.add is np.maximum:
            return np.iinfo(dtype).min if dtype.kind == "i" else -np.inf
        return 0

    @property
    def along_loop(self) -> Callable[..., None]:
        """The compiled loop that carries a grid through a relation along one dimension."""
        from onnx2graphml.engine import kernels

        loop: Callable[..., None] = getattr(kernels, f"along_{self.kernel}")
        return loop

    def weighted(self, values: Floats, weight: Any) -> Floats:
        """Values after an edge, or edges, of a weight."""
        if self.along == "multiply":
            return np.asarray(values * weight)
        return np.asarray(values + weight) if self.along == "add" else values


SEMIRINGS = {
    s.name: s
    for s in (
        Semiring("sum", np.add, "multiply", "sum"),
        Semiring("max", np.maximum, "add", "max"),
        Semiring("min", np.minimum, "add", "min"),
        Semiring("any", np.logical_or, "pass", "any"),
        Semiring("greatest", np.maximum, "pass", "max"),
        Semiring("least", np.minimum, "pass", "min"),
    )
}
"""`sum` (+, ×); `max` (max, +): the longest path; `min` (min, +): the shortest; `any` (or, and): whether there is one;
`greatest` and `least` hand values on as they are."""


def semiring_of(name: str) -> Semiring:
    """The semiring of that name."""
    if name not in SEMIRINGS:
        raise Error(f"semiring is {name!r}; expected one of {', '.join(SEMIRINGS)}")
    return SEMIRINGS[name]
