"""Copies and new bytes, as compiled loops find them: written as DEFLATE at once, or kept as sequences.

A sequence, as Zstandard calls it, is one integer, `literals << 40 | length << 16 | distance - 1`: so many bytes that
are new, then so many that are a copy of those at a distance.

`codes` are the addresses of `literal`, `pair`, `copied` and `distance` (see `member.Codes`): the next code goes to
`at`, and what is not a full byte yet is in `held`, so many `bits`. Or there are none: then the next sequence goes to
`at`, the next literal to `held`, and `bits` of them wait for a copy.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from onnx2graphml.formats.bits import entry, put_bits, put_code
from onnx2graphml.formats.words import leading_zeros, load_word, store_word

SHORTEST = 5  # bytes that are copied: fewer take no more room as they are
LONGEST_COPY = 258  # bytes of one copy in DEFLATE
LITERALS, LENGTH = 40, 16  # where these begin in a sequence

_U = np.uint64


@numba.njit(nogil=True, forceinline=True)
def sequence(new: Any, length: Any, far: Any) -> Any:
    """So many literals, and then a copy of so many bytes from so far before."""
    return _U(new << LITERALS | length << LENGTH | (far - 1))


@numba.njit(nogil=True, forceinline=True)
def distance_symbol(distance: Any) -> Any:
    """The symbol of a distance less one, and its number of extra bits."""
    if distance < 4:
        return distance, np.int64(0)
    top = 63 - np.int64(leading_zeros(_U(distance)))
    return 2 * top + ((distance >> (top - 1)) & 1), top - 1


@numba.njit(nogil=True, forceinline=True)
def put_literal(codes: Any, at: Any, held: Any, bits: Any, word: Any) -> Any:
    """Write the first byte of a word as it is."""
    if codes is None:
        store_word(np.int64(held), word)
        return at, held + _U(1), bits + 1
    return put_code(at, held, bits, entry(codes[0], word & _U(0xFF)))


@numba.njit(nogil=True)
def put_word(codes: Any, at: Any, held: Any, bits: Any, word: Any, n: Any) -> Any:
    """Write the first bytes of a word as they are."""
    for _ in range(n):
        at, held, bits = put_literal(codes, at, held, bits, word)
        word >>= _U(8)
    return at, held, bits


@numba.njit(nogil=True)
def put_bytes(codes: Any, at: Any, held: Any, bits: Any, place: Any, n: Any) -> Any:
    """Write so many bytes from an address as they are."""
    for byte in range(place, place + n):
        at, held, bits = put_literal(codes, at, held, bits, load_word(byte))
    return at, held, bits


@numba.njit(nogil=True, forceinline=True)
def distance_code(codes: Any, far: Any) -> Any:
    """The code of a distance, and its number of bits."""
    if codes is None:
        return _U(0), np.int64(0)
    symbol, extra = distance_symbol(far - 1)
    code = entry(codes[3], symbol)
    n = code & 0xFF
    return _U(code >> 8) | (_U((far - 1) & ((1 << extra) - 1)) << _U(n)), n + extra


@numba.njit(nogil=True, forceinline=True)
def copy_code(codes: Any, length: Any, code: Any, code_bits: Any) -> Any:
    """The codes of a length, at most `LONGEST_COPY`, and of a distance, and their number of bits."""
    if codes is None:
        return _U(0), np.int64(0)
    copied = entry(codes[2], length)
    n = copied & 0xFF
    return _U(copied >> 8) | (code << _U(n)), n + code_bits


@numba.njit(nogil=True)
def put_copy(codes: Any, at: Any, held: Any, bits: Any, length: Any, far: Any) -> Any:
    """Write a copy of three bytes or more."""
    if codes is None:
        store_word(at, sequence(bits, length, far))
        return at + 8, held, np.int64(0)
    distance, distance_bits = distance_code(codes, far)
    while length > LONGEST_COPY:
        part = LONGEST_COPY if length >= LONGEST_COPY + 3 else length - 3
        code, code_bits = copy_code(codes, part, distance, distance_bits)
        at, held, bits = put_bits(at, held, bits, code, code_bits)
        length -= part
    code, code_bits = copy_code(codes, length, distance, distance_bits)
    return put_bits(at, held, bits, code, code_bits)


@numba.njit(nogil=True)
def put_new(codes: Any, at: Any, held: Any, bits: Any, place: Any, copy: Any, far: Any, n: Any) -> Any:
    """Write a copy of the bytes before a place, if they are worth one, and so many new ones from there."""
    if copy >= SHORTEST:
        at, held, bits = put_copy(codes, at, held, bits, copy, far)
    else:
        place, n = place - copy, n + copy
    return put_bytes(codes, at, held, bits, place, n)


@numba.njit(nogil=True)
def put_rest(at: Any, bits: Any) -> Any:
    """Write the last sequence, of literals that no copy follows, if there are any; the address behind it."""
    if bits:
        store_word(at, _U(bits << LITERALS))
        at += 8
    return at


@numba.njit(nogil=True, forceinline=True)
def put_copy_and_pair(
    codes: Any, at: Any, held: Any, bits: Any, length: Any, far: Any, code: Any, code_bits: Any, digits: Any, new: Any
) -> Any:
    """Write a copy, whose codes are known, and two digits behind it: 56 bits at most.

    As DEFLATE, both are written whatever is new in them: to ask takes longer than they take room. In a sequence, the
    first one is part of the copy where it is the same.
    """
    if codes is None:
        same = np.int64((new & _U(0xFF)) == _U(0))
        store_word(at, sequence(bits, length + same, far))
        store_word(np.int64(held), digits >> _U(8 * same))
        return at + 8, held + _U(2 - same), 2 - same
    value, n = copy_and_pair(codes, code, code_bits, digits)
    return put_bits(at, held, bits, value, n)


@numba.njit(nogil=True, forceinline=True)
def copy_and_pair(codes: Any, code: Any, code_bits: Any, digits: Any) -> Any:
    """The codes of a copy and two digits behind it, and their number of bits."""
    digits &= _U(0x0F0F)
    literals = entry(codes[1], (digits | (digits >> _U(4))) & _U(0xFF))
    return code | (_U(literals >> 8) << _U(code_bits)), code_bits + (literals & 0xFF)
