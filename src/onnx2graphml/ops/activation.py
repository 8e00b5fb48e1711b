"""Functions of one value, and Softmax: one edge a neuron, and the function named in `activation`."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph.neurons import Activation, axes_text
from onnx2graphml.ops.broadcast import broadcast, scalar
from onnx2graphml.ops.registry import Constant, NodeContext, OutputSpec, Tensor, incoming, operator


def pointwise(node: NodeContext, X: Tensor, **parameters: float | str) -> OutputSpec:
    """One edge of weight 1 to each neuron, and the operator of the node as its activation."""
    for name, value in parameters.items():
        if value != value:
            raise UnsupportedError(f"its parameter {name!r} is NaN; expected a number")
    activation = Activation(node.op, tuple(parameters.items()))
    return OutputSpec(
        (incoming(X, *broadcast(X.shape, node.shape)),),
        activation=(activation,),
        axes=X.axes_in(len(node.shape)),
    )


@operator
def Relu(node: NodeContext, X: Tensor) -> OutputSpec:
    return pointwise(node, X)


@operator
def Sigmoid(node: NodeContext, X: Tensor) -> OutputSpec:
    return pointwise(node, X)


@operator
def Tanh(node: NodeContext, input: Tensor) -> OutputSpec:
    return pointwise(node, input)


@operator
def Softplus(node: NodeContext, X: Tensor) -> OutputSpec:
    return pointwise(node, X)


@operator
def Softsign(node: NodeContext, input: Tensor) -> OutputSpec:
    return pointwise(node, input)


@operator
def Erf(node: NodeContext, input: Tensor) -> OutputSpec:
    return pointwise(node, input)


@operator
def Exp(node: NodeContext, input: Tensor) -> OutputSpec:
    return pointwise(node, input)


@operator
def Log(node: NodeContext, input: Tensor) -> OutputSpec:
    return pointwise(node, input)


@operator
def Sqrt(node: NodeContext, X: Tensor) -> OutputSpec:
    return pointwise(node, X)


@operator
def Abs(node: NodeContext, X: Tensor) -> OutputSpec:
    return pointwise(node, X)


@operator
def Neg(node: NodeContext, X: Tensor) -> OutputSpec:
    return pointwise(node, X)


@operator
def Reciprocal(node: NodeContext, X: Tensor) -> OutputSpec:
    return pointwise(node, X)


@operator
def HardSwish(node: NodeContext, X: Tensor) -> OutputSpec:
    return pointwise(node, X)


@operator
def LeakyRelu(node: NodeContext, X: Tensor, *, alpha: float = 0.01) -> OutputSpec:
    return pointwise(node, X, alpha=alpha)


@operator
def ThresholdedRelu(node: NodeContext, X: Tensor, *, alpha: float = 1.0) -> OutputSpec:
    return pointwise(node, X, alpha=alpha)


@operator
def Elu(node: NodeContext, X: Tensor, *, alpha: float = 1.0) -> OutputSpec:
    return pointwise(node, X, alpha=alpha)


@operator
def Celu(node: NodeContext, X: Tensor, *, alpha: float = 1.0) -> OutputSpec:
    return pointwise(node, X, alpha=alpha)


@operator
def Selu(
    node: NodeContext,
    X: Tensor,
    *,
    alpha: float = 1.67326319217681884765625,
    gamma: float = 1.05070102214813232421875,
) -> OutputSpec:
    return pointwise(node, X, alpha=alpha, gamma=gamma)


@operator
def HardSigmoid(node: NodeContext, X: Tensor, *, alpha: float = 0.2, beta: float = 0.5) -> OutputSpec:
    return pointwise(node, X, alpha=alpha, beta=beta)


@operator
def Gelu(node: NodeContext, X: Tensor, *, approximate: str = "none") -> OutputSpec:
    if approximate not in ("none", "tanh"):
        raise UnsupportedError(f"approximate is {approximate!r}; expected 'none' or 'tanh'")
    return pointwise(node, X, approximate=approximate)


@operator
def Clip(
    node: NodeContext,
    input: Tensor,
    *,
    min: float = float(np.finfo(np.float32).min),
    max: float = float(np.finfo(np.float32).max),
) -> OutputSpec:
    return pointwise(node, input, min=min, max=max)


@operator
def Clip_11(node: NodeContext, input: Tensor, min: Constant | None = None, max: Constant | None = None) -> OutputSpec:
    bounds = {"min": scalar(min), "max": scalar(max)}
    return pointwise(node, input, **{name: bound for name, bound in bounds.items() if bound is not None})


@operator
def Softmax(node: NodeContext, input: Tensor, *, axis: int = 1) -> OutputSpec:
    """Up to opset 12: over all axes from `axis` on, together."""
    return _over_axes(node, input, range(axis % max(input.ndim, 1), input.ndim))


@operator
def Softmax_13(node: NodeContext, input: Tensor, *, axis: int = -1) -> OutputSpec:
    """Over one axis."""
    return _over_axes(node, input, [axis % max(input.ndim, 1)])


@operator
def LogSoftmax(node: NodeContext, input: Tensor, *, axis: int = 1) -> OutputSpec:
    """Up to opset 12: over all axes from `axis` on, together."""
    return _over_axes(node, input, range(axis % max(input.ndim, 1), input.ndim))


@operator
def LogSoftmax_13(node: NodeContext, input: Tensor, *, axis: int = -1) -> OutputSpec:
    """Over one axis."""
    return _over_axes(node, input, [axis % max(input.ndim, 1)])


def _over_axes(node: NodeContext, X: Tensor, axes: Iterable[int]) -> OutputSpec:
    return pointwise(node, X, axis=axes_text(axes))
