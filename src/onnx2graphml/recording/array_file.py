"""An .npy file that grows row by row and is never held in memory, whole or mapped."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from onnx2graphml.errors import Error, reason
from onnx2graphml.model import Array


@dataclass(frozen=True)
class ArrayFile:
    """An array of a known shape in a file, of which the first rows may be written already.

    Attributes:
        path: the .npy file; its header tells the full shape from the start.
        shape: (rows, *shape of a row).
        dtype: of its elements.
        header: the number of bytes before the first row.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    header: int

    @property
    def row_bytes(self) -> int:
        """The size of a row."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    def append(self, rows: Iterable[Array]) -> None:
        """Write rows after those that are there; they are on the disk when this returns."""
        with self.path.open("ab") as file:
            for row in rows:
                file.write(np.ascontiguousarray(row, self.dtype).reshape(-1).view(np.uint8).data)
            file.flush()
            os.fsync(file.fileno())

    def cut(self, rows: int) -> None:
        """Remove what was written after so many rows.

        Raises:
            Error: the file does not have as many.
        """
        expected, found = self.header + rows * self.row_bytes, self.path.stat().st_size
        if found < expected:
            raise Error(f"{self.path}: it has {found:,} bytes; expected {expected:,} for {rows:,} rows")
        if found > expected:
            os.truncate(self.path, expected)

    def read(self, rows: Sequence[int]) -> Array:
        """Some of the rows, shape (len(rows), *shape of a row)."""
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        with self.path.open("rb", buffering=0) as file:
            for into, row in zip(out.reshape(len(rows), -1).view(np.uint8), rows, strict=True):
                file.seek(self.header + row * self.row_bytes)
                if file.readinto(into.data) != self.row_bytes:
                    raise Error(f"{self.path}: row {row} is not in it; it has {self.path.stat().st_size:,} bytes")
        return out


def create(path: Path, shape: tuple[int, ...], dtype: str) -> ArrayFile:
    """A new file with a header and no rows, in place of an older one. `dtype` as NumPy writes it, such as `<f4`."""
    with path.open("wb") as file:
        npy.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
        return ArrayFile(path, shape, np.dtype(dtype), file.tell())


def opened(path: Path) -> ArrayFile:
    """A file as its header describes it.

    Raises:
        Error: it can't be read, is no .npy file, holds no numbers, no rows, or holds them column by column.

    Example:
        >>> opened(Path("images.npy")).shape  # doctest: +SKIP
        (10000, 28, 28, 1)
    """
    try:
        with path.open("rb") as file:
            header = npy.read_array_header_1_0 if npy.read_magic(file) == (1, 0) else npy.read_array_header_2_0
            shape, by_columns, dtype = header(file)
            start = file.tell()
    except Exception as e:  # whatever comes of a damaged header
        raise Error(f"{path}: not a readable .npy file: {reason(e) or type(e).__name__}") from None
    if dtype.kind not in "fiub":
        raise Error(f"{path}: its elements have type {dtype}; expected numbers")
    if not shape or not shape[0]:
        raise Error(f"{path}: its shape is {list(shape)}; expected at least one row")
    if by_columns and len(shape) > 1:
        raise Error(f"{path}: it is stored column by column; save it with numpy.ascontiguousarray")
    return ArrayFile(path, shape, dtype, start)
