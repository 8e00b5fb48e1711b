"""Text that fits: characters that can be shown, lines that are short enough, numbers in few digits.

The width of text is an upper bound, so that places don't depend on the reader's fonts.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from onnx2graphml.files.plain_text import printable

LETTER = 0.58  # a letter's mean width as a share of its size, in text that is not mono
BOLD = 1.25  # times as wide are bold letters
DIGIT = 0.64  # a digit's width as a share of its size
_NARROW = "\u0530"  # the first character after Cyrillic; those from here on may be twice as wide

_BREAKS = re.compile(r"(?<=[/_.:\- ,])")


def cells(text: str) -> int:
    """The number of letter widths that a line needs.

    Example:
        >>> cells("conv1"), cells("畳み込み")
        (5, 8)
    """
    return sum(1 if c < _NARROW else 2 for c in text)


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken after punctuation where there is some.

    Example:
        >>> wrapped("a_very/long_name", 8)
        ['a_very/', 'long_', 'name']
    """
    lines = [""]
    for piece in _pieces(text, width):
        if cells(lines[-1]) + cells(piece) > width:
            lines.append("")
        lines[-1] += piece
    return lines


def _pieces(text: str, width: int) -> Iterable[str]:
    for piece in _BREAKS.split(text):
        if cells(piece) <= width:
            yield piece
        else:
            yield from piece  # a long word is broken anywhere


def filled(text: str, width: float, size: float, most: int | None = None) -> list[str]:
    """A sentence in lines of so many pixels, broken at spaces; `most` lines, the last one with an ellipsis.

    Example:
        >>> filled("all 16 channels", 60, 12)
        ['all 16', 'channels']
    """
    each = max(1, int(width / (LETTER * size)))
    if most is None:
        return textwrap.wrap(text, each)
    return textwrap.wrap(text, each, max_lines=most, placeholder=" …")


def shortened(name: str, width: float, size: float, bold: bool = False) -> str:
    """A name that fits into so many pixels, with an ellipsis in the middle where it was longer.

    Example:
        >>> shortened("block1_conv1", 200, 12), shortened("a_very_long_name", 64, 12)
        ('block1_conv1', 'a_ve…name')
    """
    most = max(3, int(width / (LETTER * size * (BOLD if bold else 1))))
    name = printable(name)
    if cells(name) <= most:
        return name
    kept = most - 1 if len(name) == cells(name) else (most - 1) // 2
    tail = kept // 2
    return f"{name[: kept - tail]}…{name[len(name) - tail :]}"


def number(value: float) -> str:
    """A number as short as four digits are.

    Example:
        >>> number(0.123456), number(1e-9), number(-0.0)
        ('0.1235', '1e-09', '0')
    """
    return f"{value + 0.0:.4g}"


def amount(n: int) -> str:
    """A count in three digits; exact below 10,000.

    Example:
        >>> amount(7744), amount(25_600_000), amount(999_999), amount(1_852_000_000)
        ('7,744', '25.6 M', '1 M', '1.85 G')
    """
    if n < 10_000:
        return f"{n:,}"
    value = float(n)
    for unit in ("k", "M", "G", "T", "P"):
        value /= 1000
        if value < 999.5:
            return f"{value:.3g} {unit}"
    return f"{value:.3g} P"


def counted(n: int, what: str) -> str:
    """A count and its noun.

    Example:
        >>> counted(1, "neuron"), counted(0, "edge")
        ('1 neuron', '0 edges')
    """
    return f"{amount(n)} {what}{'' if n == 1 else 's'}"


def step_of_labels(n: int, pixels: float, least: float) -> int:
    """Every how many of n places of so many pixels have a label of at least so many pixels: 1, 2, 5, 10, 20 ...

    Example:
        >>> step_of_labels(3, 20.0, 15.0), step_of_labels(200, 7.0, 48.0)
        (1, 10)
    """
    return next((f * 10**k for k in range(20) for f in (1, 2, 5) if f * 10**k * pixels >= least), max(1, n))
