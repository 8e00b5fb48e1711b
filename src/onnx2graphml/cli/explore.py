"""`onnx2graphml explore MODEL [INPUT ...] [-o page.html | --port N]`: look into a network."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import INPUT, add_model, add_preprocess, add_seed, load_model_graph
from onnx2graphml.files.atomic_file import check_parent
from onnx2graphml.files.inputs import refuse_inputs

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser

DESCRIPTION = (
    "Look into a network: its layers, their maps for each input, and every neuron with its exact edges and its "
    "receptive field. With -o, write a page: one file, which holds everything and fetches nothing. Without it, serve "
    "the page on this machine until you press Ctrl-C: for networks that are too large for a file."
)
EXAMPLES = (
    "explore digits.onnx digit.npy -o digits.html",
    "explore mobilenet.keras cat.jpg dog.jpg --preprocess -1..1 --float16 -o mobilenet.html",
    "explore epoch9.onnx digit.npy --against epoch1.onnx -o trained.html",
    "explore vgg16.keras cat.jpg --preprocess caffe --port 8000",
)


def add_options(parser: Parser) -> None:
    """The options."""
    add_model(parser)
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="*", help=f"inputs to run, shown side by side (default random): {INPUT}"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("-o", "--output", metavar="FILE", help="page to write, an .html file")
    where.add_argument("--port", metavar="N", type=port, help="serve the page at this port (default: a free one)")
    parser.add_argument(
        "--against", metavar="OTHER_MODEL", action="append", default=[], help="another checkpoint, shown beside it"
    )
    parser.add_argument(
        "--float16", action="store_true", help="store weights and values with three digits, in half the space"
    )
    add_preprocess(parser)
    add_seed(parser)


def port(text: str) -> int:
    """A port's number; 0 stands for a free one."""
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a number from 0 to 65535")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Write the page, or serve it."""
    from onnx2graphml import api

    if options.output:
        refuse_inputs(options.output, [options.model, *options.against, *options.inputs])
        check_parent(options.output)
    graph = load_model_graph(options)
    if options.output and graph.model is not None:
        refuse_inputs(options.output, graph.model.files)
    others = [
        api.load(path, shapes=dict(options.shape), trust=options.trust, fixed=dict(options.set))
        for path in options.against
    ]
    found = api.explore(
        graph,
        options.inputs or ["random"],
        options.output,
        port=None if options.output else options.port or 0,
        against=others,
        float16=options.float16,
        seed=options.seed,
        preprocess=options.preprocess,
    )
    if options.output:
        print(f"{found}: {Path(found).stat().st_size:,} bytes; open it in a browser")
        return 0
    print(f"{found.url}\nopen it in a browser on this machine; Ctrl-C ends it", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        found.wait()
    found.stop()
    return 0
