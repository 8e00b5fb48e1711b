"""`onnx2graphml MODEL OUT`: write the graph."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import add_graph, load_graph
from onnx2graphml.files.atomic_file import check_parent

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser

DESCRIPTION = "Write the graph of a network: a node for every neuron, an edge for every multiplication."
EXAMPLES = (
    "digits.onnx digits.graphml",
    "digits.onnx strongest.graphml --layers conv1:conv2 --top-k 3",
    "vgg16.keras vgg16.parquet --dry-run",
    "resnet.onnx - --shape input=1,3,224,224 --detail neuron",
)


def add_options(parser: Parser) -> None:
    """The options."""
    from onnx2graphml.formats.registry import FORMATS

    add_graph(parser)
    parser.add_argument(
        "out", metavar="OUT", help=f"file to write: a name in {', '.join(FORMATS)}; - is standard output"
    )
    parser.add_argument("--jobs", metavar="N", type=int, help="number of threads (default: all processors)")
    parser.add_argument(
        "--labels",
        action="store_true",
        help="for GraphML that people look at: also write label, depth, x and y of nodes, and abs_weight of edges",
    )
    parser.add_argument("--max-edges", metavar="N", type=int, help="refuse a graph of more than N edges")
    parser.add_argument("--dry-run", action="store_true", help="print the size and the time, and write nothing")


def run(options: argparse.Namespace) -> int:
    """Write the graph, or print what it would cost."""
    from onnx2graphml import api
    from onnx2graphml.formats import registry
    from onnx2graphml.progress import progress

    to_file = options.out != registry.STDOUT
    suffix = registry.suffix(options.out) if to_file else registry.DEFAULT
    registry.options(registry.find(suffix), options.jobs, options.labels)  # a mistake is told before the model is read
    if to_file:
        check_parent(options.out)
    graph = load_graph(options)
    counts = f"{graph.neurons:,} nodes, {graph.edges:,} edges"
    if options.dry_run:
        target = options.out if to_file else suffix
        print(f"{counts}: {api.estimate(graph, target, jobs=options.jobs, labels=options.labels)}")
        return 0
    with progress("writing", graph.edges) as advance:
        api.write(
            graph, options.out, jobs=options.jobs, labels=options.labels, max_edges=options.max_edges, progress=advance
        )
    if to_file:
        print(f"{options.out}: {counts}", file=sys.stderr)
    return 0
