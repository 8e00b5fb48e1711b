"""Masks: which steps of a series count. Keras hands them from layer to layer, beside the values.

A functional model has those that a layer asks for as operations among its layers. All others are made while it runs: a
layer asks for the mask of what it is called with, unless it was given one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from inspect import BoundArguments, signature
from typing import Any

import numpy as np

from onnx2graphml.frontends.direct.call import Call, Like
from onnx2graphml.frontends.direct.plan import Part
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Mask, Value
from onnx2graphml.frontends.names import Names

KEPT = frozenset(
    (
        "Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization", "Dense", "Dropout", "ELU",
        "GaussianDropout", "GaussianNoise", "GroupNormalization", "GroupedQueryAttention", "Identity",
        "LayerNormalization", "LeakyReLU", "Normalization", "PReLU", "ReLU", "Rescaling", "Softmax", "SpatialDropout1D",
        "SpatialDropout2D", "SpatialDropout3D", "TimeDistributed", "UnitNormalization",
    )
)  # fmt: skip
"""Layers whose outputs have the mask of their first input."""

MERGED = frozenset(("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"))
"""Layers whose outputs have a mask where all their inputs have one."""

RECURRENT = frozenset(("Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRU", "LSTM", "RNN", "SimpleRNN"))
"""Layers whose outputs have a mask where they have steps."""

ATTENTION = frozenset(("AdditiveAttention", "Attention"))
"""Layers whose outputs have the mask of what is asked."""


Masks = Mask | None | list["Masks"]
"""Those of an argument, which may be a list of values."""


def given(value: Any, masks: Mapping[str, Mask]) -> Masks:
    """The masks of an argument."""
    if isinstance(value, list | tuple):
        return [given(each, masks) for each in value]
    return masks.get(value.name) if isinstance(value, Value) else None


def values(masks: Masks) -> Any:
    """What a layer's function is given of them."""
    if isinstance(masks, list):
        return [values(each) for each in masks]
    return None if masks is None else masks.value


def fixed(value: Any) -> Masks:
    """Masks that a call is given, in the place of those of what it is called with."""
    if isinstance(value, list | tuple):
        return [fixed(each) for each in value]
    require(value is None or (isinstance(value, Value) and value.dtype == bool), "a mask of numbers")
    return None if value is None else Mask(lambda: value)


def flat(masks: Masks) -> list[Mask | None]:
    """All of them in a row."""
    return [each for mask in masks for each in flat(mask)] if isinstance(masks, list) else [masks]


def masks_asked(bound: BoundArguments, masks: Mapping[str, Mask], known: Mapping[str, Mask], first: Any) -> Masks:
    """Those of a layer's first argument, after the layer was given the masks that it asks for.

    Args:
        bound: the arguments of its function, which are changed.
        masks: of all values.
        known: of those that a Sequential has found before it was called, which take the place of the others.
        first: argument.
    """
    tensors = {name: value for name, value in bound.arguments.items() if _has_values(value)}
    parameters, arguments = bound.signature.parameters, bound.arguments
    found = given(first, masks)
    if arguments.get("mask") is not None:
        return fixed(arguments["mask"])
    if len(tensors) == 1 and "mask" in parameters:
        found = given(first, {**masks, **known})
        arguments["mask"] = values(found)
    for name, value in tensors.items() if len(tensors) > 1 else ():
        key = f"{name}_mask"
        if key in parameters and arguments.get(key) is None:
            arguments[key] = values(given(value, masks))
    return found


def _has_values(value: Any) -> bool:
    return isinstance(value, Value) or (isinstance(value, list | tuple) and any(map(_has_values, value)))


