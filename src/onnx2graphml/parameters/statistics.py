"""Numbers about one array: exact, in float64 and in chunks, so that half a gigabyte of weights needs no copy.

The largest singular value is exact for matrices up to `SMALL` on their shorter side. Beyond it is a Lanczos estimate,
a lower bound, stopped when its residual is below `TOLERANCE` of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

CHUNK = 1 << 20  # elements that are float64 at a time
SMALL = 1024  # the shorter side of a matrix whose singular values are computed exactly
TOLERANCE = 1e-3  # of a residual; the error of the largest singular value is of the order of its square
STEPS = 200
NEAR_ZERO = 1e-3  # of the largest magnitude
DEAD = 1e-6  # of the median norm
ALIKE = 0.99  # the cosine above which two outputs are near-duplicates
BINS = 64
PAIRS = 1000  # that are listed; all are counted


@dataclass(frozen=True)
class Statistics:
    """Of one array; what has no meaning for it is None.

    Attributes:
        size, mean, deviation, smallest, largest, l1, l2: of its elements; the deviation is that of the population.
        nonfinite: how many elements are NaN or infinite; all else is of the finite ones.
        zeros: the share of exact zeros.
        near_zeros: the share below `NEAR_ZERO` of the largest magnitude, the exact zeros among them.
        spectral_norm: the largest singular value of the matrix of outputs and all else.
        spectral_exact: whether that is exact rather than estimated.
        stable_rank: l2² / spectral_norm².
        dead: outputs whose weights are all 0, or have a norm below `DEAD` of the median norm.
        alike: pairs of outputs with a cosine above `ALIKE`, the first `PAIRS` of `alike_count`.
        counts, edges: a histogram of `BINS` equal bins from the smallest to the largest.
    """

    size: int
    nonfinite: int
    mean: float
    deviation: float
    smallest: float
    largest: float
    l1: float
    l2: float
    zeros: float
    near_zeros: float
    spectral_norm: float | None = None
    spectral_exact: bool = True
    stable_rank: float | None = None
    dead: tuple[int, ...] | None = None
    alike: tuple[tuple[int, int, float], ...] | None = None
    alike_count: int = 0
    counts: tuple[int, ...] = ()
    edges: tuple[float, ...] = ()


def statistics(values: Array, kernels: Array | None = None) -> Statistics:
    """All that is said of an array.

    Args:
        values: of any shape, floats.
        kernels: the same as (out, in, ...), where it has outputs.

    Example:
        >>> found = statistics(np.array([0.0, 3.0, 4.0]))
        >>> found.l2, found.smallest, round(found.zeros, 3)
        (5.0, 0.0, 0.333)
    """
    of_elements = _of_elements(values)
    if kernels is None or of_elements["nonfinite"] or not values.size:
        return Statistics(**of_elements)
    matrix = kernels.reshape(len(kernels), -1)
    norm, exact = spectral_norm(matrix)
    dead = dead_outputs(matrix)
    alike, count = near_duplicates(matrix) if matrix.shape[1] > 1 else (None, 0)
    rank = of_elements["l2"] ** 2 / norm**2 if norm else 0.0
    return Statistics(
        **of_elements,
        spectral_norm=norm,
        spectral_exact=exact,
        stable_rank=rank,
        dead=dead,
        alike=alike,
        alike_count=count,
    )


def chunks(values: Array) -> Iterator[Floats]:
    """The elements in some order, `CHUNK` at a time, as float64."""
    flat = values.reshape(-1) if values.flags.c_contiguous else np.ravel(values, order="K")
    for start in range(0, flat.size, CHUNK):
        yield flat[start : start + CHUNK].astype(np.float64)


def _finite(values: Array) -> Iterator[Floats]:
    for chunk in chunks(values):
        mask = np.isfinite(chunk)
        yield chunk if mask.all() else chunk[mask]


def _of_elements(values: Array) -> dict[str, Any]:
    """What needs two passes: the first for sums and limits, the second for what goes by them."""
    finite, total, l1, squares, zeros = 0, 0.0, 0.0, 0.0, 0
    smallest, largest = float(np.inf), float(-np.inf)
    for chunk in _finite(values):
        finite += chunk.size
        total += float(chunk.sum())
        l1 += float(np.abs(chunk).sum())
        squares += float(chunk @ chunk)
        zeros += int(chunk.size - np.count_nonzero(chunk))
        smallest = min(smallest, float(chunk.min(initial=np.inf)))
        largest = max(largest, float(chunk.max(initial=-np.inf)))
    if not finite:
        unknown = ("mean", "deviation", "smallest", "largest", "l1", "l2", "zeros", "near_zeros")
        return dict.fromkeys(unknown, float("nan")) | {"size": values.size, "nonfinite": values.size}
    mean, limit = total / finite, NEAR_ZERO * max(abs(smallest), abs(largest))
    about, near = 0.0, 0
    bins = BINS if smallest < largest else 1
    edges = np.linspace(smallest, largest, bins + 1)
    counts = np.zeros(bins, np.int64)
    for chunk in _finite(values):
        about += float(((chunk - mean) ** 2).sum())
        near += int((np.abs(chunk) < limit).sum()) if limit else chunk.size
        counts += np.histogram(chunk, bins, (smallest, largest))[0]
    return {
        "size": values.size,
        "nonfinite": values.size - finite,
        "mean": mean,
        "deviation": float(np.sqrt(about / finite)),
        "smallest": smallest,
        "largest": largest,
        "l1": l1,
        "l2": float(np.sqrt(squares)),
        "zeros": zeros / finite,
        "near_zeros": near / finite,
        "counts": tuple(counts.tolist()),
        "edges": tuple(edges.tolist()),
    }


def output_norms(matrix: Array) -> Floats:
    """The L2 norm of each row, in float64."""
    rows = max(1, CHUNK // max(1, matrix.shape[1]))
    parts = [matrix[k : k + rows].astype(np.float64) for k in range(0, len(matrix), rows)]
    return np.concatenate([np.sqrt(np.einsum("oi,oi->o", p, p)) for p in parts]) if parts else np.empty(0)


def dead_outputs(matrix: Array) -> tuple[int, ...]:
    """The rows that are all 0, or whose norm is below `DEAD` of the median norm."""
    norms = output_norms(matrix)
    return tuple(np.flatnonzero((norms == 0) | (norms < DEAD * np.median(norms))).tolist())


def unit_rows(matrix: Array) -> npt.NDArray[np.float32]:
    """Each row divided by its norm, in float32; rows of zeros stay."""
    norms = output_norms(matrix)
    units = np.empty(matrix.shape, np.float32)
    for k in range(len(matrix)):
        units[k] = matrix[k] / norms[k] if norms[k] else 0
    return units


def near_duplicates(matrix: Array) -> tuple[tuple[tuple[int, int, float], ...], int]:
    """Pairs of rows with a cosine above `ALIKE`, in order, and how many there are in all."""
    units = unit_rows(matrix)
    found: list[tuple[int, int, float]] = []
    count, step = 0, max(1, (16 << 20) // max(1, len(units)))
    for start in range(0, len(units), step):
        cosines = units[start : start + step] @ units[start:].T
        a, b = np.nonzero(np.triu(cosines, 1) > ALIKE)
        count += len(a)
        left = PAIRS - len(found)
        found += [
            (int(i) + start, int(j) + start, float(cosines[i, j])) for i, j in zip(a[:left], b[:left], strict=True)
        ]
    return tuple(found), count


def spectral_norm(matrix: Array) -> tuple[float, bool]:
    """The largest singular value, and whether it is exact."""
    short = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    if len(short) > SMALL:
        return _lanczos(short.astype(np.float32) if short.dtype == np.float16 else short), False
    squared = np.zeros((len(short), len(short)))
    step = max(1, CHUNK // max(1, len(short)))
    for k in range(0, short.shape[1], step):
        part = short[:, k : k + step].astype(np.float64)
        squared += part @ part.T
    return float(np.sqrt(max(0.0, np.linalg.eigvalsh(squared)[-1]))), True


def _lanczos(matrix: Array) -> float:
    """From the tridiagonal matrix of M·Mᵀ on the Krylov space of a fixed random vector."""
    v = np.random.default_rng(0).standard_normal(len(matrix))
    basis = np.empty((STEPS, len(matrix)))
    diagonal: list[float] = []
    beside: list[float] = []
    v /= np.linalg.norm(v)
    for k in range(STEPS):
        basis[k] = v
        image = (matrix @ (matrix.T @ v.astype(matrix.dtype))).astype(np.float64)
        diagonal.append(float(image @ v))
        for _ in range(2):  # once is not enough for orthogonality to the last digit
            image -= basis[: k + 1].T @ (basis[: k + 1] @ image)
        size = float(np.linalg.norm(image))
        values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
        if size * abs(vectors[-1, -1]) <= TOLERANCE * values[-1]:
            break
        beside.append(size)
        v = image / size
    return float(np.sqrt(max(0.0, values[-1])))
