"""A network that grows by a node at a time, with the shape, the type and the bounds of every tensor known.

Shapes are the generator's own arithmetic, which ONNX's inference is then compared with; bounds keep values where a
comparison says something: a model is `wild` where they may overflow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from randomnets.runtime import computes

Array = npt.NDArray[Any]
Shape = tuple[int, ...]

NEURONS, EDGES = 3_000, 60_000
CALM = {"e": 50.0, "f": 1e5, "d": 1e5}
"""The largest values by type: far enough from overflow for a square, a sum or a folded scale of them."""


class Unfit(Exception):
    """A step has no place here: the type, the shape or the size does not allow it."""


@dataclass(frozen=True)
class Tensor:
    """A tensor that the network computes, with bounds of its values."""

    name: str
    shape: Shape
    dtype: np.dtype[Any]
    low: float
    high: float

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def largest(self) -> float:
        return max(abs(self.low), abs(self.high))

    @property
    def is_finite(self) -> bool:
        """Whether none of its values can be infinite or NaN."""
        return self.largest <= float(np.finfo(self.dtype).max)


Operand = Tensor | str


@dataclass
class Builder:
    """A model while it is made.

    Attributes:
        wild: whether values may overflow and turn into infinities and NaN.
        naming: how nodes are named: not at all, with numbers, or as an exporter does it, by the module they lie in.
    """

    random: Random
    opset: int
    wild: bool = False
    naming: str = "numbers"
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: dict[str, Array] = field(default_factory=dict)
    inputs: dict[str, Tensor] = field(default_factory=dict)
    tensors: list[Tensor] = field(default_factory=list)
    edges: int = 0
    made: int = 0

    @property
    def neurons(self) -> int:
        return sum(t.size for t in self.tensors)

    def chance(self, share: float) -> bool:
        """True in that share of cases; what shrinks away is False."""
        return self.random.randrange(100) >= 100 - round(100 * share)

    def numpy(self) -> np.random.Generator:
        """For arrays of numbers, whose single elements are not drawn."""
        return np.random.default_rng(self.random.randrange(1 << 16))

    def fresh(self, letter: str) -> str:
        self.made += 1
        return f"{letter}{self.made}"

    def node(self, op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> None:
        name = {"none": "", "numbers": f"{op}_{len(self.nodes)}", "scopes": self._scoped(op)}[self.naming]
        self.nodes.append(helper.make_node(op, list(inputs), list(outputs), name=name, **attributes))

    def _scoped(self, op: str) -> str:
        return f"/block{len(self.nodes) // 3}/{op.lower()}_{len(self.nodes) % 3}/{op}"

    def add(
        self,
        op: str,
        inputs: Sequence[Operand],
        shape: Sequence[int],
        low: float,
        high: float,
        *,
        dtype: Any = None,
        edges: int | None = None,
        **attributes: Any,
    ) -> Tensor:
        """A node of one output. `edges` is the number of edges into it; one a neuron where none is given."""
        first = next(x for x in inputs if isinstance(x, Tensor))
        if not all(x.is_finite for x in inputs if isinstance(x, Tensor)):
            low, high = -math.inf, math.inf  # NaN stays NaN, whatever the function
        found = Tensor("", tuple(shape), np.dtype(dtype or first.dtype), low, high)
        self.afford(op, [first.dtype, found.dtype], found.size, found.size if edges is None else edges)
        found = self.take(found)
        self.node(op, [x.name if isinstance(x, Tensor) else x for x in inputs], [found.name], **attributes)
        return found

    def afford(self, op: str, dtypes: Sequence[np.dtype[Any]], neurons: int, edges: int) -> None:
        """Count what a node makes; `Unfit` where that is too much, or ONNX Runtime has no such operator."""
        if not all(computes(op, self.opset, d) for d in dtypes) or neurons == 0:
            raise Unfit
        if self.neurons + neurons > NEURONS or self.edges + edges > EDGES:
            raise Unfit
        self.edges += edges

    def take(self, tensor: Tensor) -> Tensor:
        """The tensor under a fresh name, from which the network may go on."""
        named = Tensor(self.fresh("t"), tensor.shape, tensor.dtype, tensor.low, tensor.high)
        self.tensors.append(named)
        return named

    def limit(self, dtype: np.dtype[Any]) -> float:
        return math.inf if self.may_overflow(dtype) else CALM[dtype.char]

    def may_overflow(self, dtype: np.dtype[Any]) -> bool:
        """Never in float16, in which ONNX Runtime does not round, and so not overflow, between some of its kernels."""
        return self.wild and dtype != np.float16

    def default(self, **attributes: Any) -> dict[str, Any]:
        """Attributes at their defaults: each is written out or left out."""
        return {name: value for name, value in attributes.items() if self.chance(0.3)}
