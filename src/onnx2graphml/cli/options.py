"""The options that commands share, and the graph that they ask for."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from onnx2graphml.cuda.device import DEVICES
from onnx2graphml.errors import Error

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser
    from onnx2graphml.graph.graph import NeuronGraph

MODEL = "model (.onnx, .keras, .h5, .pt2, or a SavedModel folder), or a written graph"
INPUT = "random, zeros, large, ties, an .npy file, an .npz file (an array for each input), or a picture"
PREPROCESS = ("0..1", "-1..1", "caffe", "imagenet", "none")
FORMATS = ("png", "svg", "pdf")


def add_model(parser: Parser) -> None:
    """The model, its shapes, and whether to trust it."""
    parser.add_argument("model", metavar="MODEL", help=MODEL)
    add_loading(parser)


def add_loading(parser: Parser) -> None:
    """How a model is read."""
    parser.add_argument(
        "--shape",
        metavar="NAME=1,3,224,224",
        action="append",
        type=named_shape,
        default=[],
        help="full shape of an input with open dimensions; may be repeated",
    )
    parser.add_argument(
        "--set",
        metavar="NAME=16000",
        action="append",
        type=named_value,
        default=[],
        help="make an input of an ONNX model a constant; commas for an array; may be repeated",
    )
    parser.add_argument(
        "--trust", action="store_true", help="run code that the file holds, such as a Keras Lambda layer"
    )


def add_graph(parser: Parser, input: bool = True) -> None:
    """The model, at which level of detail, and how much of it; with an input, what that makes of it."""
    add_model(parser)
    parser.add_argument(
        "--detail",
        choices=("op", "layer", "neuron"),
        default="layer",
        help="what a layer is: op (each ONNX tensor), layer (as in the framework; the default), or neuron (only what "
        "computes)",
    )
    part = parser.add_argument_group("part of the graph", "selected exactly; nothing else is expanded")
    add_layers(part)
    one = part.add_mutually_exclusive_group()
    one.add_argument("--min-abs-weight", metavar="T", type=float, help="only edges of weight T or more, either sign")
    one.add_argument("--top-k", metavar="K", type=int, help="only the K strongest in-edges of each neuron")
    one.add_argument("--sample", metavar="N", type=int, help="only N edges, chosen at random")
    if input:
        add_input(parser)
        one.add_argument(
            "--winners",
            action="store_true",
            help="with --input: of each choice, such as a pooling window, only the edge that was chosen",
        )
    add_seed(parser)


def add_input(parser: Parser) -> None:
    """What one input makes of the graph."""
    parser.add_argument(
        "--input",
        metavar="INPUT",
        help=f"input to run: gives nodes a value, edges a contribution (weight · value) and a winner; {INPUT}",
    )
    add_preprocess(parser)


def add_layers(parser: Any) -> None:
    """Some layers only."""
    parser.add_argument(
        "--layers", metavar="A:B", help="only the layers from A to B, or those named, separated by commas"
    )


def add_seed(parser: Parser) -> None:
    """What is random."""
    parser.add_argument("--seed", metavar="N", type=seed, default=0, help="random seed (default 0)")


def add_device(parser: Parser) -> None:
    """The processors, or a GPU."""
    parser.add_argument(
        "--device",
        choices=DEVICES,
        default="cpu",
        help="cpu (default), cuda (a GPU; extra cuda), or auto (a GPU if there is one)",
    )


def add_preprocess(parser: Parser) -> None:
    """How pictures are scaled."""
    parser.add_argument(
        "--preprocess",
        choices=PREPROCESS,
        help="scale of a picture's values: 0..1 (default), -1..1, caffe (for Keras's VGG and ResNet50), imagenet (for "
        "torchvision), or none",
    )


def add_pictures(parser: Any, max_channels: int | None = None) -> None:
    """How pictures are written, and how many channels of a layer they show."""
    parser.add_argument("--format", choices=FORMATS, default="png", help="file format of the pictures (default png)")
    if max_channels is not None:
        parser.add_argument(
            "--max-channels",
            metavar="N",
            type=int,
            default=max_channels,
            help=f"draw at most N channels of a layer (default {max_channels})",
        )


def seed(text: str) -> int:
    """A number that begins a random sequence."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a number of 0 or more")
    return int(text)


def named_shape(text: str) -> tuple[str, tuple[int, ...]]:
    """`NAME=1,3,224,224` as a pair."""
    name, equals, sizes = text.rpartition("=")
    try:
        shape = tuple(int(n) for n in sizes.split(","))
    except ValueError:
        shape = ()
    if not equals or not shape:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected NAME=1,3,224,224")
    return name, shape


def named_value(text: str) -> tuple[str, float | list[float]]:
    """`NAME=16000` or `NAME=1,0.5` as a pair."""
    name, equals, given = text.rpartition("=")
    try:
        values = [json.loads(n) for n in given.split(",")]
    except ValueError:
        values = [None]
    if not equals or not all(isinstance(v, int | float) for v in values):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected NAME=16000, or NAME=1,0.5,2")
    return name, values[0] if len(values) == 1 else values


def rows_and_columns(text: str) -> tuple[int, int]:
    """`3x4` as integers."""
    rows, by, columns = text.lower().partition("x")
    if not (by and rows.isdecimal() and columns.isdecimal() and int(rows) and int(columns)):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected rows and columns of 1 or more, such as 3x3")
    return int(rows), int(columns)


def load_model_graph(options: argparse.Namespace) -> NeuronGraph:
    """The graph for the options of `add_model`, at the framework's level of detail."""
    from onnx2graphml import api

    return api.load(options.model, shapes=dict(options.shape), trust=options.trust, fixed=dict(options.set))


def load_graph(options: argparse.Namespace, detail: str | None = None) -> NeuronGraph:
    """The graph for the options of `add_graph`."""
    from onnx2graphml import api

    given = hasattr(options, "winners")  # the input is the graph's
    graph = api.load(
        options.model,
        shapes=dict(options.shape),
        detail=detail or options.detail,
        trust=options.trust,
        fixed=dict(options.set),
        original=getattr(options, "original", None),
    )
    if given and options.input is None and options.preprocess is not None:
        raise Error("--preprocess is for a picture, and there is none; give one with --input")
    if given and options.input is not None:
        graph = graph.with_input(options.input, seed=options.seed, preprocess=options.preprocess)
    return api.select(
        graph,
        options.layers,
        min_abs_weight=options.min_abs_weight,
        top_k=options.top_k,
        sample=options.sample,
        winners=given and options.winners,
        seed=options.seed,
    )
