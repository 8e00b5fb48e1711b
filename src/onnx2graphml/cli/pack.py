"""`onnx2graphml pack MODEL PATTERNS -o DIR`: many patterns through the network, an array for each layer."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import Parser, load_model_graph, model_parser
from onnx2graphml.cli.passage import PREPROCESS
from onnx2graphml.errors import Error

if TYPE_CHECKING:
    from onnx2graphml.graph.graph import NeuronGraph
    from onnx2graphml.recording.input_files import PatternFiles
    from onnx2graphml.recording.packs import Pack


def parser() -> Parser:
    """The options."""
    parser = model_parser(
        "pack",
        "Run many patterns and write each layer's values as an .npy array, a row for each pattern. A run that was "
        "stopped goes on where it was when the same command is given again.",
        "examples:\n"
        "  onnx2graphml pack digits.onnx images.npy -o out\n"
        "  onnx2graphml pack digits.onnx images.npy -o out --layers conv2,dense1 --labels labels.npy\n"
        "  onnx2graphml pack digits.onnx folder/ -o out --difference 3,17",
    )
    parser.add_argument(
        "patterns",
        metavar="PATTERNS",
        help="an .npy file of (N, *the input's shape), or a folder with a file for each pattern: .npy, .npz for "
        "several inputs, or pictures",
    )
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="a new folder, or one of the same pack")
    parser.add_argument("--layers", metavar="A,B", help="only these layers")
    parser.add_argument(
        "--preprocess", choices=PREPROCESS, default="0..1", help="of pictures, as passage does it (default 0..1)"
    )
    parser.add_argument("--overwrite", action="store_true", help="remove a pack that is there, and begin anew")
    maps = parser.add_argument_group("maps", "arrays and pictures of what the patterns have in common, in DIR/maps")
    maps.add_argument("--maps", action="store_true", help="mean and variance of each neuron")
    maps.add_argument("--labels", metavar="FILE.npy", help="and of each class: a label for each pattern")
    maps.add_argument("--difference", metavar="I,J", type=pair, help="and pattern I less pattern J, counted from 0")
    maps.add_argument("--kind", choices=("png", "svg", "pdf"), default="png", help="of the pictures (default png)")
    maps.add_argument("--limit", type=int, default=64, help="channels of a layer that are shown (default 64)")
    return parser


def run(options: argparse.Namespace) -> int:
    """Write the pack and its maps; say what was written."""
    from onnx2graphml.recording.input_files import pattern_files
    from onnx2graphml.recording.maps import read_labels

    graph = load_model_graph(options)
    patterns = pattern_files(Path(options.patterns), graph, options.preprocess)
    labels = read_labels(Path(options.labels), patterns.count) if options.labels else None
    if options.difference and max(options.difference) >= patterns.count:
        raise Error(f"--difference is {options.difference}; the patterns are 0 to {patterns.count - 1}")
    try:
        found = _packed(options, graph, patterns)
    except KeyboardInterrupt:
        print("onnx2graphml: interrupted; the same command goes on where it was", file=sys.stderr)
        return 130
    print(f"{found.count:,} patterns, {len(found.layers)} layers: {found.folder}")
    if options.maps or labels is not None or options.difference:
        from onnx2graphml.draw.maps import write_maps

        folder = write_maps(found, labels=labels, pair=options.difference, kind=options.kind, limit=options.limit)
        print(f"maps: {folder}")
    return 0


def _packed(options: argparse.Namespace, graph: NeuronGraph, patterns: PatternFiles) -> Pack:
    from onnx2graphml.progress import progress
    from onnx2graphml.recording.packs import pack

    layers = options.layers.split(",") if options.layers else None
    with progress("recording", graph.edges * patterns.count) as advance:
        return pack(graph, patterns, Path(options.output), layers, overwrite=options.overwrite, progress=advance)


def pair(text: str) -> tuple[int, int]:
    """`3,17` as two numbers."""
    numbers = text.split(",")
    if len(numbers) != 2 or not all(n.strip().isdecimal() for n in numbers):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected two numbers of patterns such as 3,17")
    return int(numbers[0]), int(numbers[1])