class Found:
    """The masks that a Sequential has found before it was called, by the names of values.

    Args:
        parts: of the model.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self.masks: dict[str, Mask] = {}
        self._parts = parts

    def behind(self, part: Part) -> list[bool]:
        """Whether each layer behind one asks for a mask, as far as they hand it on."""
        asks = []
        for each in self._parts[[other.name for other in self._parts].index(part.name) + 1 :]:
            asks.append(each.kind is None or "mask" in signature(each.kind.make).parameters)
            hands = each.class_name in RECURRENT and each.options.get("return_sequences", True)
            if not (each.class_name in KEPT or hands):
                break
        return asks


def of_outputs(
    name: str,
    options: Mapping[str, Any],
    first: Any,
    before: Masks,
    outputs: Sequence[Value],
    around: Call,
    hidden: Callable[[], Sequence[bool]] | None = None,
) -> Masks:
    """The masks of what a layer puts out.

    Args:
        name: of its class.
        options: its own.
        first: what it is called with: its first argument.
        before: the masks of that.
        outputs: of the layer.
        around: where the nodes of a mask belong: to the model around the layer.
        hidden: of those that a Sequential finds before it is called: tells whether each layer behind asks for a mask.
            It has only those that one asks for.
    """
    late = hidden is not None
    if name == "Embedding" and options["mask_zero"]:
        asks = hidden() if hidden else []
        if asks and asks[0] and sum(asks) > 1:  # it is computed before the layer, and so named first
            return around.later(lambda: not_equal(around, first, 0))
        return _later(around, "NotEqual", lambda named: not_equal(around, first, 0, named), late)
    if name == "Masking":
        value = options["mask_value"]
        other = _later(around, "NotEqual", lambda named: not_equal(around, first, value, named), late)
        return _later(around, "Any", lambda named: any_of(around, other.value, False, named), late)
    if name in KEPT:
        return before
    if name in RECURRENT:
        return _of_steps(before, first, outputs)
    if isinstance(before, list) and isinstance(first, list | tuple):
        if name in ATTENTION:
            return before[0]
        if name in MERGED and all(before):
            return functools.reduce(lambda a, b: _either(around, a, b), before)
        if name == "Concatenate" and any(before):
            return _joined(around, first, before, options["axis"])
    return None


def _of_steps(before: Masks, series: Value, outputs: Sequence[Value]) -> Masks:
    """That of the series for what has its steps; no state has one."""
    return [before if y.rank == series.rank else None for y in outputs]


def _later(around: Call, op: str, make: Callable[[str], Value], late: bool = False) -> Mask:
    """A mask that is made if something asks for it, and whose node TensorFlow names now, unless late."""
    names = around.network.named if not around.layer else Names()  # a model within another has names of its own
    named = None if late else names.unique(op)

    return around.later(lambda: make(named or names.unique(op)))


def _either(around: Call, a: Masks, b: Masks) -> Mask:
    return _later(around, "LogicalOr", lambda named: either(around, values(a), values(b), named))


def _joined(around: Call, inputs: Sequence[Value], before: Sequence[Masks], axis: int) -> Mask:
    """A mask of every element, the same for all of a step; a step counts where one of its elements does."""
    wide: list[Mask] = []
    for x, mask in zip(inputs, before, strict=True):
        if mask is None:
            wide.append(Mask(functools.partial(around.array, np.ones(x.shape, bool))))
        else:
            spread = _later(around, "ExpandDims", functools.partial(_spread, around, mask))
            none = Mask(functools.partial(around.array, np.zeros(x.shape, bool)))
            wide.append(_either(around, spread, none))
    place = inputs[0].axis(axis)
    joined = Mask(lambda: around.concat([mask.value for mask in wide], place, name="concat"))
    return _later(around, "Any", lambda named: any_of(around, joined.value, False, named))


def _spread(around: Call, mask: Masks, named: str) -> Value:
    value = values(mask)
    return around.unsqueeze(value, [value.rank], name=named)


def not_equal(call: Call, x: Value, number: Like, name: str = "NotEqual") -> Value:
    """Where a value is another number."""
    return call.unary("Not", call.compare("Equal", x, number, name=name), name=name)


def either(call: Call, a: Value, b: Value, name: str = "LogicalOr") -> Value:
    """Where one of two masks is true."""
    return call.binary("Or", a, b, name=name)


def any_of(call: Call, x: Value, keep: bool, name: str = "Any") -> Value:
    """Where one of the last axis is true: whether their sum is greater than 0."""
    numbers = call.cast(x, np.float32, name="Cast", floating=True)
    found = call.reduce("ReduceSum", numbers, [x.rank - 1], keep, name=f"{name}_ReduceSum")
    return call.compare("Greater", found, 0.0, floating=True)
