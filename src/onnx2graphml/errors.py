"""Everything that this package raises on purpose.

Every message is one line: what was got, what was expected, what to do.
"""

from __future__ import annotations

import contextlib
import difflib
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
