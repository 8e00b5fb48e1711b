"""The parser of the command line: one subcommand a module, and a question where a word is mistyped."""

from __future__ import annotations

import argparse
import importlib
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from onnx2graphml.cli.registry import COMMANDS, DEFAULT
from onnx2graphml.errors import did_you_mean
from onnx2graphml.version import VERSION

PROGRAM = "onnx2graphml"
WIDTH = 79  # of a description; argparse wraps the rest
DESCRIPTION = """\
A trained neural network as a graph: a node for every neuron, an edge with its weight for every multiplication.
"""
EPILOG = f"""\
`{PROGRAM} MODEL OUT` is short for `{PROGRAM} {DEFAULT} MODEL OUT`.
`{PROGRAM} COMMAND --help` prints a command's options.

MODEL is an .onnx file, a Keras .keras or .h5 file, a SavedModel folder, or a PyTorch .pt2 file.

examples:
  {PROGRAM} digits.onnx digits.graphml
  {PROGRAM} info vgg16.keras
  {PROGRAM} verify digits.onnx digits.graphml
"""


class Parser(argparse.ArgumentParser):
    """A mistake is one line, and a value may begin with a minus, as `-1..1` does."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._negative_number_matcher = re.compile(r"-\d")

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def module_of(command: str) -> ModuleType:
    """The module of a command."""
    return importlib.import_module(f"onnx2graphml.cli.{command.replace('-', '_')}")


def parser_for(command: str) -> tuple[Parser, Parser]:
    """The whole parser, with the options of one command; and that command's own."""
    whole = Parser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", dest="command", parser_class=Parser)
    own = whole
    for name, entry in COMMANDS.items():
        made = commands.add_parser(
            name,
            prog=f"{PROGRAM} {name}",
            help=entry.summary,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if name == command:
            module = module_of(name)
            made.description = textwrap.fill(module.DESCRIPTION, WIDTH)
            made.epilog = "examples:\n" + "\n".join(f"  {PROGRAM} {line}" for line in module.EXAMPLES)
            module.add_options(made)
            own = made
    return whole, own


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command line; `options.command` is the command's name.

    A mistake ends the program with one line, as argparse does, and the nearest word that would be right.
    """
    given = list(arguments)
    command = given[0] if given and given[0] in COMMANDS else DEFAULT
    if given and given[0] not in COMMANDS and given[0] not in ("-h", "--help", "--version"):
        _refuse_mistyped(given[0])
        given.insert(0, DEFAULT)
    whole, own = parser_for(command)
    options, surplus = whole.parse_known_args(given or ["--help"])
    if surplus:
        own.error(f"unrecognized arguments: {' '.join(surplus)}{_nearest(own, surplus)}")
    return options


def _refuse_mistyped(word: str) -> None:
    """End the program if a word can be neither a command nor a model."""
    path = Path(word)
    if not word.startswith("-") and path.name == word and not path.suffix and not path.exists():
        message = f"{word!r} is neither a command nor a model{did_you_mean(word, COMMANDS)}"
        parser_for(DEFAULT)[0].error(message)


def _nearest(parser: Parser, surplus: Sequence[str]) -> str:
    options = [option for action in parser._actions for option in action.option_strings]
    mistyped = (word.partition("=")[0] for word in surplus if word.startswith("-"))
    return next(filter(None, (did_you_mean(word, options) for word in mistyped)), "")
