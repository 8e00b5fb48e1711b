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
        "Made from the registries. What depends on constants alone is folded, whatever its operator; so an input that",
        "has to be constant may be computed from constants.\n",
        f"## Expanded into neurons and edges ({len(OPERATORS)})\n",
        "| operator | restrictions | notes |",
        "|---|---|---|",
        *(f"| `{op}` | {restrictions(op, '', _newest(OPERATORS[op]))} | {_notes(OPERATORS[op].values())} |"
          for op in sorted(OPERATORS)),
        "",
        "## Replaced by the operators of their intermediate results\n",
        "Their parts are neurons, too: `lstm/t3/input_gate`, `attention/scores`. `verify` runs the unchanged model,",
        "too, and compares the outputs.\n",
        "| operator | domain | replaced by | restrictions | notes |",
        "|---|---|---|---|---|",
    ]  # fmt: skip
    replaced: dict[tuple[str, str], Any] = {("", op): None for op in BY_BODY} | LOWERINGS
    for (domain, op), function in sorted(replaced.items()):
        by, told, notes = "ONNX's own function body", "none", ""
        if function is not None:
            by, told, notes = "a function here", restrictions(op, domain, function), _notes([function])
        lines.append(f"| `{op}` | {domain or 'ONNX'} | {by} | {told} | {notes} |")
    return "\n".join(lines) + "\n"


def restrictions(op: str, domain: str, function: Any) -> str:
    """What an operator's function does not take of what its schema has: from their signatures."""
    import typing

    from onnx2graphml.ops.registry import Tensor

    parameters = list(inspect.signature(function).parameters.values())[1:]
    hints = typing.get_type_hints(function)
    told = []
    for p in parameters:
        kinds = typing.get_args(hints.get(p.name)) or (hints.get(p.name, Tensor),)
        if p.kind is p.POSITIONAL_OR_KEYWORD and str not in kinds and Tensor not in kinds:
            told.append(f"`{p.name}` constant")
    schema = _schema(op, domain)
    if schema is None or any(p.kind is p.VAR_KEYWORD for p in parameters):
        return ", ".join(told) or "none"
    own = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    told += [f"no `{name}`" for name in schema.attributes if name not in own]
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    if not any(p.kind is p.VAR_POSITIONAL for p in parameters):
        told += [f"no `{i.name}`" for i in list(schema.inputs)[len(positional) :]]
    return ", ".join(told) or "none"


def _newest(versions: Any) -> Any:
    return versions[max(versions)]


def _schema(op: str, domain: str) -> Any:
    """The operator's newest schema; None for those of ONNX Runtime's own."""
    import onnx

    known = [s for s in onnx.defs.get_all_schemas_with_history() if (s.domain, s.name) == (domain, op)]
    return max(known, key=lambda s: s.since_version, default=None)


def _notes(functions: Iterable[Any]) -> str:
    """The first paragraph of each version's docstring."""
    notes = dict.fromkeys((inspect.getdoc(f) or "").split("\n\n")[0].replace("\n", " ") for f in functions)
    return "; ".join(filter(None, notes)).replace("|", "\\|")
