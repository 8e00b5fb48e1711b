"""Does what stands in a file compute the network? The written graph, read back, against ONNX Runtime and the model."""
