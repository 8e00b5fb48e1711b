"""The command line: a module for each command; one line for a user's mistake.

Exit status: 0 done (for `verify`: everything equal), 1 a mismatch, 2 could not be done.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence

from onnx2graphml.errors import Error

COMMANDS = ("info", "verify", "neuron", "architecture", "weights", "passage", "pack", "epochs")
"""Each is a module here with `parser()` and `run(options)`. Without a command it is `convert`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python has no signals
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C: no half a file is left
        log_to_stderr()
        status = _run(given)
        sys.stdout.flush()
        return status
    except Error as e:
        print(f"onnx2graphml: error: {one_line(e)}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at exit
        print("onnx2graphml: error: standard output was closed before everything was written", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("onnx2graphml: interrupted; no file was written", file=sys.stderr)
        return 130
    except MemoryError:
        print("onnx2graphml: error: out of memory", file=sys.stderr)
        return 2


def log_to_stderr() -> None:
    """Print what the library logs, such as what was done with a picture, on standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger("onnx2graphml")
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)


def one_line(error: Exception) -> str:
    """The message without line breaks or other control characters, which a model's names may bring in."""
    return "".join(c if c.isprintable() else " " for c in str(error))


def _run(given: list[str]) -> int:
    name, rest = (given[0], given[1:]) if given and given[0] in COMMANDS else ("convert", given)
    command = importlib.import_module(f"onnx2graphml.cli.{name}")
    status: int = command.run(command.parser().parse_args(rest))
    return status
