"""The literals of a Zstandard block, in four streams of Huffman codes or as they are.

Source: RFC 8878, section 3.1.1.3.1.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from onnx2graphml.formats.bits import entry, put_bits, store_bytes
from onnx2graphml.formats.packing.zstd import tables as t
from onnx2graphml.formats.words import load_word, store_word

FEW = 64  # literals that are not worth a code
RAW_LITERALS, CODED_LITERALS, MORE_LITERALS = 0, 2, 3

_U = np.uint64


@numba.njit(nogil=True)
def put_literals(source: Any, n: Any, table: Any, is_ascii: Any, has_tree: Any, at: Any) -> Any:
    """Write the section of literals; the address behind it, and whether they are coded."""
    if is_ascii and n >= FEW:
        start, head = at, at + 5
        if not has_tree:
            tree = table + 8 * (t.TREE + 1)
            for done in range(0, t.TREE_BYTES, 8):
                store_word(head + done, load_word(tree + done))
            head += entry(table, t.TREE)
        quarter, end = (n + 3) // 4, head + 6
        for part in range(4):
            begin = end
            first = source + part * quarter
            end = _put_stream(first, source + n if part == 3 else first + quarter, table, begin)
            if part < 3:
                store_bytes(head + 2 * part, end - begin, 2)
        if end - start < n:
            kind = MORE_LITERALS if has_tree else CODED_LITERALS
            packed = end - start - 5
            store_bytes(start, kind | 3 << 2 | n << 4 | packed << 22, 5)
            return end, True
    return _put_raw(source, n, at), False


@numba.njit(nogil=True)
def _put_raw(source: Any, n: Any, at: Any) -> Any:
    store_word(at, _U(RAW_LITERALS | 3 << 2 | n << 4))
    at += 3
    for done in range(0, n, 8):
        store_word(at + done, load_word(source + done))
    return at + n


@numba.njit(nogil=True, forceinline=True)
def _put_stream(first: Any, last: Any, table: Any, at: Any) -> Any:
    """Write the codes of literals, from the last one to the first; the address behind them."""
    held, bits, pairs = _U(0), np.int64(0), table + 8 * t.PAIR
    place = last
    while place - first >= 4:
        place -= 4
        word = load_word(place)
        last_two, first_two = entry(pairs, _pair(word >> _U(16))), entry(pairs, _pair(word))
        n = last_two & 0xFF
        code = last_two >> 8 | (first_two >> 8) << n
        at, held, bits = put_bits(at, held, bits, code, n + (first_two & 0xFF))
    while place > first:
        place -= 1
        code = entry(table, load_word(place) & _U(0xFF))
        at, held, bits = put_bits(at, held, bits, code >> 8, code & 0xFF)
    at, held, bits = put_bits(at, held, bits, 1, 1)
    return at + (bits + 7) // 8


@numba.njit(nogil=True, forceinline=True)
def _pair(word: Any) -> Any:
    """The number of two characters of ASCII."""
    return (word & _U(0x7F)) | ((word >> _U(1)) & _U(0x3F80))
