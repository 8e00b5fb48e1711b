"""A file's model is checked and folded in a process of its own, which may loop, crash or run out of memory there.

ONNX's inference, checker and converter are native code, and so is what evaluates constants: on some files they don't
come to an end, and no signal of Python's interrupts them. The process is a copy of this one (`fork`), which takes
milliseconds and shares the weights' memory; it sends back what it found.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import mmap
import os
import pickle
import resource
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import numpy as np

from onnx2graphml.errors import Error, ModelError, TooLargeError
from onnx2graphml.model.uniform import is_uniform, one

Result = TypeVar("Result")

SECONDS = 4  # of a processor's time, for the smallest file: with the start of the program, it is answered in 5
BYTES_A_SECOND = 50_000  # of a file
WEIGHTS_A_SECOND = 20_000_000  # bytes of large weights
MOST_WEIGHTS = 2 << 30  # bytes of them that make room for more: a sparse file can pretend to have any number
MEMORY = 768 << 20  # bytes more than this process has, for the smallest file
PATIENCE = 15  # times that long by the clock, for a machine that has others to work for
ROOM = 4096  # bytes for the name of a node

_place: mmap.mmap | None = None


@dataclass(frozen=True)
class Limits:
    """What the process may take: seconds of a processor's time, bytes of memory."""

    seconds: int
    memory: int

    @staticmethod
    def of(size: int, weights: int = 0) -> Limits:
        """For a model of so many bytes, and so many more of large weights, of which exporters fold turned copies."""
        seconds = size // BYTES_A_SECOND + min(weights, MOST_WEIGHTS) // WEIGHTS_A_SECOND
        return Limits(SECONDS + seconds, MEMORY + 40 * size + 4 * min(weights, MOST_WEIGHTS))


def note_place(place: str) -> None:
    """Note what is being looked at, for the message about a process that dies."""
    if _place is not None:
        text = place.encode("utf-8", "replace")[: ROOM - 2]
        _place.seek(0)
        _place.write(len(text).to_bytes(2, "big") + text)


def apart(function: Callable[[], Result], limits: Limits) -> Result:
    """What the function returns or raises, run in a process of its own, where there can be one.

    There is none on other systems than Linux, nor where other threads of Python run: a copy of a process has only
    the thread that made it, and would wait for ever for what the others held.

    Args:
        function: its result can be pickled, and it changes nothing outside.

    Raises:
        TooLargeError: it took more time or memory than it may.
        ModelError: its process died.

    Example:
        >>> apart(lambda: 6 * 7, Limits.of(1000))
        42
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        return function()
    global _place
    before, _place = _place, mmap.mmap(-1, ROOM)
    try:
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which only compiled code has here
            process = os.fork()
        if process == 0:
            os.close(reader)
            _run(function, limits, writer)
        os.close(writer)
        found: Result = _received(process, reader, limits)
        return found
    finally:
        _place.close()
        _place = before


def _run(function: Callable[[], Any], limits: Limits, writer: int) -> NoReturn:
    """In the new process: nothing here may return."""
    status = 1
    try:
        _limit(limits)
        try:
            answer: tuple[bool, Any] = (True, function())
        except MemoryError:
            answer = (False, TooLargeError("checking it takes more memory than a model of its size may"))
        except BaseException as e:
            answer = (False, e)
        try:
            sent = packed(answer)
        except MemoryError:
            sent = pickle.dumps((False, TooLargeError("its constants take more memory than a model of its size may")))
        except Exception:
            sent = pickle.dumps((False, ModelError(f"not a valid ONNX model: {answer[1]!r}")))
        view = memoryview(sent)
        while view:
            view = view[os.write(writer, view) :]
        status = 0
    finally:
        os._exit(status)


class _Pickler(pickle.Pickler):
    """NumPy's types come back as what they are: a pickled one is a copy, which says that it is not built in.

    An array of one value throughout stays one, and small.
    """

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, np.ndarray) and is_uniform(value):
            return np.broadcast_to, (one(value), value.shape)
        if isinstance(value, np.dtype) and value == np.dtype(value.type):
            return np.dtype, (value.type,)
        return NotImplemented


def packed(value: Any) -> bytes:
    """A value as bytes, for `pickle.loads`.

    Example:
        >>> pickle.loads(packed(np.dtype("f8"))).isbuiltin, pickle.loads(pickle.dumps(np.dtype("f8"))).isbuiltin
        (1, 0)
    """
    room = io.BytesIO()
    _Pickler(room, pickle.HIGHEST_PROTOCOL).dump(value)
    return room.getvalue()


def _limit(limits: Limits) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    faulthandler.disable()
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where C++ writes when it ends a process
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, limits.seconds),
        (resource.RLIMIT_AS, _memory() + limits.memory),
    ):
        _, hard = resource.getrlimit(kind)
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (soft, hard))


def _memory() -> int:
    """Bytes of address space that this process has."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _received(process: int, reader: int, limits: Limits) -> Any:
    """What the process sent; an error where it sent nothing whole."""
    ended: list[int] = []
    try:
        sent = _all(reader, PATIENCE * limits.seconds)
        if sent is not None:
            ended.append(os.waitpid(process, 0)[1])
    finally:
        os.close(reader)
        if not ended:
            os.kill(process, signal.SIGKILL)
            ended.append(os.waitpid(process, 0)[1])
    if sent is None or os.WIFSIGNALED(ended[0]) or not sent:
        raise _died(ended[0], sent is None, limits)
    fine, answer = pickle.loads(sent)
    if not fine:
        raise answer
    return answer


def _all(reader: int, seconds: float) -> bytes | None:
    """All bytes until the other end is closed; None if that takes too long."""
    parts: list[bytes] = []
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([reader], [], [], left)[0]:
            part = os.read(reader, 1 << 20)
            if not part:
                return b"".join(parts)
            parts.append(part)
    return None


def _died(status: int, late: bool, limits: Limits) -> Error:
    """Why there is no answer; `status` is what `waitpid` tells."""
    assert _place is not None
    size = int.from_bytes(_place[:2], "big")
    where = _place[2 : 2 + size].decode("utf-8", "replace")
    place = f"{where}: " if where else ""
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if late or number == signal.SIGXCPU:
        return TooLargeError(f"{place}checking it takes more than {limits.seconds} s: export it with simpler constants")
    if number == signal.SIGKILL:
        return TooLargeError(f"{place}its process was ended by the system, which mostly means that memory ran out")
    return ModelError(f"{place}not a valid ONNX model: the code of the onnx package crashes on it")
