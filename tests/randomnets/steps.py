"""The registry of steps: a function for each operator that adds a node of it, and what it needs, after a tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from randomnets.builder import Builder, Tensor

Grow = Callable[[Builder, Tensor], Tensor]


@dataclass(frozen=True)
class Step:
    """How a network grows by one operator, which ONNX has since an opset."""

    op: str
    grow: Grow
    since: int


STEPS: dict[str, Step] = {}


def step(op: str, since: int = 7) -> Callable[[Grow], Grow]:
    """Register the function as the step of an operator."""

    def registered(grow: Grow) -> Grow:
        STEPS[op] = Step(op, grow, since)
        return grow

    return registered
