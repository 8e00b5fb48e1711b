"""The registry of steps: a function for each operator that adds a node of it, and what it needs, after a tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from randomnets.builder import Builder, Tensor
from randomnets.runtime import OPSETS

Grow = Callable[[Builder, Tensor], Tensor]


@dataclass(frozen=True)
class Step:
    """How a network grows by one operator, which ONNX has since an opset, and until another."""

    op: str
    grow: Grow
    since: int
    until: int = OPSETS[-1]

    def fits(self, opset: int) -> bool:
        """Whether ONNX has it in that opset."""
        return self.since <= opset <= self.until

    @property
    def weight(self) -> int:
        """How often it is to be taken in opsets that have it: those that few opsets have would hardly occur."""
        opsets = self.until - max(self.since, OPSETS[0]) + 1
        return min(6, max(1, len(OPSETS) // (2 * opsets)))


STEPS: dict[str, Step] = {}


def step(op: str, since: int = 7, until: int = OPSETS[-1]) -> Callable[[Grow], Grow]:
    """Register the function as the step of an operator."""

    def registered(grow: Grow) -> Grow:
        STEPS[op] = Step(op, grow, since, until)
        return grow

    return registered
