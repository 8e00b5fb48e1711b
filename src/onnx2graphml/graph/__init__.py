"""The graph of neurons: axes, edge blocks, layers, and what is asked of them. Knows nothing of ONNX."""
