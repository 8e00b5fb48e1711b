"""ONNX Runtime's own operators, of the domain `com.microsoft`, which its optimizer and transformer exports write."""

from onnx2graphml.model.lowering.microsoft import (  # noqa: F401  (they register their functions)
    activations,
    attention,
    blockwise,
    embedding,
    fused,
    grouped,
    normalization,
    quantized,
)
