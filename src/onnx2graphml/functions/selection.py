"""Values that decide which value goes on, or where it goes.

Candidates are told apart by their terms, which are positions: along the axis that is chosen from, or row-major in
several axes. A position that is a value itself comes in by a port. `bias` is a neuron's own position, or rank.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.functions.record import ABSENT, Values, function, is_absent, parse_axes


def _best(x: Values, last: bool = False) -> npt.NDArray[np.int64]:
    """The position of the greatest candidate; of equal ones the first, or the last.

    ONNX says nothing of NaN. ONNX Runtime goes from one to the next, and nothing is greater than NaN, nor is NaN.
    """
    known = ~(is_absent(x) | np.isnan(x))
    best = known & (x == np.where(known, x, -np.inf).max(axis=1, keepdims=True, initial=-np.inf))
    found = x.shape[1] - 1 - best[:, ::-1].argmax(axis=1) if last else best.argmax(axis=1)
    return np.where(_begins_with_nan(x) | ~best.any(axis=1), 0, found)


def _begins_with_nan(x: Values) -> npt.NDArray[np.bool_]:
    return np.asarray(np.isnan(x[:, 0]) & ~is_absent(x[:, 0]))


@function(candidates=True)
def ArgMax(data: Values, *, bias: Values, select_last_index: int = 0) -> Any:
    return _best(data, bool(select_last_index)) + bias


@function(candidates=True)
def ArgMin(data: Values, *, bias: Values, select_last_index: int = 0) -> Any:
    return _best(np.where(is_absent(data), ABSENT, -data), bool(select_last_index)) + bias


@function(candidates=True)
def Hardmax(input: Values, *, bias: Values) -> Any:
    return np.asarray((_best(input) == bias) & ~_begins_with_nan(input), np.float64)


@function(candidates=True, chooses=(0,))
def TopK(X: Values, *, bias: Values, largest: int = 1, output: int = 0) -> Any:
    """The value of rank `bias`, or with `output=1` its position; of equal ones the first comes first."""
    order = np.argsort(-X if largest else X, axis=1, kind="stable")
    position = order[np.arange(len(X)), bias.astype(np.int64)]
    return position if output else X[np.arange(len(X)), position]


@function(candidates=True, chooses=(0,))
def Gather(data: Values, *indices: Values, shape: float | str) -> Any:
    """The candidate at a position; a negative one counts from the end."""
    return _at(data, _flat(indices, shape))


@function(candidates=True, chooses=(0, 2))
def ScatterElements(
    data: Values, indices: Values, updates: Values, *, bias: Values, size: float, reduction: str
) -> Any:
    """`data`, and of the candidates in `updates` those whose position is the neuron's own."""
    own = np.where(indices < 0, indices + size, indices) == bias[:, None]
    return _reduced(data, updates, own & ~is_absent(indices), reduction)


@function(candidates=True, chooses=(0, 1))
def ScatterND(data: Values, updates: Values, *indices: Values, bias: Values, shape: float | str, reduction: str) -> Any:
    """The same, with positions in several axes."""
    own = _flat(indices, shape) == bias.astype(np.int64)[:, None]
    return _reduced(data, updates, own & ~is_absent(updates), reduction)


@function(candidates=True, chooses=(0, 1))
def TensorScatter(
    past_cache: Values, update: Values, write_indices: Values, *, bias: Values, size: float, mode: str
) -> Any:
    """The candidate that is written to the neuron's own position, or what was there."""
    at = bias - write_indices
    at = np.mod(at, size) if mode == "circular" else at
    found = _at(update, np.where((at >= 0) & (at < update.shape[1]), at, -1).astype(np.int64))
    return np.where(is_absent(found), past_cache, found)


@function(candidates=True, chooses=(0,))
def MaxUnpool(X: Values, I: Values, *, bias: Values) -> Any:  # noqa: E741
    """The candidate that is sent to the neuron's own position; of several the last, 0 of none."""
    own = ~is_absent(I) & (bias[:, None] == I)
    last = own.shape[1] - 1 - own[:, ::-1].argmax(axis=1)
    return np.where(own.any(axis=1), X[np.arange(len(X)), last], 0)


@function(chooses=(1, 2))
def OneHot(x: Values, off: Values, on: Values, *, depth: float) -> Any:
    """`on` where x, a position less the neuron's own, is 0, as it stands or counted from the end."""
    return np.where((x == 0) | (x == -depth), on, off)


def _flat(indices: tuple[Values, ...], shape: float | str) -> npt.NDArray[np.int64]:
    """Positions in several axes as row-major ones; -1 where one lies outside."""
    flat, inside = np.zeros(indices[0].shape, np.int64), np.ones(indices[0].shape, bool)
    for index, size in zip(indices, parse_axes(shape), strict=True):
        at = np.where(index < 0, index + size, index)
        inside &= (at >= 0) & (at < size)
        flat = flat * size + np.where(inside, at, 0).astype(np.int64)
    return np.where(inside, flat, -1)


def _at(candidates: Values, position: npt.NDArray[np.int64]) -> Values:
    """The candidate at each neuron's position; `ABSENT` where there is none."""
    known = (position >= 0) & (position < candidates.shape[1])
    taken = candidates[np.arange(len(candidates)), np.where(known, position, 0)]
    return np.where(known, taken, ABSENT)


def _reduced(data: Values, updates: Values, own: npt.NDArray[np.bool_], reduction: str) -> Values:
    if reduction == "add":
        return np.asarray(data + np.where(own, updates, 0).sum(axis=1))
    if reduction == "mul":
        return np.asarray(data * np.where(own, updates, 1).prod(axis=1))
    if reduction == "max":
        return np.asarray(np.maximum(data, np.where(own, updates, -np.inf).max(axis=1, initial=-np.inf)))
    if reduction == "min":
        return np.asarray(np.minimum(data, np.where(own, updates, np.inf).min(axis=1, initial=np.inf)))
    last = own.shape[1] - 1 - own[:, ::-1].argmax(axis=1)
    return np.where(own.any(axis=1), updates[np.arange(len(updates)), last], data)
