"""Loops that numba compiles, once for a machine where it has a place to keep them, and works without one.

To load numba takes half a second, and to compile a loop some seconds. So what is little is done by Python itself, and
numba is only loaded once there has been more of it in this process.
"""

from __future__ import annotations

import functools
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

_one_at_a_time = threading.Lock()


class Many:
    """Whether there is enough to do for compiled loops: by now, more than Python does in the time they take to load.

    Example:
        >>> many = Many(100)
        >>> many(60), many(60), many(1)
        (False, True, True)
    """

    def __init__(self, few: int) -> None:
        self.few = few
        self.done = 0
        self._lock = threading.Lock()

    def __call__(self, more: int) -> bool:
        """The same, once there are so many more to do."""
        with self._lock:
            self.done += more
            return self.done > self.few

    def expect(self, more: int) -> None:
        """Have the loops loaded at once where that much is to come; what is measured before that would be too slow."""
        if more > self.few:
            self(more)


many = Many(1 << 18)
"""Edges, lines and decimals of this process: each takes Python about a microsecond."""


@functools.cache
def loading() -> float:
    """Load numba; how many seconds that took.

    Example:
        >>> loading() == loading()
        True
    """
    start = time.perf_counter()
    from onnx2graphml.compiled import dispatcher  # noqa: F401

    return time.perf_counter() - start


def compiling() -> float:
    """Seconds for loops that this process had to compile, and that others find in the cache from now on.

    Example:
        >>> compiling() >= 0
        True
    """
    if "onnx2graphml.compiled.dispatcher" not in sys.modules:
        return 0
    from onnx2graphml.compiled import dispatcher

    return dispatcher.compiling


class Compiled:
    """A loop that is compiled when it is first called with arguments of some types. Numba is not loaded before.

    Args:
        by_python: whether it runs as it stands where there is little to do.
    """

    def __init__(self, function: Callable[..., Any], by_python: bool) -> None:
        functools.update_wrapper(self, function)
        self.function, self._made, self._by_python = function, None, by_python

    def __call__(self, *arguments: Any) -> Any:
        if self._by_python and not many(max(a.size for a in arguments if isinstance(a, np.ndarray))):
            with np.errstate(all="ignore"):  # as compiled
                return self.function(*arguments)
        return self.dispatcher(*arguments)

    @property
    def dispatcher(self) -> Any:
        """What numba has made of it."""
        if self._made is None:
            with _one_at_a_time:
                if self._made is None:
                    from onnx2graphml.compiled.dispatcher import dispatcher

                    self._made = dispatcher(self.function)
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
    return Compiled(function, by_python=False)


def compiled_for_many(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `compiled`, for a loop that goes once through the longest of its arrays, or less: few are left to Python.

    Example:
        >>> @compiled_for_many
        ... def total(x):
        ...     found = 0.0
        ...     for i in range(x.size):
        ...         found += x[i]
        ...     return found
        >>> float(total(np.arange(4.0)))
        6.0
    """
    return Compiled(function, by_python=True)
