"""The functions that neurons compute, as ONNX operators on tensors of floats.

Most are the operator of their name. The others are written here: those of truth values and integers, which a neuron
holds as a float, and those that no runtime has.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.export.float64 import FORMULAS
from onnx2graphml.export.writer import OPSET, Writer
from onnx2graphml.functions.record import parse_axes
from onnx2graphml.functions.rounding import dtype_of, integer_range, is_integer
from onnx2graphml.graph.neurons import Activation

Float = np.dtype[Any]
Lowering = Callable[..., str]
LOWERINGS: dict[str, Lowering] = {}


def lowering(*names: str) -> Callable[[Lowering], Lowering]:
    """Register what writes a function that is not simply the operator of its name."""

    def register(write: Lowering) -> Lowering:
        LOWERINGS.update(dict.fromkeys(names, write))
        return write

    return register


def write_function(w: Writer, function: Activation, values: Sequence[str], dtype: Float) -> str:
    """A function of one or several values of one shape, in a type; coupling axes count behind the batch's.

    Example:
        >>> w = Writer()
        >>> write_function(w, Activation.parse("Clip(min=0,max=6)"), ["x"], np.dtype("float32"))
        'Clip'
    """
    given = dict(function.parameters)
    if dtype == np.float64 and function.op in FORMULAS:
        return FORMULAS[function.op](w, *values, **given)
    if function.op not in LOWERINGS and not onnx.defs.has(function.op, OPSET, ""):
        raise UnsupportedError(f"{function.op} can't be written as ONNX: opset {OPSET} does not have it")
    if function.op in LOWERINGS:
        return LOWERINGS[function.op](w, function.op, list(values), dtype, **given)
    inputs = [*values, *_constants(function, len(values), dtype)]
    return w.add(function.op, *inputs, **_attributes(function))


def _constants(function: Activation, values: int, dtype: Float) -> list[Any]:
    """The inputs that are constant numbers; '' where one before the last is left out."""
    given, names = dict(function.parameters), _inputs(function)
    found: list[Any] = [np.asarray(given[name], dtype) if name in given else "" for name in names[values:]]
    while found and isinstance(found[-1], str):
        found.pop()
    return found


def _inputs(function: Activation) -> list[str]:
    """The names of the function's values, and of the numbers that may stand for them."""
    found = inspect.signature(function.function.evaluate).parameters.values()
    return [p.name for p in found if p.kind is p.POSITIONAL_OR_KEYWORD]


def _attributes(function: Activation) -> dict[str, Any]:
    schema = onnx.defs.get_schema(function.op, OPSET)
    found: dict[str, Any] = {}
    for name, value in function.parameters:
        if name in schema.attributes:
            whole = schema.attributes[name].type == onnx.defs.OpSchema.AttrType.INT
            found[name] = int(value) if whole else value
    return found


@lowering("Softmax", "LogSoftmax")
def softmax(w: Writer, op: str, values: list[str], dtype: Float, *, axis: float | str) -> str:
    """Over several axes at once, too."""
    (x,) = values
    axes = [a + 1 for a in parse_axes(axis)]
    if len(axes) == 1:
        return w.add(op, x, axis=axes[0])
    if not axes:
        return w.Sub(x, x) if op == "LogSoftmax" else w.Exp(w.Sub(x, x))
    along = np.array(axes, np.int64)
    y = w.Sub(x, w.ReduceMax(x, along))
    e = w.Exp(y)
    total = w.ReduceSum(e, along)
    return w.Div(e, total) if op == "Softmax" else w.Sub(y, w.Log(total))


@lowering("Swish")
def swish(w: Writer, op: str, values: list[str], dtype: Float, *, alpha: float = 1.0) -> str:
    """No runtime has it in this opset."""
    (x,) = values
    return w.Mul(x, w.Sigmoid(x if alpha == 1 else w.Mul(x, np.asarray(alpha, dtype))))


