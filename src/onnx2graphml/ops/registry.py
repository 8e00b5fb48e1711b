"""The operators' contract, and the registry.

An operator is one function, named as the operator; **its signature is the operator's schema**:

    @operator
    def Gemm(node, A: Operand, B: Operand, C: Operand | None = None, *, alpha=1.0, ...) -> OutputSpec: ...

- positional parameters are the ONNX inputs: annotated `Tensor` (computed by the network), `Constant` (a NumPy array),
  or `Operand` (either); an input of the wrong kind, and any surplus one, is refused;
- keyword parameters are the attributes with their defaults: an unknown attribute is refused;
- it returns what each output's neurons compute, as `OutputSpec`: several of them only where there are several outputs.

Where an operator's schema changed, a second function stands for the later opsets, named with the first of them:
`Clip_11` is Clip from opset 11 on.
"""

from __future__ import annotations

import difflib
import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import ModelError, UnsupportedError
from onnx2graphml.functions.rounding import EXACT, is_integer, is_number
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.model.uniform import each, is_uniform, one
from onnx2graphml.ops.beyond import beyond

Constant = npt.NDArray[Any]


@dataclass(frozen=True)
class Tensor:
    """A tensor that the network computes: an operator knows its name, shape and type, not its values."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes, for an output that carries all of them on."""
        return tuple(range(self.ndim))

    def axes_in(self, ndim: int) -> tuple[int | None, ...]:
        """The axes as they are carried on by broadcasting to a higher rank."""
        return (None,) * (ndim - self.ndim) + self.axes


Operand = Tensor | Constant


@dataclass(frozen=True)
class NodeContext:
    """The ONNX node that is being expanded.

    Attributes:
        op, name: the operator and the node's name.
        opset: of the operator's domain in this model.
        shapes: of the outputs, as ONNX infers them; `shape` is the first.
        used: per output, whether anything reads it.
        dtype: of the first output.
        taken: the names of the model's tensors.
    """

    op: str
    name: str
    opset: int
    shapes: tuple[tuple[int, ...], ...]
    used: tuple[bool, ...]
    dtype: np.dtype[Any]
    taken: Collection[str] = ()

    def fresh(self, name: str) -> str:
        """A name for a constant that no tensor of the model has."""
        while name in self.taken:
            name += "'"
        return name

    @property
    def shape(self) -> tuple[int, ...]:
        return self.shapes[0]


@dataclass(frozen=True, eq=False)
class OutputSpec:
    """What the neurons of one output tensor compute; the fields are those of `graph.Layer`.

    `incoming` names tensors, and positions in blocks are row-major in the tensors' shapes.

    Attributes:
        constants: layers of constant neurons that `incoming` refers to, by name.
        axes: per output axis, the axis of the first computed input that it carries on, or None where it is a new one;
            empty where no axis is. What is known of the input's axes is then known of the output's.
        spatial: whether the axes are (batch, channel, spatial...).
    """

    incoming: tuple[Incoming, ...] = ()
    aggregation: str = "sum"
    bias: Constant | None = None
    activation: tuple[Activation, ...] = ()
    constants: Mapping[str, Constant] = field(default_factory=dict)
    axes: tuple[int | None, ...] = ()
    spatial: bool = False
    bias_size: float = 0.0


Result = OutputSpec | Sequence[OutputSpec]
OPERATORS: dict[str, dict[int, Callable[..., Result]]] = {}


def operator(function: Callable[..., Result]) -> Callable[..., Result]:
    """Register a function as the operator of its name; `Clip_11` is Clip from opset 11 on."""
    name, _, since = function.__name__.partition("_")
    versions = OPERATORS.setdefault(name, {})
    if int(since or 1) in versions:
        raise ValueError(f"{function.__name__} is registered twice")
    versions[int(since or 1)] = function
    return function


