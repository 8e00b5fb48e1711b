"""A file that is either written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from onnx2graphml.errors import OutputError
from onnx2graphml.files.temporary import clean, new_file


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """A new binary file that takes the place of `path` once the block is left without an exception.

    Until then it has another name in the same directory. After an exception, also KeyboardInterrupt, it is removed,
    and what `path` was before is untouched. A pipe or a device is written to directly. What processes that were
    killed have left in the directory is removed.

    Raises:
        OutputError: names the path and the cause.

    Example:
        >>> with atomic(Path("answer.txt")) as file:  # doctest: +SKIP
        ...     file.write(b"42")
    """
    try:
        target = resolved(path)  # a link stays a link, to the new file
        mode = _mode(target)
        if mode is not None and not stat.S_ISREG(mode):
            with target.open("wb") as device:
                yield device
            return
        clean(target.parent)
        with _replacing(target, mode) as file:
            yield file
    except OSError as e:
        raise OutputError(f"can't write {str(path)!r}: {_cause(e, path)}") from e


def check_parent(path: str | Path) -> None:
    """Refuse, before long work, a file that could not be written after it: there is no directory for it.

    Raises:
        OutputError: names the directory.

    Example:
        >>> check_parent("digits.graphml")
    """
    if not Path(path).absolute().parent.is_dir():
        raise OutputError(f"can't write {str(path)!r}: {_cause(FileNotFoundError(), Path(path))}")


def resolved(path: Path) -> Path:
    """The path behind all links.

    Raises:
        OutputError: the links go round in a circle.
        OSError: a folder on the way can't be entered.
    """
    try:
        return path.resolve()
    except RuntimeError:  # what Python 3.11 and 3.12 raise; later ones leave it to who opens the file
        raise OutputError(f"can't write {str(path)!r}: it is a link that leads back to itself; remove it") from None


def _mode(target: Path) -> int | None:
    try:
        return target.stat().st_mode
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _replacing(target: Path, mode: int | None) -> Iterator[BinaryIO]:
    temporary, descriptor = new_file(target)
    with contextlib.ExitStack() as undo:
        undo.callback(temporary.unlink, missing_ok=True)
        with open(descriptor, "wb") as file:
            if mode is not None:
                temporary.chmod(stat.S_IMODE(mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(target)  # while it is locked: unlocked, it is what a dead process left
        undo.pop_all()


def _cause(error: OSError, path: Path) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no directory {str(path.parent)!r}; create it first"
    if isinstance(error, IsADirectoryError):
        return "it is a directory; give the name of a file"
    return error.strerror or str(error)
