"""Finite state entropy: codes whose symbols take fractions of bits, for compiled loops.

Source: RFC 8878, section 4.1; J. Duda, "Asymmetric numeral systems", 2013. How a table is spread and written is as in
the RFC; how it is used for writing, as in the Zstandard library.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.bits import put_bits
from onnx2graphml.formats.words import leading_zeros, store_word


@numba.njit(nogil=True, forceinline=True)
def top_bit(number: Any) -> Any:
    """The place of the highest bit that is set."""
    return 63 - np.int64(leading_zeros(np.uint64(number)))


@compiled
def normalize(counts: Any, log: Any) -> None:
    """Make counts add up to 2^log, more than there are of them. Which were at least 1 stay so: two or more."""
    total, used, most = counts.sum(), 0, 0
    for symbol in range(counts.size):
        if counts[symbol]:
            counts[symbol] = max((counts[symbol] << log) // total, 1)
        used += counts[symbol]
        if counts[symbol] > counts[most]:
            most = symbol
    left = (1 << log) - used
    while left < 0:  # many are rare: taken from the most frequent
        most = int(np.argmax(counts))
        taken = min(-left, counts[most] - (counts[most] + 1) // 2)
        counts[most] -= taken
        left += taken
    counts[most] += left


@compiled
def spread(counts: Any, log: Any, delta_bits: Any, delta_state: Any, states: Any) -> None:
    """The table for writing symbols.

    Writing a symbol in a state takes `bits = (state + delta_bits) >> 16` bits, the lowest ones of the state; the next
    one is `states[(state >> bits) + delta_state]`.

    Args:
        counts: (n,), adding up to 2^log.
        delta_bits, delta_state: (n,) each, become the answer.
        states: (2^log,), too.
    """
    size = 1 << log
    symbols, place = np.zeros(size, np.int64), 0
    first, total = np.zeros(counts.size, np.int64), 0
    for symbol in range(counts.size):
        count = counts[symbol]
        for _ in range(count):
            symbols[place] = symbol
            place = (place + (size >> 1) + (size >> 3) + 3) & (size - 1)
        first[symbol] = total
        if count:
            most = log - (top_bit(count - 1) if count > 1 else 0)
            delta_bits[symbol] = (most << 16) - (count << most)
            delta_state[symbol] = total - count
        total += count
    for place in range(size):
        symbol = symbols[place]
        states[first[symbol]] = size + place
        first[symbol] += 1


@compiled
def put_table(counts: Any, log: Any, at: Any) -> Any:
    """Write counts that add up to 2^log to an address; the address behind them."""
    held, bits = np.uint64(log - 5), np.int64(4)
    left, threshold, width = (1 << log) + 1, 1 << log, log + 1
    symbol, was_none = 0, False
    while left > 1:
        if was_none:
            start = symbol
            while not counts[symbol]:
                symbol += 1
            while symbol >= start + 3:
                at, held, bits = put_bits(at, held, bits, 3, 2)
                start += 3
            at, held, bits = put_bits(at, held, bits, symbol - start, 2)
        count = counts[symbol]
        symbol += 1
        most = 2 * threshold - 1 - left
        left -= count
        value = count + 1
        if value >= threshold:
            value += most
        at, held, bits = put_bits(at, held, bits, value, width - (value < most))
        was_none = count == 0
        while left < threshold:
            width, threshold = width - 1, threshold >> 1
    store_word(at, held)
    return at + (bits + 7) // 8
