"""What a compressed file is made of: parts that threads make, each from lines of text or from blocks of edges."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from onnx2graphml.formats.copies import SHORTEST
from onnx2graphml.formats.node_lines import NodeLines
from onnx2graphml.formats.packing.sequences import SPARE, find_sequences

TILE = 1 << 14  # edges of a part, whose text then stays in the processor's cache
TOGETHER = 4  # parts that a thread makes at once: to change threads takes time

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
_rooms = threading.local()


class Form(Protocol):
    """A kind of compressed file.

    Attributes:
        head: what it begins with.
    """

    head: bytes

    def text(self, pieces: Sequence[memoryview | bytes]) -> bytes:
        """Pieces of text, together at most `sequences.MOST` bytes."""

    def codes(self, sample: Bytes) -> Any:
        """Codes for lines like a sample, which has `SPARE` bytes behind it."""

    def edges(self, lines: tuple[Any, ...], first: bytes, codes: Any, count: int, most: int) -> bytes:
        """Edges in these codes.

        Args:
            lines: as `put_edges` takes them.
            first: the text before the first source.
            count, most: how many there are, and the bytes that the text of each takes at most.
        """

    def node_codes(self, lines: NodeLines) -> Any:
        """Codes for the nodes of a layer."""

    def nodes(self, lines: tuple[Any, ...], codes: Any, count: int, most: int) -> bytes:
        """Nodes in these codes.

        Args:
            lines: as `put_nodes` takes them.
            count, most: how many there are, and the bytes that the text of each takes at most.
        """

    def float_edges(self, lines: tuple[Any, ...], codes: Any, count: int, most: int) -> bytes:
        """Edges with a weight of their own each, in these codes.

        Args:
            lines: as `put_float_edges` takes them.
            count, most: how many there are, and the bytes that the text of each takes at most.
        """

    def took(self, part: bytes) -> None:
        """Called with each part, in order, once it is written."""

    def foot(self) -> bytes:
        """What it ends with."""


def room(use: str, *sizes: int) -> list[Bytes]:
    """Arrays of at least these sizes, which the same thread uses again: to get new memory would take its time."""
    found: list[Bytes] = getattr(_rooms, use, [])
    if len(found) != len(sizes) or any(a.size < size for a, size in zip(found, sizes, strict=True)):
        found = [np.empty(size, np.uint8) for size in sizes]
        setattr(_rooms, use, found)
    return found


def sequences_of(text: Bytes) -> Ints:
    """The sequences of a text, which has `SPARE` bytes behind it; until the same thread finds others."""
    size = text.size - SPARE
    found: Any = room("sequences", 8 * (size // SHORTEST + 2))[0].view(np.int64)
    return found[: find_sequences(text, size, found)]  # type: ignore[no-any-return]
