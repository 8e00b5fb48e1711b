"""Large files in memory that another program may cut meanwhile: that is an error of one line.

A file that is mapped takes no time to read, and its memory can be taken back. Where nobody can take care of the bus
error that comes of a file that was cut, a file is read instead.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import weakref
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.files.bus_error import is_guarded

Bytes = npt.NDArray[np.uint8]

SMALL = 1 << 20  # bytes of a file that is rather read: a model may have thousands of them, each with a descriptor
PLACES = 256  # for files that are mapped at the same time; more are read

_ranges = np.zeros((PLACES, 2), np.uintp)
_files: dict[int, tuple[Path, int]] = {}  # by place: the path and the size


def in_memory(path: Path, descriptor: int) -> Bytes:
    """A regular file's bytes, not to be written to.

    Args:
        path: for messages.
        descriptor: of the file, open for reading; it may be closed afterwards.

    Raises:
        Error: it was cut; if it is in use by then, this is raised in the main thread, whatever that is at.

    Example:
        >>> with open("fixtures/digits.onnx", "rb") as file:
        ...     content = in_memory(Path("fixtures/digits.onnx"), file.fileno())
        >>> len(content) == Path("fixtures/digits.onnx").stat().st_size
        True
    """
    size = os.fstat(descriptor).st_size
    place = next((k for k in range(PLACES) if k not in _files), None)
    if size <= SMALL or place is None or not is_guarded(_ranges, _cut):
        return _read(path, descriptor, size)
    mapped: Any = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
    content = np.frombuffer(mapped, np.uint8)
    first = content.ctypes.data
    _files[place] = path, size
    _ranges[place, 0], _ranges[place, 1] = first, first + size  # in this order: never a range that is too large
    weakref.finalize(mapped, _forget, place)
    return content


def _forget(place: int) -> None:
    _ranges[place, 1] = _ranges[place, 0] = 0
    del _files[place]


def _read(path: Path, descriptor: int, size: int) -> Bytes:
    content = np.empty(size, np.uint8)
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        got, view = 0, memoryview(content)  # type: ignore[arg-type]
        while got < size:
            more = file.readinto(view[got:])
            if not more:
                raise Error(f"{path}: it was cut while it was read, at {got:,} of {size:,} bytes")
            got += more
    return content


def _cut(number: int, frame: FrameType | None) -> None:
    """Raise what is wrong."""
    for path, size in list(_files.values()):
        with contextlib.suppress(OSError):
            if path.stat().st_size >= size:
                continue
        raise Error(f"{path}: it was cut while it was in use; expected its {size:,} bytes: load it again")
    raise Error("a file was cut while it was in use; load it again")
