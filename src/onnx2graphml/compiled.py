"""Loops that numba compiles, once for a machine where it has a place to keep them, and works without one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numba
from numba.core.caching import FunctionCache


class _Cache(FunctionCache):  # type: ignore[misc]
    """A cache that is a help at best: damaged, full or read-only, the function is compiled anew."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # whatever comes of reading a damaged file
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        for _ in range(2):
            try:
                super().save_overload(sig, data)
                return
            except Exception:
                with contextlib.suppress(Exception):
                    self.flush()  # a damaged index is begun anew


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, compiled when it is first called with arguments of some types; it holds no lock meanwhile.

    Example:
        >>> @compiled
        ... def twice(x):
        ...     return 2 * x
        >>> twice(21)
        42
    """
    dispatcher = numba.njit(nogil=True)(function)
    with contextlib.suppress(RuntimeError):  # no place for a cache: the package and the home can't be written to
        dispatcher._cache = _Cache(function)
    return dispatcher  # type: ignore[no-any-return]
