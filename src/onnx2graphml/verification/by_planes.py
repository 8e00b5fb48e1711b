"""A layer's sums and maxima by planes, which is faster than edge by edge, and less independent of how edges are held.

The products are the engine's: one tap of every window axis is a matrix. What a plane can't say for certain is left to
the loop over edges.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.engine.products import product
from onnx2graphml.graph.graph import Incoming, Layer

Values = npt.NDArray[np.float64]

SELECTED = {"max": ("greatest", np.maximum), "min": ("least", np.minimum)}


def sums(incoming: Incoming, x: Values, total: Values, size: Values) -> bool:
    """Add weight · x to `total` and its absolute value to `size`; False if that has to be done edge by edge.

    Infinite values are: a matrix product would multiply them with the zeros of edges that are not there.
    """
    if not np.isfinite(x).all():
        return False
    total += product(incoming.block, x, len(total), weight="weight")
    size += product(incoming.block, np.abs(x), len(total), weight="abs_weight")
    return True


def selected(layer: Layer, incoming: Incoming, x: Values, total: Values) -> bool:
    """The greatest or the least of a layer's candidates; False if that has to be done edge by edge."""
    if layer.aggregation not in SELECTED or not incoming.block.is_selection or np.isnan(x).any():
        return False
    semiring, join = SELECTED[layer.aggregation]
    found: Any = product(incoming.block, x, len(total), semiring)
    join(total, found, out=total)
    return True
