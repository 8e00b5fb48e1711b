"""The few compiled loops over the edges of a tile: all sums of an entry of its outer and one of its inner axis.

Each takes the two axes' arrays, the weights, and plain arrays of values by position. What they mean is told by the
modules that call them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]


@compiled
def expand(
    outer_source: Ints, outer_target: Ints, outer_tap: Ints, inner_source: Ints, inner_target: Ints, inner_tap: Ints,
    weights: Floats, source: Ints, target: Ints, weight: Floats,
) -> None:  # fmt: skip
    """Write source, target and weight of every edge."""
    inner = inner_source.size
    for o in range(outer_source.size):
        s, t, k = outer_source[o], outer_target[o], outer_tap[o]
        at = o * inner
        for i in range(inner):
            source[at + i] = s + inner_source[i]
            target[at + i] = t + inner_target[i]
            weight[at + i] = weights[k + inner_tap[i]]


@compiled
def add_products(
    outer_source: Ints, outer_target: Ints, outer_tap: Ints, inner_source: Ints, inner_target: Ints, inner_tap: Ints,
    weights: Floats, x: Floats, total: Floats,
) -> None:  # fmt: skip
    """`total[target] += weight · x[source]`."""
    for o in range(outer_source.size):
        s, t, k = outer_source[o], outer_target[o], outer_tap[o]
        for i in range(inner_source.size):
            total[t + inner_target[i]] += weights[k + inner_tap[i]] * x[s + inner_source[i]]
