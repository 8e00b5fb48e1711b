"""Functions that choose among candidates or reduce them, as ONNX operators: a row of candidates for each neuron.

What a port brings is a tensor (batch, neurons, terms) with a mask that says which candidates there are, or a tensor
(batch, neurons).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.export.writer import Writer
from onnx2graphml.functions.record import parse_axes
from onnx2graphml.graph.neurons import Activation

LAST = np.array([-1], np.int64)
Float = np.dtype[Any]
CHOICES: dict[str, Callable[..., str]] = {}


@dataclass(frozen=True, eq=False)
class Argument:
    """What comes in by a port.

    Attributes:
        name: of the tensor.
        there: (neurons, terms): which candidates there are; None where the port has no terms.
    """

    name: str
    there: npt.NDArray[np.bool_] | None = None

    @property
    def terms(self) -> int:
        """The number of candidates that a neuron may have."""
        return 0 if self.there is None else self.there.shape[1]


def choice(*names: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Register what writes functions of candidates."""

    def register(write: Callable[..., str]) -> Callable[..., str]:
        CHOICES.update(dict.fromkeys(names, write))
        return write

    return register


def write_choice(
    w: Writer, call: Activation, arguments: Sequence[Argument], bias: npt.NDArray[Any], dtype: Float
) -> str:
    """What each neuron makes of its candidates; `bias` is its own position, or rank.

    Raises:
        UnsupportedError: the function can't be written in ONNX.
    """
    if call.op not in CHOICES:
        raise UnsupportedError(f"{call.op} of candidates can't be written as ONNX; known: {', '.join(sorted(CHOICES))}")
    return CHOICES[call.op](w, call.op, list(arguments), bias.astype(dtype), dtype, **dict(call.parameters))


def _filled(w: Writer, x: Argument, value: float, dtype: Float) -> str:
    """The candidates, and a number where there are none."""
    assert x.there is not None
    return x.name if x.there.all() else w.Where(x.there, x.name, np.asarray(value, dtype))


@choice("ReduceL1", "ReduceL2", "ReduceSumSquare")
def _norm(w: Writer, op: str, arguments: list[Argument], bias: Any, dtype: Float) -> str:
    return w.add(op, _filled(w, arguments[0], 0, dtype), LAST, keepdims=0)


@choice("ReduceLogSumExp")
def _log_sum_exp(w: Writer, op: str, arguments: list[Argument], bias: Any, dtype: Float) -> str:
    return w.add(op, _filled(w, arguments[0], -math.inf, dtype), LAST, keepdims=0)


@choice("LpPool")
def _lp_pool(w: Writer, op: str, arguments: list[Argument], bias: Any, dtype: Float, *, p: float = 2) -> str:
    powers = w.Pow(w.Abs(_filled(w, arguments[0], 0, dtype)), np.asarray(p, dtype))
    return w.Pow(w.ReduceSum(powers, LAST, keepdims=0), np.asarray(1 / p, dtype))


@choice("Det")
def _det(w: Writer, op: str, arguments: list[Argument], bias: Any, dtype: Float) -> str:
    side = math.isqrt(arguments[0].terms)
    return w.Det(w.Reshape(arguments[0].name, np.array([-1, len(bias), side, side], np.int64)))


@choice("ArgMax", "ArgMin")
def _arg(
    w: Writer, op: str, arguments: list[Argument], bias: Any, dtype: Float, *, select_last_index: float = 0
) -> str:
    x = _filled(w, arguments[0], -math.inf if op == "ArgMax" else math.inf, dtype)
    best = w.add(op, x, axis=-1, keepdims=0, select_last_index=int(select_last_index))
    return w.Add(w.cast(best, dtype), bias)


@choice("Hardmax")
def _hardmax(w: Writer, op: str, arguments: list[Argument], bias: Any, dtype: Float) -> str:
    best = w.ArgMax(_filled(w, arguments[0], -math.inf, dtype), axis=-1, keepdims=0)
    return w.cast(w.Equal(w.cast(best, dtype), bias), dtype)


@choice("TopK")
def _top_k(
    w: Writer, op: str, arguments: list[Argument], bias: Any, dtype: Float, *, largest: float = 1, output: float = 0
) -> str:
    x = _filled(w, arguments[0], -math.inf if largest else math.inf, dtype)
    found = w.several("TopK", 2, x, np.array([arguments[0].terms], np.int64), axis=-1, largest=int(largest))
    return _at(w, w.cast(found[int(output)], dtype), w.cast(_spread(w, x, bias), np.int64))


@choice("Gather")
def _gather(w: Writer, op: str, arguments: list[Argument], bias: Any, dtype: Float, *, shape: float | str) -> str:
    data, *indices = arguments
    position, inside = _flat(w, [i.name for i in indices], shape, dtype)
    inside = w.And(inside, w.Less(position, np.asarray(data.terms, np.int64)))  # a candidate that was left out is none
    found = _at(w, _filled(w, data, math.nan, dtype), w.Where(inside, position, np.asarray(0, np.int64)))
    return w.Where(inside, found, np.asarray(math.nan, dtype))


