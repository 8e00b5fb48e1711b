"""How long a disk takes for what is written: the system keeps some of it in memory, and writes that at the end."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

TRIED = 1 << 26  # bytes
TIMES, PATIENCE = 3, 1.0  # at least, and seconds that it may take longer where they don't agree
ALIKE = 1.25
MEMORY = Path("/proc/meminfo")
SETTINGS = Path("/proc/sys/vm")


@dataclass(frozen=True)
class Disk:
    """A disk, and how the system writes to it.

    Attributes:
        speed: bytes that it takes in a second.
        held: bytes that the system gathers in memory before it begins to write.
        age: seconds after which it begins in any case.
    """

    speed: float
    held: float = float("inf")
    age: float = float("inf")

    def seconds(self, size: float, made_in: float) -> float:
        """How long it takes to make so many bytes, which by itself takes `made_in` seconds, and to have them on disk.

        Nothing is on the disk before the system begins to write. From then on it writes while more is made; what it
        holds last is written last.

        Example:
            >>> Disk(100, held=50).seconds(40, 2)
            2.4
            >>> Disk(100, held=50).seconds(400, 2)
            4.25
        """
        if not size:
            return made_in
        share = min(self.held / size, self.age / made_in if made_in else 1, 1)
        return max(made_in + share * size / self.speed, share * made_in + size / self.speed)


def disk_of(folder: Path) -> Disk:
    """The disk of a folder; infinitely fast where nothing can be written. It is tried once, so that all that is asked
    about it fits together.

    Example:
        >>> disk_of(Path()).speed > 0
        True
    """
    try:
        device = os.stat(folder).st_dev
        if device not in _known:
            _known[device] = Disk(_best(folder), *_patience())
        return _known[device]
    except OSError:
        return Disk(float("inf"))


_known: dict[int, Disk] = {}


def _best(folder: Path) -> float:
    """The speed while nothing else is written: the best one, once another one is nearly as good."""
    start, found = time.perf_counter(), [_speed(folder) for _ in range(TIMES)]
    while max(found) > ALIKE * sorted(found)[-2] and time.perf_counter() - start < PATIENCE:
        found.append(_speed(folder))
    return max(found)


def _speed(folder: Path) -> float:
    """Bytes in a second, of random ones, which no file system makes less."""
    block = os.urandom(1 << 20)
    with tempfile.TemporaryFile("wb", dir=folder) as file:
        for _ in range(TRIED // len(block)):
            file.write(block)
        file.flush()
        start = time.perf_counter()
        os.fsync(file.fileno())
        return TRIED / max(time.perf_counter() - start, 1e-9)


def _patience() -> tuple[float, float]:
    """What the system holds in memory, and how long; without end where it doesn't say so.

    Source: https://docs.kernel.org/admin-guide/sysctl/vm.html
    """
    try:
        held = float(_setting("dirty_background_bytes"))
        available = next(line for line in MEMORY.read_text().splitlines() if line.startswith("MemAvailable:"))
        share = _setting("dirty_background_ratio") / 100
        return held or share * int(available.split()[1]) * 1024, _setting("dirty_expire_centisecs") / 100
    except (OSError, ValueError, StopIteration):
        return float("inf"), float("inf")


def _setting(name: str) -> int:
    return int((SETTINGS / name).read_text())
