"""Members of a gzip file: each is a block of DEFLATE between a head and a checksum.

Source: RFC 1952, section 2.3.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from onnx2graphml.formats.copies import LONGEST_COPY
from onnx2graphml.formats.packing.deflate import (
    DISTANCE_CODES,
    FIRST_DIGIT,
    LITERAL_CODES,
    LONGEST_CODE,
    put_block,
    put_codes,
)
from onnx2graphml.formats.packing.edges import put_edges
from onnx2graphml.formats.packing.floats import float_edge_sequences
from onnx2graphml.formats.packing.form import Bytes, room, sequences_of
from onnx2graphml.formats.packing.nodes import put_nodes
from onnx2graphml.formats.packing.sequences import SPARE

# DEFLATE, no name, no time, of an unknown system.
HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
CODES = 1 << 10  # more bytes than the codes of a block take
WORST = 72  # bytes that the line of an edge takes at most, and how many times its own that of a node does
WORST_TEXT = 2
COPIES, LITERALS = 3, 64  # sequences and literals of a line at most

Ints = npt.NDArray[np.int64]


class Gzip:
    """A file of members. What each needs is in itself."""

    head = b""

    def text(self, pieces: Sequence[memoryview | bytes]) -> bytes:
        """Pieces of text as a member."""
        return member(pieces)

    def codes(self, sample: Bytes) -> Codes:
        """Codes for lines like a sample."""
        return Codes.of(sample)

    def edges(self, lines: tuple[Any, ...], first: bytes, codes: Codes, count: int, most: int) -> bytes:
        """Edges as a member."""
        out, packed = room("members", count * most + SPARE, count * WORST + CODES)
        out[: len(first)] = np.frombuffer(first, np.uint8)
        return _member_of(put_edges, lines, codes, out, packed)

    def nodes(self, lines: tuple[Any, ...], codes: Codes, count: int, most: int) -> bytes:
        """Nodes as a member."""
        out, packed = room("members", count * most + SPARE, count * WORST_TEXT * most + CODES)
        return _member_of(put_nodes, lines, codes, out, packed)

    def float_edges(self, tiles: Sequence[tuple[tuple[Any, ...], int]], most: int) -> list[bytes]:
        """Edges with a weight of their own each, a member for each tile."""
        made = []
        for lines, count in tiles:
            sequences, literals, text, out = room(
                "floats",
                8 * (COPIES * count + 2),
                LITERALS * (count + SPARE),
                count * most + SPARE,
                count * WORST + CODES,
            )
            words: Any = sequences.view(np.int64)
            n, _, size = float_edge_sequences(*lines, words, literals, text)
            lines_text = text[:]
            lines_text.setflags(write=False)  # as other text: compiled code is made for one kind
            made.append(closed(out[: put_block(lines_text, words[:n], out)], text[:size]))
        return made

    def took(self, part: bytes) -> None:
        """Nothing is needed of the others."""

    def foot(self) -> bytes:
        """Nothing."""
        return b""


@dataclass(frozen=True, eq=False)
class Codes:
    """The codes of a block of DEFLATE.

    Attributes:
        literal, pair, copied, distance: as `put_edges` takes them.
        head: what a block with them begins with, `bits` bits.
    """

    literal: Ints
    pair: Ints
    copied: Ints
    distance: Ints
    head: Bytes
    bits: int

    @staticmethod
    def of(sample: Bytes) -> Codes:
        """For text like a sample, which has `SPARE` bytes behind it."""
        literal, copied, distance = (np.zeros(n, np.int64) for n in (LITERAL_CODES, LONGEST_COPY + 1, DISTANCE_CODES))
        head = np.zeros(CODES, np.uint8)
        bits = put_codes(sample, sequences_of(sample), head, literal, copied, distance)
        digits = literal[FIRST_DIGIT : FIRST_DIGIT + 10]
        code, length = digits >> 8, digits & 0xFF
        pair = np.zeros(1 << 8, np.int64)
        for last in range(10):
            pair[last << 4 | np.arange(10)] = (code | code[last] << length) << 8 | (length + length[last])
        return Codes(literal, pair, copied, distance, head[: bits // 8 + 8], bits)


def _member_of(loop: Any, lines: tuple[Any, ...], codes: Codes, out: Bytes, packed: Bytes) -> bytes:
    """What a loop writes as text and as codes."""
    packed[: len(codes.head)] = codes.head
    size, length = loop(*lines, out, codes.literal, codes.pair, codes.copied, codes.distance, packed, codes.bits)
    return closed(packed[:length], out[:size])


def member(pieces: Sequence[memoryview | bytes]) -> bytes:
    """The pieces of text, together at most `sequences.MOST` bytes, as a member.

    Example:
        >>> import gzip
        >>> gzip.decompress(member([b"<a>1</a>\\n", b"<a>2</a>\\n"]))
        b'<a>1</a>\\n<a>2</a>\\n'
    """
    text = np.frombuffer(b"".join((*pieces, bytes(SPARE))), np.uint8)
    sequences = sequences_of(text)
    (out,) = room("text", text.size * LONGEST_CODE // 8 + CODES)
    return closed(out[: put_block(text, sequences, out)], text[:-SPARE])


def closed(block: Bytes, text: Bytes) -> bytes:
    """A block with what stands before and behind it in a member."""
    data: Any = text.data
    return b"".join((HEAD, block.data, struct.pack("<II", isal_zlib.crc32(data), text.size & 0xFFFFFFFF)))