@choice("ScatterElements")
def _scatter_elements(
    w: Writer, op: str, arguments: list[Argument], bias: Any, dtype: Float, *, size: float, reduction: str
) -> str:
    data, indices, updates = arguments
    i = _filled(w, indices, math.inf, dtype)
    at = w.Where(w.Less(i, np.asarray(0, dtype)), w.Add(i, np.asarray(size, dtype)), i)
    return _reduced(w, data.name, updates, w.Equal(at, bias[:, None]), reduction, dtype)


@choice("ScatterND")
def _scatter_nd(
    w: Writer,
    op: str,
    arguments: list[Argument],
    bias: Any,
    dtype: Float,
    *,
    shape: float | str,
    reduction: str,
) -> str:
    data, updates, *indices = arguments
    position, inside = _flat(w, [_filled(w, i, 0, dtype) for i in indices], shape, dtype)
    own = w.And(w.Equal(w.cast(position, dtype), bias[:, None]), inside)
    own = own if updates.there is None else w.And(own, updates.there)
    return _reduced(w, data.name, updates, own, reduction, dtype)


@choice("TensorScatter")
def _tensor_scatter(
    w: Writer, op: str, arguments: list[Argument], bias: Any, dtype: Float, *, size: float, mode: str
) -> str:
    past, update, first = arguments
    at, zero, most = w.Sub(bias, first.name), np.asarray(0, dtype), np.asarray(size, dtype)
    at = w.Sub(at, w.Mul(most, w.Floor(w.Div(at, most)))) if mode == "circular" else at
    inside = w.And(w.GreaterOrEqual(at, zero), w.Less(at, np.asarray(update.terms, dtype)))
    there = update.name
    if update.there is not None and not update.there.all():
        there = w.Where(update.there, there, w.Unsqueeze(past.name, LAST))
    found = _at(w, there, w.cast(w.Where(inside, at, zero), np.int64))
    return w.Where(inside, found, past.name)


@choice("MaxUnpool")
def _max_unpool(w: Writer, op: str, arguments: list[Argument], bias: Any, dtype: Float) -> str:
    x, indices = arguments
    own = w.Equal(_filled(w, indices, -1, dtype), bias[:, None])
    zero = w.constant(np.zeros(len(bias), dtype))
    return _reduced(w, zero, x, own, "none", dtype)


@choice("GridSample")
def _grid_sample(
    w: Writer,
    op: str,
    arguments: list[Argument],
    bias: Any,
    dtype: Float,
    *,
    shape: float | str,
    mode: str,
    padding_mode: str,
    align_corners: float,
) -> str:
    picture, *grid = arguments
    neurons, sides = len(bias), parse_axes(shape)
    pictures = w.Reshape(_filled(w, picture, 0, dtype), np.array([-1, 1, *sides], np.int64))
    points = w.Concat(*[w.Unsqueeze(g.name, LAST) for g in grid], axis=-1)
    points = w.Reshape(points, np.array([-1, *[1] * len(sides), len(sides)], np.int64))
    found = w.GridSample(pictures, points, mode=mode, padding_mode=padding_mode, align_corners=int(align_corners))
    return w.Reshape(found, np.array([-1, neurons], np.int64))


def _at(w: Writer, candidates: str, position: str) -> str:
    """The candidate at each neuron's position; both are (batch, neurons, …)."""
    return w.Squeeze(w.GatherElements(candidates, w.Unsqueeze(position, LAST), axis=-1), LAST)


def _spread(w: Writer, like: str, bias: Any) -> str:
    """A number for each neuron, for each input of the batch."""
    batch = w.Shape(like, start=0, end=1)
    return w.Expand(bias[None], w.Concat(batch, np.array([len(bias)], np.int64), axis=0))


def _flat(w: Writer, indices: Sequence[str], shape: float | str, dtype: Float) -> tuple[str, str]:
    """Positions in several axes as row-major ones, 0 where one lies outside; and whether none does."""
    flat = inside = ""
    for index, size in zip(indices, parse_axes(shape), strict=True):
        most = np.asarray(size, dtype)
        at = w.Where(w.Less(index, np.asarray(0, dtype)), w.Add(index, most), index)
        good = w.And(w.GreaterOrEqual(at, np.asarray(0, dtype)), w.Less(at, most))
        at = w.Where(good, at, np.asarray(0, dtype))
        flat = w.Add(w.Mul(flat, most), at) if flat else at
        inside = w.And(inside, good) if inside else good
    return w.cast(flat, np.int64), inside


def _reduced(w: Writer, data: str, updates: Argument, own: str, reduction: str, dtype: Float) -> str:
    """`data`, and those candidates that are sent to the neuron."""
    x = updates.name
    empty = {"add": 0.0, "mul": 1.0, "max": -math.inf, "min": math.inf}
    if reduction in empty:
        kept = w.Where(own, x, np.asarray(empty[reduction], dtype))
        reduce = {"add": "ReduceSum", "mul": "ReduceProd", "max": "ReduceMax", "min": "ReduceMin"}[reduction]
        total = w.add(reduce, kept, LAST, keepdims=0)
        return w.add({"add": "Add", "mul": "Mul", "max": "Max", "min": "Min"}[reduction], data, total)
    mine = w.cast(own, np.int32)
    last = w.ArgMax(mine, axis=-1, keepdims=0, select_last_index=1)
    any_ = w.cast(w.ReduceMax(mine, LAST, keepdims=0), np.bool_)
    return w.Where(any_, _at(w, x, last), data)
