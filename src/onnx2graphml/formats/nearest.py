"""Decimals as the nearest float64, by one or two products of 64 bits.

A decimal w·10^q is w·5^q·2^q. With 128 bits of 5^q, the leading 64 bits of the product are known, and with them all 53
of the float and how to round.

Sources: D. Lemire, "Number parsing at a gigabyte per second", 2021; N. Mushtak and D. Lemire, "Fast number parsing
without fallback", 2023.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from onnx2graphml.formats.words import high_product, leading_zeros

LEAST, MOST = -80, 40
"""Powers of ten; decimals with others are left to others."""
_U = np.uint64


def _power(q: int) -> int:
    """5^q as 128 bits, the highest of which is set; rounded down, but up where a product can be exact."""
    power: int = 5 ** abs(q)
    if q < 0:
        return (1 << (power.bit_length() + 127)) // power + (q >= -27)  # 5^27 fits into 64 bits
    shift = 128 - power.bit_length()
    return power << shift if shift >= 0 else power >> -shift


def _powers() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    every = [_power(q) for q in range(LEAST, MOST + 1)]
    return np.array([n >> 64 for n in every], np.uint64), np.array([n & (1 << 64) - 1 for n in every], np.uint64)


HIGH, LOW = _powers()


@numba.njit(nogil=True)
def nearest(w: Any, q: Any) -> Any:
    """The bits of w·10^q as a float64, and whether they are known; w is of 64 bits."""
    if w == _U(0):
        return _U(0), True
    if q < LEAST or q > MOST:
        return _U(0), False
    zeros = leading_zeros(w)
    w <<= zeros
    k = _U(q - LEAST)
    high, low = high_product(w, HIGH[k]), w * HIGH[k]
    if high & _U(0x1FF) == _U(0x1FF):  # what is below may carry into the bits that count
        more = high_product(w, LOW[k])
        low += more
        high += _U(more > low)
    upper = high >> _U(63)
    mantissa = high >> (upper + _U(9))
    if low <= _U(1) and -4 <= q <= 23 and mantissa & _U(3) == _U(1) and mantissa << (upper + _U(9)) == high:
        mantissa &= ~_U(1)  # exactly in the middle: to the even one
    mantissa = (mantissa + (mantissa & _U(1))) >> _U(1)
    exponent = np.int64(((152170 + 65536) * q) >> 16) + 63 + 1023 + np.int64(upper) - np.int64(zeros)
    if mantissa >> _U(53):
        mantissa, exponent = mantissa >> _U(1), exponent + 1
    return (mantissa & ~_U(1 << 52)) | (_U(exponent) << _U(52)), True
