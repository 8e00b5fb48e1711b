"""The lowerings' contract, and the registry.

A lowering is one function, named as the operator that it replaces; **its signature is the operator's schema**, as in
`ops`, where the primitives are:

    @lowering()
    def LRN(op: Builder, X: str, *, size: int, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0) -> str: ...

- positional parameters are the inputs, names of tensors; None for one that is left out;
- keyword parameters are the attributes with their defaults: an unknown attribute is refused;
- `**attributes` are those that are handed on to the operator that takes this one's place;
- it adds nodes by calling `op.Operator(...)`, and returns the names of the outputs, None for one that it can't compute.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.lowering.builder import Builder

Outputs = str | Sequence[str | None]
Lowering = Callable[..., Outputs]

MICROSOFT = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""

LOWERINGS: dict[tuple[str, str], Lowering] = {}
"""By domain and operator."""


ONLY_IF_CONSTANT: dict[tuple[str, str], int] = {("", "Gather"): 0}
"""Operators that are replaced only where the input of that number is constant; otherwise they are primitives."""

PRIMITIVE_IF_CONSTANT: dict[tuple[str, str], tuple[int, ...]] = {}
"""By domain and operator, the inputs that make it a primitive where they are constant or left out."""


ONLY_IF_REPEATED: dict[tuple[str, str], int] = {}
"""Operators that are replaced only where the input of that number is computed, and is an earlier one, too."""


def lowering(
    domain: str = "", primitive_if_constant: tuple[int, ...] = (), only_if_repeated: int | None = None
) -> Callable[[Lowering], Lowering]:
    """Register a function as the lowering of the operator of its name.

    Args:
        domain: of the operator; empty for ONNX's own.
        primitive_if_constant: positions of inputs; where these are constant, the operator is a primitive.
        only_if_repeated: the position of an input; unless it is computed and an earlier one, too, it is a primitive.

    Raises:
        ValueError: there is one already.
    """

    def register(function: Lowering) -> Lowering:
        key = (domain, function.__name__)
        if key in LOWERINGS:
            raise ValueError(f"{function.__name__} is registered twice")
        LOWERINGS[key] = function
        if primitive_if_constant:
            PRIMITIVE_IF_CONSTANT[key] = primitive_if_constant
        if only_if_repeated is not None:
            ONLY_IF_REPEATED[key] = only_if_repeated
        return function

    return register


def call(function: Lowering, op: Builder, inputs: Sequence[str], attributes: Mapping[str, Any]) -> Sequence[str | None]:
    """The outputs of a lowering, after its node's inputs and attributes were held against its signature.

    Args:
        inputs: names; empty for an input that is left out.

    Raises:
        UnsupportedError: an input is missing, or there is one, or an attribute, that the function doesn't know.
    """
    parameters = list(inspect.signature(function).parameters.values())[1:]
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    handed_on = any(p.kind is p.VAR_KEYWORD for p in parameters)
    for name in attributes:
        if name not in known and not handed_on:
            raise UnsupportedError(f"attribute {name!r} is not supported; supported: {', '.join(known) or 'none'}")
    for name in known:
        if name not in attributes and inspect.signature(function).parameters[name].default is inspect.Parameter.empty:
            raise UnsupportedError(f"attribute {name!r} is missing; the operator needs it")
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if len(inputs) > len(positional) and not variadic:
        raise UnsupportedError(f"it has {len(inputs)} inputs; expected at most {len(positional)}")
    given = [*inputs, *[""] * (len(positional) - len(inputs))]
    hints = typing.get_type_hints(function)
    for parameter, name in zip(positional, given, strict=False):
        if not name and type(None) not in typing.get_args(hints[parameter.name]):
            raise UnsupportedError(f"input {parameter.name!r} is missing; the operator needs it")
    outputs = function(op, *(name or None for name in given), **attributes)
    return (outputs,) if isinstance(outputs, str) else tuple(outputs)
