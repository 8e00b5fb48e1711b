"""The operators: one function each, in one file a family. Importing this package registers them all."""

from onnx2graphml.ops import activation, conv, elementwise, join, linear, norm, pool, reduce, shape  # noqa: F401
from onnx2graphml.ops.registry import OPERATORS, Constant, NodeContext, Operand, OutputSpec, Tensor, expand, find

__all__ = ["OPERATORS", "Constant", "NodeContext", "Operand", "OutputSpec", "Tensor", "expand", "find"]
