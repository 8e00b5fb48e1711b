"""`onnx2graphml explore MODEL [INPUT ...] -o page.html`: look into a network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import INPUT, add_model, add_preprocess, add_seed, load_model_graph
from onnx2graphml.files.atomic_file import check_parent
from onnx2graphml.files.inputs import refuse_inputs

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser

DESCRIPTION = (
    "Write an interactive page: the layers, their maps for each input, and every neuron with its exact edges and its "
    "receptive field. The page is one file, which holds everything and fetches nothing."
)
EXAMPLES = (
    "explore digits.onnx digit.npy -o digits.html",
    "explore mobilenet.keras cat.jpg dog.jpg --preprocess -1..1 --float16 -o mobilenet.html",
    "explore epoch9.onnx digit.npy --against epoch1.onnx -o trained.html",
)


def add_options(parser: Parser) -> None:
    """The options."""
    add_model(parser)
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="*", help=f"inputs to run, shown side by side (default random): {INPUT}"
    )
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="page to write, an .html file")
    parser.add_argument(
        "--against", metavar="OTHER_MODEL", action="append", default=[], help="another checkpoint, shown beside it"
    )
    parser.add_argument(
        "--float16", action="store_true", help="store weights and values with three digits, in half the space"
    )
    add_preprocess(parser)
    add_seed(parser)


def run(options: argparse.Namespace) -> int:
    """Write the page."""
    from onnx2graphml import api

    refuse_inputs(options.output, [options.model, *options.against, *options.inputs])
    check_parent(options.output)
    graph = load_model_graph(options)
    others = [api.load(path, shapes=dict(options.shape), trust=options.trust) for path in options.against]
    path = api.explore(
        graph,
        options.inputs or ["random"],
        options.output,
        against=others,
        float16=options.float16,
        seed=options.seed,
        preprocess=options.preprocess,
    )
    print(f"{path}: {Path(path).stat().st_size:,} bytes; open it in a browser")
    return 0
