"""NumPy's and ONNX's multidirectional broadcasting, as axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis


def broadcast_strides(shape: Sequence[int], output: Sequence[int]) -> tuple[int, ...]:
    """Per dimension of the output, the stride in an input of that shape; 0 where it is repeated."""
    missing = len(output) - len(shape)
    own = ax.strides(shape)
    if missing < 0 or any(n not in (1, m) for n, m in zip(shape, output[missing:], strict=True)):
        raise UnsupportedError(f"an input of shape {tuple(shape)} does not broadcast to {tuple(output)}")
    return (0,) * missing + tuple(0 if n == 1 else s for n, s in zip(shape, own, strict=True))


def broadcast(shape: Sequence[int], output: Sequence[int], weights: Sequence[int] = ()) -> list[Axis]:
    """One axis per output dimension, from an input of `shape`; the tap is the position in weights of that shape."""
    sources, targets = broadcast_strides(shape, output), ax.strides(output)
    taps = broadcast_strides(weights, output)
    return [ax.same(n).strided(s, t, k) for n, s, t, k in zip(output, sources, targets, taps, strict=True)]


def scalar(constant: Any) -> float | None:
    """The number that a constant of one element holds; None for any other."""
    return float(constant.reshape(())) if isinstance(constant, np.ndarray) and constant.size == 1 else None
