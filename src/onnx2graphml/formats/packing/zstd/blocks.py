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
from onnx2graphml.formats.packing.bits import entry, load_byte, load_four, load_two, put_bits
from onnx2graphml.formats.packing.sequences import LENGTH, LITERALS
from onnx2graphml.formats.packing.zstd import tables as t
from onnx2graphml.formats.packing.zstd.fse import top_bit
from onnx2graphml.formats.packing.zstd.literals import NOTHING
from onnx2graphml.formats.words import address, copy_step, load_word, store_word

BLOCK = 1 << 17  # bytes of text, at most
ONE, SHORT_COPY = 1 << LITERALS, 0xFF << LENGTH  # in a sequence
RAW, COMPRESSED = 0, 2
MANY_AT_ONCE = 64  # sequences
FEW = 64  # literals that are not worth a code
RAW_LITERALS, CODED_LITERALS, MORE_LITERALS = 0, 2, 3
HEAD = 3  # bytes of a block
AROUND = 64  # bytes, more than what stands around those of a block
MANY = 0x7F00  # sequences that need three bytes for their number

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
        out: room for `room` bytes.
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
        end, coded = _put_literals(literal_at, new, table, is_ascii, has_tree, at + HEAD)
        end = _put_sequences(first, count, table, has_fse, end)
        if end - at - HEAD < size or not text.size:
            store_word_of(at, COMPRESSED << 1 | (end - at - HEAD) << 3)
            at, has_tree, has_fse = end, has_tree or coded, has_fse or count > 0
        else:
            store_word_of(at, RAW << 1 | size << 3)
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


@numba.njit(nogil=True, forceinline=True)
def store_word_of(at: Any, head: Any) -> None:
    """Write three bytes."""
    store_word(at, (load_word(at) & _U(0xFFFFFFFFFF000000)) | _U(head))


@numba.njit(nogil=True)
def _put_literals(source: Any, n: Any, table: Any, is_ascii: Any, has_tree: Any, at: Any) -> Any:
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
                store_pair(head + 2 * part, end - begin)
        if end - start < n:
            kind = MORE_LITERALS if has_tree else CODED_LITERALS
            packed = end - start - 5
            store_pair(start, (kind | 3 << 2 | n << 4) & 0xFFFF)
            store_five(start, kind | 3 << 2 | n << 4 | packed << 22)
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
def store_pair(at: Any, value: Any) -> None:
    store_word(at, (load_word(at) & _U(0xFFFFFFFFFFFF0000)) | _U(value))


@numba.njit(nogil=True, forceinline=True)
def store_five(at: Any, value: Any) -> None:
    store_word(at, (load_word(at) & _U(0xFFFFFF0000000000)) | _U(value))


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


@numba.njit(nogil=True)
def _put_sequences(first: Any, count: Any, table: Any, has_fse: Any, at: Any) -> Any:
    """Write the section of sequences, the first of which stands at an address; the address behind it."""
    if count < 128:
        store_word(at, _U(count))
        at += 1
    elif count < MANY:
        store_word(at, _U((count >> 8) + 128 | (count & 0xFF) << 8))
        at += 2
    else:
        store_word(at, _U(0xFF | (count - MANY) << 8))
        at += 3
    if not count:
        return at
    store_word(at, _U(0b11111100 if has_fse else 0b10101000))
    at += 1
    if not has_fse:
        source = table + 8 * (t.FSE + 1)
        for done in range(0, t.FSE_BYTES, 8):
            store_word(at + done, load_word(source + done))
        at += entry(table, t.FSE)
    return _put_stream_of_sequences(first, first + 8 * (count - 1), table, at)


