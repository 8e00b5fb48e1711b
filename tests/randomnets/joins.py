"""Tensors put side by side, taken apart and reduced."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from randomnets.builder import Builder, Tensor
from randomnets.constants import constant, integers, numbers
from randomnets.moves import axis_of, given
from randomnets.ranges import calm, of_rank
from randomnets.steps import STEPS, Step, step


@step("Concat")
def concat(b: Builder, x: Tensor) -> Tensor:
    """With itself, other tensors that fit, and constants."""
    x = of_rank(b, x, 1)
    axis, written = axis_of(b, x)

    def fits(t: Tensor) -> bool:
        same = t.rank == x.rank and t.dtype == x.dtype
        return same and all(d == axis or n == m for d, (n, m) in enumerate(zip(t.shape, x.shape, strict=True)))

    inputs, shape, low, high = [x], list(x.shape), x.low, x.high
    others: list[Tensor | str] = [x]
    for _ in range(b.random.randint(0, 3)):
        if b.chance(0.25):
            values = numbers(b, (*x.shape[:axis], b.random.randint(1, 2), *x.shape[axis + 1 :]), x.dtype, largest=30)
            others.append(constant(b, values))
            shape[axis] += values.shape[axis]
            low, high = min(low, float(values.min())), max(high, float(values.max()))
            continue
        other = b.random.choice([t for t in b.tensors if fits(t)][-6:] or inputs)
        others.append(other)
        shape[axis] += other.shape[axis]
        low, high = min(low, other.low), max(high, other.high)
    b.random.shuffle(others)
    return b.add("Concat", others, shape, low, high, axis=written)


@step("Split")
def split(b: Builder, x: Tensor) -> Tensor:
    """Some parts are used, and often one is joined with another again."""
    x = of_rank(b, x, 1)
    axis, written = axis_of(b, x)
    n = x.shape[axis]
    parts = b.random.randint(1, min(n, 3))
    cuts = sorted(b.random.sample(range(1, n), parts - 1))
    sizes = [end - start for start, end in zip([0, *cuts], [*cuts, n], strict=True)]
    attributes: dict[str, Any] = b.default(axis=0) if written == 0 else {"axis": written}
    inputs: list[str] = []
    if n % parts == 0 and b.chance(0.5) and b.opset < 18:
        sizes = [n // parts] * parts
    elif b.opset >= 18 and b.chance(0.4) and n - -(-n // parts) * (parts - 1) > 0:
        chunk = -(-n // parts)
        sizes = [chunk] * (parts - 1) + [n - chunk * (parts - 1)]
        attributes["num_outputs"] = parts
    else:
        inputs, more = given(b, "split", sizes, 13)
        attributes |= more
    b.afford("Split", [x.dtype], x.size, x.size)
    shapes = [(*x.shape[:axis], s, *x.shape[axis + 1 :]) for s in sizes]
    made = [b.take(Tensor("", shape, x.dtype, x.low, x.high)) for shape in shapes]
    b.node("Split", [x.name, *inputs], [t.name for t in made], **attributes)
    return concat(b, b.random.choice(made)) if b.chance(0.4) else b.random.choice(made)


def _reduced(op: str, since: int) -> Callable[[Builder, Tensor], Tensor]:
    """The axes are an attribute before that opset, and an input from it on."""

    def grow(b: Builder, x: Tensor) -> Tensor:
        x = calm(b, x, b.limit(x.dtype) / max(x.size, 1)) if op == "ReduceSum" else x
        reduced = [d for d in range(x.rank) if b.chance(0.5)]
        keep = b.random.randint(0, 1)
        attributes: dict[str, Any] = {"keepdims": keep} if not keep else b.default(keepdims=1)
        inputs: list[str] = []
        if b.opset >= since and b.chance(0.3):
            attributes["noop_with_empty_axes"] = b.random.randint(0, 1)
        if not reduced:
            if b.opset >= since and b.chance(0.3):
                inputs = [integers(b, [])]
            reduced = [] if attributes.get("noop_with_empty_axes") else list(range(x.rank))
        else:
            written = [d - x.rank if b.opset >= 11 and b.chance(0.4) else d for d in reduced]
            b.random.shuffle(written)
            inputs, more = given(b, "axes", written, since)
            attributes |= more
        shape = [1 if d in reduced else n for d, n in enumerate(x.shape) if keep or d not in reduced]
        factor = math.prod(x.shape[d] for d in reduced) if op == "ReduceSum" else 1
        low, high = min(x.low * factor, x.low), max(x.high * factor, x.high)
        return b.add(op, [x, *inputs], shape, low, high, edges=x.size, **attributes)

    return grow


STEPS |= {
    op: Step(op, _reduced(op, since), 7)
    for op, since in (("ReduceSum", 13), ("ReduceMean", 18), ("ReduceMax", 18), ("ReduceMin", 18))
}
