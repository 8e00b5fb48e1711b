"""Everything that this package raises on purpose.

Every message is one line: what was got, what was expected, what to do.
"""

from __future__ import annotations

import contextlib
import difflib
import numbers
from collections.abc import Iterable, Iterator


class Error(Exception):
    """A mistake of the input or the call, not of the program: the command line prints it without a traceback."""


class ModelError(Error):
    """The file is not a model that can be read: missing, empty, truncated, invalid, or of unknown shapes."""


class UnsupportedError(Error):
    """An operator, attribute or type that is not handled exactly. Nothing is approximated instead."""


class TooLargeError(Error):
    """The result would pass a stated limit."""


class OutputError(Error):
    """The output can't be written."""


class MissingExtraError(Error):
    """A framework that the model needs is not installed."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(f"this needs {module}, which is not installed: pip install 'onnx2graphml[{extra}]'")


@contextlib.contextmanager
def context(where: str) -> Iterator[None]:
    """Put `where: ` before the message of an `Error` that the block raises; its class stays.

    Example:
        >>> with context("model.onnx"):
        ...     raise ModelError("no graph")
        Traceback (most recent call last):
        onnx2graphml.errors.ModelError: model.onnx: no graph
    """
    try:
        yield
    except Error as e:
        e.args = (f"{where}: {e}",)
        raise


def option(flag: str, python: str) -> str:
    """What to give, on the command line and in Python.

    Example:
        >>> option("--trust", "trust=True")
        '--trust (trust=True in Python)'
    """
    return f"{flag} ({python} in Python)"


TRUST = option("--trust", "trust=True")
OVERWRITE = option("--overwrite", "overwrite=True")


def check_whole(name: str, value: object, least: int, most: int | None = None) -> None:
    """`Error` where a value is no whole number, or out of bounds.

    Example:
        >>> check_whole("jobs", 2.5, 1)
        Traceback (most recent call last):
        onnx2graphml.errors.Error: jobs is 2.5; expected a whole number, at least 1
    """
    if not isinstance(value, numbers.Integral) or int(value) < least or (most is not None and int(value) > most):
        bounds = f", at least {least}" if most is None else f" from {least:,} to {most:,}"
        raise Error(f"{name} is {value!r}; expected a whole number{bounds}")


def check_number(name: str, value: object) -> None:
    """`Error` where a value is no number that is 0 or more."""
    if not isinstance(value, numbers.Real) or not float(value) >= 0:  # nor is NaN
        raise Error(f"{name} is {value!r}; expected a number that is 0 or more")


def check_text(name: str, value: object) -> None:
    """`Error` where a value is no text."""
    if not isinstance(value, str):
        raise Error(f"{name} is {value!r}; expected text")


def did_you_mean(got: str, known: Iterable[str]) -> str:
    """A question that names the nearest of the known words; empty where none is near.

    Example:
        >>> did_you_mean("inf", ["info", "verify"]), did_you_mean("xyz", ["info"])
        ("; did you mean 'info'?", '')
    """
    near = difflib.get_close_matches(got, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def reason(error: Exception) -> str:
    """What another library says, as one line: its first paragraph, without the path that an `OSError` adds.

    Example:
        >>> reason(ValueError("too long\\nby 3\\n\\nContext: ..."))
        'too long by 3'
    """
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.strip().split("\n\n")[0].split())
