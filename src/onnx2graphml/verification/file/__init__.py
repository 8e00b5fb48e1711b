"""Does what stands in a file compute the network? The written graph, read back, against ONNX Runtime and the model."""

from onnx2graphml.verification.file.check import verify_file
from onnx2graphml.verification.file.worst import InEdge, Worst, worst_neuron

__all__ = ["InEdge", "Worst", "verify_file", "worst_neuron"]
