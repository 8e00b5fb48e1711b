"""Determinants: of each of their products, every factor is an edge."""

from __future__ import annotations

import math

from onnx2graphml.graph import axes as ax
from onnx2graphml.ops.gather import candidates_along
from onnx2graphml.ops.registry import NodeContext, OutputSpec, Tensor, incoming, operator


@operator
def Det(node: NodeContext, X: Tensor) -> OutputSpec:
    """X is (..., n, n); a term is a position in the matrix, row by row."""
    *batch, rows, columns = X.shape
    outer = ax.same(math.prod(batch)).strided(rows * columns, 1, 0)
    return OutputSpec((incoming(X, outer, *candidates_along([(rows, columns), (columns, 1)]), port=0),), "Det")
