"""A Zstandard file as a single frame, whose blocks are made by threads: every reader reads it to its end.

Source: RFC 8878, section 3.1.1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
import xxhash

from onnx2graphml.formats.packing.edges import edge_sequences
from onnx2graphml.formats.packing.form import Bytes, Ints, Packed, room, sequences_of
from onnx2graphml.formats.packing.sequences import SPARE
from onnx2graphml.formats.packing.zstd.blocks import AROUND, put_blocks, room_of
from onnx2graphml.formats.packing.zstd.literals import NOTHING, gather
from onnx2graphml.formats.packing.zstd.tables import SIZE, fit

# A checksum, no size and no dictionary; a window of 128 KiB.
HEAD = b"\x28\xb5\x2f\xfd" + bytes([0b100, 7 << 3])
LAST = b"\x01\x00\x00"  # an empty block
COPIES, LITERALS = 4, 64  # sequences and literals of a line at most


class Zstd:
    """One frame. Its checksum is that of all text: parts are counted in, in order, as they are written."""

    head = HEAD

    def __init__(self) -> None:
        self._checksum = xxhash.xxh64()
        self._rooms: deque[Bytes] = deque()

    def text(self, pieces: Sequence[memoryview | bytes]) -> Packed:
        """Pieces of text as blocks."""
        text = np.frombuffer(b"".join((*pieces, bytes(SPARE))), np.uint8)
        found = sequences_of(text)
        sequences, literals = (
            np.empty(found.size + AROUND + text.size // (1 << 14), np.int64),
            np.empty(text.size + AROUND, np.uint8),
        )
        n, new = gather(text, found, sequences, literals)
        tables = np.zeros(SIZE, np.int64)
        is_ascii = fit(literals[:new], sequences[1:n], False, tables)
        out = np.empty(room_of(new, n, text.size), np.uint8)
        size = put_blocks(text, literals, sequences[:n], tables, is_ascii, out)
        return Packed(out[:size].tobytes(), text[:-SPARE])

    def codes(self, sample: Bytes) -> tuple[Ints, bool]:
        """Codes for lines like a sample."""
        found = sequences_of(sample)
        sequences, literals = np.empty(found.size + AROUND, np.int64), np.empty(sample.size, np.uint8)
        n, new = gather(sample, found, sequences, literals)
        tables = np.zeros(SIZE, np.int64)
        return tables, fit(literals[:new], sequences[1:n], True, tables)

    def edges(self, lines: tuple[Any, ...], first: bytes, codes: tuple[Ints, bool], count: int, most: int) -> Packed:
        """Edges as blocks."""
        line, sparse = count * most + SPARE, count + AROUND
        text = self._room(line)
        text[: len(first)] = np.frombuffer(first, np.uint8)
        sequences, literals, out = room(
            8 * COPIES * sparse, LITERALS * sparse, room_of(LITERALS * sparse, COPIES * sparse, line)
        )
        words = sequences.view(np.int64)
        words[0] = NOTHING
        size, n = edge_sequences(*lines, text, words[1:], literals)
        length = put_blocks(text, literals, words[: n + 1], *codes, out)
        return Packed(out[:length].tobytes(), text[:size], text)

    def _room(self, size: int) -> Bytes:
        found = self._rooms.pop() if self._rooms else None
        return np.empty(size, np.uint8) if found is None or found.size < size else found

    def took(self, part: Packed) -> None:
        """Count its text in, whose room is free from now on."""
        assert part.text is not None
        self._checksum.update(part.text.data)
        if part.room is not None:
            self._rooms.append(part.room)

    def foot(self) -> bytes:
        """The last block and the checksum."""
        return LAST + (self._checksum.intdigest() & 0xFFFFFFFF).to_bytes(4, "little")
