"""The codes of a block: of its literals, and of the lengths and offsets of its sequences, with how they are described.

They are one array, of which a compiled loop knows the address.

Source: RFC 8878, sections 3.1.1.3.2.1.1, 4.1.1 and 4.2.1.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.copies import LENGTH, LITERALS
from onnx2graphml.formats.packing.huffman import code_lengths
from onnx2graphml.formats.packing.zstd.fse import normalize, put_table, spread, top_bit
from onnx2graphml.formats.words import address

LONGEST_CODE = 11  # bits of a literal's
LITERAL_CODES = 128  # ASCII; what has others is written as it is
LITERALS_CODES, OFFSET_CODES, COPY_CODES = 35, 16, 51  # of 32 KiB at most
LITERALS_LOG, OFFSET_LOG, COPY_LOG = 8, 7, 8
SHORTEST_COPY = 3
FREQUENT = 44  # codes of copies below `FEW_COPIED`
# Of lines of edges: at most 255 literals; copies of a line's length at most, from a line's length to 32 KiB before.
EDGE_LITERALS_CODES, EDGE_OFFSET_CODE, EDGE_OFFSET_CODES = 27, 5, 16
FEW_LITERALS, FEW_COPIED = 64, 256 + SHORTEST_COPY  # lengths below have codes in tables, others are computed:
MORE_LITERALS, MORE_COPIED = 19, 36  # their highest bit's place, and so much

# Where parts of the array begin, and its length.
LITERAL = 0  # `code << 8 | bits` of each character, 0 where there is none
PAIR = LITERAL + LITERAL_CODES  # of two, the second one's code first, by the first and 128 times the second
LITERALS_STEP = PAIR + LITERAL_CODES**2  # by number of literals: see `_step`
COPY_STEP = LITERALS_STEP + FEW_LITERALS
LITERALS_CODE_STEP = COPY_STEP + FEW_COPIED  # by code
AGAIN_STEP = LITERALS_CODE_STEP + LITERALS_CODES  # the code of the last offset, and all others
COPY_CODE_STEP = AGAIN_STEP + OFFSET_CODES
LITERALS_STATES = COPY_CODE_STEP + COPY_CODES
OFFSET_STATES = LITERALS_STATES + (1 << LITERALS_LOG)
COPY_STATES = OFFSET_STATES + (1 << OFFSET_LOG)
# Of frequent codes, by state: the next one in two bytes, and what is written, in how many bits.
BITS, VALUE = 2, 4  # where these stand among the bytes of a word
FEW_ROWS = COPY_STATES + (1 << COPY_LOG)  # of one literal and of two
AGAIN_ROW = FEW_ROWS + (2 << LITERALS_LOG)
COPY_ROWS = AGAIN_ROW + (1 << OFFSET_LOG)
COPY_ROW = COPY_ROWS + (FREQUENT << COPY_LOG)  # by length: where its code's row begins, in four bytes, and extra bits
EXTRA_BITS, EXTRA = 4, 5
TREE = COPY_ROW + 256  # the description of the literals' codes: its bytes, and what they are
TREE_BYTES, FSE_BYTES = 72, 240
FSE = TREE + 1 + TREE_BYTES // 8  # that of the others
SIZE = FSE + 1 + FSE_BYTES // 8

# Of literals, offsets and copies: how many codes, bits of a state, and where what they do and the states stand.
CODES = np.array([LITERALS_CODES, OFFSET_CODES, COPY_CODES])
LOGS = np.array([LITERALS_LOG, OFFSET_LOG, COPY_LOG])
STEPS = np.array([LITERALS_CODE_STEP, AGAIN_STEP, COPY_CODE_STEP])
STATES = np.array([LITERALS_STATES, OFFSET_STATES, COPY_STATES])

EVERY = 4  # of so many sequences one is counted, where they are many
MANY = 1 << 10

Words = npt.NDArray[np.int64]
_EXTRA_LITERALS = np.array([0] * 16 + [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
_EXTRA_COPIED = np.array([0] * 32 + [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14])


def _codes(extra: Words, few: int, least: int) -> Words:
    """By length: its code, the number of extra bits, and these."""
    first = least + np.concatenate([[0], np.cumsum(1 << extra)[:-1]])
    code = np.searchsorted(first, np.arange(few), "right") - 1
    code[:least] = 0
    return np.stack([code, extra[code], np.arange(few) - first[code]], axis=1)


FEW_LITERALS_CODES = _codes(_EXTRA_LITERALS, FEW_LITERALS, 0)
FEW_COPIED_CODES = _codes(_EXTRA_COPIED, FEW_COPIED, SHORTEST_COPY)


@numba.njit(nogil=True, forceinline=True)
def literals_code(n: Any) -> Any:
    return FEW_LITERALS_CODES[n, 0] if n < FEW_LITERALS else top_bit(n) + MORE_LITERALS


@numba.njit(nogil=True, forceinline=True)
def copy_code(n: Any) -> Any:
    return FEW_COPIED_CODES[n, 0] if n < FEW_COPIED else top_bit(n - SHORTEST_COPY) + MORE_COPIED


@compiled
def fit(literals: npt.NDArray[np.uint8], sequences: Words, is_sample: bool, tables: Words) -> bool:
    """Codes for sequences like these; whether all literals are ASCII, without which they have no codes.

    Args:
        is_sample: whether others follow, of lines of edges, which have codes, too.
        tables: (`SIZE`,), becomes them.
    """
    counts = np.full(LITERAL_CODES, np.int64(is_sample), np.int64)
    counts[0] += 1  # at least two
    counts[10] += 1
    is_ascii = True
    for byte in literals:
        if byte >= LITERAL_CODES:
            is_ascii = False
            break
        counts[byte] += 16
    base = address(tables)
    if is_ascii:
        _fit_literals(counts, tables, base)
    # Of the codes of literals, of offsets and of copies.
    each = np.zeros((3, COPY_CODES), np.int64)
    each[:, :2] = 1
    if is_sample:
        each[0, :EDGE_LITERALS_CODES] = 1
        each[1, EDGE_OFFSET_CODE:EDGE_OFFSET_CODES] = 1
        each[2, :FREQUENT] = 1
    every, last = EVERY if sequences.size > MANY else 1, np.int64(-1)
    for i in range(sequences.size):
        sequence = sequences[i]
        new, length, back = sequence >> LITERALS, (sequence >> LENGTH) & 0xFFFFFF, sequence & 0xFFFF
        if length:
            more = 16 * np.int64(i % every == 0)
            offset = 0 if back == last and new else top_bit(back + 4)
            each[0, literals_code(new)] += more
            each[1, offset] += more
            each[2, copy_code(length)] += more
            each[0, literals_code(new)] |= 1
            each[1, offset] |= 1
            each[2, copy_code(length)] |= 1
        last = back
    _fit_sequences(each, tables, base)
    return is_ascii


@numba.njit(nogil=True)
def _fit_literals(counts: Any, tables: Any, base: Any) -> None:
    """Their codes: the longest come first, and those of one length are in the order of their symbols."""
    lengths = np.zeros(LITERAL_CODES, np.int64)
    code_lengths(counts, np.int64(LONGEST_CODE), lengths)
    longest, last = lengths.max(), LITERAL_CODES - 1
    tables[LITERAL : LITERAL + LITERAL_CODES] = 0
    tables[TREE : TREE + 1 + TREE_BYTES // 8] = 0
    while not lengths[last]:  # whose weight follows from the others
        last -= 1
    code = 0
    for length in range(longest, 0, -1):
        for symbol in range(LITERAL_CODES):
            if lengths[symbol] == length:
                tables[LITERAL + symbol] = code << 8 | length
                code += 1
        code >>= 1
    for second in range(LITERAL_CODES):
        two = tables[LITERAL + second]
        for one in range(LITERAL_CODES if two else 0):
            code, n = tables[LITERAL + one], two & 0xFF
            tables[PAIR + one + LITERAL_CODES * second] = (two >> 8 | (code >> 8) << n) << 8 | (n + (code & 0xFF))
    tree = tables[TREE + 1 :].view(np.uint8)
    tree[0] = 127 + last
    for symbol in range(last):
        weight = longest + 1 - lengths[symbol] if lengths[symbol] else 0
        tree[1 + symbol // 2] |= weight << (0 if symbol & 1 else 4)
    tables[TREE] = 1 + (last + 1) // 2


@numba.njit(nogil=True)
def _fit_sequences(each: Any, tables: Any, base: Any) -> None:
    begin = at = base + 8 * (FSE + 1)
    delta_bits, delta_state = np.zeros(COPY_CODES, np.int64), np.zeros(COPY_CODES, np.int64)
    for kind in range(3):
        counts, log, step = each[kind], LOGS[kind], STEPS[kind]
        normalize(counts, log)
        at = put_table(counts, log, at)
        spread(counts, log, delta_bits, delta_state, tables[STATES[kind] :])
        for code in range(CODES[kind]):
            tables[step + code] = delta_state[code] << 32 | delta_bits[code]
    tables[FSE] = at - begin
    copies = each[2]
    for n in range(1, 3):
        _row(tables, LITERALS_CODE_STEP + n, LITERALS_STATES, LITERALS_LOG, FEW_ROWS + (n - 1 << LITERALS_LOG))
    _row(tables, AGAIN_STEP, OFFSET_STATES, OFFSET_LOG, AGAIN_ROW)
    for code in range(FREQUENT):
        if copies[code]:
            _row(tables, COPY_CODE_STEP + code, COPY_STATES, COPY_LOG, COPY_ROWS + (code << COPY_LOG))
    for length in range(SHORTEST_COPY, 256):
        code, bits, extra = FEW_COPIED_CODES[length]
        tables[COPY_ROW + length] = code << COPY_LOG << 3 | bits << (8 * EXTRA_BITS) | extra << (8 * EXTRA)
    _by_length(FEW_LITERALS_CODES, tables[LITERALS_CODE_STEP:], tables[LITERALS_STEP:])
    _by_length(FEW_COPIED_CODES, tables[COPY_CODE_STEP:], tables[COPY_STEP:])


@numba.njit(nogil=True)
def _row(tables: Any, step: Any, states: Any, log: Any, row: Any) -> None:
    """What a code does in each state."""
    delta_bits, delta_state = tables[step] & 0xFFFFFFFF, tables[step] >> 32
    for k in range(1 << log):
        state = k + (1 << log)
        n = (state + delta_bits) >> 16
        then = tables[states + (state >> n) + delta_state]
        tables[row + k] = then | n << (8 * BITS) | (state & ((1 << n) - 1)) << (8 * VALUE)


@numba.njit(nogil=True)
def _by_length(codes: Any, by_code: Any, steps: Any) -> None:
    """By length, the same with `extra << 24 | extra bits << 20`."""
    for length in range(codes.shape[0]):
        steps[length] = by_code[codes[length, 0]] | codes[length, 2] << 24 | codes[length, 1] << 20
