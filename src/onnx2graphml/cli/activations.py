"""`onnx2graphml activations MODEL INPUT -o DIR`: what each layer makes of an input."""

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
    rows_and_columns,
)
from onnx2graphml.files.picture_folder import check_folder

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser
    from onnx2graphml.draw.activations.activations import Activations

COLOURS = ("rgb", "bgr", "channels")
OVERLAYS = ("layer", "channels")
SCALES = ("layer", "channel", "global")
CHANNELS = ("first", "top", "all")
DESCRIPTION = (
    "Run one input, and draw each layer's values: a picture of each layer, overview sheets, and manifest.json."
)
EXAMPLES = (
    "activations digits.keras digit.png -o pictures",
    "activations vgg16.keras cat.jpg --preprocess caffe -o pictures --channels top --overlay",
    "activations model.onnx random --seed 3 -o pictures --format pdf",
)


def add_options(parser: Parser) -> None:
    """The options."""
    add_model(parser)
    parser.add_argument("input", metavar="INPUT", help=INPUT)
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="folder to write")
    add_preprocess(parser)
    add_seed(parser)
    add_layers(parser)
    parser.add_argument(
        "--grid", metavar="RxC", type=rows_and_columns, default=(3, 3), help="layers on a sheet (default 3x3)"
    )
    add_pictures(parser, max_channels=64)
    parser.add_argument(
        "--scale", choices=SCALES, default="layer", help="what has its own range of colours (default layer)"
    )
    parser.add_argument(
        "--channels",
        choices=CHANNELS,
        default="first",
        help="channels to draw if there are more than --max-channels: the first (default), the top ones by energy (sum "
        "of squares), or all",
    )
    parser.add_argument(
        "--min-size", metavar="RxC", type=rows_and_columns, help="leave out layers whose maps are smaller"
    )
    parser.add_argument(
        "--overlay",
        choices=OVERLAYS,
        nargs="?",
        const="layer",
        default="",
        help="also lay each layer's map on the input (layer), and its strongest channels, too (channels)",
    )
    parser.add_argument(
        "--colours",
        choices=COLOURS,
        help="draw an input of three channels as a photograph in rgb (default) or bgr (default with --preprocess "
        "caffe), or its channels one by one",
    )
    parser.add_argument("--classes", metavar="FILE", help="text file with the names of the output units, one a line")


def run(options: argparse.Namespace) -> int:
    """Draw, and print what was drawn and what was not."""
    from onnx2graphml import api
    from onnx2graphml.draw.activations.activations import read_classes
    from onnx2graphml.progress import told

    check_folder(Path(options.output), "activations")
    graph = load_model_graph(options)
    with told("drawing") as progress:
        found = api.activations(
            graph,
            options.input,
            options.output,
            seed=options.seed,
            preprocess=options.preprocess,
            layers=options.layers,
            grid=options.grid,
            format=options.format,
            scale=options.scale,
            channels=options.channels,
            max_channels=options.max_channels,
            min_size=options.min_size,
            overlay=options.overlay,
            colours=options.colours,
            classes=read_classes(Path(options.classes)) if options.classes else (),
            progress=progress,
        )
    print(report(found))
    return 0


def report(found: Activations) -> str:
    """A line for each picture, and for what there is none of."""
    lines = [f"{p.file}  {p.layer.name}  {p.layer.shape}{''.join(f'; {n}' for n in p.notes)}" for p in found.layers]
    lines += [f"{o.file}  {o.layer.name} on {o.source}" for o in found.overlays]
    lines += [f"{o.channel_file}  {o.layer.name} on {o.source}, by channel" for o in found.overlays if o.channel_file]
    lines += [f"left out, smaller than asked for: {x.name}  {x.shape}" for x in found.left_out]
    lines += [f"not laid on an input: {name}: {why}" for name, why in found.not_overlaid.items()]
    counts = [_count(len(found.layers), "layer"), _count(len(found.sheets), "sheet")]
    if found.overlays:
        counts.insert(1, _count(len(found.overlays), "overlay"))
    return "\n".join([*lines, f"{', '.join(counts)}: {found.folder}"])


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
