"""`onnx2graphml record MODEL INPUTS -o DIR`: many inputs through the network, an array for each layer."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import add_layers, add_model, add_pictures, add_preprocess, load_model_graph

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser

DESCRIPTION = (
    "Run many inputs and write each layer's values as an .npy array, a row for each input. A run that was stopped goes "
    "on where it was when the same command is given again."
)
EXAMPLES = (
    "record digits.onnx images.npy -o out",
    "record digits.onnx images.npy -o out --layers conv2,dense1 --by-class labels.npy",
    "record digits.onnx folder/ -o out --difference 3,17",
)


def add_options(parser: Parser) -> None:
    """The options."""
    add_model(parser)
    parser.add_argument(
        "inputs",
        metavar="INPUTS",
        help="an .npy file of (N, *the input's shape), or a folder with a file for each input: .npy, .npz for several "
        "inputs, or pictures",
    )
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="a new folder, or one of the same run")
    add_layers(parser)
    add_preprocess(parser)
    parser.add_argument("--overwrite", action="store_true", help="remove what was recorded before, and begin anew")
    maps = parser.add_argument_group("maps", "arrays and pictures of what the inputs have in common, in DIR/maps")
    maps.add_argument("--maps", action="store_true", help="mean and variance of each neuron")
    maps.add_argument("--by-class", metavar="FILE.npy", help="also the means of each class: a class for each input")
    maps.add_argument("--difference", metavar="I,J", type=pair, help="also input I less input J, counted from 0")
    add_pictures(maps, max_channels=64)


def run(options: argparse.Namespace) -> int:
    """Record, and write the maps; say what was written."""
    from onnx2graphml import api
    from onnx2graphml.progress import told

    graph = load_model_graph(options)
    try:
        with told("recording") as progress:
            found = api.record(
                graph,
                options.inputs,
                options.output,
                layers=options.layers,
                preprocess=options.preprocess or "0..1",
                overwrite=options.overwrite,
                maps=options.maps,
                by_class=options.by_class,
                difference=options.difference,
                format=options.format,
                max_channels=options.max_channels,
                progress=progress,
            )
    except KeyboardInterrupt:
        print("onnx2graphml: interrupted; the same command goes on where it was", file=sys.stderr)
        return 130
    print(f"{found.count:,} inputs, {len(found.layers)} layers: {found.folder}")
    if options.maps or options.by_class or options.difference:
        print(f"maps: {found.folder / 'maps'}")
    return 0


def pair(text: str) -> tuple[int, int]:
    """`3,17` as two numbers."""
    numbers = text.split(",")
    if len(numbers) != 2 or not all(n.strip().isdecimal() for n in numbers):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected two numbers of inputs such as 3,17")
    return int(numbers[0]), int(numbers[1])
