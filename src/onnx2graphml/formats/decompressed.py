"""Files as chunks of bytes, decompressed, with an error where a compressed file is not whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import zstandard
from isal import igzip, igzip_lib

from onnx2graphml.errors import Error
from onnx2graphml.formats.zstd_checksum import FrameBytes

CHUNK = 1 << 22
WINDOW = 1 << 27  # bytes that a frame may refer back to
PACKED = 1 << 10  # compressed bytes taken at once: what they hold, up to 32 MB, is in memory as a whole


def plain(file: IO[bytes]) -> Iterator[bytes]:
    """The file as it is."""
    while chunk := file.read(CHUNK):
        yield chunk


def gunzipped(file: IO[bytes]) -> Iterator[bytes]:
    """A gzip file, of one or several members."""
    try:
        unpacked: Any = igzip.IGzipFile(fileobj=file)  # type: ignore[no-untyped-call]
        yield from plain(unpacked)
    except (EOFError, OSError, ValueError, igzip_lib.IsalError) as e:  # type: ignore[misc]
        raise Error(f"{file.name}: not a whole gzip file: {_first_line(e)}") from None


def unzstd(file: IO[bytes]) -> Iterator[bytes]:
    """A Zstandard file, of one or several frames, the last of which may be a checksum of the one before it."""
    frame = zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj()
    begun, held, size = False, [], 0
    checked = FrameBytes()
    try:
        while packed := file.read(PACKED):
            while packed:
                if frame.eof:
                    frame = zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj()
                    checked.end()
                held.append(frame.decompress(packed))
                checked.take(packed[: len(packed) - len(frame.unused_data)])
                begun, packed = True, frame.unused_data
                size += len(held[-1])
                if size >= CHUNK:
                    yield b"".join(held)
                    held, size = [], 0
    except zstandard.ZstdError as e:
        raise Error(f"{file.name}: not a whole Zstandard file: {_first_line(e)}") from None
    if not begun or not frame.eof:
        raise Error(f"{file.name}: not a whole Zstandard file: it ends within a frame")
    checked.end()
    if checked.is_damaged:
        raise Error(f"{file.name}: not a whole Zstandard file: its checksum is of other bytes")
    if size:
        yield b"".join(held)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
