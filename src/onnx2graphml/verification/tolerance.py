"""How far a runtime that computes in a type may be away from a float64 value, and what that type can hold.

- A sum of n products, in any order, is off by at most `min(n, λ√n) · u · Σ|weight·x|`, u being the type's unit
  roundoff. The first factor is the worst case (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).
  The second holds for rounding errors that are not all of one sign (Higham and Mary, SIAM J. Sci. Comput. 41(5), 2019);
  the chance that one sum passes it is below 2·exp(-λ²/2).
- Integers and truth values have no rounding: they are equal, or wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.functions.rounding import EXACT, about_floats, is_exact, is_integer, wrapped
from onnx2graphml.graph.graph import Layer

Values = npt.NDArray[np.float64]

LAMBDA = 8.0
SPARE = 8  # roundings beyond the fan-in: of folded weights, of the bias, of a function's evaluation


def unit_roundoff(dtype: np.dtype[Any]) -> float:
    """Half the distance from 1 to the next number: 2⁻²⁴ for float32; 0 where nothing is rounded."""
    return 0.0 if is_exact(dtype) else float(about_floats(dtype).eps) / 2


def fan_in_factor(n: int) -> float:
    """How many unit roundoffs a sum of n products may be off, relative to the sum of their sizes."""
    return min(n + SPARE, LAMBDA * math.sqrt(n + SPARE))


def sum_tolerance(n: int, size: Values, bias_size: float, u: float) -> Values:
    """How far sums may be off: of n products whose sizes come to `size`, the bias among them, in roundings of `u`."""
    with np.errstate(invalid="ignore"):  # of an infinite bias
        return u * (fan_in_factor(n) * size + SPARE * bias_size)


RUNTIMES_WEIGHTS = {"DFT": 1, "GridSample": 16, "Resize": 1, "STFT": 1, "Upsample": 1}
"""Operators whose weights a runtime computes itself: numbers of up to 1, with roundings of 1 even where they are 0; of
GridSample those of positions, which are larger numbers."""


def bias_size_of(layer: Layer, values: Mapping[str, Values], bias: Values) -> float:
    """By what the rounding of a layer's sums goes beside that of its products."""
    own = max(layer.bias_size, float(np.abs(bias).max(initial=0)))
    if layer.op not in RUNTIMES_WEIGHTS:
        return own
    found = ((i.block.degree("target"), np.abs(values[i.source])) for i in layer.incoming)
    largest = (degree * float(x[np.isfinite(x)].max(initial=0)) for degree, x in found)
    return own + RUNTIMES_WEIGHTS[layer.op] * sum(largest)


def in_type(value: Values, dtype: np.dtype[Any]) -> tuple[Values, float]:
    """Values as a type holds them, and how far that may put a runtime off: integers wrap around, floats overflow.

    Raises:
        UnsupportedError: an integer is so large that float64 doesn't hold it exactly.
    """
    if dtype == np.bool_:
        return value, 0.0
    if is_integer(dtype):
        check_exact(value)
        return wrapped(np.trunc(value), dtype), 0.0
    about = about_floats(dtype)
    overflow = np.abs(value) > float(about.max)
    return np.where(overflow, np.copysign(np.inf, value), value), float(about.tiny)  # below which it may be flushed


def check_exact(value: npt.NDArray[Any]) -> None:
    """Refuse integers that float64 doesn't hold exactly."""
    largest = max(abs(float(value.max(initial=0))), abs(float(value.min(initial=0))))
    if largest > EXACT:
        raise UnsupportedError(
            f"an integer comes to {largest:.17g}; expected at most 2^53 = {EXACT:.0f}, which float64 holds exactly: "
            f"give it a smaller input"
        )
