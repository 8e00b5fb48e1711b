"""The command line: a module for each command; one line for a user's mistake.

Exit status: 0 done (for `verify`: everything equal), 1 a mismatch, 2 could not be done.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import TextIO

from onnx2graphml.cli.parser import module_of, parse
from onnx2graphml.errors import Error, TooLargeError, reason
from onnx2graphml.files.plain_text import PlainOutput, printable


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _open_standard_streams()
    stdout = sys.stdout
    sys.stdout = PlainOutput(stdout)
    try:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python has no signals
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C: no half a file is left
            if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
                signal.signal(signal.SIGINT, signal.default_int_handler)
        log_to_stderr()
        _check_address_space()
        status = _run(given)
        sys.stdout.flush()
        return status
    except Error as e:
        return _failed(printable(str(e)))
    except BrokenPipeError:
        _let_go(stdout)
        return _failed("standard output was closed before everything was written")
    except ImportError as e:
        if _is_interrupt(e):
            return _interrupted()
        return _failed(printable(f"a library can't be loaded, for want of memory or of itself: {reason(e)}"))
    except OSError as e:
        if e.errno is None:  # of one that loads another by itself
            return _failed(printable(f"a library can't be loaded, for want of memory or of itself: {reason(e)}"))
        _let_go(stdout)
        return _failed(printable(f"can't write {e.filename or 'standard output'}: {reason(e)}"))
    except KeyboardInterrupt:
        return _interrupted()
    except MemoryError:
        return _failed("out of memory")
    finally:
        sys.stdout = stdout


def _interrupted() -> int:
    _failed("interrupted; no file was written", "")
    return 130


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind it: a compiled library that is interrupted while it is loaded raises another error."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


LEAST_ADDRESS_SPACE = 768 << 20
"""Bytes that the libraries and their threads take: with less, OpenBLAS and LLVM end the process."""


def _check_address_space() -> None:
    if sys.platform == "win32":
        return
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < LEAST_ADDRESS_SPACE:
        raise TooLargeError(
            f"the limit on memory, as ulimit -v sets it, is {limit >> 20:,} MB; expected at least "
            f"{LEAST_ADDRESS_SPACE >> 20:,} MB"
        )


def _failed(message: str, kind: str = "error: ") -> int:
    """Print one line. Where standard error can't take it, the exit status has to do."""
    with contextlib.suppress(OSError):
        PlainOutput(sys.stderr).write(f"onnx2graphml: {kind}{message}\n")
    return 2


def _open_standard_streams() -> None:
    """Where one is closed, the next file that is opened would take its place, and other libraries write to it."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (it stays open)


def _let_go(stdout: TextIO | None) -> None:
    """Give up on standard output, or Python complains once more at exit."""
    with contextlib.suppress(OSError, AttributeError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())  # type: ignore[union-attr]


def log_to_stderr() -> None:
    """Print what the library logs, such as what was done with a picture, on standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    log = logging.getLogger("onnx2graphml")
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(record.getMessage())


def _run(given: list[str]) -> int:
    options = parse(given)
    status: int = module_of(options.command).run(options)
    return status
