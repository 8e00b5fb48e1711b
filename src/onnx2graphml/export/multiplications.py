"""How much a network computes: the multiplications of one run, from the shapes of its operators."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import onnx
from onnx import shape_inference

Shape = Sequence[int]

OPERATORS: dict[str, Callable[[Sequence[Shape], Shape], int]] = {
    "Conv": lambda read, out: math.prod(out) * math.prod(read[1][1:]),
    "ConvTranspose": lambda read, out: math.prod(read[0]) * math.prod(read[1][1:]),
    "Gemm": lambda read, out: math.prod(out) * (math.prod(read[0]) // max(out[0], 1)),
    "MatMul": lambda read, out: math.prod(out) * read[0][-1],
    "Mul": lambda read, out: math.prod(out),
}
"""By operator, from the shapes of what it reads and of its output. Zeros count, also those of padding."""


def multiplications(model: onnx.ModelProto) -> int:
    """How many numbers are multiplied in one run of convolutions, products of matrices and `Mul`; a batch counts as 1.

    Example:
        >>> import onnx2graphml
        >>> multiplications(onnx2graphml.load("fixtures/digits.onnx").to_onnx())
        29152
    """
    graph = _without_values(model)
    shapes = {v.name: [d.dim_value or 1 for d in v.type.tensor_type.shape.dim]
              for v in (*graph.input, *graph.output, *graph.value_info)}  # fmt: skip
    total = 0
    for node in graph.node:
        if node.op_type in OPERATORS and all(name in shapes for name in (*node.input[:2], node.output[0])):
            total += OPERATORS[node.op_type]([shapes[name] for name in node.input], shapes[node.output[0]])
    return total


def _without_values(model: onnx.ModelProto) -> onnx.GraphProto:
    """The graph with all shapes that can be inferred; its weights are inputs, which takes no copy of them.

    Small integers stay: shapes are made of them.
    """
    light = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    graph = light.graph
    graph.node.extend(model.graph.node)
    graph.input.extend(i for i in model.graph.input if i.name not in {t.name for t in model.graph.initializer})
    graph.output.extend(model.graph.output)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.INT64 and math.prod(tensor.dims) <= 64:
            graph.initializer.append(tensor)
        graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    return shape_inference.infer_shapes(light).graph
