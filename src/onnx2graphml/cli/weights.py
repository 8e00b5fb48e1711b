"""`onnx2graphml weights MODEL -o DIR`: every layer's trained arrays."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import (
    INPUT,
    add_layers,
    add_model,
    add_pictures,
    add_preprocess,
    add_seed,
    load_model_graph,
)
from onnx2graphml.files.picture_folder import check_folder

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser
    from onnx2graphml.parameters.found import Weights

ORDERS = ("index", "norm", "similarity", "activation")
DESCRIPTION = (
    "Explain every layer's trained arrays: what each one is, what its axes mean, statistics, and how far it has moved "
    "from another checkpoint. Prints a line for each layer. With -o, writes pictures of kernels, matrices and vectors, "
    "README.md, weights.csv, weights.json, permutation.json and manifest.json."
)
EXAMPLES = (
    "weights digits.keras",
    "weights digits.keras -o weights --order norm",
    "weights epoch9.onnx -o moved --against epoch1.onnx",
)


def add_options(parser: Parser) -> None:
    """The options."""
    add_model(parser)
    parser.add_argument("-o", "--output", metavar="DIR", help="folder to write")
    add_layers(parser)
    parser.add_argument(
        "--order",
        choices=ORDERS,
        default="index",
        help="order of each layer's outputs: as they are (index, the default), largest L2 norm of their weights first "
        "(norm), each beside the one most like it (similarity), or largest mean magnitude first (activation)",
    )
    parser.add_argument("--input", metavar="INPUT", default="random", help=f"input for --order activation: {INPUT}")
    add_preprocess(parser)
    add_seed(parser)
    add_pictures(parser)
    parser.add_argument(
        "--against", metavar="OTHER_MODEL", help="another checkpoint: how far each array has moved to it"
    )
    parser.add_argument(
        "--max-kernels",
        metavar="N",
        type=int,
        default=16,
        help="draw all kernels of a layer of at most N inputs and N outputs (default 16); of a larger one, the norms "
        "of all kernels and the strongest kernels",
    )


def run(options: argparse.Namespace) -> int:
    """Explain the arrays, write the folder."""
    from onnx2graphml import api
    from onnx2graphml.progress import told

    if options.output:
        check_folder(Path(options.output), "weights")
    graph = load_model_graph(options)
    other = None
    if options.against:
        other = api.load(options.against, shapes=dict(options.shape), trust=options.trust, fixed=dict(options.set))
    with told("drawing") as progress:
        found = api.weights(
            graph,
            options.output,
            layers=options.layers,
            order=options.order,
            input=options.input,
            seed=options.seed,
            preprocess=options.preprocess,
            format=options.format,
            against=other,
            max_kernels=options.max_kernels,
            progress=progress,
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
    from onnx2graphml.graph.table import Table

    rows = []
    for a in (a for x in found.layers for a in x.arrays if a.difference is not None):
        of = a.difference
        assert of is not None
        cosine = "" if of.cosine is None else f"{of.cosine:.6f}"
        at = f"{of.largest:.4g} at {of.index}" if of.l2 else ""
        rows.append((a.array.name, str(a.shape), f"{of.l2:.4g}", f"{of.relative:.2%}", cosine, at))
    header = (f"from {found.model} to {found.against}", "shape", "L2", "of its norm", "cosine", "largest change")
    lines = [str(Table(header, tuple(rows), "<<>>><"))]
    assert found.matches is not None
    for model, only in ((found.model, found.matches.only_here), (found.against, found.matches.only_there)):
        lines += [f"only in {model}: {name}, {shape}" for name, shape in only.items()]
    return "\n".join(lines)
