"""Sequences as blocks of a Zstandard frame, each of which holds at most 128 KiB of text.

Nothing is assumed of what stands before the first one, so that threads can make the parts of one frame: offsets are
written in full, unless the last one is meant again.

Source: RFC 8878, section 3.1.1.3.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.bits import entry, store_bytes
from onnx2graphml.formats.copies import LENGTH, LITERALS
from onnx2graphml.formats.packing.zstd.coded_literals import put_literals
from onnx2graphml.formats.packing.zstd.coded_sequences import put_sequences
from onnx2graphml.formats.packing.zstd.literals import NOTHING
from onnx2graphml.formats.words import address, copy_step, store_word

BLOCK = 1 << 17  # bytes of text, at most
RAW, COMPRESSED = 0, 2
MANY_AT_ONCE = 64  # sequences
HEAD = 3  # bytes of a block
AROUND = 64  # bytes, more than what stands around those of a block

_U = np.uint64
Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.int64]


@compiled
def put_blocks(text: Bytes, literals: Bytes, sequences: Words, tables: Words, is_ascii: bool, out: Bytes) -> int:
    """Write blocks of sequences, and return their number of bytes.

    Args:
        text: what the sequences are of; empty where that is not at hand: then no block is left as it is.
        literals: its new bytes one after the other; readable for eight bytes beyond.
        sequences: each of at most `BLOCK` bytes; what has no copy is the last one of a block. The first one is none: it
            tells that nothing is known of what stands before, and is `NOTHING`.
        tables, is_ascii: what `fit` found.
        out: room for `room_of` bytes.
    """
    table, begin = address(tables), address(out)
    at, word, text_at, literal_at = begin, address(sequences) + 8, address(text), address(literals)
    stop = word + 8 * sequences.size - 8
    has_tree, has_fse = False, False
    while word < stop:
        first, size, new, bare = word, np.int64(0), np.int64(0), False
        while word + 8 * MANY_AT_ONCE <= stop:
            some, some_new, all_copy = _sizes(word)
            if size + some > BLOCK or not all_copy:
                break
            size, new, word = size + some, new + some_new, word + 8 * MANY_AT_ONCE
        while word < stop and not bare:
            sequence = entry(word, 0)
            more, length = sequence >> LITERALS, (sequence >> LENGTH) & 0xFFFFFF
            if size + more + length > BLOCK:
                break
            size, new, word, bare = size + more + length, new + more, word + 8, length == 0
        count = (word - first) // 8 - bare
        end, coded = put_literals(literal_at, new, table, is_ascii, has_tree, at + HEAD)
        end = put_sequences(first, count, table, has_fse, end)
        if end - at - HEAD < size or not text.size:
            store_bytes(at, COMPRESSED << 1 | (end - at - HEAD) << 3, HEAD)
            at, has_tree, has_fse = end, has_tree or coded, has_fse or count > 0
        else:
            store_bytes(at, RAW << 1 | size << 3, HEAD)
            for done in range(0, size, 16):
                copy_step(at + HEAD + done, text_at + done)
            at += HEAD + size
            store_word(word - 8, _U(NOTHING))  # it was not a copy: nobody has read its offset
        text_at, literal_at = text_at + size, literal_at + new
    return int(at - begin)


def room_of(literals: int, sequences: int, text: int) -> int:
    """Bytes that blocks take at most."""
    return max(2 * literals + 10 * sequences, text) + (text // BLOCK + 2) * 64 + 1024


@numba.njit(nogil=True, forceinline=True)
def _sizes(word: Any) -> Any:
    """Of some sequences: the bytes of text, those of literals, and whether all copy."""
    size, new, copying = np.int64(0), np.int64(0), True
    for k in range(MANY_AT_ONCE):
        sequence = entry(word, k)
        more, length = sequence >> LITERALS, (sequence >> LENGTH) & 0xFFFFFF
        size, new, copying = size + more + length, new + more, copying & (length > 0)
    return size, new, copying
