"""`onnx2graphml weights MODEL -o DIR`: every layer's trained arrays."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import Parser, load_model_graph, model_parser
from onnx2graphml.cli.passage import show

if TYPE_CHECKING:
    from onnx2graphml.parameters.found import Weights

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
    parser.add_argument(
        "--against", metavar="OTHER_MODEL", help="another checkpoint: how far each array has moved from here to there"
    )
    parser.add_argument(
        "--layers", metavar="A:B", help="only these layers: from A to B in the graph's order, or names with commas"
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=int,
        default=16,
        help="draw all kernels of a layer of at most N inputs and N outputs (default 16); of a larger one, the norms "
        "of all kernels and the strongest kernels",
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Explain the arrays, write the folder."""
    from onnx2graphml.api import load
    from onnx2graphml.draw.weights.weights import weights
    from onnx2graphml.inference.inputs import resolve

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
        layers=options.layers,
        order=options.order,
        kind=options.kind,
        feeds=feeds,
        against=other,
        limit=options.limit,
        progress=show if sys.stderr.isatty() else None,
    )
    for x in found.layers:
        if x.arrays:
            print(x.of.text)
    for name, values in found.unread.items():
        print(f"read by no layer: {name}, {values.shape}")
    if found.matches is not None:
        print(movements(found))
    if options.output:
        print(f"{sum(bool(a.file) for x in found.layers for a in x.arrays)} pictures of arrays in {options.output}")
    return 0


def movements(found: Weights) -> str:
    """A row for each array that both models have: how far it has moved; then the arrays that only one has."""
    from onnx2graphml.cli.tables import table

    rows = []
    for a in (a for x in found.layers for a in x.arrays if a.difference is not None):
        of = a.difference
        assert of is not None
        cosine = "" if of.cosine is None else f"{of.cosine:.6f}"
        at = f"{of.largest:.4g} at {of.index}" if of.l2 else ""
        rows.append((a.array.name, str(a.shape), f"{of.l2:.4g}", f"{of.relative:.2%}", cosine, at))
    header = (f"from {found.model} to {found.against}", "shape", "L2", "of its norm", "cosine", "largest change")
    lines = [table(header, rows, "<<>>><")]
    assert found.matches is not None
    for model, only in ((found.model, found.matches.only_here), (found.against, found.matches.only_there)):
        lines += [f"only in {model}: {name}, {shape}" for name, shape in only.items()]
    return "\n".join(lines)
