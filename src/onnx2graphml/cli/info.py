"""`onnx2graphml info MODEL`: the layers as a table."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import add_graph, load_graph

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser
    from onnx2graphml.formats.estimate import Cost
    from onnx2graphml.graph.table import Table

DESCRIPTION = "Print each layer: its name, type, operator, window, shape and numbers. Nothing is expanded."
EXAMPLES = ("info vgg16.keras", "info vgg16.keras --top-k 5 --sizes")


def add_options(parser: Parser) -> None:
    """The options."""
    add_graph(parser)
    parser.add_argument("--sizes", action="store_true", help="also print the size and the time of each format")


def run(options: argparse.Namespace) -> int:
    """Print the table."""
    from onnx2graphml import api
    from onnx2graphml.progress import told

    graph = load_graph(options)
    print(api.info(graph))
    if options.sizes:
        print()
        with told("estimating") as progress:
            found = api.estimates(graph, progress=progress)
        print(costs(found))
    return 0


def costs(found: Mapping[str, Cost | str]) -> Table:
    """A row for each format: its size and time, or why it can't be written."""
    from onnx2graphml.graph.table import Table
    from onnx2graphml.progress import duration, size

    rows = [
        (suffix, "", "", cost) if isinstance(cost, str) else (suffix, size(cost.bytes), duration(cost.seconds), "")
        for suffix, cost in found.items()
    ]
    return Table(("format", "size", "time", ""), tuple(rows), "<>><")
