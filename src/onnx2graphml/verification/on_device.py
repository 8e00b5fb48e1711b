"""A layer's sums, maxima, minima and products on a GPU, edge by edge."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onnx2graphml.graph.graph import Incoming, Layer

Values = npt.NDArray[np.float64]

COMBINED = ("max", "min", "product")


def sums(incoming: Incoming, x: Values, total: Values, size: Values) -> bool:
    """Add weight · x to `total` and its absolute value to `size`; False if the processors have to."""
    if incoming.block.has_terms:
        return False
    from onnx2graphml.cuda.products import add

    add(incoming.block, x, total, magnitude=size)
    return True


def selected(layer: Layer, incoming: Incoming, x: Values, total: Values) -> bool:
    """Join what a layer's in-edges bring by its own aggregation; False if the processors have to."""
    if layer.aggregation not in COMBINED or incoming.block.has_terms:
        return False
    from onnx2graphml.cuda.products import add

    add(incoming.block, x, total, layer.aggregation)
    return True
