"""The few compiled loops. Each takes plain arrays; what they mean is told by the modules that call them."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]


@numba.njit(cache=True, nogil=True)
def expand(
    outer_source: Ints,
    outer_target: Ints,
    outer_tap: Ints,
    inner_source: Ints,
    inner_target: Ints,
    inner_tap: Ints,
    weights: Floats,
    source: Ints,
    target: Ints,
    weight: Floats,
) -> None:
    """Write all sums of an outer and an inner entry, and the weight that each points at."""
    inner = inner_source.size
    for o in range(outer_source.size):
        s, t, k = outer_source[o], outer_target[o], outer_tap[o]
        at = o * inner
        for i in range(inner):
            source[at + i] = s + inner_source[i]
            target[at + i] = t + inner_target[i]
            weight[at + i] = weights[k + inner_tap[i]]


@numba.njit(cache=True, nogil=True)
def add_products(source: Ints, target: Ints, weight: Floats, x: Floats, total: Floats) -> None:
    """`total[target] += weight · x[source]`."""
    for e in range(source.size):
        total[target[e]] += weight[e] * x[source[e]]


@numba.njit(cache=True, nogil=True)
def add_products_and_sizes(source: Ints, target: Ints, weight: Floats, x: Floats, total: Floats, size: Floats) -> None:
    """As `add_products`, and `size[target] += |weight · x[source]|`, which bounds the rounding error."""
    for e in range(source.size):
        p = weight[e] * x[source[e]]
        total[target[e]] += p
        size[target[e]] += abs(p)


@numba.njit(cache=True, nogil=True)
def multiply_products(source: Ints, target: Ints, weight: Floats, x: Floats, total: Floats) -> None:
    """`total[target] *= weight · x[source]`."""
    for e in range(source.size):
        total[target[e]] *= weight[e] * x[source[e]]


@numba.njit(cache=True, nogil=True)
def greatest_products(source: Ints, target: Ints, weight: Floats, x: Floats, total: Floats) -> None:
    """`total[target] = max(total[target], weight · x[source])`, NaN winning, as in ONNX."""
    for e in range(source.size):
        p = weight[e] * x[source[e]]
        if p > total[target[e]] or p != p:
            total[target[e]] = p


@numba.njit(cache=True, nogil=True)
def least_products(source: Ints, target: Ints, weight: Floats, x: Floats, total: Floats) -> None:
    """`total[target] = min(total[target], weight · x[source])`, NaN winning, as in ONNX."""
    for e in range(source.size):
        p = weight[e] * x[source[e]]
        if p < total[target[e]] or p != p:
            total[target[e]] = p
