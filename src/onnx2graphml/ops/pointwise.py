"""Functions of values at one position: an operator for each record that has none written out.

One value makes one edge a neuron, and the function its activation; several make edges with ports.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.functions import FUNCTIONS, Function, is_pointwise
from onnx2graphml.graph.graph import Incoming
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.ops.broadcast import broadcast
from onnx2graphml.ops.registry import OPERATORS, Constant, NodeContext, Operand, OutputSpec, Tensor, incoming, operator

Parameters = Mapping[str, float | str]


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


def scalar_function(
    node: NodeContext, inputs: Mapping[str, Operand | None], parameters: Parameters | None = None, op: str = ""
) -> OutputSpec:
    """A function of several inputs, told apart by the port of their edges; a constant becomes neurons of its own."""
    edges: list[Incoming] = []
    constants: dict[str, Constant] = {}
    for port, (name, operand) in enumerate(inputs.items()):
        if operand is None:
            continue
        x = as_neurons(node, name, operand, constants)
        edges.append(incoming(x, *broadcast(x.shape, node.shape), port=port))
    tensors = [x for x in inputs.values() if isinstance(x, Tensor)]
    aggregation = str(Activation(op or node.op, tuple((parameters or {}).items())))
    return OutputSpec(tuple(edges), aggregation, constants=constants, axes=tensors[0].axes_in(len(node.shape)))


def as_neurons(node: NodeContext, name: str, operand: Operand, constants: dict[str, Constant]) -> Tensor:
    """The operand; a constant one as neurons, which are added to `constants`."""
    if isinstance(operand, Tensor):
        return operand
    if operand.dtype.kind == node.dtype.kind == "f":
        operand = operand.astype(node.dtype)
    own = node.fresh(f"{node.name}/{name}")
    constants[own] = operand
    return Tensor(own, operand.shape, operand.dtype)


def derived(function: Function) -> Any:
    """The operator that a record makes: its values are inputs, its parameters attributes."""

    def expand(node: NodeContext, *operands: Any, **parameters: Any) -> OutputSpec:
        if function.is_activation:
            return pointwise(node, *operands, **parameters)
        return scalar_function(node, dict(zip(function.inputs, operands, strict=True)), parameters)

    kind: Any = Tensor if function.is_activation else Operand
    types = dict.fromkeys(function.inputs, kind) | {n: type(v) for n, v in function.parameters.items()}
    expand.__name__ = expand.__qualname__ = function.name
    expand.__annotations__ = {"node": NodeContext, **types, "return": OutputSpec}
    positional = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in ("node", *function.inputs)]
    keyword = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=v) for n, v in function.parameters.items()]
    expand.__signature__ = inspect.Signature([*positional, *keyword])  # type: ignore[attr-defined]
    return operator(expand)


def derive_all() -> None:
    """An operator for each record that chooses from no candidates and has no operator yet."""
    for name, function in FUNCTIONS.items():
        if name not in OPERATORS and is_pointwise(name):
            derived(function)


def is_scalar(operand: Any) -> bool:
    """Whether it is a constant of one element."""
    return isinstance(operand, np.ndarray) and operand.size == 1
