"""Bits written to an address, the lowest of a byte first, for compiled loops; and fields of tables.

A field is loaded by itself rather than taken out of a word: processors load more at once than they shift.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from onnx2graphml.formats.words import load_word, store_word

MOST_BITS = 56  # that are written at once

_U = np.uint64


@intrinsic
def load_byte(context: Any, source: Any) -> Any:
    """The byte at an address."""
    return types.int64(types.int64), _loading(8)


@intrinsic
def load_two(context: Any, source: Any) -> Any:
    """Two bytes from an address, the lower first."""
    return types.int64(types.int64), _loading(16)


@intrinsic
def load_four(context: Any, source: Any) -> Any:
    """Four bytes from an address, the lowest first."""
    return types.int64(types.int64), _loading(32)


def _loading(width: int) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        found = builder.load(builder.inttoptr(args[0], ir.IntType(width).as_pointer()), align=1)
        return builder.zext(found, ir.IntType(64))

    return codegen


@numba.njit(nogil=True, forceinline=True)
def entry(table: Any, index: Any) -> Any:
    """One of an array's integers, by the array's address: passing arrays would count references."""
    return np.int64(load_word(table + np.int64(index) * 8))


@numba.njit(nogil=True, forceinline=True)
def store_bytes(at: Any, value: Any, n: Any) -> None:
    """Write up to seven bytes, the lowest first; those behind them stay."""
    store_word(at, (load_word(at) & (_U(0xFFFFFFFFFFFFFFFF) << _U(8 * n))) | _U(value))


@numba.njit(nogil=True, forceinline=True)
def resumed(begin: Any, bits: Any) -> Any:
    """Where to go on behind so many bits from an address: the place, what is held there, and how many bits."""
    at, rest = begin + (bits >> 3), np.int64(bits & 7)
    return at, load_word(at) & ((_U(1) << _U(rest)) - _U(1)), rest


@numba.njit(nogil=True, forceinline=True)
def put_bits(at: Any, held: Any, bits: Any, value: Any, more: Any) -> Any:
    """Write at most `MOST_BITS`: behind an address, and what is held there of a byte that is not full."""
    held |= _U(value) << _U(bits)
    bits += more
    store_word(at, held)
    return at + (bits >> 3), held >> _U(bits & ~7), bits & 7


@numba.njit(nogil=True, forceinline=True)
def put_two(at: Any, held: Any, bits: Any, value: Any, more: Any, other: Any, other_more: Any) -> Any:
    """Write two values of at most `MOST_BITS` each, as one if they are no more together: it is what takes the time."""
    if more + other_more <= MOST_BITS:
        return put_bits(at, held, bits, value | (other << _U(more)), more + other_more)
    at, held, bits = put_bits(at, held, bits, value, more)
    return put_bits(at, held, bits, other, other_more)


@numba.njit(nogil=True, forceinline=True)
def put_code(at: Any, held: Any, bits: Any, code: Any) -> Any:
    """Write a code of at most `MOST_BITS`, `code << 8 | bits`."""
    return put_bits(at, held, bits, code >> 8, code & 0xFF)
