"""Many values to one, each by an edge with a term of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnx2graphml.functions.record import Values, function, is_absent


def present(x: Values, otherwise: float = 0.0) -> Values:
    """The candidates, and a number where there are none."""
    return np.where(is_absent(x), otherwise, x)


@function(candidates=True)
def ReduceL1(data: Values) -> Any:
    return np.abs(present(data)).sum(axis=1)


@function(candidates=True)
def ReduceL2(data: Values) -> Any:
    return np.sqrt((present(data) ** 2).sum(axis=1))


@function(candidates=True)
def ReduceSumSquare(data: Values) -> Any:
    return (present(data) ** 2).sum(axis=1)


@function(candidates=True, around_one=True)
def ReduceLogSumExp(data: Values) -> Any:
    x = present(data, -np.inf)
    most = x.max(axis=1, initial=-np.inf)
    shift = np.where(np.isfinite(most), most, 0)
    return np.log(np.exp(x - shift[:, None]).sum(axis=1)) + shift


@function(candidates=True)
def LpPool(X: Values, *, p: float = 2) -> Any:
    return (np.abs(present(X)) ** p).sum(axis=1) ** (1 / p)


def square(X: Values) -> Values:
    """Matrices, of which the terms are the positions, row by row."""
    n = round(X.shape[1] ** 0.5)
    return X.reshape(-1, n, n)


def hadamard_bound(X: Values) -> Any:
    """The product of the rows' lengths: no determinant is larger, and one whose terms cancel is much smaller."""
    return np.prod(np.linalg.norm(square(X), axis=2), axis=1)


@function(candidates=True, size=hadamard_bound)
def Det(X: Values) -> Any:
    return np.linalg.det(square(X))
