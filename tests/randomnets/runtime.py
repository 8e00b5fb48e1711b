"""What ONNX Runtime computes at all: its opsets, and the types that its kernels take."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

OPSETS = range(7, 27)

NEVER = ("AveragePool", "Celu", "Conv", "ConvTranspose", "Erf", "GlobalAveragePool", "GlobalMaxPool")
AS_FUNCTIONS = ("Elu", "HardSigmoid", "HardSwish", "Selu", "Softplus", "Softsign", "ThresholdedRelu")
DOUBLE: dict[str, Collection[int]] = {
    **dict.fromkeys(NEVER, ()),
    **dict.fromkeys(AS_FUNCTIONS, (18,)),
    **dict.fromkeys(["LeakyRelu", "PRelu"], (16, 17, 18)),
    "Clip": range(12, 27),
    "MaxPool": range(8, 27),
}
"""The opsets with a kernel for float64, or a function of others; all of them where an operator is missing."""


def computes(op: str, opset: int, dtype: np.dtype[Any]) -> bool:
    """Whether ONNX Runtime has the operator for that type: float32 always, float16 by way of float32."""
    if dtype == np.float16:
        return op != "Celu"
    return dtype != np.float64 or opset in DOUBLE.get(op, OPSETS)
