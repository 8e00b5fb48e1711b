"""Lines as copies of earlier lines: what is new in each, and from how far back the rest comes.

A line of text resembles one shortly before it: that with the same weight, if there is one, otherwise the one just
before. Where the two differ are their numbers. So a line is compared with that one alone, 64 bytes at once, and nothing
is searched for. The last sequence of a text may copy nothing.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.copies import LENGTH, LITERALS, SHORTEST
from onnx2graphml.formats.packing.masks import WIDTH, differing, marks, newlines, no_digits
from onnx2graphml.formats.words import address, load_word, trailing_zeros

WINDOW = 1 << 15  # bytes that a copy may come from, in DEFLATE; no more are needed
NEAR = WINDOW - (1 << 10)  # between the beginnings of two lines that are compared
MOST = 1 << 22  # bytes of a text
SLOTS = 12  # bits of a hash
BEFORE_WEIGHT = 15  # bytes from the end of an element's first tag to its first number
SPARE = 2 * WIDTH  # bytes behind a text that may be read

_U = np.uint64
_MIX = _U(0x9E3779B97F4A7C15)
_ONE, _ALL = _U(1), _U(0xFFFFFFFFFFFFFFFF)

Bytes = npt.NDArray[np.uint8]


@compiled
def find_sequences(text: Bytes, stop: int, out: npt.NDArray[np.int64]) -> int:
    """Write the sequences of `text[:stop]`, and return their number.

    Args:
        text: uint8, `SPARE` bytes longer than `stop`, which is at most `MOST`.
        out: room for `stop // SHORTEST + 2`.
    """
    base, n = address(text), 0
    seen = np.full(1 << SLOTS, -WINDOW, np.int64)
    start, last = np.int64(0), np.int64(-WINDOW)  # of this line and the one before
    literal = begin = distance = np.int64(0)  # where new bytes and the copy behind them begin; 0: there is no copy
    while start < stop:
        end = _line_end(base, start, stop)
        other = _alike(base, start, end, last, seen)
        last = start
        now = start - other if start - other <= NEAR else np.int64(0)
        if now != distance:
            if distance and start - begin >= SHORTEST:
                out[n] = (begin - literal) << LITERALS | (start - begin) << LENGTH | (distance - 1)
                n, literal = n + 1, start
            begin, distance = start, now
        at = start
        aligned = now and text[end - 1 - now] == 10
        while distance and at < end:
            there = at
            new = differing(base + at, base + at - distance)
            at += WIDTH
            if at > end:
                new &= _ALL >> _U(at - end)
                at = end
            new = _joined(new)
            while new:
                first = trailing_zeros(new)
                run = trailing_zeros(~(new >> first)) if new >> first != _ALL else _U(WIDTH)
                place = there + np.int64(first)
                if place - begin >= SHORTEST:
                    out[n] = (begin - literal) << LITERALS | (place - begin) << LENGTH | (distance - 1)
                    n, literal = n + 1, place
                if aligned:
                    begin = place + np.int64(run)
                    new &= ~(((_ONE << run) - _ONE) << first) if run < _U(WIDTH) else _U(0)
                    continue
                here, back = _number_end(base, place, end), _number_end(base, place - distance, end)
                if here - place == back - (place - distance):
                    begin = place + np.int64(run)
                    new &= ~(((_ONE << run) - _ONE) << first) if run < _U(WIDTH) else _U(0)
                else:
                    distance = here - back if 0 < here - back <= WINDOW and here < end else np.int64(0)
                    at, begin, new = here, here, _U(0)
        start = end
    if distance and stop - begin >= SHORTEST:
        out[n] = (begin - literal) << LITERALS | (stop - begin) << LENGTH | (distance - 1)
        return n + 1
    out[n] = (stop - literal) << LITERALS
    return n + 1


@numba.njit(nogil=True, forceinline=True)
def _line_end(base: Any, start: Any, stop: Any) -> Any:
    """Where the line ends that begins at `start`."""
    at = start
    while at < stop:
        found = newlines(base + at)
        if found:
            return min(at + np.int64(trailing_zeros(found)) + 1, stop)
        at += WIDTH
    return stop


@numba.njit(nogil=True, forceinline=True)
def _alike(base: Any, start: Any, end: Any, last: Any, seen: Any) -> Any:
    """Where the line begins that this one is compared with: one with the same first number, or else the last one."""
    tag = marks(base + start)
    place = start + np.int64(trailing_zeros(tag)) + BEFORE_WEIGHT
    if not tag or place + 8 > end:
        return last
    word = load_word(base + place)
    slot = ((word ^ (load_word(base + place + 8) * _U(3))) * _MIX) >> _U(64 - SLOTS)
    other = seen[slot]
    seen[slot] = start
    if start - other <= NEAR and load_word(base + place - start + other) == word:
        return other
    return last


@numba.njit(nogil=True, forceinline=True)
def _joined(new: Any) -> Any:
    """The mask with gaps of fewer than four bytes filled: it is not worth while to copy these."""
    wide = new | (new << _U(1))
    wide |= wide << _U(2)
    closed = wide & (wide >> _U(1))
    return new | (closed & (closed >> _U(2)))


@numba.njit(nogil=True, forceinline=True)
def _number_end(base: Any, at: Any, end: Any) -> Any:
    """Where the number ends that `at` is within."""
    found = no_digits(base + at)
    return min(at + np.int64(trailing_zeros(found)), end) if found else min(at + WIDTH, end)
