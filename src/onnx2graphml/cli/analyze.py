"""`onnx2graphml analyze MODEL`: network science on all neurons."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import (
    INPUT,
    MODEL,
    add_device,
    add_layers,
    add_loading,
    add_pictures,
    add_preprocess,
    add_seed,
)

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser

DESCRIPTION = (
    "Compute measures of network science for every neuron, exactly and without expanding an edge. Prints their medians "
    "by layer. With -o, writes nodes.parquet (a column for each measure), layers.csv, analysis.json and pictures. A "
    "folder of checkpoints gives the measures through training."
)
EXAMPLES = (
    "analyze vgg16.keras",
    "analyze vgg16.keras --measures pagerank,betweenness_centrality -o analysis",
    "analyze digits.onnx --input digit.npy --measures pagerank",
    "analyze checkpoints/ --weight abs -o training",
)


def add_options(parser: Parser) -> None:
    """The options."""
    parser.add_argument("model", metavar="MODEL", help=f"{MODEL}; or a folder of checkpoints, one an epoch")
    add_loading(parser)
    parser.add_argument("-o", "--output", metavar="DIR", help="folder to write")
    parser.add_argument(
        "--measures",
        metavar="A,B",
        help="names of measures, separated by commas; see docs/measures.md (default: those that take less than a "
        "minute for VGG16)",
    )
    parser.add_argument(
        "--weight",
        choices=("none", "abs", "signed"),
        default="abs",
        help="weight of an edge: abs (absolute value; the default), signed, or none (all the same)",
    )
    parser.add_argument(
        "--detail", choices=("op", "layer", "neuron"), default="layer", help="what a layer is; as for convert"
    )
    add_layers(parser)
    parser.add_argument(
        "--input",
        metavar="INPUT",
        help=f"input to run; an edge weighs what it contributes (weight · value of the source): {INPUT}",
    )
    add_preprocess(parser)
    add_seed(parser)
    add_device(parser)
    add_pictures(parser)


def run(options: argparse.Namespace) -> int:
    """Measure, print the table, write the folder."""
    from onnx2graphml import api
    from onnx2graphml.analysis.course import Course
    from onnx2graphml.progress import told

    with told("analyzing") as progress:
        found = api.analyze(
            options.model,
            options.output,
            measures=options.measures,
            weight=options.weight,
            layers=options.layers,
            detail=options.detail,
            shapes=dict(options.shape),
            trust=options.trust,
            fixed=dict(options.set),
            input=options.input,
            seed=options.seed,
            preprocess=options.preprocess,
            format=options.format,
            device=options.device,
            progress=progress,
        )
    print(found.table())
    last = found.last if isinstance(found, Course) else found
    many = "medians; " if len(last.values) > 2 and not isinstance(found, Course) else ""
    print(f"{many}weight: {options.weight}{' of the contribution' if options.input else ''}")
    for name, value in last.numbers.items():
        print(f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value:.6g}")
    for name, why in last.left_out.items():
        print(f"left out: {name}: {why}")
    if options.output:
        print(f"written: {options.output}")
    return 0
