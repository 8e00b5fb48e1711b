"""Values kept by a condition: where it is constant, they are taken at constant positions."""

from __future__ import annotations

import numpy as np

from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import lowering


@lowering()
def Compress(op: Builder, input: str, condition: str, *, axis: int | None = None) -> str:
    """Along an axis, or of all values one after the other."""
    kept = np.flatnonzero(op.known(condition, "its condition, on which the shape depends,"))
    flat = input if axis is not None else op.Reshape(input, np.array([-1]), label="flat")
    return str(op.Gather(flat, kept, axis=axis or 0, label="kept"))
