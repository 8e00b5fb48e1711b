"""The page's modules as one text: each becomes a function that returns what it exports.

They are plain modules that a browser loads as they are. For this they keep to a form: imports stand one a line, by
name, from `./NAME.js`; exports are declarations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

WEB = Path(__file__).parent / "web"

IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./([a-z_0-9]+)\.js";$', re.M)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class) (\w+))", re.M)


def source(name: str) -> str:
    """A module's text."""
    return (WEB / f"{name}.js").read_text(encoding="utf-8")


def in_order(name: str, seen: dict[str, None] | None = None) -> Iterable[str]:
    """A module and those that it imports, each after what it imports.

    Example:
        >>> list(in_order("network"))
        ['axes', 'network']
    """
    seen = {} if seen is None else seen
    for _, other in IMPORT.findall(source(name)):
        if other not in seen:
            in_order(other, seen)
    seen[name] = None
    return seen


@cache
def bundle() -> str:
    """All that a page needs, as the text of one module that declares `module_main` and imports nothing."""
    return "\n".join(map(_closed, in_order("main")))


def _closed(name: str) -> str:
    """A module as a function that is called at once."""
    text = source(name)
    exported = ", ".join(EXPORT.findall(text))
    body = EXPORT.sub("", IMPORT.sub(r"const \1 = module_\2;", text))
    return f"const module_{name} = (() => {{\n{body}return {{ {exported} }};\n}})();"


@cache
def style() -> str:
    """The style sheet."""
    return (WEB / "style.css").read_text(encoding="utf-8")
