"""Sums of few of many values: a matrix product whose zeros are no edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from onnx2graphml.model.lowering.builder import Builder

Ints = npt.NDArray[np.int64]


def sums(op: Builder, x: str, sources: Sequence[Ints], weights: Sequence[npt.NDArray[np.floating]]) -> str:
    """Along the last axis, of each target the sum of some values, each times a weight.

    Args:
        x: (..., values).
        sources: of each target, the positions of its values; none for a target that is 0. One has some.
        weights: as many, in the type of `x`.
    """
    rank, values = len(op.shape(x)), op.shape(x)[-1]
    if all(np.array_equal(found, np.arange(values)) for found in sources):
        return str(op.MatMul(x, np.stack(weights, axis=1), label="sums"))
    parts, order = [], []
    for count in sorted({len(found) for found in sources} - {0}):
        targets = [t for t, found in enumerate(sources) if len(found) == count]
        order += targets
        taken = op.Gather(x, np.stack([sources[t] for t in targets]), axis=-1, label="taken")
        factor = np.stack([weights[t] for t in targets])
        if not (factor == 1).all():
            taken = op.Mul(taken, factor, label="weighted")
        parts.append(op.ReduceSum(taken, axes=[-1], keepdims=0, label="sums"))
    together = parts[0] if len(parts) == 1 else op.Concat(*parts, axis=-1, label="together")
    if zeros := [t for t, found in enumerate(sources) if not len(found)]:
        order += zeros
        together = op.Pad(together, pads=[0] * (2 * rank - 1) + [len(zeros)], label="with_zeros")
    if order == list(range(len(order))):
        return str(together)
    return str(op.Gather(together, np.argsort(order), axis=-1, label="in_order"))
