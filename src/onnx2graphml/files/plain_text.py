"""Text that a model brings along, made safe to be shown: on a terminal, and in a table that a spreadsheet opens.

A layer's name may hold escape sequences that change a terminal's title, or a formula that a spreadsheet computes.
"""

from __future__ import annotations

import errno
import re
import sys
from typing import Any, TextIO

LONGEST = 100  # characters of a name in a table
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def printable(text: str, longest: int = 0) -> str:
    r"""The text with every character that is not printed as its escape, among them line breaks.

    Args:
        longest: of how many characters at most; the end of what is longer is left out. 0 for any number.

    Example:
        >>> printable("conv\x1b[2J\n1"), printable("abcdef", 3)
        ('conv\\x1b[2J\\n1', 'abc…')
    """
    if longest and len(text) > longest:
        text = text[:longest] + "…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def lines(text: str) -> str:
    """As `printable`, but that line breaks stay."""
    return "\n".join(map(printable, text.split("\n")))


def cell(value: Any) -> Any:
    """A value for a CSV table that people open: text that a spreadsheet would compute gets an apostrophe before it.

    Example:
        >>> cell("=1+1"), cell("conv1"), cell(-0.5), cell("-0.5")
        ("'=1+1", 'conv1', -0.5, '-0.5')
    """
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


class PlainOutput:
    """A text stream that prints no control characters but line breaks; what it can't encode becomes an escape.

    Everything else is the stream's own, its `buffer` among it.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As a stream's `write`; `OSError` where standard output is closed."""
        if self._stream is None:
            raise OSError(errno.EBADF, "it is closed")
        plain = lines(text)
        encoding = getattr(self._stream, "encoding", None) or sys.getdefaultencoding()
        try:
            self._stream.write(plain)
        except UnicodeEncodeError:
            self._stream.write(plain.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def flush(self) -> None:
        """As a stream's `flush`."""
        if self._stream is not None:
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        if self._stream is None and name == "buffer":
            raise OSError(errno.EBADF, "it is closed")
        return getattr(self._stream, name)
