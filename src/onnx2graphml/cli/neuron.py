"""`onnx2graphml neuron MODEL LAYER INDEX`: one neuron."""

from __future__ import annotations

import argparse

from onnx2graphml.cli.options import Parser, graph_parser, load_graph
from onnx2graphml.errors import Error


def parser() -> Parser:
    """The options."""
    parser = graph_parser(
        "neuron",
        "One neuron: what it computes, its in-edges and out-edges, and its receptive field in the inputs.",
        "example:\n  onnx2graphml neuron digits.onnx conv1 0,0,5",
    )
    parser.add_argument("layer", metavar="LAYER", help="the layer's name, as info prints it")
    parser.add_argument("index", metavar="INDEX", help="the position in the layer's shape, such as 3,12,5")
    parser.add_argument(
        "--limit", type=int, default=20, help="how many edges to print each way (default 20; 0 for all)"
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Print what is known of the neuron."""
    from onnx2graphml.cli import tables

    graph = load_graph(options)
    print(tables.neuron(graph, graph.neuron(options.layer, position(options.index)), options.limit))
    return 0


def position(text: str) -> tuple[int, ...]:
    """`3,12,5` as integers."""
    try:
        return tuple(int(n) for n in text.split(",") if n.strip())
    except ValueError:
        raise Error(f"INDEX is {text!r}; expected integers such as 3,12,5") from None
