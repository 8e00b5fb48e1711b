"""Files that are read: regular ones only. A pipe would be waited for, a device would never end."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from onnx2graphml.errors import Error, reason


def open_regular(path: Path) -> BinaryIO:
    """A file, opened for reading, whatever bytes its name has.

    Raises:
        Error: it can't be read, or is a pipe, a device or a folder.

    Example:
        >>> with open_regular(Path("fixtures/digits.onnx")) as file:
        ...     len(file.read(4))
        4
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as e:
        raise Error(f"{path}: can't be read: {reason(e)}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Error(f"{path}: not a regular file; expected one that was written")
    return open(path, "rb", opener=lambda *_: descriptor)  # so that its name is the path