@numba.njit(nogil=True)
def _put_stream_of_sequences(first: Any, last: Any, table: Any, at: Any) -> Any:
    """Write the codes of sequences, from the last one to the first; the address behind them."""
    literals_step, offset_step, copy_step, extra, more, offset_extra, offset_more = _steps_of(last, table)
    offset_state = _begun(table + 8 * t.OFFSET_STATES, offset_step)
    copy_state = _begun(table + 8 * t.COPY_STATES, copy_step)
    literals_state = _begun(table + 8 * t.LITERALS_STATES, literals_step)
    at, held, bits = put_bits(at, _U(0), np.int64(0), extra | offset_extra << more, more + offset_more)
    few_rows = table + 8 * (t.FEW_ROWS - (2 << t.LITERALS_LOG))  # the first is that of one
    again_row = table + 8 * (t.AGAIN_ROW - (1 << t.OFFSET_LOG))
    copy_rows = table + 8 * (t.COPY_ROWS - (1 << t.COPY_LOG))
    copy_row_of = table + 8 * t.COPY_ROW
    word = last - 8
    while word >= first:
        sequence, before = entry(word, 0), entry(word, -1)
        if (sequence - ONE) & ~(SHORT_COPY | ONE) == before & 0xFFFF:
            # Most have one or two literals, and copy from as far as the one before: what that does to states is known.
            row = copy_row_of + 8 * load_byte(word + LENGTH // 8)
            one, two = again_row + 8 * offset_state, copy_rows + load_four(row) + 8 * copy_state
            three = few_rows + (load_byte(word + LITERALS // 8) << (t.LITERALS_LOG + 3)) + 8 * literals_state
            offset_state, copy_state, literals_state = load_two(one), load_two(two), load_two(three)
            n = load_byte(one + t.BITS)
            value = load_four(one + t.VALUE) | load_four(two + t.VALUE) << n
            n += load_byte(two + t.BITS)
            value |= load_four(three + t.VALUE) << n
            n += load_byte(three + t.BITS)
            value |= load_byte(row + t.EXTRA) << n
            at, held, bits = put_bits(at, held, bits, value, n + load_byte(row + t.EXTRA_BITS))
        else:
            literals_step, offset_step, copy_step, extra, more, offset_extra, offset_more = _steps_of(word, table)
            value, n, offset_state = _stepped(table + 8 * t.OFFSET_STATES, offset_state, offset_step)
            further, m, copy_state = _stepped(table + 8 * t.COPY_STATES, copy_state, copy_step)
            value, n = value | further << n, n + m
            further, m, literals_state = _stepped(table + 8 * t.LITERALS_STATES, literals_state, literals_step)
            at, held, bits = put_bits(at, held, bits, value | further << n, n + m)
            at, held, bits = put_bits(at, held, bits, extra | offset_extra << more, more + offset_more)
        word -= 8
    at, held, bits = put_bits(at, held, bits, copy_state & ((1 << t.COPY_LOG) - 1), t.COPY_LOG)
    at, held, bits = put_bits(at, held, bits, offset_state & ((1 << t.OFFSET_LOG) - 1), t.OFFSET_LOG)
    at, held, bits = put_bits(at, held, bits, literals_state & ((1 << t.LITERALS_LOG) - 1), t.LITERALS_LOG)
    at, held, bits = put_bits(at, held, bits, 1, 1)
    return at + (bits + 7) // 8


@numba.njit(nogil=True)
def _steps_of(word: Any, table: Any) -> Any:
    """Of a sequence: what its three codes do to states; the extra bits of its lengths, and how many; of its offset."""
    sequence, before = entry(word, 0), entry(word, -1)
    new, length, back = sequence >> LITERALS, (sequence >> LENGTH) & 0xFFFFFF, sequence & 0xFFFF
    if new < t.FEW_LITERALS:
        literals_step = entry(table, t.LITERALS_STEP + new)
        new_bits, extra = _extra_bits(literals_step), _extra(literals_step)
    else:
        new_bits = top_bit(new)
        literals_step, extra = entry(table, t.LITERALS_CODE_STEP + new_bits + 19), new - (1 << new_bits)
    if length < t.FEW_COPIED:
        copy_step = entry(table, t.COPY_STEP + length)
        bits = _extra_bits(copy_step)
        extra |= _extra(copy_step) << new_bits
    else:
        bits = top_bit(length - t.SHORTEST_COPY)
        copy_step = entry(table, t.COPY_CODE_STEP + bits + 36)
        extra |= (length - t.SHORTEST_COPY - (1 << bits)) << new_bits
    is_again = new > 0 and before & 0xFFFF == back
    offset_bits = np.int64(0) if is_again else top_bit(back + 4)
    offset_extra = np.int64(0) if is_again else back + 4 - (1 << offset_bits)
    offset_step = entry(table, t.AGAIN_STEP + offset_bits)
    return literals_step, offset_step, copy_step, extra, new_bits + bits, offset_extra, offset_bits


@numba.njit(nogil=True, forceinline=True)
def _stepped(states: Any, state: Any, step: Any) -> Any:
    """What a symbol writes in a state, in how many bits, and the next state: see `tables.packed`."""
    n = (state + (step & 0xFFFFF)) >> 16
    return state & ((1 << n) - 1), n, entry(states, (state >> n) + (step >> 32))


@numba.njit(nogil=True, forceinline=True)
def _extra_bits(step: Any) -> Any:
    return (step >> 20) & 0xF


@numba.njit(nogil=True, forceinline=True)
def _extra(step: Any) -> Any:
    return (step >> 24) & 0xFF


@numba.njit(nogil=True, forceinline=True)
def _begun(states: Any, step: Any) -> Any:
    """The state in which a symbol leaves its writer, where it is the first one that is written."""
    delta_bits = step & 0xFFFFF
    n = (delta_bits + (1 << 15)) >> 16
    return entry(states, (((n << 16) - delta_bits) >> n) + (step >> 32))
