"""A Zstandard file as a single frame, whose blocks are made by threads: every reader reads it to its end.

The frame has no checksum of its text, which is never put together. A skippable frame behind it has one of its bytes,
for readers that know of it; others skip it.

Source: RFC 8878, section 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from isal import isal_zlib

from onnx2graphml.formats.copies import SHORTEST
from onnx2graphml.formats.node_lines import NodeLines
from onnx2graphml.formats.packing.edges import edge_sequences
from onnx2graphml.formats.packing.floats import float_edge_sequences
from onnx2graphml.formats.packing.form import Bytes, Ints, room, sequences_of
from onnx2graphml.formats.packing.nodes import node_sequences
from onnx2graphml.formats.packing.sequences import SPARE
from onnx2graphml.formats.packing.zstd.blocks import AROUND, put_blocks, room_of
from onnx2graphml.formats.packing.zstd.literals import NOTHING, gather
from onnx2graphml.formats.packing.zstd.tables import SIZE, fit
from onnx2graphml.formats.zstd_checksum import checksum_frame

HEAD = b"\x28\xb5\x2f\xfd" + bytes([0, 7 << 3])  # no size, no dictionary; a window of 128 KiB
LAST = b"\x01\x00\x00"  # an empty block
COPIES, LITERALS = 4, 64  # sequences and literals of a line at most
NONE = np.frombuffer(b"", np.uint8)


class Zstd:
    """One frame, and the checksum of its bytes."""

    head = HEAD

    def __init__(self) -> None:
        self._checksum = isal_zlib.crc32(HEAD)

    def text(self, pieces: Sequence[memoryview | bytes]) -> bytes:
        """Pieces of text as blocks."""
        text = np.frombuffer(b"".join((*pieces, bytes(SPARE))), np.uint8)
        sequences, literals = _sequences(text)
        out, tables = room("text", room_of(literals.size, sequences.size, text.size), 8 * SIZE)
        is_ascii = fit(literals[:-AROUND], sequences[1:], False, tables.view(np.int64))
        return out[: put_blocks(text, literals, sequences, tables.view(np.int64), is_ascii, out)].tobytes()

    def codes(self, sample: Bytes) -> tuple[Ints, bool]:
        """Codes for lines like a sample."""
        sequences, literals = _sequences(sample)
        tables = np.empty(SIZE, np.int64)
        return tables, fit(literals[:-AROUND], sequences[1:], True, tables)

    def edges(self, lines: tuple[Any, ...], first: bytes, codes: tuple[Ints, bool], count: int, most: int) -> bytes:
        """Edges as blocks."""
        return _blocks(edge_sequences, lines, first, codes, count, most)

    def node_codes(self, lines: NodeLines) -> None:
        """None: each part of a layer has its own."""

    def nodes(self, lines: tuple[Any, ...], codes: None, count: int, most: int) -> bytes:
        """Nodes as blocks, in codes of their own."""
        size = count * most + AROUND
        text, sequences, literals, out, tables = room(
            "nodes", size + SPARE, 8 * (size // SHORTEST), size, room_of(size, size // SHORTEST, 0), 8 * SIZE
        )
        words: Any = sequences.view(np.int64)
        words[0] = NOTHING
        n, new = node_sequences(*lines, text, words[1:], literals)
        is_ascii = fit(literals[:new], words[1 : n + 1], False, tables.view(np.int64))
        return out[: put_blocks(NONE, literals, words[: n + 1], tables.view(np.int64), is_ascii, out)].tobytes()

    def float_edges(self, lines: tuple[Any, ...], codes: tuple[Ints, bool], count: int, most: int) -> bytes:
        """Edges with a weight of their own each, as blocks."""
        return _blocks(float_edge_sequences, lines, b"", codes, count, most)

    def took(self, part: bytes) -> None:
        """Count it in."""
        self._checksum = isal_zlib.crc32(part, self._checksum)

    def foot(self) -> bytes:
        """The last block and the checksum."""
        self.took(LAST)
        return LAST + checksum_frame(self._checksum)


def _blocks(loop: Any, lines: tuple[Any, ...], first: bytes, codes: tuple[Ints, bool], count: int, most: int) -> bytes:
    """What a loop writes as sequences, with room for one line that begins with some text."""
    sparse = count + AROUND
    line, sequences, literals, out = room(
        "edges",
        most + SPARE,
        8 * COPIES * sparse,
        LITERALS * sparse,
        room_of(LITERALS * sparse, COPIES * sparse, 0),
    )
    line[: len(first)] = np.frombuffer(first, np.uint8)
    words: Any = sequences.view(np.int64)
    words[0] = NOTHING
    n = loop(*lines, line, words[1:], literals)
    return out[: put_blocks(NONE, literals, words[: n + 1], *codes, out)].tobytes()


def _sequences(text: Bytes) -> tuple[Ints, Bytes]:
    """The sequences of a text, behind `NOTHING`, and their literals with `AROUND` bytes behind them.

    Until the same thread finds others.
    """
    found = sequences_of(text)
    sequences, literals = room("gather", 8 * (found.size + AROUND + text.size // (1 << 14)), text.size + AROUND)
    words: Any = sequences.view(np.int64)
    n, new = gather(text, found, words, literals)
    return words[:n], literals[: new + AROUND]