@lowering("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "IsNaN", "IsInf")
def comparison(w: Writer, op: str, values: list[str], dtype: Float, **given: float | str) -> str:
    """Truth values are floats."""
    numbers = [np.asarray(given.pop(name), dtype) for name in ("x", "y") if name in given]
    return w.cast(w.add(op, *values, *numbers, **{k: int(float(v)) for k, v in given.items()}), dtype)


@lowering("Not", "And", "Or", "Xor")
def logic(w: Writer, op: str, values: list[str], dtype: Float, **given: float) -> str:
    """What is not 0 is true."""
    numbers = [np.asarray(v != 0) for v in given.values()]
    return w.cast(w.add(op, *[w.cast(x, np.bool_) for x in values], *numbers), dtype)


@lowering("Where")
def where(w: Writer, op: str, values: list[str], dtype: Float, **given: float) -> str:
    """The condition is not 0."""
    named = dict(zip(("condition", "x", "y"), values, strict=False))
    condition, x, y = (named.get(n) or w.constant(np.asarray(given[n], dtype)) for n in ("condition", "x", "y"))
    return w.Where(w.cast(condition, np.bool_), x, y)


@lowering("BitwiseNot", "BitwiseAnd", "BitwiseOr", "BitwiseXor")
def bitwise(w: Writer, op: str, values: list[str], dtype: Float, **given: float) -> str:
    """In integers of 64 bits."""
    numbers = [np.asarray(v, np.int64) for v in given.values()]
    return w.cast(w.add(op, *[w.cast(x, np.int64) for x in values], *numbers), dtype)


@lowering("BitShift")
def bit_shift(
    w: Writer, op: str, values: list[str], dtype: Float, *, direction: str, bits: float, **given: float
) -> str:
    """By a negative number, or by more than the type has bits, all are shifted out."""
    x, y = values[0], values[1] if len(values) > 1 else w.constant(np.asarray(given["y"], dtype))
    zero, most = np.asarray(0, dtype), np.asarray(bits, dtype)
    outside = w.Or(w.Less(y, zero), w.GreaterOrEqual(y, most))
    by = w.cast(w.Where(outside, zero, y), np.uint64)
    shifted = w.BitShift(w.cast(x, np.uint64), by, direction=direction)
    if direction == "LEFT" and bits < 64:
        shifted = w.Mod(shifted, np.asarray(2 ** int(bits), np.uint64))
    return w.Where(outside, zero, w.cast(shifted, dtype))


@lowering("Mod")
def mod(w: Writer, op: str, values: list[str], dtype: Float, *, fmod: float = 0, **given: float) -> str:
    """ONNX's own has the divisor's sign for integers only."""
    x = values[0]
    y: Any = values[1] if len(values) > 1 else np.asarray(given["y"], dtype)
    return w.Mod(x, y, fmod=1) if fmod else w.Sub(x, w.Mul(y, w.Floor(w.Div(x, y))))


@lowering("Clip")
def clip(w: Writer, op: str, values: list[str], dtype: Float, **given: float) -> str:
    """Its limits may be computed, which ONNX's own has as single numbers."""
    x = values[0]
    named: dict[str, Any] = dict(zip(("min", "max"), values[1:], strict=False))
    named |= {n: np.asarray(v, dtype) for n, v in given.items()}
    if len(values) == 1:
        return w.Clip(x, *[named.get(n, "") for n in ("min", "max") if n in named or "max" in named])
    x = w.Max(x, named["min"]) if "min" in named else x
    return w.Min(x, named["max"]) if "max" in named else x


@lowering("PRelu")
def prelu(w: Writer, op: str, values: list[str], dtype: Float, **given: float) -> str:
    """The slope is one number for each neuron, or for all; ONNX Runtime has it for float32 only."""
    x, slope = values[0], values[1] if len(values) > 1 else np.asarray(given["slope"], dtype)
    if dtype == np.float32:
        return w.PRelu(x, slope)
    return w.Where(w.Less(x, np.asarray(0, dtype)), w.Mul(slope, x), x)


@lowering("OneHot")
def one_hot(w: Writer, op: str, values: list[str], dtype: Float, *, depth: float, **given: float) -> str:
    """`on` where x is 0, as it stands or counted from the end."""
    named: dict[str, Any] = dict(zip(("x", "off", "on"), values, strict=False))
    named |= {n: np.asarray(v, dtype) for n, v in given.items()}
    hit = w.Or(w.Equal(named["x"], np.asarray(0, dtype)), w.Equal(named["x"], np.asarray(-depth, dtype)))
    return w.Where(hit, named["on"], named["off"])


@lowering("Cast")
def cast(
    w: Writer, op: str, values: list[str], dtype: Float, *, to: str, saturate: float = 1, round_mode: str = "up"
) -> str:
    """To the type and back; integers by way of 64 bits, so that they wrap around."""
    (x,) = values
    kind = dtype_of(to)
    if kind == np.bool_:
        return w.cast(w.cast(x, np.bool_), dtype)
    if is_integer(kind):
        return wrapped(w, w.cast(w.cast(x, np.int64), dtype), kind, dtype)
    small = {"saturate": int(saturate)} if kind.itemsize == 1 else {}
    return w.cast(w.Cast(x, to=onnx.helper.np_dtype_to_tensor_dtype(kind), **small), dtype)


def wrapped(w: Writer, x: str, kind: np.dtype[Any], dtype: Float) -> str:
    """Whole numbers as a type of integers holds them."""
    least, most = integer_range(kind)
    if most >= 1 << 53:
        return x
    span, low = np.asarray(most - least + 1, dtype), np.asarray(least, dtype)
    moved = w.Sub(x, low)
    return w.Add(w.Sub(moved, w.Mul(span, w.Floor(w.Div(moved, span)))), low)


@lowering("QuantizeLinear")
def quantize(
    w: Writer, op: str, values: list[str], dtype: Float, *, to: str, saturate: float = 1, **given: float
) -> str:
    """x / scale, as float32, rounded to the nearest, plus the zero point, within what the type holds."""
    named: dict[str, Any] = dict(zip(("x", "scale", "zero_point"), values, strict=False))
    scale, zero = named.get("scale"), named.get("zero_point", np.asarray(given.get("zero_point", 0.0), dtype))
    divisor: Any = w.cast(scale, np.float32) if scale else np.asarray(given["scale"], np.float32)
    quotient = w.cast(w.Div(w.cast(values[0], np.float32), divisor), dtype)
    kind = dtype_of(to)
    if not is_integer(kind):
        return cast(w, op, [w.Add(quotient, zero)], dtype, to=to, saturate=saturate)
    least, most = integer_range(kind)
    return w.Clip(w.Add(w.Round(quotient), zero), np.asarray(least, dtype), np.asarray(most, dtype))


@lowering("DequantizeLinear")
def dequantize(w: Writer, op: str, values: list[str], dtype: Float, **given: float) -> str:
    """(x - zero_point) · scale."""
    named: dict[str, Any] = dict(zip(("x", "scale", "zero_point"), values, strict=False))
    named |= {n: np.asarray(v, dtype) for n, v in given.items()}
    x = w.Sub(values[0], named["zero_point"]) if "zero_point" in named else values[0]
    return w.Mul(x, named["scale"])


@lowering("Erf", "Gelu")
def by_erf(w: Writer, op: str, values: list[str], dtype: Float, *, approximate: str = "none") -> str:
    """ONNX Runtime has Erf for float32 only."""
    if dtype != np.float32 and (op == "Erf" or approximate == "none"):
        inner = by_erf(w, op, [w.cast(values[0], np.float32)], np.dtype(np.float32), approximate=approximate)
        return w.cast(inner, dtype)
    return w.add(op, *values, **({"approximate": approximate} if op == "Gelu" else {}))
