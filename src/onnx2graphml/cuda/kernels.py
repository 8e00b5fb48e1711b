"""The kernels: any block, a thread for a target, or for a few, or for a part of their in-edges.

Imported only where numba-cuda is.
"""

# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

from numba import cuda

from onnx2graphml.cuda.plan import MAX_PLUS, PRODUCT, SUM, TILE


@cuda.jit(device=True)
def _entries(rest: Any, part: Any, parts: Any, size: Any, first: Any, starts: Any) -> Any:
    """Where a target's entries of the three reducing axes begin and end, of the first axis a part of them.

    Before them what is left of the target's number.
    """
    digit2 = rest % size[2]
    rest //= size[2]
    digit1 = rest % size[1]
    rest //= size[1]
    digit0 = rest % size[0]
    rest //= size[0]
    a0, b0 = starts[first[0] + digit0], starts[first[0] + digit0 + 1]
    a1, b1 = starts[first[1] + 1 + digit1], starts[first[1] + 1 + digit1 + 1]
    a2, b2 = starts[first[2] + 2 + digit2], starts[first[2] + 2 + digit2 + 1]
    whole = b0 - a0
    b0 = a0 + whole * (part + 1) // parts
    a0 = a0 + whole * part // parts
    return rest, a0, b0, a1, b1, a2, b2


@cuda.jit(device=True)
def _offsets(rest: Any, begin: Any, free_size: Any, free_first: Any, free_source: Any, free_tap: Any) -> Any:
    """What the free axes, from one of them on, add to sources and taps."""
    from_source, from_tap = 0, 0
    for f in range(free_size.size - 1, begin - 1, -1):
        digit = rest % free_size[f]
        rest //= free_size[f]
        from_source += free_source[free_first[f] + digit]
        from_tap += free_tap[free_first[f] + digit]
    return from_source, from_tap


@cuda.jit
def combine(
    targets: int, parts: int, code: int, start: float,
    free_size: Any, free_first: Any, free_source: Any, free_tap: Any,
    size: Any, first: Any, starts: Any, entry: Any, source: Any, tap: Any,
    weights: Any, x: Any, total: Any, magnitude: Any,
) -> None:  # fmt: skip
    """Combine the products of the in-edges of each target.

    Args:
        targets, parts: thread t has part t // targets of target t % targets.
        code: how they are combined, as `plan` numbers it: from MAX on, even ones take the greatest.
        start: what nothing comes to.
        free_size, …: the free axes, as `plan.Axes` has them; each entry is a target's only one.
        size, …: the reducing axes, three of them.
        weights: float32 or float64.
        x: float64, the sources' values.
        total: float64 (parts · targets), written.
        magnitude: the same, of the absolute values of sums.
    """
    thread = cuda.grid(1)
    if thread >= targets * parts:
        return
    part, rest = thread // targets, thread % targets
    rest, a0, b0, a1, b1, a2, b2 = _entries(rest, part, parts, size, first, starts)
    from_source, from_tap = _offsets(rest, 0, free_size, free_first, free_source, free_tap)
    found, size_found = start, 0.0
    for i in range(a0, b0):
        source0, tap0 = from_source + source[entry[0] + i], from_tap + tap[entry[0] + i]
        for j in range(a1, b1):
            source1, tap1 = source0 + source[entry[1] + j], tap0 + tap[entry[1] + j]
            for k in range(a2, b2):
                w, value = weights[tap1 + tap[entry[2] + k]], x[source1 + source[entry[2] + k]]
                p = w + value if code >= MAX_PLUS else w * value
                if code == SUM:
                    found += p
                    size_found += abs(p)
                elif code == PRODUCT:
                    found *= p
                elif p != p or (p > found if code % 2 == 0 else p < found):
                    found = p
    total[thread] = found
    magnitude[thread] = size_found


@cuda.jit
def sums(
    targets: int, parts: int,
    free_size: Any, free_first: Any, free_source: Any, free_tap: Any,
    size: Any, first: Any, starts: Any, entry: Any, source: Any, tap: Any,
    weights: Any, x: Any, total: Any, magnitude: Any,
) -> None:  # fmt: skip
    """`combine` for sums where all entries of the first free axis have one source: four targets a thread.

    A source's value is read once for the four, and so are the offsets. Neighbouring threads read neighbouring values.
    """
    thread = cuda.grid(1)
    outputs, groups = free_size[0], (free_size[0] + TILE - 1) // TILE
    others = targets // outputs
    if thread >= others * groups * parts:
        return
    other, rest = thread % others, thread // others
    group, part = rest % groups, rest // groups
    rest = other
    rest, a0, b0, a1, b1, a2, b2 = _entries(rest, part, parts, size, first, starts)
    from_source, from_tap = _offsets(rest, 1, free_size, free_first, free_source, free_tap)
    from_source += free_source[0]
    last = outputs - 1
    to1 = free_tap[min(group + groups, last)] - free_tap[group]
    to2 = free_tap[min(group + 2 * groups, last)] - free_tap[group]
    to3 = free_tap[min(group + 3 * groups, last)] - free_tap[group]
    from_tap += free_tap[group]
    sum0, sum1, sum2, sum3 = 0.0, 0.0, 0.0, 0.0
    size0, size1, size2, size3 = 0.0, 0.0, 0.0, 0.0
    for i in range(a0, b0):
        source0, tap0 = from_source + source[entry[0] + i], from_tap + tap[entry[0] + i]
        for j in range(a1, b1):
            source1, tap1 = source0 + source[entry[1] + j], tap0 + tap[entry[1] + j]
            for k in range(a2, b2):
                value, at = x[source1 + source[entry[2] + k]], tap1 + tap[entry[2] + k]
                p = weights[at] * value
                sum0 += p
                size0 += abs(p)
                p = weights[at + to1] * value
                sum1 += p
                size1 += abs(p)
                p = weights[at + to2] * value
                sum2 += p
                size2 += abs(p)
                p = weights[at + to3] * value
                sum3 += p
                size3 += abs(p)
    at = part * targets + group * others + other
    step = groups * others
    total[at], magnitude[at] = sum0, size0
    if group + groups <= last:
        total[at + step], magnitude[at + step] = sum1, size1
    if group + 2 * groups <= last:
        total[at + 2 * step], magnitude[at + 2 * step] = sum2, size2
    if group + 3 * groups <= last:
        total[at + 3 * step], magnitude[at + 3 * step] = sum3, size3
