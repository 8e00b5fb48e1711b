"""Products of edge blocks with values of neurons, and passes over all layers, without expanding an edge.

A block is read in the cheapest way that is exact. Where weights don't count, it is a Kronecker product of relations
along one dimension: the product goes axis by axis, and costs neurons times window instead of edges. Where they count,
one tap of every window leaves a dense matrix, so that the product is a few matrix products.
"""

from __future__ import annotations

from onnx2graphml.engine.passes import backward, forward, in_sum, out_sum
from onnx2graphml.engine.products import product
from onnx2graphml.engine.scaled import ScaledBlock
from onnx2graphml.engine.semirings import SEMIRINGS, Weight

__all__ = ["SEMIRINGS", "ScaledBlock", "Weight", "backward", "forward", "in_sum", "out_sum", "product"]