def find(op: str, domain: str, opset: int) -> Callable[..., Result]:
    """The function for an operator in an opset.

    Raises:
        UnsupportedError: where there is none; the message names the operators that are most alike.
    """
    versions = OPERATORS.get(op, {}) if domain in ("", "ai.onnx") else {}
    fitting = [since for since in versions if since <= opset]
    if not fitting:
        full = f"{domain}.{op}" if domain else op
        if (why := beyond(op, domain)) is not None:
            raise UnsupportedError(f"operator {full} {why}")
        near = _nearest(op) if domain in ("", "ai.onnx") else ""
        raise UnsupportedError(f"operator {full} is not supported{near}; the documentation lists those that are")
    return versions[max(fitting)]


def _nearest(op: str) -> str:
    """The operators whose names are most alike, which may do instead."""
    near = difflib.get_close_matches(op, OPERATORS, n=3, cutoff=0.6)
    return f"; the nearest that are: {', '.join(near)}" if near else ""


def expand(
    call: NodeContext, domain: str, operands: Sequence[Operand | None], attributes: Mapping[str, Any]
) -> tuple[OutputSpec, ...]:
    """What the outputs of a node compute.

    Raises:
        UnsupportedError: for anything about the node that is not handled exactly.
    """
    function = find(call.op, domain, call.opset)
    _check_signature(function, operands, attributes)
    result = function(call, *operands, **(_defaults(function) | dict(attributes)))
    neurons = (result,) if isinstance(result, OutputSpec) else tuple(result)
    for i, used in enumerate(call.used):
        if used and i >= len(neurons):
            raise UnsupportedError(f"output {i} is used; only the first {len(neurons)} can be expressed by edges")
    return neurons


def _defaults(function: Callable[..., Result]) -> dict[str, float]:
    """The defaults that are not whole: attributes are float32 numbers, and so are their defaults."""
    defaults = {p.name: p.default for p in inspect.signature(function).parameters.values()}
    return {name: float(np.float32(value)) for name, value in defaults.items() if isinstance(value, float)}


def _check_signature(
    function: Callable[..., Result], operands: Sequence[Operand | None], attributes: Mapping[str, Any]
) -> None:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    hints = typing.get_type_hints(function)
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    for name in attributes:
        if name not in known:
            raise UnsupportedError(f"attribute {name!r} is not supported; supported: {', '.join(known) or 'none'}")
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    variadic = next((p for p in parameters if p.kind is p.VAR_POSITIONAL), None)
    if len(operands) > len(positional) and variadic is None:
        raise UnsupportedError(f"it has {len(operands)} inputs; expected at most {len(positional)}")
    for i, operand in enumerate(operands):
        parameter = positional[i] if i < len(positional) else variadic
        assert parameter is not None
        _check_operand(parameter, hints[parameter.name], operand)
    for parameter in positional[len(operands) :]:
        if parameter.default is parameter.empty:
            raise UnsupportedError(f"input {parameter.name!r} is missing")


def _check_operand(parameter: inspect.Parameter, hint: Any, operand: Operand | None) -> None:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if operand is None:
        if type(None) not in kinds:
            raise UnsupportedError(f"input {parameter.name!r} is missing")
    elif isinstance(operand, Tensor):
        if Tensor not in kinds:
            raise UnsupportedError(
                f"input {parameter.name!r} is computed by the network ({operand.name!r}); "
                f"it can only be expanded where it is constant"
            )
    elif all(kind in (Tensor, type(None)) for kind in kinds):
        raise UnsupportedError(f"input {parameter.name!r} is constant; it can only be expanded where it is computed")


def incoming(source: Tensor, *axes: Any, weights: Constant | None = None, port: int | None = None) -> Incoming:
    """The edges from one input tensor."""
    from onnx2graphml.graph.blocks import ONE

    if weights is not None and is_uniform(weights):  # one weight, which all edges share
        axes, weights = tuple(Axis(a.source, a.target, np.zeros_like(a.tap), a.term) for a in axes), one(weights)
    flat = ONE if weights is None else np.ascontiguousarray(numbers(weights)).reshape(-1)
    return Incoming(source.name, EdgeBlock(tuple(axes), flat), port)


WEIGHTS = {"Conv": (1,), "ConvTranspose": (1,), "Gemm": (0, 1), "MatMul": (0, 1)}
"""The inputs that `product` makes weights of: those of one value throughout are never in memory in full."""


