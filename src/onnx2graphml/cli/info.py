"""`onnx2graphml info MODEL`: the layers as a table."""

from __future__ import annotations

import argparse

from onnx2graphml.cli.options import Parser, graph_parser, load_graph


def parser() -> Parser:
    """The options."""
    parser = graph_parser(
        "info",
        "A row for each layer: name, operator, shape, neurons, in-edges and parameters. Nothing is expanded.",
        "examples:\n  onnx2graphml info vgg16.keras\n  onnx2graphml info vgg16.keras --top-k 5 --sizes",
    )
    parser.add_argument("--sizes", action="store_true", help="also what each format would take, in bytes and seconds")
    return parser


def run(options: argparse.Namespace) -> int:
    """Print the table."""
    from onnx2graphml.cli import tables
    from onnx2graphml.formats import estimate

    graph = load_graph(options)
    print(tables.info(graph))
    if options.sizes:
        print()
        print(tables.costs(estimate.estimates(graph)))
    return 0
