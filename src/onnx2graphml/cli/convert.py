"""`onnx2graphml MODEL OUT`: write the graph."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from onnx2graphml.cli.options import Parser, graph_parser, load_graph

WORTH_AN_ESTIMATE = 10_000_000  # edges: below, writing is as quick as asking whether there is room

EPILOG = """\
commands:
  onnx2graphml MODEL OUT            write the graph; the format follows OUT's suffix, - is standard output
  onnx2graphml info MODEL           a table of the layers: shapes, neurons, edges, parameters; expands nothing
  onnx2graphml verify MODEL [GRAPH] recompute every layer from the edges, of the file if one is given, and compare
                                    with ONNX Runtime
  onnx2graphml neuron MODEL LAYER INDEX
                                    one neuron: its in-edges, out-edges and receptive field
  onnx2graphml architecture MODEL -o FILE
                                    the layers as a picture: boxes and arrows
  onnx2graphml weights MODEL -o DIR the trained arrays: explained, drawn, ordered, measured
  onnx2graphml passage MODEL PATTERN -o DIR
                                    a pattern on its way through the layers, a picture of each
  onnx2graphml pack MODEL PATTERNS -o DIR
                                    many patterns: each layer's values as an array, and their means
  onnx2graphml epochs FOLDER PATTERN -o DIR
                                    the same pattern through every checkpoint: strips and a film
  onnx2graphml COMMAND --help       a command's options

MODEL is an .onnx file, a Keras .keras or .h5 file, or a SavedModel folder.

examples:
  onnx2graphml digits.onnx digits.graphml
  onnx2graphml digits.onnx strongest.graphml --layers conv1:conv2 --top-k 3
  onnx2graphml vgg16.keras vgg16.parquet --dry-run
  onnx2graphml info vgg16.keras --sizes
  onnx2graphml verify resnet.onnx --shape input=1,3,224,224 --detail neuron
  onnx2graphml neuron digits.onnx conv1 0,0,5
"""


def parser() -> Parser:
    """The options."""
    from onnx2graphml.cli import COMMANDS
    from onnx2graphml.formats import registry

    parser = graph_parser(
        "",
        "A trained neural network as a graph: a node for every neuron, an edge with its weight for every "
        "multiplication.",
        EPILOG,
    )
    parser.usage = f"onnx2graphml [options] MODEL OUT\n       onnx2graphml {{{','.join(COMMANDS)}}} ..."
    parser.add_argument("out", metavar="OUT", help=f"what to write: a name in {', '.join(registry.FORMATS)}; or -")
    parser.add_argument("--jobs", type=int, help="threads (default: all processors); the output does not depend on it")
    parser.add_argument("--max-edges", metavar="N", type=int, help="refuse a graph of more edges than that")
    parser.add_argument("--dry-run", action="store_true", help="print what the file would take, and write nothing")
    parser.add_argument("--version", action="version", version=_version())
    return parser


def _version() -> str:
    import importlib.metadata

    return f"onnx2graphml {importlib.metadata.version('onnx2graphml')}"


def run(options: argparse.Namespace) -> int:
    """Write the graph, or print what it would cost."""
    from onnx2graphml.formats import estimate, registry, writing
    from onnx2graphml.progress import progress

    to_file = options.out != registry.STDOUT
    suffix = registry.suffix(options.out) if to_file else registry.DEFAULT  # an unknown one is told at once
    registry.FORMATS[suffix].load()
    graph = load_graph(options)
    estimate.check_edges(graph, options.max_edges)
    if options.dry_run:
        print(f"{graph.neurons:,} nodes, {graph.edges:,} edges: {estimate.estimate(graph, suffix)}")
        return 0
    if to_file and graph.edges > WORTH_AN_ESTIMATE:
        estimate.check_room(graph, Path(options.out), estimate.estimate(graph, suffix))
    with progress("writing", graph.edges) as advance:
        writing.write(graph, options.out, progress=advance, jobs=options.jobs)
    if to_file:
        print(f"{options.out}: {graph.neurons:,} nodes, {graph.edges:,} edges", file=sys.stderr)
    return 0