def in_full(op: str, operands: Sequence[Operand | None]) -> int:
    """How many numbers of constants of one value throughout an operator brings into memory.

    Example:
        >>> zeros = np.broadcast_to(np.float32(0), (1000, 1000))
        >>> in_full("MatMul", [Tensor("x", (1, 1000), zeros.dtype), zeros]), in_full("Add", [zeros])
        (0, 1000000)
    """
    shared = WEIGHTS.get(op, ())
    if not any(isinstance(operands[k], Tensor) for k in (0, *shared) if k < len(operands)):
        shared = ()
    return sum(
        o.size for k, o in enumerate(operands) if isinstance(o, np.ndarray) and k not in shared and is_uniform(o)
    )


def product(A: Operand, B: Operand, axes: Sequence[Axis], factor: float = 1.0) -> tuple[Incoming, ...]:
    """The edges of a product of two tensors that is summed over the axes' terms.

    Where one of them is constant its values are the weights, and there are no terms; where both are computed, a product
    of two edges is a term, and the factors are told apart by ports 0 and 1.

    Args:
        axes: source and tap are positions in A and in B.
        factor: of all products.
    """
    if isinstance(A, Tensor) and isinstance(B, np.ndarray):
        return (incoming(A, *(Axis(x.source, x.target, x.tap) for x in axes), weights=scaled(B, factor)),)
    if isinstance(B, Tensor) and isinstance(A, np.ndarray):
        return (incoming(B, *(Axis(x.tap, x.target, x.source) for x in axes), weights=scaled(A, factor)),)
    if not (isinstance(A, Tensor) and isinstance(B, Tensor)):
        raise UnsupportedError("both factors are constant; expected one that the network computes")
    zero = [np.zeros(len(x), np.int64) for x in axes]
    summed = Axis(*np.zeros((4, 1), np.int64))  # so that there are terms where nothing is summed over
    left = [Axis(x.source, x.target, z, x.term) for x, z in zip(axes, zero, strict=True)]
    right = [Axis(x.tap, x.target, z, x.term) for x, z in zip(axes, zero, strict=True)]
    weight = None if factor == 1 else np.full(1, factor, weights_dtype(A))
    return incoming(A, summed, *left, weights=weight, port=0), incoming(B, summed, *right, port=1)


def scaled(constant: Constant, factor: float) -> Constant:
    """The constant times a number, in its own type."""
    if factor == 1:
        return constant
    return each(lambda c: np.asarray(c.astype(np.float64) * factor, c.dtype), constant)


def among(axes: Iterable[Any], ndim: int) -> list[int]:
    """Axes counted from the first; `ModelError` where there are no such ones.

    Example:
        >>> among([0, -1], 3)
        [0, 2]
    """
    given = [int(a) for a in axes]
    if wrong := [a for a in given if not -ndim <= a < ndim]:
        raise ModelError(f"an axis is {wrong[0]}; expected one of {ndim}")
    return [a % ndim for a in given]


def numbers(values: Constant) -> Constant:
    """Values of any type as float32, or as float64 where that does not hold them.

    Raises:
        UnsupportedError: an integer is so large that float64 doesn't hold it, or they are no numbers.
    """
    if values.dtype in (np.float32, np.float64):
        return values
    return each(_numbers, values)


def _numbers(values: Constant) -> Constant:
    if not is_number(values.dtype):
        raise UnsupportedError(f"a constant has type {values.dtype}; expected numbers")
    wide = values.astype(np.float64)
    if is_integer(values.dtype) and (np.abs(wide) > EXACT).any():
        raise UnsupportedError(f"a constant has integers beyond 2^53 = {EXACT:.0f}, which float64 doesn't hold exactly")
    with np.errstate(all="ignore"):
        short = wide.astype(np.float32)
    return short if np.array_equal(short, wide, equal_nan=True) else wide


def weights_dtype(x: Tensor) -> np.dtype[Any]:
    """The type for weights that an operator makes up: float64 in a float64 network, otherwise float32."""
    return np.dtype(np.float64 if x.dtype == np.float64 else np.float32)
