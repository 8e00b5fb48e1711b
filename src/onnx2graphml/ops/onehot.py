"""Indices as neurons: one for each position that an index may point to."""

from __future__ import annotations

import numpy as np

from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.ops.registry import Constant, NodeContext, OutputSpec, Tensor, incoming, operator


@operator
def OneHot(node: NodeContext, indices: Tensor, depth: Constant, values: Constant, *, axis: int = -1) -> OutputSpec:
    """A neuron has the index less its own position: it is on where that is 0, or less than 0 by the depth."""
    axis %= len(node.shape)
    own = [1 if d == axis else n for d, n in enumerate(node.shape)]
    source = [0 if d == axis else s for d, s in enumerate(ax.strides(own))]
    axes = [ax.same(n).strided(s, t) for n, s, t in zip(node.shape, source, ax.strides(node.shape), strict=True)]
    at = np.arange(node.shape[axis], dtype=np.float64).reshape([-1 if d == axis else 1 for d in range(len(own))])
    off, on = (float(v) for v in values)
    activation = Activation("OneHot", (("off", off), ("on", on), ("depth", float(node.shape[axis]))))
    return OutputSpec((incoming(indices, *axes),), bias=-at, activation=(activation,))
