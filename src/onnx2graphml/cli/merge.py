"""`onnx2graphml merge OUT`: put the parts of a graph together."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser

DESCRIPTION = (
    "Put the parts of a graph together, which `onnx2graphml MODEL OUT.parquet --part K/N` wrote into OUT.parquet.parts."
    " All N have to be there, whole, and of one graph. The result is what one machine would have written."
)
EXAMPLES = ("merge vgg16.parquet",)


def add_options(parser: Parser) -> None:
    """The options."""
    parser.add_argument("out", metavar="OUT", help="name of the whole graph, a .parquet folder")


def run(options: argparse.Namespace) -> int:
    """Merge, and print what there is."""
    from onnx2graphml import api

    print(api.merge(options.out))
    return 0
