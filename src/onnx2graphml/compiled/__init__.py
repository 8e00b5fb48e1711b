"""Loops that numba compiles, once for a machine where it has a place to keep them, and works without one."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

_one_at_a_time = threading.Lock()


class Compiled:
    """A loop that is compiled when it is first called with arguments of some types. Numba is not loaded before."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function, self._made = function, None

    def __call__(self, *arguments: Any) -> Any:
        return self.dispatcher(*arguments)

    @property
    def dispatcher(self) -> Any:
        """What numba has made of it."""
        if self._made is None:
            with _one_at_a_time:
                if self._made is None:
                    from onnx2graphml.compiled.dispatcher import dispatcher

                    self._made = dispatcher(self._function)
        return self._made

    @property
    def _numba_type_(self) -> Any:
        """Where numba asks what another loop calls."""
        return self.dispatcher._numba_type_


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, compiled; it holds no lock while it runs.

    Example:
        >>> @compiled
        ... def twice(x):
        ...     return 2 * x
        >>> twice(21)
        42
    """
    return Compiled(function)
