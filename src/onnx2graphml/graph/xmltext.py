"""Any name as text that XML 1.0 can hold, and back.

A model's names may have characters that XML forbids even as references: U+0000 to U+001F except tab and line feed,
U+FFFE, U+FFFF, and lone surrogates. Carriage return is allowed, but every parser turns it into a line feed. Each of
these becomes `\\uXXXX`, four lower-case hexadecimal digits, and the backslash itself becomes two. All else stays.
"""

from __future__ import annotations

import re

_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\\\\\ud800-\udfff\ufffe\uffff]")
_ESCAPED = re.compile(r"\\(\\|u[0-9a-f]{4})")


def escape(name: str | bytes) -> str:
    r"""The name without characters that XML 1.0 forbids; `unescape` is the reverse.

    Args:
        name: bytes are read as UTF-8, each byte that is not part of it as the surrogate U+DC00 + byte.

    Example:
        >>> escape("conv\x00\\1")
        'conv\\u0000\\\\1'
        >>> escape(b"caf\xe9")
        'caf\\udce9'
    """
    text = name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
    return _FORBIDDEN.sub(lambda m: r"\\" if m[0] == "\\" else f"\\u{ord(m[0]):04x}", text)


def unescape(text: str) -> str:
    r"""What `escape` was given; for bytes, `.encode("utf-8", "surrogateescape")` of it.

    Example:
        >>> unescape("conv\\u0000\\\\1")
        'conv\x00\\1'
    """
    return _ESCAPED.sub(lambda m: "\\" if m[1] == "\\" else chr(int(m[1][1:], 16)), text)
