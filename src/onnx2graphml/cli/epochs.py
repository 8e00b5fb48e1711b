"""`onnx2graphml epochs CHECKPOINTS PATTERN -o DIR`: the same pattern through a network at each of its epochs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from onnx2graphml.cli import passage
from onnx2graphml.cli.options import Parser, add_model_options, command_parser
from onnx2graphml.files.plain_text import printable

if TYPE_CHECKING:
    from onnx2graphml.graph.graph import NeuronGraph
    from onnx2graphml.model import Array


def parser() -> Parser:
    """The options."""
    parser = command_parser(
        "epochs",
        "Run one pattern through every checkpoint of a network, and draw each layer as it learns: a strip "
        "with a column for each epoch, and a film; a layer has the same colours at every epoch.",
        "example:\n  onnx2graphml epochs checkpoints/ digit.npy -o out --layers conv1,dense1",
    )
    parser.add_argument(
        "checkpoints",
        metavar="CHECKPOINTS",
        help="a folder of .onnx, .keras or .h5 files or SavedModels, one an epoch, in the order of their names "
        "(epoch2 before epoch10)",
    )
    parser.add_argument(
        "pattern",
        metavar="PATTERN",
        help="an .npy file, an .npz file with an array for each input, a picture, or one of random, zeros, large, ties",
    )
    parser.add_argument(
        "--preprocess", choices=passage.PREPROCESS, help="of a picture, as passage does it (default 0..1)"
    )
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="a new folder, or one to be replaced")
    parser.add_argument("--layers", metavar="A,B", help="only these layers")
    parser.add_argument("--limit", type=int, default=16, help="channels of a layer that are shown (default 16)")
    parser.add_argument("--film", choices=("png", "gif"), default="png", help="animated PNG (default), or GIF")
    parser.add_argument("--kind", choices=("png", "svg", "pdf"), default="png", help="of the strips (default png)")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long each epoch stays (default 0.5)")
    add_model_options(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Record, draw, and say what was written."""
    from onnx2graphml.draw.film.folder import write_film
    from onnx2graphml.recording.checkpoints import checkpoints
    from onnx2graphml.recording.epochs import epochs

    models, others = checkpoints(Path(options.checkpoints))
    if others:
        print(f"no checkpoints, left out: {printable(', '.join(others))}", file=sys.stderr)
    layers = options.layers.split(",") if options.layers else None
    network = Path(options.checkpoints).resolve().name
    recording = epochs(_graphs(models, options), _once(options), layers, network)
    written = write_film(
        recording,
        options.output,
        film=options.film,
        kind=options.kind,
        limit=options.limit,
        seconds=options.seconds,
    )
    print(f"{len(recording.epochs)} epochs, {len(recording.layers)} layers: {options.output} ({', '.join(written)})")
    return 0


def _graphs(models: Mapping[str, Path], options: argparse.Namespace) -> Iterator[tuple[str, NeuronGraph]]:
    """Each checkpoint's graph, read when it is asked for; how far that has come, where someone watches."""
    from onnx2graphml.api import load

    watched = sys.stderr.isatty()
    for number, (name, path) in enumerate(models.items(), 1):
        if watched:
            print(
                f"\rreading {printable(path.name)}, {number} of {len(models)}\033[K",
                end="",
                file=sys.stderr,
                flush=True,
            )
        yield name, load(path, shapes=dict(options.shape), trust=options.trust)
    if watched:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _once(options: argparse.Namespace) -> Callable[[NeuronGraph], dict[str, Array]]:
    """The pattern, read for the first checkpoint: all have the same inputs."""
    from onnx2graphml.inference.inputs import resolve

    found: dict[str, Array] = {}

    def feeds(graph: NeuronGraph) -> dict[str, Array]:
        if not found:
            found.update(resolve(graph, options.pattern, seed=options.seed, preprocess=options.preprocess))
        return found

    return feeds
