"""The options that commands share, and the graph that they ask for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from onnx2graphml.graph.graph import NeuronGraph


class Parser(argparse.ArgumentParser):
    """A mistake is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def model_parser(command: str, description: str, epilog: str) -> Parser:
    """A command that takes a model: its shapes, and whether to trust it."""
    parser = command_parser(command, description, epilog)
    parser.add_argument("model", metavar="MODEL", help="an .onnx, .keras or .h5 file, or a SavedModel folder")
    add_model_options(parser)
    return parser


def command_parser(command: str, description: str, epilog: str) -> Parser:
    """A command without options, yet."""
    return Parser(
        prog=f"onnx2graphml {command}".strip(),
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_model_options(parser: Parser) -> None:
    """What there is to say of any model that is read."""
    parser.add_argument(
        "--shape",
        metavar="NAME=1,3,224,224",
        action="append",
        type=named_shape,
        default=[],
        help="the full shape of an input that the model leaves open; may be repeated",
    )
    parser.add_argument("--trust", action="store_true", help="run Python code that a Keras file holds (Lambda layers)")
    parser.add_argument("--seed", type=int, default=0, help="of what is random (default 0)")


def graph_parser(command: str, description: str, epilog: str) -> Parser:
    """A command that takes a graph made from a model: at which level of detail, and how much of it."""
    parser = model_parser(command, description, epilog)
    parser.add_argument(
        "--detail",
        choices=("op", "layer", "neuron"),
        default="layer",
        help="a layer is: every ONNX tensor (op), what the framework calls a layer (layer, the default), "
        "or only what computes (neuron)",
    )
    less = parser.add_argument_group("less of it", "exactly chosen, without expanding what is left out")
    less.add_argument(
        "--layers", metavar="A:B", help="a sub-network: the layers from A to B, or names separated by commas"
    )
    one = less.add_mutually_exclusive_group()
    one.add_argument("--min-abs-weight", metavar="T", type=float, help="only edges of weight T or more, either sign")
    one.add_argument("--top-k", metavar="K", type=int, help="only the K strongest in-edges of each neuron")
    one.add_argument("--sample", metavar="N", type=int, help="only N edges, uniformly random by --seed")
    return parser


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


def load_model_graph(options: argparse.Namespace) -> NeuronGraph:
    """The graph for the options of `model_parser`, at the framework's level of detail."""
    from onnx2graphml.api import load

    return load(options.model, shapes=dict(options.shape), trust=options.trust)


def load_graph(options: argparse.Namespace) -> NeuronGraph:
    """The graph for the options of `graph_parser`."""
    from onnx2graphml.api import load
    from onnx2graphml.graph import select

    graph = load(options.model, shapes=dict(options.shape), detail=options.detail, trust=options.trust)
    if options.layers is not None:
        graph = select.subnetwork(graph, options.layers)
    if options.min_abs_weight is not None:
        return select.min_abs_weight(graph, options.min_abs_weight)
    if options.top_k is not None:
        return select.top_k(graph, options.top_k)
    if options.sample is not None:
        return select.sample(graph, options.sample, options.seed)
    return graph
