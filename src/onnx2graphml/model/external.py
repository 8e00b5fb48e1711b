"""Weights that stand in files beside the model, mapped into memory: a page is read when it is used.

A model may not reach out of its own folder, nor into anything but regular files, and each tensor's bytes must be there.
The files must stay as they are for as long as the model is in use: a change is an error at the next use.

Source: https://onnx.ai/onnx/repo-docs/ExternalData.html
"""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath, PureWindowsPath

import onnx

from onnx2graphml.errors import ModelError
from onnx2graphml.files.mapped import Bytes, in_memory

Stamp = tuple[int, int]
"""A file's size and the time of its last change."""


def stamp(path: Path) -> Stamp | None:
    """What tells that a file was changed; None if it is gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def is_external(tensor: onnx.TensorProto) -> bool:
    """Whether its values stand in another file."""
    return bool(tensor.data_location == onnx.TensorProto.EXTERNAL)


class DataFiles:
    """The files beside a model, each mapped once.

    Args:
        folder: the model's; None for a model in memory, which has no files beside it.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._mapped: dict[str, Bytes] = {}
        self.stamps: dict[Path, Stamp | None] = {}

    @property
    def paths(self) -> tuple[Path, ...]:
        """Those that were read."""
        return tuple(self._folder / location for location in self._mapped) if self._folder else ()

    def read(self, tensor: onnx.TensorProto, size: int) -> Bytes:
        """A tensor's bytes, not to be written to.

        Args:
            tensor: external.
            size: the bytes that its shape and type take.

        Raises:
            ModelError: what is wrong with where its data is said to be.
        """
        entries = _entries(tensor)
        offset, length = _number(entries, "offset", 0), _number(entries, "length", size)
        if length != size:
            raise ModelError(f"its length is {length}; its shape and type take {size} bytes")
        location = entries.get("location", "")
        data = self._file(location)
        if offset + size > data.size:
            raise ModelError(
                f"its {size} bytes from {offset} on pass the end of {location!r}, which has {data.size}: "
                f"the file is truncated, or not the model's"
            )
        return data[offset : offset + size]

    def _file(self, location: str) -> Bytes:
        if self._folder is None:
            raise ModelError(f"it is in {location!r}, beside a file: load the model by its path")
        if location not in self._mapped:
            try:
                path = _inside(self._folder, location)
                self._mapped[location] = _content(path)
                self.stamps[Path(path)] = stamp(Path(path))
            except OSError as e:
                raise ModelError(f"{location!r} can't be read beside the model: {e.strerror}") from None
        return self._mapped[location]


def _entries(tensor: onnx.TensorProto) -> dict[str, str]:
    entries = {e.key: e.value for e in tensor.external_data}
    if len(entries) < len(tensor.external_data):
        raise ModelError("an entry is there twice; expected one location, offset and length")
    return entries


def _number(entries: dict[str, str], key: str, default: int) -> int:
    if key not in entries:
        return default
    text = entries[key]
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ModelError(f"its {key} is {text!r}; expected a number of bytes")
    return int(text)


def _inside(folder: Path, location: str) -> str:
    """The real path of a file in the folder, after all symbolic links."""
    upward = ".." in PureWindowsPath(location).parts  # which knows both kinds of slashes
    if not location or "\0" in location or upward or PurePosixPath(location).is_absolute():
        raise ModelError(f"its location is {location!r}; expected a file in the model's folder, without '..'")
    real = os.path.realpath(folder / location, strict=True)
    home = os.path.realpath(folder)
    if os.path.commonpath([home, real]) != home:
        raise ModelError(f"its location {location!r} is a link out of the model's folder: put the file itself there")
    return real


def _content(path: str) -> Bytes:
    # A pipe would otherwise be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ModelError(f"{os.path.basename(path)!r} is not a regular file")
        return in_memory(Path(path), descriptor)
    finally:
        os.close(descriptor)
