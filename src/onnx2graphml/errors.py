"""Everything that this package raises on purpose.

Every message is one line: what was got, what was expected, what to do.
"""

from __future__ import annotations


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


def reason(error: Exception) -> str:
    """What another library says, as one line: its first paragraph, without the path that an `OSError` adds.

    Example:
        >>> reason(ValueError("too long\\nby 3\\n\\nContext: ..."))
        'too long by 3'
    """
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.strip().split("\n\n")[0].split())
