"""Edges one by one, as they are expanded or read from a file: compiled loops that combine the values they carry."""

# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled_for_many

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]

OTHER, SUM, MAX, MIN, PRODUCT = range(5)
CODES = {"sum": SUM, "max": MAX, "min": MIN, "product": PRODUCT}
"""How the in-edges of a neuron are combined, for the compiled loop; all else is `OTHER`."""
START = {MAX: -np.inf, MIN: np.inf, PRODUCT: 1.0}


@compiled_for_many
def add_products(source: Ints, target: Ints, weight: Floats, x: Floats, total: Floats, size: Floats) -> None:
    """`combine` for sums alone, which is faster: `total[target] += weight · x[source]`; `size` has absolute values.

    Edges into one neuron often follow each other: its sums stay in registers meanwhile.
    """
    if source.size == 0:
        return
    t = target[0]
    sum_, absolute = total[t], size[t]
    for i in range(source.size):
        if target[i] != t:
            total[t], size[t] = sum_, absolute
            t = target[i]
            sum_, absolute = total[t], size[t]
        p = weight[i] * x[source[i]]
        sum_ += p
        absolute += abs(p)
    total[t], size[t] = sum_, absolute


@compiled_for_many
def combine(
    source: Ints, target: Ints, weight: Floats, x: Floats, total: Floats, size: Floats,
    code: npt.NDArray[np.int8], single: npt.NDArray[np.bool_],
) -> None:  # fmt: skip
    """Combine each target's products weight · x[source], and for sums add up their sizes.

    Args:
        code: of each target, how.
        single: of each target, whether the weights into it count as float32 values.
    """
    for i in range(source.size):
        t = target[i]
        w = np.float64(np.float32(weight[i])) if single[t] else np.float64(weight[i])
        p, kind = w * x[source[i]], code[t]
        if kind == SUM:
            total[t] += p
            size[t] += abs(p)
        elif kind == PRODUCT:
            total[t] *= p
        elif (kind == MAX and p > total[t]) or (kind == MIN and p < total[t]) or (kind != OTHER and p != p):
            total[t] = p
