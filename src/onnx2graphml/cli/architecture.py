"""`onnx2graphml architecture MODEL -o FILE`: the network's layers as a picture."""

from __future__ import annotations

import argparse

from onnx2graphml.cli.options import Parser, graph_parser, load_graph


def parser() -> Parser:
    """The options."""
    parser = graph_parser(
        "architecture",
        "Draw the network: a box for each layer with its operator, shape and numbers of neurons, in-edges and "
        "parameters, and an arrow for each connection. Parts that stand several times in a row are drawn once, with "
        "their number, where there are more than 40 layers.",
        "examples:\n  onnx2graphml architecture resnet50.keras -o resnet50.svg\n"
        "  onnx2graphml architecture resnet50.keras -o resnet50.png --detail neuron --no-fold",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="the picture: .svg (exact numbers in its tool tips), .png, .pdf, or .dot (text for Graphviz)",
    )
    parser.add_argument(
        "--fold",
        action=argparse.BooleanOptionalAction,
        help="draw repeated parts once, also in a small network, or each time",
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Draw it, and say what was drawn."""
    from onnx2graphml.draw.architecture.architecture import architecture, check_suffix
    from onnx2graphml.draw.architecture.lettering import note

    check_suffix(options.output)
    drawing = architecture(load_graph(options), options.output, fold=options.fold)
    print(f"{options.output}: {len(drawing.boxes):,} layers drawn, {sum(f.saved for f in drawing.folds):,} folded")
    for fold in drawing.folds:
        print(note(fold))
    return 0
