"""Members of a gzip file: each is a block of DEFLATE between a head and a checksum.

Source: RFC 1952, section 2.3.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from onnx2graphml.formats.bits import MOST_BITS
from onnx2graphml.formats.copies import LONGEST_COPY
from onnx2graphml.formats.node_lines import NodeLines
from onnx2graphml.formats.packing import samples
from onnx2graphml.formats.packing.deflate import (
    DISTANCE_CODES,
    FIRST_DIGIT,
    LITERAL_CODES,
    LONGEST_CODE,
    put_block,
    put_codes,
)
from onnx2graphml.formats.packing.edges import put_edges
from onnx2graphml.formats.packing.floats import BEGINNINGS_APART, GROUP_BITS, put_float_edges
from onnx2graphml.formats.packing.form import Bytes, room, sequences_of
from onnx2graphml.formats.packing.nodes import put_nodes
from onnx2graphml.formats.packing.sequences import SPARE
from onnx2graphml.formats.shortest import BEGINNINGS, GROUP

# DEFLATE, no name, no time, of an unknown system.
HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
CODES = 1 << 10  # more bytes than the codes of a block take
WORST = 72  # bytes that the line of an edge takes at most, and how many times its own that of a node does
WORST_TEXT = 2

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

    def node_codes(self, lines: NodeLines) -> Codes:
        """Codes for the nodes of a layer."""
        return Codes.of(samples.of_nodes(lines))

    def nodes(self, lines: tuple[Any, ...], codes: Codes, count: int, most: int) -> bytes:
        """Nodes as a member."""
        out, packed = room("members", count * most + SPARE, count * WORST_TEXT * most + CODES)
        return _member_of(put_nodes, lines, codes, out, packed)

    def float_edges(self, lines: tuple[Any, ...], codes: Codes, count: int, most: int) -> bytes:
        """Edges with a weight of their own each, as a member."""
        out, packed = room("members", count * most + SPARE, count * WORST + CODES)
        return _member_of(put_float_edges, lines, codes, out, packed, codes.digits, codes.beginning)

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
        code, length = (part[FIRST_DIGIT : FIRST_DIGIT + 10] for part in (literal >> 8, literal & 0xFF))
        pair = np.zeros(1 << 8, np.int64)
        for last in range(10):
            pair[last << 4 | np.arange(10)] = (code | code[last] << length) << 8 | (length + length[last])
        return Codes(literal, pair, copied, distance, head[: bits // 8 + 8], bits)

    @functools.cached_property
    def digits(self) -> Ints:
        """The codes of the first n of three digits, by n << `GROUP_BITS` and what the three are as a number."""
        number, found = np.arange(10**GROUP), np.zeros((GROUP + 1) << GROUP_BITS, np.int64)
        code, bits = np.zeros_like(number), np.zeros_like(number)
        for n in range(1, GROUP + 1):
            digit = self.literal[FIRST_DIGIT + number // 10 ** (GROUP - n) % 10]
            code, bits = code | (digit >> 8) << bits, bits + (digit & 0xFF)
            found[(n << GROUP_BITS) + number] = code << 8 | bits
        return found

    @functools.cached_property
    def beginning(self) -> Ints:
        """Those of each of `BEGINNINGS` without so many of its first bytes.

        By `BEGINNINGS_APART` times which it is, and these bytes. One too long to be written at once has 255 bits.
        """
        found = np.zeros(BEGINNINGS_APART * len(BEGINNINGS), np.int64)
        for which, text in enumerate(BEGINNINGS):
            for same in range(len(text)):
                code, bits = 0, 0
                for literal in self.literal[[*text[same:]]].tolist():
                    code, bits = code | (literal >> 8) << bits, bits + (literal & 0xFF)
                found[BEGINNINGS_APART * which + same] = code << 8 | bits if bits <= MOST_BITS else 0xFF
        return found


def _member_of(loop: Any, lines: tuple[Any, ...], codes: Codes, out: Bytes, packed: Bytes, *further: Ints) -> bytes:
    """What a loop writes as text and as codes."""
    packed[: len(codes.head)] = codes.head
    tables = codes.literal, codes.pair, codes.copied, codes.distance, *further
    size, length = loop(*lines, out, *tables, packed, codes.bits)
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
