"""Normalization with fixed statistics."""

from __future__ import annotations

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.ops.broadcast import broadcast
from onnx2graphml.ops.registry import Constant, NodeContext, OutputSpec, Tensor, incoming, operator


@operator
def BatchNormalization(
    node: NodeContext,
    X: Tensor,
    scale: Constant,
    B: Constant,
    mean: Constant,
    var: Constant,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    spatial: int = 1,
    training_mode: int = 0,
) -> OutputSpec:
    """X is (N, C, ...), the statistics (C). In inference it is a weight and a bias per channel.

    `momentum` only concerns training. `spatial=0` (opset 7 and 8) has statistics of X's own shape.
    """
    if training_mode:
        raise UnsupportedError("training_mode is 1; only inference (training_mode 0) is a graph of fixed weights")
    weight = scale.astype(np.float64) / np.sqrt(var.astype(np.float64) + epsilon)
    bias = B - mean * weight
    size = float((np.abs(B) + np.abs(mean * weight)).max(initial=0))
    shape = (1, -1, *[1] * (X.ndim - 2)) if spatial else (1, *X.shape[1:])
    weight, bias = weight.reshape(shape), bias.reshape(shape)
    axes = broadcast(X.shape, node.shape, weight.shape)
    kind = scale.dtype
    return OutputSpec(
        (incoming(X, *axes, weights=weight.astype(kind)),), bias=bias.astype(kind), axes=X.axes, bias_size=size
    )
