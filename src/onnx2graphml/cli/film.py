"""`onnx2graphml film CHECKPOINTS INPUT -o DIR`: the same input through a network at each of its epochs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import INPUT, add_layers, add_loading, add_pictures, add_preprocess, add_seed

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser

DESCRIPTION = (
    "Run one input through every checkpoint of a network, and draw each layer as it learns: a strip with a column for "
    "each epoch, and a film. A layer has the same colours at every epoch."
)
EXAMPLES = ("film checkpoints/ digit.npy -o out --layers conv1,dense1",)


def add_options(parser: Parser) -> None:
    """The options."""
    parser.add_argument(
        "checkpoints",
        metavar="CHECKPOINTS",
        help="folder of model files or SavedModels, one an epoch, in the order of their names (epoch2 before epoch10)",
    )
    parser.add_argument("input", metavar="INPUT", help=INPUT)
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="a new folder, or one to be replaced")
    add_layers(parser)
    add_preprocess(parser)
    add_seed(parser)
    add_pictures(parser, max_channels=16)
    parser.add_argument("--film-format", choices=("png", "gif"), default="png", help="animated PNG (default), or GIF")
    parser.add_argument(
        "--seconds", metavar="S", type=float, default=0.5, help="how long each epoch stays (default 0.5)"
    )
    add_loading(parser)


def run(options: argparse.Namespace) -> int:
    """Record, draw, and say what was written."""
    from onnx2graphml import api
    from onnx2graphml.progress import told

    with told("film") as progress:
        recording, files = api.film(
            options.checkpoints,
            options.input,
            options.output,
            layers=options.layers,
            seed=options.seed,
            preprocess=options.preprocess,
            shapes=dict(options.shape),
            trust=options.trust,
            fixed=dict(options.set),
            format=options.format,
            film_format=options.film_format,
            max_channels=options.max_channels,
            seconds=options.seconds,
            progress=progress,
        )
    print(f"{len(recording.epochs)} epochs, {len(recording.layers)} layers: {options.output} ({', '.join(files)})")
    return 0
