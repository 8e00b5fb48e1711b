"""Is the graph right? Every layer recomputed from its edges, and compared with ONNX Runtime."""
