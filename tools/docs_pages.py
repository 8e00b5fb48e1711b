"""Pages of the documentation that are made from the code, when the site is built: commands and operators.

A hook of MkDocs (see `mkdocs.yml`); nothing here is written into `docs/`.
"""

from __future__ import annotations

import inspect
import os
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
    """Every operator that is expanded, and what it is refused for."""
    from onnx2graphml.model.lowering import BY_BODY, LOWERINGS
    from onnx2graphml.ops import OPERATORS

    lines = [
        "# Operators\n",
        "Made from the registry of operators. Whatever depends on constants alone is folded, whatever its operator.\n",
        "| operator | what its neurons are |",
        "|---|---|",
    ]
    lines += [_row(name, versions[max(versions)]) for name, versions in sorted(OPERATORS.items())]
    lines += [
        "\n## Replaced by others\n",
        "These have intermediate results, and are replaced by the operators of those.\n",
        "| operator | how |",
        "|---|---|",
        *(_row(f"{domain}.{name}" if domain else name, f) for (domain, name), f in sorted(LOWERINGS.items())),
        *(f"| `{name}` | ONNX's own function body |" for name in BY_BODY),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, function: Any) -> str:
    summary = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
    return f"| `{name}` | {summary} |"
