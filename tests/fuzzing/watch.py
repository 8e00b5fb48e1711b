"""Workers that may die: each takes numbers and gives outcomes; what it was at when it died is a crash."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from fuzzing.outcome import MEGABYTES, SECONDS, Outcome

WALL = 4  # times the seconds, by the clock


def outcomes(what: str, seed: int, numbers: Sequence[int], jobs: int) -> Iterator[Outcome]:
    """Of the files of those numbers, in any order."""
    left = list(numbers)[::-1]
    workers = [Worker(what, seed) for _ in range(min(jobs, len(left)))]
    for worker in workers:
        worker.give(left.pop())
    while busy := [w for w in workers if w.number is not None]:
        ready = set(wait([w.pipe for w in busy], timeout=1))
        for worker in busy:
            found = worker.taken() if worker.pipe in ready else worker.late()
            if found is not None:
                yield found
                if left:
                    worker.give(left.pop())
    for worker in workers:
        worker.end()


class Worker:
    """A process, begun anew where it ends."""

    def __init__(self, what: str, seed: int) -> None:
        self._what, self._seed = what, seed
        self.number: int | None = None
        self._since = 0.0
        self._begin()

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self._process: Any = context.Process(target=work, args=(self._what, self._seed, other), daemon=True)
        self._process.start()
        other.close()
        self.pipe.recv()  # it is ready: what it compiles and imports is no file's

    def give(self, number: int) -> None:
        self.number, self._since = number, time.monotonic()
        self.pipe.send(number)

    def taken(self) -> Outcome:
        """The outcome; a crash if the process has ended."""
        assert self.number is not None
        number, self.number = self.number, None
        try:
            found: Outcome = self.pipe.recv()
            return found
        except EOFError:
            self._process.join()
            status = self._process.exitcode
            self._begin()
            return Outcome(number, "crash", f"the process ended with {status}")

    def late(self) -> Outcome | None:
        """An outcome if it takes too long."""
        if self.number is None or time.monotonic() - self._since < WALL * SECONDS:
            return None
        number, self.number = self.number, None
        self._process.kill()
        self._process.join()
        self._begin()
        return Outcome(number, "slow", f"no answer after {WALL * SECONDS} s")

    def end(self) -> None:
        self._process.kill()
        self._process.join()


def work(what: str, seed: int, pipe: Connection) -> None:
    """In a process: numbers come in, outcomes go out."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    module = importlib.import_module(f"fuzzing.{what}")
    module.prepare()
    pipe.send("ready")
    statm = Path("/proc/self/statm")
    used = int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0
    most = used + int(2 * MEGABYTES) * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    while True:
        try:
            number = pipe.recv()
        except EOFError:
            return
        pipe.send(module.outcome(seed, number))
