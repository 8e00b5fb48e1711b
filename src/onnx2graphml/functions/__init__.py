"""What neurons compute: a record for each function, in one file a family. Importing this package registers them all."""

from onnx2graphml.functions import activations, elementary, logic, reductions, rounding, sampling, selection  # noqa: F401
from onnx2graphml.functions.record import FUNCTIONS, Function, axes_text, find, is_pointwise, parse_axes

__all__ = ["FUNCTIONS", "Function", "axes_text", "find", "is_pointwise", "parse_axes"]
