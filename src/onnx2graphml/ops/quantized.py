"""Convolutions of integers, whose zero points are constant."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onnx2graphml.model.limits import ask
from onnx2graphml.ops.conv import Conv
from onnx2graphml.ops.registry import Constant, NodeContext, OutputSpec, Tensor, operator


@operator
def ConvInteger(
    node: NodeContext,
    x: Tensor,
    w: Constant,
    x_zero_point: Constant | None = None,
    w_zero_point: Constant | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Sequence[int] | None = None,
    group: int = 1,
    kernel_shape: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> OutputSpec:
    """A convolution of x - x_zero_point by w - w_zero_point; what the former takes from each sum is the bias."""
    kernel = w.astype(np.int64)
    if w_zero_point is not None:
        kernel -= w_zero_point.astype(np.int64).reshape(-1, *[1] * (w.ndim - 1))
    spec = Conv(
        node,
        x,
        kernel,
        auto_pad=auto_pad,
        dilations=dilations,
        group=group,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
    )
    assert isinstance(spec, OutputSpec)
    if x_zero_point is None or not x_zero_point.any():
        return spec
    # Padding is 0 after the zero point is taken away, so that only the taps within the input count.
    (edges,) = spec.incoming
    ask(math.prod(x.shape) + math.prod(node.shape))
    zeros = np.full(int(np.prod(x.shape)), float(x_zero_point.item()))
    taken = edges.block.apply(zeros, int(np.prod(node.shape))).reshape(node.shape)
    return OutputSpec(spec.incoming, bias=-taken, axes=spec.axes, spatial=spec.spatial)
