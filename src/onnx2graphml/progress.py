"""How far long work has come, on standard error; nothing where that is no terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from onnx2graphml.files.plain_text import printable

Told = Callable[[int, int, str], None]
"""A function that is told how many things are done, of how many, and the last one's name."""

DELAY = 1.0  # seconds before anything is shown: short work needs no line


@contextmanager
def progress(what: str, total: int | None, unit: str = " edges") -> Iterator[Callable[[int], None] | None]:
    """A function that is told how much more has been done, or None where nobody watches. Threads may call it.

    Args:
        what: what is done, such as `writing`.
        total: how many there are in all; None where that is not known.
        unit: of what.

    Example:
        >>> with progress("writing", 3) as advance:
        ...     if advance is not None:
        ...         advance(3)
    """
    if not watched():
        yield None
        return
    lock = threading.Lock()
    with _bar(what, total=total, unit=unit, unit_scale=True) as bar:

        def advance(done: int) -> None:
            with lock:
                bar.update(done)

        yield advance


@contextmanager
def told(what: str) -> Iterator[Told | None]:
    """A function that is told how many are done, of how many, and a name; or None where nobody watches.

    Args:
        what: what is done, such as `drawing`.
    """
    if not watched():
        yield None
        return
    with _bar(what, total=0) as bar:

        def tell(done: int, total: int, name: str) -> None:
            bar.total = total
            bar.set_postfix_str(printable(name), refresh=False)
            bar.update(done - bar.n)

        yield tell


def watched() -> bool:
    """Whether standard error is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def _bar(what: str, **options: Any) -> Any:
    from tqdm import tqdm

    return tqdm(desc=what, leave=False, delay=DELAY, file=sys.stderr, **options)


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
