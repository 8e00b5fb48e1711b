"""Text as a member of a gzip file: a block of DEFLATE between a head and a checksum.

Source: RFC 1952, section 2.3.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from onnx2graphml.formats.packing.deflate import LONGEST_CODE, put_block
from onnx2graphml.formats.packing.sequences import SHORTEST, SPARE, find_sequences

# DEFLATE, no name, no time, of an unknown system.
HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
CODES = 1 << 10  # more bytes than the codes of a block take

Bytes = npt.NDArray[np.uint8]


def member(pieces: Sequence[memoryview | bytes]) -> bytes:
    """The pieces of text, together at most `sequences.MOST` bytes, as a member.

    Example:
        >>> import gzip
        >>> gzip.decompress(member([b"<a>1</a>\\n", b"<a>2</a>\\n"]))
        b'<a>1</a>\\n<a>2</a>\\n'
    """
    text = np.frombuffer(b"".join((*pieces, bytes(SPARE))), np.uint8)
    sequences = sequences_of(text)
    out = np.empty(text.size * LONGEST_CODE // 8 + CODES, np.uint8)
    return closed(out[: put_block(text, sequences, out)], text[:-SPARE])


def sequences_of(text: Bytes) -> npt.NDArray[np.int64]:
    """The sequences of a text, which has `SPARE` bytes behind it."""
    size = text.size - SPARE
    found = np.empty(size // SHORTEST + 2, np.int64)
    return found[: find_sequences(text, size, found)]


def closed(block: Bytes, text: Bytes) -> bytes:
    """A block with what stands before and behind it in a member."""
    data: Any = text.data
    return b"".join((HEAD, block.data, struct.pack("<II", isal_zlib.crc32(data), text.size & 0xFFFFFFFF)))
