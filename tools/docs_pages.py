"""Pages of the documentation that are made from the code, when the site is built: commands and operators.

A hook of MkDocs (see `mkdocs.yml`); nothing here is written into `docs/`.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable
from typing import Any

from mkdocs.structure.files import File, Files

PAGES = {"reference/commands.md": "commands", "reference/operators.md": "operators"}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages."""
    for path, name in PAGES.items():
        files.append(File.generated(config, path, content=globals()[name]()))
    return files


def commands() -> str:
    """Every command with its help."""
    from onnx2graphml.cli.parser import parser_for
    from onnx2graphml.cli.registry import COMMANDS

    os.environ["COLUMNS"] = "100"  # of the help
    text = ["# Commands\n", "The help of every command. Each is also a [function](python.md).\n"]
    for name, command in COMMANDS.items():
        _, own = parser_for(name)
        text.append(f"## {name}\n\n{command.summary}\n\n```text\n{own.format_help().rstrip()}\n```\n")
    return "\n".join(text)


def operators() -> str:
    """Every operator that is handled, by what becomes of it."""
    from onnx2graphml.model.lowering import BY_BODY, LOWERINGS
    from onnx2graphml.ops import OPERATORS

    lines = [
        "# Operators\n",
        "Made from the registries. What depends on constants alone is folded, whatever its operator.\n",
        f"## Expanded into neurons and edges ({len(OPERATORS)})\n",
        "| operator | notes and restrictions |",
        "|---|---|",
        *(f"| `{name}` | {_notes(OPERATORS[name].values())} |" for name in sorted(OPERATORS)),
        "",
        "## Replaced by the operators of their intermediate results\n",
        "Their parts are neurons, too: `lstm/t3/input_gate`, `attention/scores`. `verify` runs the unchanged model,",
        "too, and compares the outputs.\n",
        "| operator | domain | replaced by |",
        "|---|---|---|",
    ]
    replaced = {("", op): "ONNX's own function body" for op in BY_BODY} | dict.fromkeys(LOWERINGS, "a function here")
    for domain, op in sorted(replaced):
        if domain or op not in OPERATORS:
            lines.append(f"| `{op}` | {domain or 'ONNX'} | {replaced[domain, op]} |")
    return "\n".join(lines) + "\n"


def _notes(functions: Iterable[Any]) -> str:
    """The first paragraph of each version's docstring."""
    notes = dict.fromkeys((inspect.getdoc(f) or "").split("\n\n")[0].replace("\n", " ") for f in functions)
    return "; ".join(filter(None, notes)).replace("|", "\\|")
