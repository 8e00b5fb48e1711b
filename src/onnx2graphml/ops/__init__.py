"""The operators: one function each, in one file a family. Importing this package registers them all."""

from onnx2graphml.ops import (  # noqa: F401
    activation,
    cast,
    conv,
    cumulative,
    determinant,
    einsum,
    elementwise,
    extreme,
    fourier,
    gather,
    join,
    linear,
    norm,
    onehot,
    pointwise,
    pool,
    quantized,
    rearrange,
    reduce,
    resize,
    sample,
    scatter,
    shape,
)
from onnx2graphml.ops.registry import (
    OPERATORS,
    Constant,
    NodeContext,
    Operand,
    OutputSpec,
    Tensor,
    expand,
    find,
    in_full,
)

pointwise.derive_all()

__all__ = ["OPERATORS", "Constant", "NodeContext", "Operand", "OutputSpec", "Tensor", "expand", "find", "in_full"]
