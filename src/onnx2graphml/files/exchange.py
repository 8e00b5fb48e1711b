"""A folder takes the place of another in one step, where the system can do that; a kill in between loses neither."""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
from pathlib import Path

from onnx2graphml.files.temporary import listed_files, remove_folder

AT_FDCWD = {"linux": -100, "darwin": -2}
RENAME_EXCHANGE = 2  # of Linux, and RENAME_SWAP of macOS


def exchange(one: Path, other: Path) -> bool:
    """Let two paths change their names in one step; False where the system or the file system can't.

    Source: renameat2(2) of Linux, renameatx_np(2) of macOS
    """
    name = {"linux": "renameat2", "darwin": "renameatx_np"}.get(sys.platform, "")
    function = getattr(ctypes.CDLL(None), name, None) if name else None
    if function is None:
        return False
    here = AT_FDCWD[sys.platform]
    function.restype = ctypes.c_int
    return bool(function(here, os.fsencode(one), here, os.fsencode(other), ctypes.c_uint(RENAME_EXCHANGE)) == 0)


def aside(target: Path) -> Path:
    """Where the older folder is for a moment, if there is no exchange in one step."""
    name = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]
    return target.with_name(f".o2g-{name}.old")


def recover(target: Path) -> None:
    """Put the older folder back, if a process was killed after it had been set aside; or remove it."""
    old = aside(target)
    if not os.path.lexists(target) and old.is_dir():
        old.rename(target)
    elif old.is_dir() and listed_files(old) is not None:
        remove_folder(old)
