"""The few compiled loops over the edges of a tile: all sums of an entry of its outer and one of its inner axis.

Each takes the two axes' arrays, the weights, and plain arrays of values by position. What they mean is told by the
modules that call them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled, compiled_for_many

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]


@compiled_for_many
def expand(
    outer_source: Ints, outer_target: Ints, outer_tap: Ints, inner_source: Ints, inner_target: Ints, inner_tap: Ints,
    weights: Floats, source: Ints, target: Ints, weight: Floats,
) -> None:  # fmt: skip
    """Write source, target and weight of every edge.

    A loop for each array is one that the compiler turns into vector instructions. Weights are read along the axis on
    which they lie closer together: the matrix of a dense layer is often stored the other way round.
    """
    outer, inner = outer_source.size, inner_source.size
    for o in range(outer):
        s, t = outer_source[o], outer_target[o]
        sources, targets = source[o * inner : (o + 1) * inner], target[o * inner : (o + 1) * inner]
        for i in range(inner):
            sources[i] = s + inner_source[i]
        for i in range(inner):
            targets[i] = t + inner_target[i]
    if outer > 1 and inner > 1 and abs(outer_tap[1] - outer_tap[0]) < abs(inner_tap[1] - inner_tap[0]):
        for i in range(inner):
            for o in range(outer):
                weight[o * inner + i] = weights[inner_tap[i] + outer_tap[o]]
        return
    for o in range(outer):
        k, found = outer_tap[o], weight[o * inner : (o + 1) * inner]
        for i in range(inner):
            found[i] = weights[k + inner_tap[i]]


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
