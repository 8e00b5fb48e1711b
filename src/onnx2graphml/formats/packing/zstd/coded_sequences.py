"""The sequences of a Zstandard block, from the last one to the first.

Source: RFC 8878, sections 3.1.1.3.2 and 4.1.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from onnx2graphml.formats.bits import entry, load_byte, load_four, load_two, put_bits
from onnx2graphml.formats.copies import LENGTH, LITERALS
from onnx2graphml.formats.packing.zstd import tables as t
from onnx2graphml.formats.packing.zstd.fse import top_bit
from onnx2graphml.formats.words import load_word, store_word

ONE, SHORT_COPY = 1 << LITERALS, 0xFF << LENGTH  # in a sequence
MANY = 0x7F00  # sequences that need three bytes for their number

_U = np.uint64


@numba.njit(nogil=True)
def put_sequences(first: Any, count: Any, table: Any, has_fse: Any, at: Any) -> Any:
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
        literals_step, extra = entry(table, t.LITERALS_CODE_STEP + new_bits + t.MORE_LITERALS), new - (1 << new_bits)
    if length < t.FEW_COPIED:
        copy_step = entry(table, t.COPY_STEP + length)
        bits = _extra_bits(copy_step)
        extra |= _extra(copy_step) << new_bits
    else:
        bits = top_bit(length - t.SHORTEST_COPY)
        copy_step = entry(table, t.COPY_CODE_STEP + bits + t.MORE_COPIED)
        extra |= (length - t.SHORTEST_COPY - (1 << bits)) << new_bits
    is_again = new > 0 and before & 0xFFFF == back
    offset_bits = np.int64(0) if is_again else top_bit(back + 4)
    offset_extra = np.int64(0) if is_again else back + 4 - (1 << offset_bits)
    offset_step = entry(table, t.AGAIN_STEP + offset_bits)
    return literals_step, offset_step, copy_step, extra, new_bits + bits, offset_extra, offset_bits


@numba.njit(nogil=True, forceinline=True)
def _stepped(states: Any, state: Any, step: Any) -> Any:
    """What a symbol writes in a state, in how many bits, and the next state: see `fse.spread`."""
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
