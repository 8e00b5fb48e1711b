"""How far long work has come, on standard error; nothing where that is no terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

QUIET = 1.0  # seconds before the first line: short work needs none
EVERY = 0.2


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None] | None]:
    """A function that is told how much more has been done, or None where nobody watches.

    Args:
        what: what is done, such as `writing`.
        total: the number of edges in all.
    """
    if not sys.stderr.isatty():
        yield None
        return
    start = shown = time.monotonic()
    done = 0
    lock = threading.Lock()  # several threads may report

    def advance(edges: int) -> None:
        nonlocal done, shown
        with lock:
            done += edges
            now = time.monotonic()
            if now - start > QUIET and now - shown > EVERY:
                shown = now
                print(f"\r{what} {line(done, total, now - start)}\033[K", end="", file=sys.stderr, flush=True)

    try:
        yield advance
    finally:
        if shown != start:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def line(done: int, total: int, seconds: float) -> str:
    """Share, count, rate and the time left.

    Example:
        >>> line(25_000_000, 100_000_000, 10)
        '25%  25,000,000 of 100,000,000 edges, 2.5 M/s, 30 s left'
    """
    rate = done / seconds
    left = (total - done) / rate if rate else 0
    return (
        f"{done / total if total else 1:.0%}  {done:,} of {total:,} edges, {rate / 1e6:.1f} M/s, {duration(left)} left"
    )


def duration(seconds: float) -> str:
    """Seconds as people say them.

    Example:
        >>> duration(42), duration(300)
        ('42 s', '5 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def size(n: float) -> str:
    """Bytes as people say them.

    Example:
        >>> size(1_200_000_000_000), size(512)
        ('1.2 TB', '512 B')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1000:
            return f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.3g} TB"
