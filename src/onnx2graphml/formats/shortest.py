"""The shortest decimals of float32: the fewest digits that read back as the same float, the nearest of these.

A float v = c·2^q is what every number between the midpoints to its neighbours reads back as. With the greatest power
10^k that is not wider than this interval, one or more multiples of 10^k lie in it, and at most one of 10^(k+1), which
is then shorter. To tell which, v and both midpoints are needed in quarters of 10^k, only down to whether anything
remains below: one multiplication each by 10^-k in 64 bits.

Source: R. Giulietti, "The Schubfach way to render doubles", 2020.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.words import address, copy_step, put_number, store_word

PLAIN_BELOW, PLAIN_ABOVE = 13, -6  # digits before the point, or zeros behind it, that are written out
# What most weights begin with, by zeros behind the point and sign, from 1 on: their kind. All others are of kind 0.
BEGINNINGS = [b"", *(sign + b"0." + b"0" * zeros for zeros in range(-PLAIN_ABOVE) for sign in (b"", b"-"))]
BEGINNING = np.array([int.from_bytes(text.ljust(8, b"\0"), "little") for text in BEGINNINGS], np.uint64)
BEGINNING_LENGTH = np.array([len(text) for text in BEGINNINGS])
DIGITS, GROUP = 9, 3  # of a float32 at most, and of those that are looked up together
THREE_DIGITS = np.frombuffer(b"".join(b"%03d\0" % n for n in range(10**GROUP)), "<u4")
POWER = 10 ** np.arange(DIGITS + 1, dtype=np.uint64)
CHUNK = 1 << 10  # floats whose digits are found at once
SCRATCH = 32  # the digits are put together this far behind the text's beginning

_U = np.uint64
_LOW = np.uint64(0xFFFFFFFF)


def _word(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text.ljust(8, b"\0"), "little"))


MINUS, DOT, ZERO, ZEROS, E_PLUS, E_MINUS = map(_word, (b"-", b".", b"0", b"00000000", b"e+", b"e-"))


def _scale(gap: Fraction, q: int) -> tuple[int, int, int]:
    """`k`; 10^-k as an integer g of 64 bits; and the shift h for which 2^q·10^-k is about 2^h·g / 2^64."""
    k = math.floor(math.log10(gap))
    power = Fraction(10) ** -k
    exponent = math.floor(math.log2(power))
    return k, math.floor(power * Fraction(2) ** (63 - exponent)) + 1, q + exponent + 1


def _scales() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """`_scale` by gap below (0: as wide as that above, 1: half as wide) and biased exponent."""
    exponents = [max(biased, 1) - 150 for biased in range(255)]
    gaps = Fraction(1), Fraction(3, 4)
    k, g, h = zip(*(_scale(gap * Fraction(2) ** q, q) for gap in gaps for q in exponents), strict=True)
    return np.array(k).reshape(2, 255), np.array(g, np.uint64).reshape(2, 255), np.array(h, np.uint64).reshape(2, 255)


K, G, H = _scales()


@numba.njit(nogil=True)
def _scaled(quarters: Any, g: Any) -> Any:
    """`quarters`·g / 2^64, rounded down, but to an odd number where anything remains."""
    high = quarters * (g >> _U(32)) + ((quarters * (g & _LOW)) >> _U(32))
    remains = _U((high & _LOW) > _U(1))  # g is rounded up: a last bit may come from that
    return (high >> _U(32)) | remains


@numba.njit(nogil=True)
def _digits(bits: Any) -> Any:
    """The digits of a float32 that is not zero, as an integer, and the power of ten that it is multiplied by."""
    # No branches: which way they would go is as random as a weight's last digits, and each wrong guess of the
    # processor costs as much as all the rest.
    fraction, biased = bits & _U(0x7FFFFF), (bits >> _U(23)) & _U(0xFF)
    c = fraction | (_U(biased != _U(0)) << _U(23))
    narrow = _U((fraction == _U(0)) & (biased > _U(1)))
    k, g, h = K[narrow, biased], G[narrow, biased], H[narrow, biased]
    odd = c & _U(1)  # midpoints read back as the even neighbour
    four = c << _U(2)
    low = _scaled((four - _U(2) + narrow) << h, g) + odd
    middle = _scaled(four << h, g)
    high = _scaled((four + _U(2)) << h, g) - odd
    ones, tens = middle >> _U(2), (middle >> _U(2)) // _U(10)
    down, up = low <= tens * _U(40), tens * _U(40) + _U(40) <= high
    shorter = _U(down != up)
    tens += _U(up)
    down, up = low <= ones * _U(4), ones * _U(4) + _U(4) <= high
    nearer = middle + (ones & _U(1)) > ones * _U(4) + _U(2)
    one = down != up
    ones = ones + _U((one & up) | ((not one) & nearer))
    return ones ^ ((ones ^ tens) & (_U(0) - shorter)), k + np.int64(shorter)


@numba.njit(nogil=True)
def find_digits(bits: Any, number: Any, exponent: Any, length: Any, kind: Any) -> None:
    """What `put_float` needs to know of each float; loops of their own, since the processor can do several at once.

    Args:
        bits: of float32.
        number, exponent: become digits without zeros at the end, and the power of ten that they are multiplied by.
        length, kind: become how many digits there are, and which of `BEGINNINGS` stands before them.
    """
    for i in range(bits.size):
        number[i], exponent[i] = _digits(_U(bits[i]))
    for i in range(bits.size):
        if bits[i] & 0x7FFFFFFF == 0:
            kind[i] = 0
            continue
        while number[i] % _U(10) == 0:
            number[i] //= _U(10)
            exponent[i] += 1
        n = np.int64(1)
        for k in range(1, DIGITS):
            n += number[i] >= POWER[k]
        zeros = -(n + exponent[i])
        length[i] = n
        kind[i] = 1 + 2 * zeros + np.int64(bits[i] >> 31) if 0 <= zeros < -PLAIN_ABOVE else 0


@numba.njit(nogil=True, forceinline=True)
def groups(number: Any, length: Any) -> Any:
    """So many digits, and zeros up to nine, as three numbers of three digits each."""
    number *= POWER[_U(DIGITS - length)]
    high = number // _U(1_000_000)
    number -= high * _U(1_000_000)
    middle = number // _U(1_000)
    return high, middle, number - middle * _U(1_000)


@numba.njit(nogil=True, forceinline=True)
def put_groups(at: Any, high: Any, middle: Any, low: Any) -> None:
    """Write nine digits, and some bytes behind them."""
    store_word(at, _U(THREE_DIGITS[high]))
    store_word(at + GROUP, _U(THREE_DIGITS[middle]))
    store_word(at + 2 * GROUP, _U(THREE_DIGITS[low]))


@numba.njit(nogil=True)
def put_float(at: Any, bits: Any, number: Any, exponent: Any, length: Any, kind: Any) -> Any:
    """Write a finite float32, at most `render.LONGEST` bytes, as `1`, `0.1`, `-1.5e-7`; the address behind it."""
    if kind:  # no branches for what is as random as a weight
        store_word(at, BEGINNING[_U(kind)])
        at += BEGINNING_LENGTH[_U(kind)]
        high, middle, low = groups(number, length)
        put_groups(at, high, middle, low)
        return at + length
    if bits >> _U(31):
        store_word(at, MINUS)
        at += 1
    if bits & _U(0x7FFFFFFF) == 0:
        store_word(at, ZERO)
        return at + 1
    digits = at + SCRATCH
    n = put_number(digits, number) - digits
    point = n + exponent  # digits before the decimal point
    if 0 < point <= PLAIN_BELOW:
        return _put_fixed(at, digits, n, point)
    return _put_scientific(at, digits, n, point - 1)


@numba.njit(nogil=True)
def _put_fixed(at: Any, digits: Any, n: Any, point: Any) -> Any:
    copy_step(at, digits)
    if point >= n:
        store_word(at + n, ZEROS)
        store_word(at + n + 8, ZEROS)
        return at + point
    store_word(at + point, DOT)
    copy_step(at + point + 1, digits + point)
    return at + n + 1


@numba.njit(nogil=True)
def _put_scientific(at: Any, digits: Any, n: Any, exponent: Any) -> Any:
    copy_step(at, digits)
    at += 1
    if n > 1:
        store_word(at, DOT)
        copy_step(at + 1, digits + 1)
        at += n
    store_word(at, E_MINUS if exponent < 0 else E_PLUS)
    return put_number(at + 2, abs(exponent))


@compiled
def read_back(
    bits: npt.NDArray[np.uint32],
    values: npt.NDArray[np.float64],
    powers: npt.NDArray[np.float64],
    found: npt.NDArray[np.int8],
) -> None:
    """Whether the shortest decimals of float32 numbers read back as these float64: 1, 0, or -1 where it is not known.

    Args:
        bits: (n,), of finite floats, and `values`: (n,).
        powers: 10^0, 10^1, …, as many as float64 holds exactly.
        found: (n,), becomes the answers.
    """
    for i in range(bits.size):
        if bits[i] & _U(0x7FFFFFFF) == 0:
            found[i] = values[i] == 0
            continue
        number, exponent = _digits(_U(bits[i]))
        if abs(exponent) >= powers.size:
            found[i] = -1
            continue
        value = float(number) * powers[exponent] if exponent >= 0 else float(number) / powers[-exponent]
        found[i] = value == abs(values[i])


@compiled
def put_floats(
    bits: npt.NDArray[np.uint32],
    out: npt.NDArray[np.uint8],
    start: npt.NDArray[np.int64],
    stop: npt.NDArray[np.int64],
) -> None:
    """Write float32 numbers one behind the other, as `1`, `0.1`, `-1.5e-7`.

    Args:
        bits: (n,), of finite floats.
        out: room for `render.LONGEST` bytes each, and `render.SLACK`.
        start, stop: (n,), become the places where each begins and ends.
    """
    begin = address(out)
    at = begin
    number, exponent = np.empty(CHUNK, np.uint64), np.empty(CHUNK, np.int64)
    length, kind = np.empty(CHUNK, np.int64), np.empty(CHUNK, np.int64)
    for first in range(0, bits.size, CHUNK):
        last = min(first + CHUNK, bits.size)
        find_digits(bits[first:last], number, exponent, length, kind)
        for i in range(first, last):
            start[i] = at - begin
            k = i - first
            at = put_float(at, _U(bits[i]), number[k], exponent[k], length[k], kind[k])
            stop[i] = at - begin
