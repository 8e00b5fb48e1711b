"""Arithmetic on tensors and constants, with broadcasting."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.functions.rounding import is_integer
from onnx2graphml.graph.graph import Incoming
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.ops.broadcast import broadcast, scalar
from onnx2graphml.ops.pointwise import pointwise, scalar_function
from onnx2graphml.ops.registry import (
    Constant,
    NodeContext,
    Operand,
    OutputSpec,
    Tensor,
    incoming,
    numbers,
    operator,
    scaled,
    weights_dtype,
)


@operator
def Add(node: NodeContext, A: Operand, B: Operand) -> OutputSpec:
    """A + B."""
    return _sum(node, [(A, 1.0), (B, 1.0)])


@operator
def Sub(node: NodeContext, A: Operand, B: Operand) -> OutputSpec:
    """A - B: the weights of B's edges are -1."""
    return _sum(node, [(A, 1.0), (B, -1.0)])


@operator
def Sum(node: NodeContext, *data_0: Operand) -> OutputSpec:
    """The sum of all inputs."""
    return _sum(node, [(x, 1.0) for x in data_0])


@operator
def Mean(node: NodeContext, *data_0: Operand) -> OutputSpec:
    """The sum of all inputs over their number."""
    return _sum(node, [(x, 1 / len(data_0)) for x in data_0])


@operator
def Max(node: NodeContext, *data_0: Operand) -> OutputSpec:
    """The greatest of all inputs; constants are the bias."""
    return _extreme(node, data_0, "max", np.maximum)


@operator
def Min(node: NodeContext, *data_0: Operand) -> OutputSpec:
    """The least of all inputs; constants are the bias."""
    return _extreme(node, data_0, "min", np.minimum)


def _extreme(node: NodeContext, operands: tuple[Operand, ...], aggregation: str, of_two: Any) -> OutputSpec:
    tensors = {x.name: x for x in operands if isinstance(x, Tensor)}  # each once
    constants = [numbers(x) for x in operands if isinstance(x, np.ndarray)]
    edges = tuple(incoming(x, *broadcast(x.shape, node.shape)) for x in tensors.values())
    bias = functools.reduce(of_two, constants) if constants else None
    return OutputSpec(edges, aggregation, bias=bias, axes=next(iter(tensors.values())).axes_in(len(node.shape)))


@operator
def Mul(node: NodeContext, A: Operand, B: Operand) -> OutputSpec:
    """A · B: by a constant the weights are its values, of two tensors the neuron multiplies its in-edges."""
    if isinstance(A, Tensor) and isinstance(B, Tensor):
        if A.name == B.name:  # one edge and a square rather than two edges between the same two neurons
            square = Activation("Pow", (("exponent", 2.0),))
            return OutputSpec((_moved(node, A),), activation=(square,), axes=A.axes)
        return OutputSpec((_moved(node, A), _moved(node, B)), aggregation="product", axes=A.axes_in(len(node.shape)))
    x, constant = _tensor_and_constant(A, B)
    return _weighted(node, x, constant)


@operator
def Div(node: NodeContext, A: Operand, B: Operand) -> OutputSpec:
    """A / B: by a constant the weights are its reciprocals; otherwise a function of two ports."""
    if is_integer(node.dtype):
        whole = Activation("Cast", (("to", node.dtype.name),))
        return dataclasses.replace(scalar_function(node, {"A": A, "B": B}), activation=(whole,))
    if isinstance(A, Tensor) and isinstance(B, np.ndarray):
        with np.errstate(all="ignore"):
            weights = (1 / B.astype(np.float64)).astype(B.dtype)
        if np.isfinite(weights).all() and (np.abs(weights) >= np.finfo(B.dtype).tiny).all():
            return _weighted(node, A, weights)
    return scalar_function(node, {"A": A, "B": B})


@operator
def Pow(node: NodeContext, X: Operand, Y: Operand) -> OutputSpec:
    """X to the power Y."""
    exponent = scalar(Y)
    if isinstance(X, Tensor) and exponent is not None and X.shape == node.shape:
        return pointwise(node, X, exponent=exponent)
    return scalar_function(node, {"X": X, "Y": Y})


@operator
def BitShift(node: NodeContext, X: Operand, Y: Operand, *, direction: str) -> OutputSpec:
    """By Y bits, `LEFT` or `RIGHT`."""
    return scalar_function(node, {"X": X, "Y": Y}, {"direction": direction, "bits": 8.0 * node.dtype.itemsize})


def _moved(node: NodeContext, x: Tensor, weight: float = 1.0) -> Incoming:
    return incoming(x, *broadcast(x.shape, node.shape), weights=np.full(1, weight, weights_dtype(x)))


def _weighted(node: NodeContext, x: Tensor, weights: Constant) -> OutputSpec:
    edges = incoming(x, *broadcast(x.shape, node.shape, weights.shape), weights=weights)
    return OutputSpec((edges,), axes=x.axes_in(len(node.shape)))


def _sum(node: NodeContext, terms: list[tuple[Operand, float]]) -> OutputSpec:
    """A weighted sum: constants add up to the bias, and a tensor that occurs several times has its weights added."""
    factors: dict[str, float] = {}
    tensors: dict[str, Tensor] = {}
    bias: Any = None
    for operand, factor in terms:
        if isinstance(operand, Tensor):
            tensors[operand.name] = operand
            factors[operand.name] = factors.get(operand.name, 0.0) + factor
        else:
            term = scaled(numbers(operand), factor)
            bias = term if bias is None else bias + term
    edges = tuple(_moved(node, x, factors[name]) for name, x in tensors.items())
    return OutputSpec(edges, bias=bias, axes=next(iter(tensors.values())).axes_in(len(node.shape)))


def _tensor_and_constant(A: Operand, B: Operand) -> tuple[Tensor, Constant]:
    if isinstance(A, Tensor) and isinstance(B, np.ndarray):
        return A, B
    if isinstance(B, Tensor) and isinstance(A, np.ndarray):
        return B, A
    raise UnsupportedError("expected a tensor of the network and a constant")
