"""Sequences as a block of DEFLATE.

Source: RFC 1951, section 3.2.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.bits import entry, put_code
from onnx2graphml.formats.copies import LENGTH, LITERALS, LONGEST_COPY, distance_symbol
from onnx2graphml.formats.packing.huffman import code_lengths, codes
from onnx2graphml.formats.words import address, load_word, store_word

LITERAL_CODES, DISTANCE_CODES, CODE_CODES = 286, 30, 19
END = 256  # the symbol that ends a block; those of lengths come behind it
LONGEST_CODE, LONGEST_CODE_CODE = 12, 7
FIRST_DIGIT = ord("0")
EVERY = 4  # of so many sequences one is counted, for the codes of lengths and distances
# The order in which the lengths of the codes of lengths are written: section 3.2.7.
ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])

_U = np.uint64
Words = npt.NDArray[np.int64]


def _lengths() -> tuple[Words, Words, Words]:
    """By length of a copy: its symbol, the number of extra bits, and these. Section 3.2.5."""
    symbol, extra, value = (np.zeros(LONGEST_COPY + 1, np.int64) for _ in range(3))
    first = 3
    for s in range(257, 285):
        bits = max((s - 261) // 4, 0)
        for length in range(first, min(first + (1 << bits), LONGEST_COPY)):
            symbol[length], extra[length], value[length] = s, bits, length - first
        first += 1 << bits
    symbol[LONGEST_COPY] = 285
    return symbol, extra, value


SYMBOL, EXTRA, VALUE = _lengths()


@compiled
def put_block(text: npt.NDArray[np.uint8], sequences: Words, out: npt.NDArray[np.uint8]) -> int:
    """Write the last block of a stream, and return its number of bytes.

    Args:
        text: what the sequences are of; readable for eight bytes beyond.
        out: room for all of it as literals of `LONGEST_CODE` bits, and 400 bytes.
    """
    literal, copied, distance = (
        np.zeros(LITERAL_CODES, np.int64),
        np.zeros(LONGEST_COPY + 1, np.int64),
        np.zeros(DISTANCE_CODES, np.int64),
    )
    begin = address(out)
    at, held, bits = _put_codes(text, sequences, False, begin, literal, copied, distance)
    at, held, bits = _put_sequences(
        address(text), sequences, address(literal), address(copied), address(distance), at, held, bits
    )
    at, held, bits = put_code(at, held, bits, literal[END])
    return int(at + (bits + 7) // 8 - begin)


@compiled
def put_codes(
    text: npt.NDArray[np.uint8],
    sequences: Words,
    out: npt.NDArray[np.uint8],
    literal: Words,
    copied: Words,
    distance: Words,
) -> int:
    """Write only the codes of a block, where digits are more frequent than in these sequences; return its bits.

    Args:
        literal, copied, distance: become `code << 8 | bits` by literal, by length with its extra bits, and by distance
            without. Digits have seven bits at most.
    """
    begin = address(out)
    at, held, bits = _put_codes(text, sequences, True, begin, literal, copied, distance)
    store_word(at, held)
    return int((at - begin) * 8 + bits)


@compiled
def _put_codes(text: Any, sequences: Any, digits: Any, at: Any, literal: Any, copied: Any, distance: Any) -> Any:
    literal_counts, distance_counts = np.ones(LITERAL_CODES, np.int64), np.ones(DISTANCE_CODES, np.int64)
    _count(text, sequences, literal_counts, distance_counts)
    if digits:  # at least one of 30 symbols is each of them: no Huffman code of such has more bits than seven
        more = literal_counts.sum() // 20
        for digit in range(FIRST_DIGIT, FIRST_DIGIT + 10):
            literal_counts[digit] += more
    literal_lengths, distance_lengths = np.zeros(LITERAL_CODES, np.int64), np.zeros(DISTANCE_CODES, np.int64)
    code_lengths(literal_counts, np.int64(LONGEST_CODE), literal_lengths)  # of a type: compiled once for all
    code_lengths(distance_counts, np.int64(LONGEST_CODE), distance_lengths)
    codes(literal_lengths, literal)
    codes(distance_lengths, distance)
    for length in range(3, LONGEST_COPY + 1):
        code = literal[SYMBOL[length]]
        bits = code & 0xFF
        copied[length] = (code >> 8 | VALUE[length] << bits) << 8 | (bits + EXTRA[length])
    return _put_header(at, literal_lengths, distance_lengths)


@compiled
def _count(text: Any, sequences: Any, literal: Any, distance: Any) -> None:
    """Add how often symbols occur, from some of the sequences."""
    place = 0
    for i in range(sequences.size):
        sequence = sequences[i]
        literals, length = sequence >> LITERALS, (sequence >> LENGTH) & 0xFFFFFF
        if i % EVERY == 0:
            for byte in range(place, place + literals):
                literal[text[byte]] += EVERY
            literal[285] += EVERY * (length // LONGEST_COPY)
            literal[SYMBOL[length % LONGEST_COPY]] += EVERY
            distance[distance_symbol(sequence & 0xFFFF)[0]] += EVERY
        place += literals + length


@compiled
def _put_header(at: Any, literal_lengths: Any, distance_lengths: Any) -> Any:
    """The lengths of all codes, each by itself: runs of equal ones are few."""
    counts, lengths, code = (
        np.zeros(CODE_CODES, np.int64),
        np.zeros(CODE_CODES, np.int64),
        np.zeros(CODE_CODES, np.int64),
    )
    for i in range(LITERAL_CODES + DISTANCE_CODES):
        counts[literal_lengths[i] if i < LITERAL_CODES else distance_lengths[i - LITERAL_CODES]] += 1
    code_lengths(counts, np.int64(LONGEST_CODE_CODE), lengths)
    codes(lengths, code)
    first = 4 + CODE_CODES
    parts = np.zeros(first + LITERAL_CODES + DISTANCE_CODES, np.int64)
    parts[0] = 0b101 << 8 | 3  # the last block, with codes of its own
    parts[1] = (LITERAL_CODES - 257) << 8 | 5
    parts[2] = (DISTANCE_CODES - 1) << 8 | 5
    parts[3] = (CODE_CODES - 4) << 8 | 4
    for i in range(CODE_CODES):
        parts[4 + i] = lengths[ORDER[i]] << 8 | 3
    for i in range(LITERAL_CODES + DISTANCE_CODES):
        parts[first + i] = code[literal_lengths[i] if i < LITERAL_CODES else distance_lengths[i - LITERAL_CODES]]
    held, bits = _U(0), np.int64(0)
    for i in range(parts.size):
        at, held, bits = put_code(at, held, bits, parts[i])
    return at, held, bits


@numba.njit(nogil=True)
def _put_sequences(
    base: Any, sequences: Any, literal: Any, copied: Any, distance: Any, at: Any, held: Any, bits: Any
) -> Any:
    last, last_code = np.int64(-1), np.int64(0)
    place = base
    for sequence in sequences:
        literals = sequence >> LITERALS
        for _ in range(literals >> 1):  # two at once
            one = entry(literal, load_word(place) & _U(0xFF))
            other = entry(literal, load_word(place + 1) & _U(0xFF))
            n = one & 0xFF
            at, held, bits = put_code(at, held, bits, (one >> 8 | (other >> 8) << n) << 8 | (n + (other & 0xFF)))
            place += 2
        if literals & 1:
            at, held, bits = put_code(at, held, bits, entry(literal, load_word(place) & _U(0xFF)))
            place += 1
        length = (sequence >> LENGTH) & 0xFFFFFF
        if not length:
            break
        place += length
        back = sequence & 0xFFFF
        if back != last:
            symbol, extra = distance_symbol(back)
            code = entry(distance, symbol)
            last_code = (code >> 8 | (back & ((1 << extra) - 1)) << (code & 0xFF)) << 8 | ((code & 0xFF) + extra)
            last = back
        while length > LONGEST_COPY:
            part = LONGEST_COPY if length >= LONGEST_COPY + 3 else length - 3
            at, held, bits = put_code(at, held, bits, entry(copied, part))
            at, held, bits = put_code(at, held, bits, last_code)
            length -= part
        code = entry(copied, length)
        n = code & 0xFF
        at, held, bits = put_code(at, held, bits, (code >> 8 | (last_code >> 8) << n) << 8 | (n + (last_code & 0xFF)))
    return at, held, bits
