"""A checksum of a Zstandard frame's bytes, in a skippable frame behind it: readers that don't know of it skip it.

Source: RFC 8878, section 3.1.2.
"""

from __future__ import annotations

import struct

from isal import isal_zlib

MAGIC, NAME = 0x184D2A5C, b"onnx2graphml crc32"
SIZE = 8 + len(NAME) + 4


def checksum_frame(checksum: int) -> bytes:
    """A skippable frame with a checksum.

    Example:
        >>> checksum_of(checksum_frame(7))
        7
    """
    return struct.pack("<II", MAGIC, SIZE - 8) + NAME + struct.pack("<I", checksum)


def checksum_of(frame: bytes) -> int | None:
    """What such a frame has; None of any other."""
    if frame[: SIZE - 4] != checksum_frame(0)[:-4] or len(frame) != SIZE:
        return None
    return int.from_bytes(frame[-4:], "little")


class FrameBytes:
    """The bytes of frames, as they are read one after the other.

    Attributes:
        is_damaged: whether a checksum was of other bytes than the frame before it has.
    """

    def __init__(self) -> None:
        self.is_damaged = False
        self._before, self._checksum = 0, 0
        self._begin = b""

    def take(self, more: bytes) -> None:
        """Some more of this frame."""
        self._begin += more[: SIZE + 1 - len(self._begin)]
        self._checksum = isal_zlib.crc32(more, self._checksum)

    def end(self) -> None:
        """It ends here."""
        found = checksum_of(self._begin)
        self.is_damaged |= found is not None and found != self._before
        self._before, self._checksum, self._begin = self._checksum, 0, b""
