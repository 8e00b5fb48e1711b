"""Keras' archives: a .keras file as ONNX without Keras, as far as all that is in it is known here."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import h5py

from onnx2graphml.frontends import Imported
from onnx2graphml.frontends.direct.loading import Shapes, made
from onnx2graphml.frontends.direct.older import VERSION, check_functions, is_old
from onnx2graphml.frontends.direct.stored import Grouped
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.keras_check import check_config, check_open_hdf5, check_size

CONFIG, ABOUT, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


def read_archive(path: Path, shapes: Shapes) -> Imported:
    """Read a .keras file; no code of it runs, and no framework is imported.

    Raises:
        UncoveredError: a part of it is not known exactly.
        UnsafeError: it names something that no trained network needs.
        ModelError: a shape is unknown.
        UnsupportedError: Keras 3 would read a part of it in another sense.
        Exception: of any kind: it is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        check_size(archive, path)
        config = json.loads(archive.read(CONFIG))
        if _is_of_keras_2(archive):
            check_functions(config)
        check_config(config)
        require(WEIGHTS in archive.namelist(), "weights in several files")
        member = archive.getinfo(WEIGHTS)
        require(member.compress_type == zipfile.ZIP_STORED, "compressed weights")
        _check_sum(archive, member)
        with path.open("rb") as file, h5py.File(_Window(file, member), "r") as weights:
            check_open_hdf5(weights, member.file_size)
            return made(config, Grouped(weights, ""), shapes)


def _is_of_keras_2(archive: zipfile.ZipFile) -> bool:
    """Whether Keras 2 wrote a file; Keras itself reads one that doesn't say it."""
    about = json.loads(archive.read(ABOUT)) if ABOUT in archive.namelist() else {}
    return is_old(str(about.get(VERSION)))


def _check_sum(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Read a member once, which fails where a byte of it has changed."""
    with archive.open(member) as content:
        while content.read(1 << 20):
            pass


class _Window(io.RawIOBase):
    """The bytes of a member that is stored as it is, as a file; nothing is copied."""

    def __init__(self, file: BinaryIO, member: zipfile.ZipInfo) -> None:
        file.seek(member.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
        self._file, self._start, self._size = file, member.header_offset + 30 + name + extra, member.file_size
        self._place = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._start + self._place)
        read = self._file.readinto(memoryview(buffer)[: max(self._size - self._place, 0)])  # type: ignore[attr-defined]
        self._place += read
        return int(read)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
