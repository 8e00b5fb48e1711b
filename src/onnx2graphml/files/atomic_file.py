"""A file that is either written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from onnx2graphml.errors import OutputError


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """A new binary file that takes the place of `path` once the block is left without an exception.

    Until then it has another name in the same directory. After an exception, also KeyboardInterrupt, it is removed,
    and what `path` was before is untouched. A pipe or a device is written to directly.

    Raises:
        OutputError: names the path and the cause.

    Example:
        >>> with atomic(Path("answer.txt")) as file:  # doctest: +SKIP
        ...     file.write(b"42")
    """
    try:
        target = path.resolve()  # a link stays a link, to the new file
        mode = _mode(target)
        if mode is not None and not stat.S_ISREG(mode):
            with target.open("wb") as device:
                yield device
            return
        with _replacing(target, mode) as file:
            yield file
    except OSError as e:
        raise OutputError(f"can't write {str(path)!r}: {_cause(e, path)}") from e


def _mode(target: Path) -> int | None:
    try:
        return target.stat().st_mode
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _replacing(target: Path, mode: int | None) -> Iterator[BinaryIO]:
    # The name is not derived from the target's, which may already be as long as a name can be.
    temporary = target.with_name(f".o2g-{secrets.token_hex(8)}.tmp")
    with contextlib.ExitStack() as undo:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            undo.callback(temporary.unlink, missing_ok=True)
            if mode is not None:
                temporary.chmod(stat.S_IMODE(mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        undo.pop_all()


def _cause(error: OSError, path: Path) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no directory {str(path.parent)!r}; create it first"
    if isinstance(error, IsADirectoryError):
        return "it is a directory; give the name of a file"
    return error.strerror or str(error)
