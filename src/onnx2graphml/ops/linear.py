"""Matrix products with one constant factor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.graph import Incoming
from onnx2graphml.ops.broadcast import broadcast, broadcast_strides, scaled
from onnx2graphml.ops.registry import NodeContext, Operand, OutputSpec, Tensor, incoming, operator, weights_dtype


@operator
def Gemm(
    node: NodeContext,
    A: Operand,
    B: Operand,
    C: Operand | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,
    transB: int = 0,
) -> OutputSpec:
    """alpha·A'·B' + beta·C; A' and B' are A and B, transposed where asked for; C broadcasts to (M, N)."""
    product = _product(A, B, _Factor.left(A, bool(transA)), _Factor.right(B, bool(transB)), alpha)
    if C is None or isinstance(C, np.ndarray):
        return OutputSpec((product,), bias=None if C is None else scaled(C, beta))
    if (isinstance(A, Tensor) and C.name == A.name) or (isinstance(B, Tensor) and C.name == B.name):
        raise UnsupportedError("it adds the tensor that it multiplies, to which a neuron would have two edges")
    weight = np.full(1, beta, weights_dtype(C))
    return OutputSpec((product, incoming(C, *broadcast(C.shape, node.shape), weights=weight)))


@operator
def MatMul(node: NodeContext, A: Operand, B: Operand) -> OutputSpec:
    """NumPy's matmul: leading axes broadcast; a vector on either side loses its axis."""
    return OutputSpec((_product(A, B, _Factor.left(A), _Factor.right(B)),), axes=_carried(node, A))


def _carried(node: NodeContext, A: Operand) -> tuple[int | None, ...]:
    """All but the last axis go on where the first factor is the computed one and keeps its rank."""
    if isinstance(A, Tensor) and A.ndim == len(node.shape) and A.ndim > 1:
        return (*A.axes[:-1], None)
    return ()


@dataclass(frozen=True)
class _Factor:
    """A factor seen as leading axes, the axis that is summed over, and the one that stays."""

    batch: tuple[int, ...]
    kept: int
    kept_stride: int
    summed: int
    summed_stride: int

    @staticmethod
    def left(A: Operand, transposed: bool = False) -> _Factor:
        """A is (..., kept, summed)."""
        if A.ndim == 1:
            return _Factor((), 1, 0, A.shape[0], 1)
        *batch, n, m = A.shape
        if transposed:
            return _Factor(tuple(batch), m, 1, n, m)
        return _Factor(tuple(batch), n, m, m, 1)

    @staticmethod
    def right(B: Operand, transposed: bool = False) -> _Factor:
        """B is (..., summed, kept)."""
        return _Factor.left(B, not transposed)

    def batch_strides(self, batch: tuple[int, ...]) -> tuple[int, ...]:
        own = broadcast_strides(self.batch, batch)
        return tuple(s * self.kept * self.summed for s in own)


def _product(A: Operand, B: Operand, a: _Factor, b: _Factor, alpha: float = 1.0) -> Incoming:
    """The block of a product: leading axes, rows, columns, and the axis summed over."""
    if a.summed != b.summed:
        raise UnsupportedError(
            f"factors have shapes {A.shape} and {B.shape}; they must agree in the axis summed over, "
            f"got {a.summed} and {b.summed}"
        )
    batch = np.broadcast_shapes(a.batch, b.batch)
    *leading, row, column = ax.strides((*batch, a.kept, b.kept))
    left, right = a.batch_strides(batch), b.batch_strides(batch)
    axes = [  # source, target and tap are positions in A, in the product and in B
        *(ax.same(n).strided(s, t, k) for n, s, t, k in zip(batch, left, leading, right, strict=True)),
        ax.same(a.kept).strided(a.kept_stride, row, 0),
        ax.same(b.kept).strided(0, column, b.kept_stride),
        ax.same(a.summed).strided(a.summed_stride, 0, b.summed_stride),
    ]
    if isinstance(A, Tensor) and isinstance(B, np.ndarray):
        return incoming(A, *axes, weights=scaled(B, alpha))
    if isinstance(B, Tensor) and isinstance(A, np.ndarray):
        return incoming(B, *(Axis(x.tap, x.target, x.source) for x in axes), weights=scaled(A, alpha))
    raise UnsupportedError("both factors are computed by the network; one of them must be constant")
