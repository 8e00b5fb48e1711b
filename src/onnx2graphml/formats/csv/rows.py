"""The rows of a CSV table: by the csv module, and by a compiled loop those that are like the one before them."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from onnx2graphml.errors import Error
from onnx2graphml.formats import decompressed
from onnx2graphml.formats.learned import Place, waited
from onnx2graphml.formats.nodes import FormatError
from onnx2graphml.formats.patterns import BEHIND, MOST, Found

LONGEST = 1 << 20  # bytes of a line
FIELD = re.compile(rb'("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n)')


class Rows(Iterator[list[str]]):
    """The rows of an open table.

    Attributes:
        text: the line of the last row; empty where it has several.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        _check_end(file)
        self._path, self._chunks = path, decompressed.plain(file)
        self._buffer, self._at, self._passed_over = b"", 0, 0
        self._wait = self._waited = 0
        self._rows = csv.reader(self._lines(), strict=True)
        self.text = b""

    def __next__(self) -> list[str]:
        line = self._rows.line_num
        row = next(self._rows)
        if self._rows.line_num > line + 1:
            self.text = b""
        return row

    @contextmanager
    def told(self) -> Iterator[None]:
        """What is wrong with a row as an `Error` that tells its line."""
        try:
            yield
        except (FormatError, csv.Error) as e:
            line = self._rows.line_num + self._passed_over
            raise Error(f"{self._path}, line {line}: {e}; write the graph again") from None

    def places(self, names: Sequence[str], of: Callable[[str, bytes, int], Iterator[Place]]) -> list[Place]:
        """The numbers in the last row's line: those that `of` finds in a column's name, its value and its place."""
        places, at, fields = list[Place](), 0, 0
        while at < len(self.text) and (field := FIELD.match(self.text, at)):
            start, stop = field.span(1)
            quoted = self.text[start : start + 1] == b'"'
            name = names[fields] if fields < len(names) else ""
            places += of(name, self.text[start + quoted : stop - quoted], start + quoted)
            at, fields = field.end(), fields + 1
        return places if at == len(self.text) <= MOST and fields == len(names) else []

    def may_be_alike(self) -> bool:
        """Whether it is worth while to learn what the last row looks like; less often where few were alike."""
        self._waited += 1
        return self._waited > self._wait and len(self._buffer) - self._at > 2 * BEHIND

    @property
    def rest(self) -> tuple[bytes, int]:
        """Some of the text, and where in it the next row begins."""
        return self._buffer, self._at

    def pass_over(self, found: Found | None) -> None:
        """Go on behind rows that others have read."""
        self._wait, self._waited = waited(self._wait, len(found) if found else 0), 0
        if found:
            self._at, self._passed_over = found.end, self._passed_over + found.lines

    def _lines(self) -> Iterator[str]:
        """The lines, with their ends."""
        while True:
            end = self._buffer.find(b"\n", self._at) + 1
            while not end and len(self._buffer) - self._at <= LONGEST and (more := next(self._chunks, b"")):
                self._buffer, self._at = self._buffer[self._at :] + more, 0
                end = self._buffer.find(b"\n") + 1
            if self._at == len(self._buffer):
                return
            if not 0 < end - self._at <= LONGEST:
                self._passed_over += 1  # the one before was counted last
                raise FormatError(f"a line of more than {LONGEST} bytes")
            self.text = self._buffer[self._at : end]
            self._at = end
            yield self.text.decode()


def _check_end(file: BinaryIO) -> None:
    """Every line that is written ends, also the last; a file that is cut within a number has it end earlier."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 1, 0))
    if file.read() != b"\n":
        raise Error(f"{file.name}: it ends within a line: it is truncated; write the graph again")
    file.seek(0)
