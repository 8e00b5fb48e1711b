"""Matrix products that have an intermediate result."""

from __future__ import annotations

from typing import Any

from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import lowering


@lowering(only_if_repeated=2)
def Gemm(op: Builder, A: str, B: str, C: str, *, beta: float = 1.0, **attributes: Any) -> str:
    """Where it adds what it multiplies, which would make two edges between the same neurons: a product and a sum."""
    product = op.Gemm(A, B, label="product", **attributes)
    return str(op.Add(product, C if beta == 1 else op.Mul(C, beta, label="scaled"), label="sum"))
