"""`onnx2graphml passage MODEL PATTERN -o DIR`: a pattern on its way through a network, layer by layer."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import Parser, load_model_graph, model_parser
from onnx2graphml.files.plain_text import printable

if TYPE_CHECKING:
    from onnx2graphml.draw.activations.activations import Activations

KINDS = ("png", "svg", "pdf")
SCALES = ("layer", "channel", "global")
CHANNELS = ("first", "top", "all")
OVERLAYS = ("layer", "channels")
COLOURS = ("rgb", "bgr", "channels")
PREPROCESS = ("0..1", "-1..1", "caffe", "imagenet", "none")


def parser() -> Parser:
    """The options."""
    parser = model_parser(
        "passage",
        "What each layer makes of a pattern: a picture of each layer's values, overview sheets, and manifest.json.",
        "examples:\n"
        "  onnx2graphml passage digits.keras digit.png -o pictures\n"
        "  onnx2graphml passage vgg16.keras cat.jpg --preprocess caffe -o pictures --channels top --overlay\n"
        "  onnx2graphml passage model.onnx random --seed 3 -o pictures --kind pdf",
    )
    parser.add_argument(
        "pattern",
        metavar="PATTERN",
        help="an .npy file, an .npz file with an array for each input, a picture, or one of random, zeros, large, ties",
    )
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="the folder to write")
    parser.add_argument(
        "--preprocess",
        choices=PREPROCESS,
        help="of a picture's values 0 to 255: 0..1 divides by 255 (default); -1..1 divides by 127.5 and subtracts 1; "
        "caffe turns RGB into BGR and subtracts 103.939, 116.779, 123.68 (Keras's VGG and ResNet50); imagenet "
        "divides by 255, subtracts 0.485, 0.456, 0.406 and divides by 0.229, 0.224, 0.225 (torchvision); none",
    )
    parser.add_argument("--grid", metavar="RxC", type=pair, default=(3, 3), help="layers on a sheet (default 3x3)")
    parser.add_argument("--kind", choices=KINDS, default="png", help="of the pictures (default png)")
    parser.add_argument(
        "--scale", choices=SCALES, default="layer", help="what has limits of colours of its own (default layer)"
    )
    parser.add_argument(
        "--channels",
        choices=CHANNELS,
        default="first",
        help="which are drawn of more than the limit: the first (default), the top ones by energy (sum of squares), "
        "or all",
    )
    parser.add_argument("--limit", metavar="N", type=int, default=64, help="channels of a layer (default 64)")
    parser.add_argument("--min-size", metavar="RxC", type=pair, help="leave out layers whose maps are smaller")
    parser.add_argument(
        "--layers", metavar="A:B", help="only these layers: from A to B in the graph's order, or names with commas"
    )
    parser.add_argument(
        "--overlay",
        nargs="?",
        choices=OVERLAYS,
        const="layer",
        default="",
        help="also lay each layer's map on the input (layer), or its strongest channels one by one, too (channels)",
    )
    parser.add_argument(
        "--colours",
        choices=COLOURS,
        help="how an input of three channels is shown: as a photograph in rgb (default) or bgr (default with "
        "--preprocess caffe), or its channels one by one",
    )
    parser.add_argument("--classes", metavar="FILE", help="names of the network's output units, one a line")
    return parser


def run(options: argparse.Namespace) -> int:
    """Draw, and print what was drawn and what was not."""
    from onnx2graphml.draw.activations.activations import activations, read_classes
    from onnx2graphml.inference.inputs import resolve

    graph = load_model_graph(options)
    classes = read_classes(Path(options.classes)) if options.classes else ()
    found = activations(
        graph,
        resolve(graph, options.pattern, seed=options.seed, preprocess=options.preprocess),
        options.output,
        grid=options.grid,
        kind=options.kind,
        scale=options.scale,
        channels=options.channels,
        limit=options.limit,
        min_size=options.min_size,
        layers=options.layers,
        overlay=options.overlay,
        colours=options.colours or ("bgr" if options.preprocess == "caffe" else "rgb"),
        classes=classes,
        progress=show if sys.stderr.isatty() else None,
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
    many = (
        f"{len(found.layers)} layers, {len(found.overlays)} overlays"
        if found.overlays
        else f"{len(found.layers)} layers"
    )
    return "\n".join([*lines, f"{many} and {len(found.sheets)} sheets in {found.folder}"])


def pair(text: str) -> tuple[int, int]:
    """`3x4` as integers."""
    rows, by, columns = text.lower().partition("x")
    if not (by and rows.isdecimal() and columns.isdecimal() and int(rows) and int(columns)):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected rows and columns of 1 or more, such as 3x3")
    return int(rows), int(columns)


def show(done: int, total: int, file: str) -> None:
    """How far drawing has come, on one line of standard error."""
    text = f"{done} of {total}  {printable(file)}" if done < total else ""
    print(f"\r{text}\033[K\r", end="", file=sys.stderr, flush=True)
