"""Where ONNX doesn't say what comes out: which value is the greatest if one is NaN, and what integer NaN becomes.

ONNX Runtime's answer depends on the processor's instructions, so that nothing can be compared there.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Layer

Values = npt.NDArray[np.float64]

CHOOSES = ("max", "min", "Hardmax", "TopK")


def unspecified(layer: Layer, values: Mapping[str, Values]) -> npt.NDArray[np.bool_]:
    """Which of a layer's neurons choose among values of which one is NaN, flat.

    Args:
        values: flat float64 values by layer name, of all layers that `layer.incoming` names.
    """
    found = np.zeros(layer.neurons, bool)
    if layer.aggregation.partition("(")[0] not in CHOOSES:
        return found
    for incoming in layer.incoming:
        nan = np.isnan(values[incoming.source])
        if nan.any():
            axes = tuple(Axis(a.source, a.target, np.zeros_like(a.tap)) for a in incoming.block.axes)
            found |= EdgeBlock(axes).apply(nan, layer.neurons) > 0
    return found
