"""`onnx2graphml neuron MODEL LAYER INDEX`: one neuron."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import add_graph, load_graph

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser

DESCRIPTION = (
    "Print one neuron: what it computes, its in-edges and out-edges, and its receptive field in the inputs. "
    "With an input, also its value, what its edges contribute, and which one it chose."
)
EXAMPLES = (
    "neuron digits.onnx conv1 0,0,5",
    "neuron digits.onnx digit 3 --max-edges-shown 0",
    "neuron digits.onnx maxpool 0,0,5 --input digit.npy",
)


def add_options(parser: Parser) -> None:
    """The options."""
    add_graph(parser)
    parser.add_argument("layer", metavar="LAYER", help="the layer's name, as info prints it")
    parser.add_argument("index", metavar="INDEX", type=position, help="position in the layer's shape, such as 3,12,5")
    parser.add_argument(
        "--max-edges-shown",
        metavar="N",
        type=int,
        default=20,
        help="print at most N edges each way (default 20; 0: all)",
    )


def run(options: argparse.Namespace) -> int:
    """Print what is known of the neuron."""
    from onnx2graphml import api

    found = api.neuron(load_graph(options), options.layer, options.index)
    print(found.text(options.max_edges_shown))
    return 0


def position(text: str) -> tuple[int, ...]:
    """`3,12,5` as integers."""
    try:
        return tuple(int(n) for n in text.split(",") if n.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected integers such as 3,12,5") from None
