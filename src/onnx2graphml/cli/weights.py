"""`onnx2graphml weights MODEL -o DIR`: every layer's trained arrays."""

from __future__ import annotations

import argparse

from onnx2graphml.cli.options import Parser, load_model_graph, model_parser
from onnx2graphml.errors import Error

ORDERS = ("index", "norm", "similarity", "activation")
KINDS = ("png", "svg", "pdf")


def parser() -> Parser:
    """The options."""
    parser = model_parser(
        "weights",
        "Every layer's trained arrays: what each one is and what its axes mean, pictures of kernels, matrices and "
        "vectors, statistics, and how far each has moved from those of another checkpoint. Prints a line for each "
        "layer; with -o, writes pictures, README.md, weights.csv, weights.json, permutation.json and manifest.json.",
        "examples:\n"
        "  onnx2graphml weights digits.keras\n"
        "  onnx2graphml weights digits.keras -o weights --order norm\n"
        "  onnx2graphml weights epoch9.onnx -o moved --against epoch1.onnx",
    )
    parser.add_argument("-o", "--output", metavar="DIR", help="the folder to write")
    parser.add_argument(
        "--order",
        choices=ORDERS,
        default="index",
        help="of each layer's outputs: their own (the default), the L2 norm of their weights, each beside one that is "
        "like it, or the mean magnitude of what they come to",
    )
    parser.add_argument("--pattern", metavar="P", default="random", help="what goes in for --order activation")
    parser.add_argument("--kind", choices=KINDS, default="png", help="of the pictures (default png)")
    parser.add_argument("--against", metavar="OTHER_MODEL", help="another checkpoint of the same network")
    parser.add_argument(
        "--limit", metavar="N", type=int, default=64, help="draw kernels of at most N inputs and outputs (default 64)"
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Explain the arrays, write the folder."""
    from onnx2graphml.api import load
    from onnx2graphml.draw.weights.weights import weights
    from onnx2graphml.inference.inputs import resolve

    if options.against and not options.output:
        raise Error("--against needs -o DIR, where the differences go")
    graph = load_model_graph(options)
    other = None
    if options.against:
        other = load(options.against, shapes=dict(options.shape), trust=options.trust)
    feeds = None
    if options.order == "activation":
        feeds = resolve(graph, options.pattern, seed=options.seed)
    found = weights(
        graph,
        options.output,
        order=options.order,
        kind=options.kind,
        feeds=feeds,
        against=other,
        limit=options.limit,
    )
    for x in found.layers:
        if x.arrays:
            print(x.of.text)
    for name, values in found.unread.items():
        print(f"read by no layer: {name}, {values.shape}")
    if options.output:
        print(f"{sum(bool(a.file) for x in found.layers for a in x.arrays)} pictures of arrays in {options.output}")
    return 0
