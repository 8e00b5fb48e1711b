"""`onnx2graphml architecture MODEL -o FILE`: the network's layers as a picture."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import add_graph, load_graph
from onnx2graphml.files.atomic_file import check_parent
from onnx2graphml.files.inputs import refuse_inputs

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser

DESCRIPTION = (
    "Draw the network: a box for each layer with its type, window, shape and numbers, "
    "and an arrow for each connection. In a network of more than 40 layers, parts that repeat are drawn once, with "
    "their number."
)
EXAMPLES = (
    "architecture resnet50.keras -o resnet50.svg",
    "architecture resnet50.keras -o resnet50.png --detail neuron --no-fold",
)


def add_options(parser: Parser) -> None:
    """The options."""
    add_graph(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="picture to write: .svg (exact numbers in its tool tips), .png, .pdf, or .dot (text for Graphviz)",
    )
    parser.add_argument("--fold", action=argparse.BooleanOptionalAction, help="draw repeated parts once, or each time")
    parser.add_argument("--columns", metavar="N", type=int, help="at most N columns of boxes")


def run(options: argparse.Namespace) -> int:
    """Draw it, and say what was drawn."""
    from onnx2graphml import api
    from onnx2graphml.draw.architecture.architecture import check_suffix
    from onnx2graphml.draw.architecture.lettering import note

    check_suffix(options.output)
    check_parent(options.output)
    refuse_inputs(options.output, [options.model])
    drawing = api.architecture(load_graph(options), options.output, fold=options.fold, columns=options.columns)
    print(f"{options.output}: {len(drawing.boxes):,} layers drawn, {sum(f.saved for f in drawing.folds):,} folded")
    for fold in drawing.folds:
        print(note(fold))
    return 0
