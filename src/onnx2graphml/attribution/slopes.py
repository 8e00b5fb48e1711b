"""The slope of an activation at a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.graph.neurons import Activation

Values = npt.NDArray[np.float64]

STEP = 1e-6
"""Of the central difference by which a smooth function's slope is found: right to about 1e-9 of it."""

EXACT: dict[str, Callable[..., Any]] = {
    "Relu": lambda x: x > 0,
    "LeakyRelu": lambda x, alpha=0.01: np.where(x < 0, alpha, 1.0),
    "Clip": lambda x, min=-np.inf, max=np.inf: (x > min) & (x < max),
    "ThresholdedRelu": lambda x, alpha=1.0: x > alpha,
    "Abs": np.sign,
    "Neg": lambda x: np.full_like(x, -1.0),
    "HardSigmoid": lambda x, alpha=0.2, beta=0.5: np.where((alpha * x + beta > 0) & (alpha * x + beta < 1), alpha, 0.0),
    "Sqrt": lambda x: 0.5 / np.sqrt(x),
    "Exp": np.exp,
    "Tanh": lambda x: 1 - np.tanh(x) ** 2,
}
"""Slopes in closed form; at a corner, that of the side where the function is constant, as frameworks have it."""


def slope(activation: Activation, x: Values) -> Values:
    """The derivative of an activation that does not couple neurons, at each value; float64.

    Example:
        >>> slope(Activation("Relu"), np.array([-1.0, 2.0])).tolist()
        [0.0, 1.0]
    """
    if activation.op in EXACT:
        return np.asarray(EXACT[activation.op](x, **dict(activation.parameters)), np.float64)
    step = STEP * np.maximum(1, np.abs(x))
    return np.asarray((activation(x + step) - activation(x - step)) / (2 * step), np.float64)
