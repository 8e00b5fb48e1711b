"""Text that repeats itself: elements that differ from one that a parser has read in a few numbers only.

A pattern is the text of such an element with gaps in place of its numbers. A compiled loop compares what follows with
it, and reads the numbers; it stops at the first element that is another, which is left to the parser. So whatever a
format says of an element has been checked once, and holds for all that are like it.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import orjson

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.nearest import nearest
from onnx2graphml.formats.words import address, load_word, trailing_zeros

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

END, WHOLE, SIGNED, DECIMAL, TEXT, FIXED = range(6)
"""What is in a gap: nothing more, a number without sign or zeros before it, the same with a sign, a decimal, text that
nobody reads, and nothing at all where a number is the same in every element."""
DIGITS = 18  # that fit into an int64
LONGEST = 64  # bytes in a gap
MOST = 1 << 16  # bytes of an element: below the limits that parsers set
BEHIND = 256  # bytes of the text that are left to others: behind each place there is room for the longest number
PAD = bytes(8)

_U = np.uint64
MOST_DIGITS = 19  # that fit into 64 bits
TENS = 10 ** np.arange(MOST_DIGITS + 1, dtype=np.uint64)
ZEROS = _U(0x3030303030303030)
ZERO_DOT = _U(int.from_bytes(b"0.", "little"))
MINUS, PLUS, DOT, SMALL_E, LARGE_E, DIGIT = map(_U, b"-+.eE0")


@dataclass(frozen=True)
class Gap:
    """Where a number stands.

    Attributes:
        kind: one of the constants above.
        slot: which of the integers or floats it becomes.
        more: the most digits of a `WHOLE` or `SIGNED` number, or the `FIXED` one.
    """

    kind: int
    slot: int = 0
    more: int = 0


@dataclass(frozen=True)
class Pattern:
    """Constant text around gaps: `pieces[i]` stands before `gaps[i]`, and the last piece behind all of them."""

    pieces: tuple[bytes, ...]
    gaps: tuple[Gap, ...]

    @property
    def least(self) -> int:
        """The bytes of the shortest element."""
        return sum(map(len, self.pieces)) + sum(gap.kind in (WHOLE, SIGNED, DECIMAL) for gap in self.gaps)


@dataclass(frozen=True, eq=False)
class Found:
    """What was read.

    Attributes:
        ints: (slots, elements), and `floats`: likewise.
        end: where the first other element begins.
        lines: how many ends of lines were passed over.
    """

    ints: Ints
    floats: Floats
    end: int
    lines: int

    def __len__(self) -> int:
        return int(self.ints.shape[1])


class Patterns:
    """Some patterns, of which each element has one.

    Args:
        patterns: at least one; those of a kind that comes in runs are found fast.
        ints, floats: how many numbers of each kind an element has.
    """

    def __init__(self, patterns: Sequence[Pattern], ints: int, floats: int) -> None:
        self._shape = ints, floats
        self._least = min(pattern.least for pattern in patterns)
        lines = {b"".join(pattern.pieces).count(b"\n") for pattern in patterns}
        self._lines = lines.pop() if len(lines) == 1 else None  # in every element
        self._fixed = set.intersection(*({g for g in p.gaps if g.kind == FIXED} for p in patterns))
        rows, text, first = list[tuple[int, ...]](), b"", list[int]()
        for pattern in patterns:
            first.append(len(rows))
            for piece, gap in zip(pattern.pieces, (*pattern.gaps, Gap(END)), strict=True):
                if gap in self._fixed and not piece:
                    continue
                rows.append((len(text), len(piece), gap.kind, gap.slot, gap.more))
                text += piece + PAD
        self._first, self._table = np.array(first), np.array(rows)
        self._text = np.frombuffer(text, np.uint8)

    def read(self, text: bytes, start: int) -> Found:
        """All elements from `start` on, up to the first that is another, or not whole but for `BEHIND` bytes."""
        end = len(text) - BEHIND
        n = max(end - start, 0) // self._least
        ints, floats = (
            np.empty((slots, n), kind) for slots, kind in zip(self._shape, (np.int64, np.float64), strict=True)
        )
        hard = np.empty((n * self._shape[1], 5), np.int64)
        data = np.frombuffer(text, np.uint8)
        count, hards, stop = read_elements(
            data, start, end, self._text, self._table, self._first, ints, floats.view(np.uint64), hard
        )
        for (row, slot, a, _, _), value in zip(left := hard[:hards].tolist(), _decimals(text, left), strict=True):
            if not math.isfinite(value):  # no number of ours: the parser tells
                count, stop = row, a
                break
            floats[slot, row] = value
        for gap in self._fixed:
            ints[gap.slot, :count] = gap.more
        lines = count * self._lines if self._lines is not None else text.count(b"\n", start, stop)
        return Found(ints[:, :count], floats[:, :count], stop, lines)


def _decimals(text: bytes, places: Sequence[Sequence[int]]) -> list[float]:
    """The decimals at these places, correctly rounded."""
    texts = [text[first:last] for *_, first, last in places]
    try:
        return [*map(float, orjson.loads(b"[" + b",".join(texts) + b"]"))]
    except orjson.JSONDecodeError:  # infinite, or spelled in another way than in JSON
        return [*map(float, texts)]


@numba.njit(nogil=True)
def _eight_digits(word: Any) -> Any:
    """The number of eight digits, the first one in the lowest byte, each 0 to 9."""
    word = (word * _U(2561)) >> _U(8)  # 10·256 + 1: pairs, then fours, then all
    word = ((word & _U(0x00FF00FF00FF00FF)) * _U(6553601)) >> _U(16)
    return ((word & _U(0x0000FFFF0000FFFF)) * _U(42949672960001)) >> _U(32)


@numba.njit(nogil=True)
def _leading(word: Any) -> Any:
    """How many of the eight bytes of a word are digits, before the first other one; the word has them as 0 to 9."""
    # The high half of a byte is set where it is no digit, and perhaps in the bytes behind it.
    other = ((word + _U(0x0606060606060606)) | word) & _U(0xF0F0F0F0F0F0F0F0)
    return trailing_zeros(other) >> _U(3) if other else _U(8)


@numba.njit(nogil=True)
def _byte(at: Any) -> Any:
    return load_word(at) & _U(0xFF)


@numba.njit(nogil=True)
def _more_digits(at: Any, value: Any, n: Any) -> Any:
    """As `_digits`, one by one, of a number whose first digits are known."""
    while n < LONGEST and _byte(at + n) - DIGIT <= _U(9):
        value = value * _U(10) + _byte(at + n) - DIGIT
        n += 1
    return value, n


@numba.njit(nogil=True)
def _digits(at: Any) -> Any:
    """The number that begins at an address, modulo 2⁶⁴, and how many digits it has; 0 where there is none."""
    # Sixteen bytes without branches: how long numbers are is as random as their digits.
    word, next_word = load_word(at) ^ ZEROS, load_word(at + 8) ^ ZEROS
    n, more = _leading(word), _leading(next_word)
    more = more if n == _U(8) else _U(0)
    half = (_U(8) - n) << _U(2)  # shifted in two halves: by 64 at once would be by 0
    value = _eight_digits(word << half << half)
    half = (_U(8) - more) << _U(2)
    value = value * TENS[more] + _eight_digits(next_word << half << half)
    return _more_digits(at, value, np.int64(n + more)) if more == _U(8) else (value, np.int64(n + more))


@numba.njit(nogil=True)
def _whole(at: Any, most: Any, may_be_negative: Any) -> Any:
    """A number, and the address behind it; 0 where there is none of at most so many digits."""
    negative = may_be_negative and _byte(at) == MINUS
    at += np.int64(negative)
    word = load_word(at) ^ ZEROS
    n = np.int64(_leading(word))
    half = _U(8 - n) << _U(2)
    value = _eight_digits(word << half << half)
    if n == 8:
        value, n = _more_digits(at, value, n)
    if n == 0 or n > most or (n > 1 and word & _U(0xFF) == _U(0)):
        return 0, 0
    return (-np.int64(value) if negative else np.int64(value)), at + n


@numba.njit(nogil=True)
def _decimal(at: Any) -> Any:
    """The bits of a decimal as a float64, the address behind it, and whether they are known; 0 where it is none."""
    sign = _U(_byte(at) == MINUS)
    at += np.int64(sign)
    mantissa, n, exponent = _U(0), 1, np.int64(0)
    if load_word(at) & _U(0xFFFF) != ZERO_DOT:  # what most weights begin with
        mantissa, n = _more_digits(at, mantissa, 0)
        if n == 0 or n >= LONGEST:
            return _U(0), 0, False
    at += n
    if mantissa == _U(0) and n == 1:
        n = 0
    if _byte(at) == DOT:
        part, k = _digits(at + 1)
        if k == 0 or n + k > LONGEST:
            return _U(0), 0, False
        at, exponent = at + 1, np.int64(-k)
        end = at + k
        while n == 0 and k > MOST_DIGITS and _byte(at) == DIGIT:
            at, k = at + 1, k - 1
        n += k
        if n <= MOST_DIGITS:
            mantissa = mantissa * TENS[k] + part
        at = end
    if _byte(at) == SMALL_E or _byte(at) == LARGE_E:
        down, up = _byte(at + 1) == MINUS, _byte(at + 1) == PLUS
        at += 1 + np.int64(down or up)
        size, k = _more_digits(at, _U(0), 0)
        if k == 0 or k > DIGITS:
            return _U(0), 0, False
        at, exponent = at + k, exponent - np.int64(size) if down else exponent + np.int64(size)
    bits, known = nearest(mantissa, exponent)
    return bits | (sign << _U(63)), at, known and n <= MOST_DIGITS


@numba.njit(nogil=True)
def _text(at: Any) -> Any:
    """The address behind text that means nothing to XML and is not long."""
    for _ in range(LONGEST):
        byte = _byte(at)
        if byte < 32 or byte > 126 or byte == 34 or byte == 38 or byte == 60 or byte == 62:  # " & < >
            break
        at += 1
    return at


@numba.njit(nogil=True)
def _same(at: Any, piece: Any, length: Any) -> Any:
    """Whether a piece of text stands at an address."""
    if length < 8:
        return length == 0 or (load_word(at) ^ load_word(piece)) << _U(64 - 8 * length) == 0
    end = at + length - 8
    while at < end:
        if load_word(at) != load_word(piece):
            return False
        at, piece = at + 8, piece + 8
    return load_word(end) == load_word(piece + end - at)  # some bytes once more


@compiled
def read_elements(
    data: npt.NDArray[np.uint8], at: int, end: int, text: npt.NDArray[np.uint8], table: Ints, first: Ints,
    ints: Ints, floats: npt.NDArray[np.uint64], hard: Ints,
) -> tuple[int, int, int]:  # fmt: skip
    """Read elements of some patterns, into arrays as long as they may be many: how many, of `hard`, and the end.

    `floats` becomes the bits of float64 numbers.
    `hard` becomes the decimals that are left to others: row, slot, where the element begins, their first and last byte.
    """
    begin, pieces = address(data), address(text)
    last = begin + end
    row, hards, k, tried = 0, 0, 0, 0
    # One function with a loop in it: arrays that are given to another count references each time.
    while row < ints.shape[1] and tried < first.size:
        here, more, gap = begin + at, hards, first[k]
        while here and here + table[gap, 1] <= last and _same(here, pieces + table[gap, 0], table[gap, 1]):
            here += table[gap, 1]
            kind, slot = table[gap, 2], table[gap, 3]
            if kind == WHOLE or kind == SIGNED:  # noqa: SIM109 - as a loop over a tuple it is slower
                ints[_U(slot), _U(row)], here = _whole(here, table[gap, 4], kind == SIGNED)
            elif kind == DECIMAL:
                place = here - begin
                floats[_U(slot), _U(row)], here, known = _decimal(here)
                if not known:
                    hard[more, 0], hard[more, 1], hard[more, 2] = row, slot, at
                    hard[more, 3], hard[more, 4] = place, here - begin
                    more += 1
            elif kind == TEXT:
                here = _text(here)
            elif kind == FIXED:
                ints[_U(slot), _U(row)] = table[gap, 4]
            else:
                break
            gap += 1
        else:
            here = 0
        if here:
            at, hards, tried = here - begin, more, 0
            row += 1
        else:
            tried += 1
            k = k + 1 if k + 1 < first.size else 0
    return row, hards, at
