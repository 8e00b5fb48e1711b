"""All functions of NetworkX that have a method of their own, by the name that its dispatcher has for them."""

from onnx2graphml.backend import centralities, columns, paths, whole  # noqa: F401  (each notes its own)
from onnx2graphml.backend.own import OWN

__all__ = ["OWN"]
