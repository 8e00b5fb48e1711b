"""Whole numbers and truth values that make sense as an input: tokens that are in the vocabulary, masks of 0 and 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.functions.rounding import integer_range
from onnx2graphml.model import Model, TensorType

MOVES = ("Cast", "Flatten", "Identity", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze")
"""Operators that pass values on as they are."""


def vocabulary(model: Model, name: str) -> int | None:
    """How many positions the indices in an input may point to, as far as an operator tells; None where none does."""
    same, found = {name}, []
    for node in model.nodes:
        if node.op in MOVES and node.inputs[0] in same:
            same |= set(node.outputs)
        elif node.op == "OneHot" and node.inputs[0] in same:
            found.append(int(model.constants[node.inputs[1]].item()))
        elif node.op in ("Gather", "GatherElements") and node.inputs[1] in same and node.inputs[0] in model.types:
            found.append(model.types[node.inputs[0]].shape[int(node.attributes.get("axis", 0))])
    return min(found, default=None)


def in_range(values: npt.NDArray[Any], kind: TensorType, size: int | None) -> npt.NDArray[Any]:
    """Normally distributed numbers as those of a type: indices below `size`, bytes, or else 0 and 1."""
    if kind.dtype == np.bool_:
        return np.asarray(values > 0)
    if size is None and kind.dtype.itemsize == 1:
        least, most = integer_range(kind.dtype)
        return np.asarray(np.clip(np.rint(values * 50 + (least + most) / 2), least, most), kind.dtype)
    return np.asarray(np.floor(np.mod(np.abs(values) * 1000, size or 2)), kind.dtype)
