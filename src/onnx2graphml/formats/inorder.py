"""Work on several threads, whose results are taken one after the other, in the order in which it was given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

Result = TypeVar("Result")
Note = TypeVar("Note")


class InOrder(Generic[Result, Note]):
    """Runs functions on threads, and hands each result to `take`, in order, on the thread that submits them.

    At most two functions a thread are under way or wait to be taken: memory stays bounded. Left with an exception,
    also KeyboardInterrupt, it drops what has not begun, and waits for what has. An exception in a function is raised
    where its result would be taken.

    Args:
        jobs: the number of threads; with 1, each function runs where it is submitted.
        take: called with a result and the note that was submitted with its function.

    Example:
        >>> with InOrder(2, lambda text, n: print(text, n)) as work:
        ...     for n in range(3):
        ...         work.submit(lambda: "done", n)
        done 0
        done 1
        done 2
    """

    def __init__(self, jobs: int, take: Callable[[Result, Note], object]) -> None:
        self._take = take
        self._limit = 2 * jobs
        self._waiting: deque[tuple[Future[Result], Note]] = deque()
        self._pool = ThreadPoolExecutor(jobs) if jobs > 1 else None

    def submit(self, function: Callable[[], Result], note: Note) -> None:
        """Have a function run, once there is room for its result; what was submitted before may be taken meanwhile."""
        if self._pool is None:
            self._take(function(), note)
            return
        while len(self._waiting) >= self._limit:
            self._take_first()
        self._waiting.append((self._pool.submit(function), note))

    def pass_on(self, result: Result, note: Note) -> None:
        """Take a result that is there already, in its turn."""
        if not self._waiting:
            self._take(result, note)
            return
        done: Future[Result] = Future()
        done.set_result(result)
        self._waiting.append((done, note))
        while len(self._waiting) > self._limit:
            self._take_first()

    def _take_first(self) -> None:
        future, note = self._waiting.popleft()
        self._take(future.result(), note)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            while self._waiting and kind is None:
                self._take_first()
        finally:
            self._waiting.clear()
            if self._pool is not None:
                self._pool.shutdown(cancel_futures=True)
