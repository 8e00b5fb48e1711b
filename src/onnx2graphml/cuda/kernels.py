"""The kernels: any block, a thread for a target or for a part of its in-edges; and what joins the parts.

Imported only where numba-cuda is.
"""

# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

from numba import cuda

from onnx2graphml.cuda.plan import MAX_PLUS, PRODUCT, SUM


@cuda.jit(device=True)
def digits(rest: Any, size: Any) -> Any:
    """Of a target's number: what is left of it before its digits in the three reducing axes, and these."""
    inner = rest // size[2]
    outer = inner // size[1]
    return outer // size[0], outer % size[0], inner % size[1], rest % size[2]


@cuda.jit(device=True)
def offsets(rest: Any, begin: Any, end: Any, size: Any, first: Any, source: Any, tap: Any) -> Any:
    """What the free axes from `begin` up to `end` add to sources and taps, and what is left of the number."""
    from_source, from_tap = 0, 0
    for f in range(end - 1, begin - 1, -1):
        digit = rest % size[f]
        rest //= size[f]
        from_source += source[first[f] + digit]
        from_tap += tap[first[f] + digit]
    return rest, from_source, from_tap


@cuda.jit(device=True)
def _join(code: Any, one: Any, other: Any) -> Any:
    """Two parts of one target; NaN goes on."""
    if code == SUM:
        return one + other
    if code == PRODUCT:
        return one * other
    return other if other != other or (other > one if code % 2 == 0 else other < one) else one


@cuda.jit
def combine(
    targets: int, parts: int, code: int, start: float,
    indices: Any, weights: Any, x: Any, found: Any, magnitude: Any,
) -> None:  # fmt: skip
    """Combine the products of the in-edges of each target.

    Args:
        targets, parts: thread t has part t // targets of target t % targets.
        code: how they are combined, as `plan` numbers it: from MAX on, even ones take the greatest.
        start: what nothing comes to.
        indices: what `Plan.indices` has, and the entries of the three reducing axes.
        weights: float32 or float64.
        x: float64, the sources' values.
        found: float64 (parts · targets), written.
        magnitude: the same, of the absolute values of sums; empty where nobody asks for them.
    """
    thread = cuda.grid(1)
    if thread >= targets * parts:
        return
    free_size = indices[indices[0] : indices[1]]
    free_first = indices[indices[1] : indices[2]]
    free_source = indices[indices[3] : indices[4]]
    free_tap = indices[indices[4] : indices[5]]
    size = indices[indices[5] : indices[6]]
    first = indices[indices[6] : indices[7]]
    starts = indices[indices[8] : indices[9]]
    entry = indices[indices[9] : indices[10]]
    source = indices[indices[10] : indices[11]]
    tap = indices[indices[11] : indices[12]]
    part, rest = thread // targets, thread % targets
    rest, digit0, digit1, digit2 = digits(rest, size)
    a0, b0 = starts[first[0] + digit0], starts[first[0] + digit0 + 1]
    a1, b1 = starts[first[1] + 1 + digit1], starts[first[1] + 1 + digit1 + 1]
    a2, b2 = starts[first[2] + 2 + digit2], starts[first[2] + 2 + digit2 + 1]
    entries = b0 - a0
    b0 = a0 + entries * (part + 1) // parts
    a0 = a0 + entries * part // parts
    rest, from_source, from_tap = offsets(rest, 0, free_size.size, free_size, free_first, free_source, free_tap)
    value, value_size = start, 0.0
    for i in range(a0, b0):
        source0, tap0 = from_source + source[entry[0] + i], from_tap + tap[entry[0] + i]
        for j in range(a1, b1):
            source1, tap1 = source0 + source[entry[1] + j], tap0 + tap[entry[1] + j]
            for k in range(a2, b2):
                w, v = weights[tap1 + tap[entry[2] + k]], x[source1 + source[entry[2] + k]]
                p = w + v if code >= MAX_PLUS else w * v
                value = _join(code, value, p)
                value_size += abs(p)
    found[thread] = value
    if magnitude.size:
        magnitude[thread] = value_size


@cuda.jit
def join(targets: int, parts: int, code: int, indices: Any, found: Any, sizes: Any, total: Any, magnitude: Any) -> None:
    """Join the parts of each target, in order, to what its position has.

    Args:
        targets, parts, code: as `combine` takes them.
        indices: what `Plan.indices` has; more may follow.
        found, sizes: as `combine` writes them, the latter empty where nobody asks for magnitudes.
        total, magnitude: float64, by position; changed, the latter only where somebody does.
    """
    thread = cuda.grid(1)
    if thread >= targets:
        return
    free_size = indices[indices[0] : indices[1]]
    free_first = indices[indices[1] : indices[2]]
    free_target = indices[indices[2] : indices[3]]
    size = indices[indices[5] : indices[6]]
    first = indices[indices[6] : indices[7]]
    target = indices[indices[7] : indices[8]]
    rest, position = thread, 0
    for r in range(size.size - 1, -1, -1):
        position += target[first[r] + rest % size[r]]
        rest //= size[r]
    for f in range(free_size.size - 1, -1, -1):
        position += free_target[free_first[f] + rest % free_size[f]]
        rest //= free_size[f]
    value = found[thread]
    for part in range(1, parts):
        value = _join(code, value, found[part * targets + thread])
    total[position] = _join(code, total[position], value)
    if sizes.size:
        for part in range(parts):
            magnitude[position] += sizes[part * targets + thread]
