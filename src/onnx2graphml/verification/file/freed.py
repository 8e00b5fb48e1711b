"""Memory that was freed, back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import sys


def return_freed() -> None:
    """Return freed memory to the system, where the C library keeps it: glibc does, of arrays of less than 32 MB.

    Large arrays that are made afterwards are put elsewhere: without this they would come on top.

    Example:
        >>> return_freed()
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
