"""NPZ read back: a sparse matrix in coordinate format, its three long members read in step as streams.

Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.files.regular import open_regular
from onnx2graphml.formats.edge_rows import NO_PORT, NO_TERM, EdgeRows, RecordedRows
from onnx2graphml.formats.found import FoundLayer, Values
from onnx2graphml.formats.manifest import reading_errors
from onnx2graphml.graph.recorded import VALUE

ROWS = 1 << 20  # taken at once
TYPES = {"row": ("i4", "i8"), "col": ("i4", "i8"), "data": ("f4", "f8"), "shape": ("i8",), "format": ("S3",)}
TYPES_OF_RECORDED = {VALUE: ("f4", "f8"), "contribution": ("f4", "f8"), "winner": ("i1",)}
RECORDED = tuple(TYPES_OF_RECORDED)


@contextmanager
def open_npz(path: Path) -> Iterator[NpzFile]:
    """A context that gives the graph in an .npz file; pickles are never read.

    Example:
        >>> with open_npz(Path("digits.npz")) as file:  # doctest: +SKIP
        ...     sum(len(edges) for edges in file.edges())
        25816
    """
    with open_regular(path) as file:
        with reading_errors(path):
            members = zipfile.ZipFile(file)
        yield NpzFile(path, members)


@dataclass(frozen=True)
class Member:
    """A member of the file behind its header: `count` entries of a type."""

    stream: Any  # zipfile's, which has `readinto`
    name: str
    dtype: np.dtype[Any]
    count: int

    def take(self, count: int) -> npt.NDArray[Any]:
        """The next entries, in the machine's order of bytes."""
        room = np.empty(count * self.dtype.itemsize, np.uint8)
        got, view = 0, room.data
        while got < room.size and (more := self.stream.readinto(view[got:])):
            got += more
        if got < room.size:
            raise ValueError(f"{self.name} has less than {self.count} entries")
        return room.view(self.dtype).astype(self.dtype.newbyteorder("="), copy=False)

    def close(self) -> None:
        """`ValueError` if there is more; and where the end is met, the checksum is compared."""
        if self.stream.read(1):
            raise ValueError(f"{self.name} has more than {self.count} entries")


class NpzFile:
    """A `GraphFile` over a matrix: it holds ids and weights, and nothing else of a graph."""

    def __init__(self, path: Path, members: zipfile.ZipFile) -> None:
        self._path, self._members = path, members
        self._check_format()

    def about(self) -> dict[str, str]:
        """How many nodes there are, as many as the matrix has rows, is all that it tells of the graph."""
        rows, columns = self._small("shape", 2)
        if rows != columns:
            raise Error(f"{self._path}: the matrix has shape ({rows}, {columns}); expected a square one")
        return {"nodes": str(rows)}

    def layers(self) -> list[FoundLayer]:
        """None: the format has no attributes of nodes."""
        return []

    def values(self) -> Values | None:
        """What an input makes of all nodes, by id."""
        if not self._is_recorded:
            return None
        return self._small(VALUE, int(self.about()["nodes"])).astype(np.float64)

    def edited_layers(self) -> list[FoundLayer]:
        """None, likewise."""
        return self.layers()

    def edges(self) -> Iterator[EdgeRows]:
        """All edges; `Error` at the end if the file is not whole."""
        names = ("row", "col", "data", *RECORDED[1:] * self._is_recorded)
        with self._reading_errors(), ExitStack() as streams:
            members = [self._member(name, streams) for name in names]
            if len({member.count for member in members}) > 1:
                counts = [str(member.count) for member in members]
                raise Error(f"{self._path}: {_listed(names)} have {_listed(counts)} entries")
            for first in range(0, members[0].count, ROWS):
                n = min(ROWS, members[0].count - first)
                row, col, data, *more = (member.take(n) for member in members)
                recorded = RecordedRows(more[0], more[1]) if more else None
                port, term = np.full(n, NO_PORT, np.int32), np.full(n, NO_TERM)
                yield EdgeRows(row.astype(np.int64), col.astype(np.int64), data, port, term, recorded)
            for member in members:
                member.close()

    @property
    def _is_recorded(self) -> bool:
        return {f"{name}.npy" for name in RECORDED} <= {*self._members.namelist()}

    def _reading_errors(self) -> Any:
        return reading_errors(self._path)

    def _check_format(self) -> None:
        there = [name.removesuffix(".npy") for name in self._members.namelist()]
        if not TYPES.keys() & {*there} or len({*there}) < len(there):
            raise Error(f"{self._path}: it holds {', '.join(there)[:120]}; expected {', '.join(TYPES)}, each once")
        (kind,) = self._small("format", 1)
        if kind != b"coo":
            raise Error(f"{self._path}: format is {kind.decode('latin-1')!r}; expected 'coo', which matrix.tocoo() has")

    def _small(self, name: str, count: int) -> npt.NDArray[Any]:
        """A member of that many entries."""
        with self._reading_errors(), ExitStack() as streams:
            member = self._member(name, streams)
            if member.count != count:
                raise ValueError(f"{name} has {member.count} entries; expected {count}")
            values = member.take(count)
            member.close()
            return values

    def _member(self, name: str, streams: ExitStack) -> Member:
        stream = streams.enter_context(self._members.open(f"{name}.npy"))
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):  # a later one may have a header of any size
            raise ValueError(f"{name} is of version {version} of the .npy format; expected (1, 0)")
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        types = (TYPES | TYPES_OF_RECORDED)[name]
        if dtype.newbyteorder("=").str[1:] not in types:
            raise ValueError(f"{name} has type {dtype}; expected {' or '.join(types)}")
        return Member(stream, name, dtype, math.prod(shape))


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
