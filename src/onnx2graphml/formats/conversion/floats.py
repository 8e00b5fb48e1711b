"""Whether numbers were float32: files of text don't say so, and readers give float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.formats.render import decimals
from onnx2graphml.formats.shortest import read_back

POWERS = 10.0 ** np.arange(23)  # exact in float64


def are_float32(values: npt.NDArray[Any], from_text: bool) -> bool:
    """Whether float32 holds the numbers: as decimals that read back as the same float32, or exactly.

    Example:
        >>> are_float32(np.array([0.1]), from_text=True), are_float32(np.array([0.1]), from_text=False)
        (True, False)
    """
    if values.dtype == np.float32:
        return True
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    if not from_text:
        return bool(((narrow == values) | np.isnan(values)).all())
    finite = np.isfinite(values)
    if not np.isfinite(narrow[finite]).all():
        return False
    return _read_back(np.ascontiguousarray(narrow[finite]), np.ascontiguousarray(values[finite]))


def _read_back(narrow: npt.NDArray[np.float32], values: npt.NDArray[np.float64]) -> bool:
    found = np.empty(len(values), np.int8)
    read_back(narrow.view(np.uint32), values, POWERS, found)
    if (found == 0).any():
        return False
    texts = decimals(narrow[found < 0])
    text = texts.data.tobytes()
    read = [float(text[a:b]) for a, b in zip(texts.start.tolist(), texts.stop.tolist(), strict=True)]
    return bool(read == values[found < 0].tolist())
