"""What numba makes of a loop. Importing it takes half a second, so that only a loop that is called does."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numba
from numba.core.caching import FunctionCache

compiling = 0.0
"""Seconds that have gone into what is in the cache now, where other processes find it."""


class _Cache(FunctionCache):  # type: ignore[misc]
    """A cache that is a help at best: damaged, full or read-only, the function is compiled anew.

    So it is when a file has changed in which it or a loop that it calls stands: numba itself looks at the first alone.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file._source_stamp = [(path, at.st_mtime_ns, at.st_size) for path, at in _sources(function)]
        self._begun: dict[Any, tuple[float, float]] = {}

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            found = super().load_overload(sig, target_context)
        except Exception:  # whatever comes of reading a damaged file
            found = None
        if found is None:
            self._begun[sig] = time.perf_counter(), compiling
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        for _ in range(2):
            try:
                super().save_overload(sig, data)
                self._count(sig)
                return
            except Exception:
                with contextlib.suppress(Exception):
                    self.flush()  # a damaged index is begun anew

    def _count(self, sig: Any) -> None:
        """What it took to compile it, and the loops that it calls, which have been counted before."""
        global compiling
        begun, before = self._begun.pop(sig, (0.0, 0.0))
        compiling = before + time.perf_counter() - begun if begun else compiling


def _sources(function: Callable[..., Any]) -> list[tuple[str, os.stat_result]]:
    """The files of a loop, of all that it calls, and of the modules that these name; with what the system says."""
    seen, left = set(), [function]
    files: set[str] = set()
    while left:
        loop: Any = left.pop()
        code = loop.__code__
        if code not in seen:
            seen.add(code)
            named = [loop.__globals__.get(name) for name in code.co_names]
            left += [f for f in map(_python, named) if f is not None]
            files |= {path for n in named if isinstance(n, ModuleType) and (path := getattr(n, "__file__", None))}
    return [(path, os.stat(path)) for path in sorted(files | {code.co_filename for code in seen})]


def _python(called: Any) -> Callable[..., Any] | None:
    """What a compiled loop, one of numba's, or an intrinsic, is made from."""
    found = (getattr(called, name, None) for name in ("function", "py_func", "_defn"))
    return next((f for f in found if isinstance(f, FunctionType)), None)


def dispatcher(function: Callable[..., Any]) -> Any:
    """The function, compiled for the types of arguments that it is called with; it holds no lock while it runs."""
    made = numba.njit(nogil=True)(function)
    with contextlib.suppress(RuntimeError):  # no place for a cache: the package and the home can't be written to
        made._cache = _Cache(function)
    return made
