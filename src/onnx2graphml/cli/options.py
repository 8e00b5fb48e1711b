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

MODEL = "an .onnx, .keras, .h5 or .pt2 file, a SavedModel folder, or a graph that was written before"
INPUT = "random, zeros, large or ties; an .npy file, an .npz file with an array for each input, or a picture"
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
        help="full shape of an input that the model leaves open; may be repeated",
    )
    parser.add_argument(
        "--set",
        metavar="NAME=16000",
        action="append",
        type=named_value,
        default=[],
        help="number of an ONNX model's input that is to be a constant; an array has commas; may be repeated",
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
        help="what a layer is: every ONNX tensor (op), what the framework calls a layer (layer, the default), or only "
        "what computes (neuron)",
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
        help="also say what this input makes of the graph: value of nodes, contribution (weight · value of the source) "
        f"and winner of edges: {INPUT}",
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
        help="what computes with weights: cpu (the default); cuda, a GPU (extra cuda); auto, a GPU where there is one",
    )


def add_preprocess(parser: Parser) -> None:
    """How pictures are scaled."""
    parser.add_argument(
        "--preprocess",
        choices=PREPROCESS,
        help="how to scale a picture's values 0 to 255: 0..1 divides by 255 (default); -1..1 divides by 127.5 and "
        "subtracts 1; caffe turns RGB into BGR and subtracts 103.939, 116.779, 123.68 (Keras's VGG and ResNet50); "
        "imagenet divides by 255, subtracts 0.485, 0.456, 0.406 and divides by 0.229, 0.224, 0.225 (torchvision); none",
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
