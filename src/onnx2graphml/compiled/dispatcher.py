"""What numba makes of a loop. Importing it takes half a second, so that only a loop that is called does."""

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


def dispatcher(function: Callable[..., Any]) -> Any:
    """The function, compiled for the types of arguments that it is called with; it holds no lock while it runs."""
    made = numba.njit(nogil=True)(function)
    with contextlib.suppress(RuntimeError):  # no place for a cache: the package and the home can't be written to
        made._cache = _Cache(function)
    return made
