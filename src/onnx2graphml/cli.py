"""The command line: options in, library calls, one line for a user's mistake.

Exit status: 0 done (for `verify`: everything equal), 1 a mismatch, 2 could not be done.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from onnx2graphml.errors import Error

WORTH_AN_ESTIMATE = 10_000_000  # edges: below, writing is as quick as asking whether there is room

if TYPE_CHECKING:
    from onnx2graphml.graph import NeuronGraph

EPILOG = """\
commands:
  onnx2graphml MODEL OUT            write the graph; the format follows OUT's suffix, - is standard output
  onnx2graphml info MODEL           a table of the layers: shapes, neurons, edges, parameters; expands nothing
  onnx2graphml verify MODEL [GRAPH] recompute every layer from the edges, of the file if one is given, and compare
                                    with ONNX Runtime
  onnx2graphml neuron MODEL LAYER INDEX
                                    one neuron: its in-edges, out-edges and receptive field
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python has no signals
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C: no half a file is left
        status = _run(given)
        sys.stdout.flush()
        return status
    except Error as e:
        print(f"onnx2graphml: error: {one_line(e)}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at exit
        print("onnx2graphml: error: standard output was closed before everything was written", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("onnx2graphml: interrupted; no file was written", file=sys.stderr)
        return 130
    except MemoryError:
        print("onnx2graphml: error: out of memory", file=sys.stderr)
        return 2


def one_line(error: Exception) -> str:
    """The message without line breaks or other control characters, which a model's names may bring in."""
    return "".join(c if c.isprintable() else " " for c in str(error))


def _run(given: list[str]) -> int:
    commands = {"info": (_info_parser, _info), "verify": (_verify_parser, _verify), "neuron": (_neuron_parser, _neuron)}
    if given and given[0] in commands:
        parser, command = commands[given[0]]
        return command(parser().parse_args(given[1:]))
    return _convert(_convert_parser().parse_args(given))


class _Parser(argparse.ArgumentParser):
    """A mistake is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def _parser(command: str, description: str, epilog: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=f"onnx2graphml {command}".strip(),
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="MODEL", help="an .onnx, .keras or .h5 file, or a SavedModel folder")
    parser.add_argument(
        "--shape",
        metavar="NAME=1,3,224,224",
        action="append",
        type=named_shape,
        default=[],
        help="the full shape of an input that the model leaves open; may be repeated",
    )
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
    parser.add_argument("--seed", type=int, default=0, help="of what is random (default 0)")
    parser.add_argument("--trust", action="store_true", help="run Python code that a Keras file holds (Lambda layers)")
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


def _load(options: argparse.Namespace) -> NeuronGraph:
    from onnx2graphml import sublayers, thin
    from onnx2graphml.api import load

    graph = load(options.model, shapes=dict(options.shape), detail=options.detail, trust=options.trust)
    if options.layers is not None:
        graph = sublayers.subnetwork(graph, options.layers)
    if options.min_abs_weight is not None:
        return thin.min_abs_weight(graph, options.min_abs_weight)
    if options.top_k is not None:
        return thin.top_k(graph, options.top_k)
    if options.sample is not None:
        return thin.sample(graph, options.sample, options.seed)
    return graph


def _convert_parser() -> argparse.ArgumentParser:
    from onnx2graphml import writers

    parser = _parser(
        "",
        "A trained neural network as a graph: a node for every neuron, an edge with its weight for every "
        "multiplication.",
        EPILOG,
    )
    parser.usage = "onnx2graphml [options] MODEL OUT\n       onnx2graphml {info,verify,neuron} ..."
    parser.add_argument("out", metavar="OUT", help=f"what to write: a name in {', '.join(writers.FORMATS)}; or -")
    parser.add_argument("--jobs", type=int, help="threads (default: all processors); the output does not depend on it")
    parser.add_argument("--max-edges", metavar="N", type=int, help="refuse a graph of more edges than that")
    parser.add_argument("--dry-run", action="store_true", help="print what the file would take, and write nothing")
    parser.add_argument("--version", action="version", version=_version())
    return parser


def _version() -> str:
    import importlib.metadata

    return f"onnx2graphml {importlib.metadata.version('onnx2graphml')}"


def _convert(options: argparse.Namespace) -> int:
    from onnx2graphml import cost, writers
    from onnx2graphml.progress import progress

    to_file = options.out != writers.STDOUT
    suffix = writers.suffix(options.out) if to_file else writers.DEFAULT  # an unknown one is told at once
    writers.FORMATS[suffix].load()
    graph = _load(options)
    cost.check_edges(graph, options.max_edges)
    if options.dry_run:
        print(f"{graph.neurons:,} nodes, {graph.edges:,} edges: {cost.estimate(graph, suffix)}")
        return 0
    if to_file and graph.edges > WORTH_AN_ESTIMATE:
        cost.check_room(graph, Path(options.out), cost.estimate(graph, suffix))
    with progress("writing", graph.edges) as advance:
        writers.write(graph, options.out, progress=advance, jobs=options.jobs)
    if to_file:
        print(f"{options.out}: {graph.neurons:,} nodes, {graph.edges:,} edges", file=sys.stderr)
    return 0


def _info_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "info",
        "A row for each layer: name, operator, shape, neurons, in-edges and parameters. Nothing is expanded.",
        "examples:\n  onnx2graphml info vgg16.keras\n  onnx2graphml info vgg16.keras --top-k 5 --sizes",
    )
    parser.add_argument("--sizes", action="store_true", help="also what each format would take, in bytes and seconds")
    return parser


def _info(options: argparse.Namespace) -> int:
    from onnx2graphml import cost, tables

    graph = _load(options)
    print(tables.info(graph))
    if options.sizes:
        print()
        print(tables.costs(cost.estimates(graph)))
    return 0


def _verify_parser() -> argparse.ArgumentParser:
    from onnx2graphml import readers

    parser = _parser(
        "verify",
        "Recompute every layer from its expanded edges and its nodes' attributes alone, and compare it with ONNX "
        "Runtime's value of the same tensor. A difference beyond what float rounding explains is a mismatch. A "
        "framework's own prediction is compared, too. Of a written GRAPH, the same is done with what stands in the "
        "file, and its nodes and edges are compared with those that the model has.",
        "exit status: 0 everything is equal, 1 a mismatch, 2 it could not be checked\n\nexamples:\n"
        "  onnx2graphml verify digits.onnx\n"
        "  onnx2graphml verify digits.onnx digits.graphml\n"
        "  onnx2graphml verify digits.keras --input digit.npy",
    )
    parser.add_argument(
        "graph",
        metavar="GRAPH",
        nargs="?",
        help=f"a graph that was written of it, to be checked: {', '.join(readers.READERS)}; at its own level of detail",
    )
    parser.add_argument(
        "--input",
        metavar="FILE",
        help="the input instead of a random one: .npy for a network of one input, .npz with an array per input name",
    )
    return parser


def _verify(options: argparse.Namespace) -> int:
    from onnx2graphml import readers, tables
    from onnx2graphml.filecheck import verify_file
    from onnx2graphml.progress import progress
    from onnx2graphml.verification import read_inputs, verify

    if options.graph is not None:
        with readers.open_graph(options.graph) as file:
            options.detail = known_detail(file.about().get("detail"), options.graph)
    graph = _load(options)
    inputs = read_inputs(options.input, graph) if options.input else None
    with progress("verifying", graph.edges) as advance:
        if options.graph is None:
            report = verify(graph, inputs, seed=options.seed, progress=advance)
        else:
            report = verify_file(graph, options.graph, inputs, seed=options.seed, progress=advance)
    print(tables.verification(report))
    verdict = "every layer equals" if report.passed else "MISMATCH with"
    whose = "ONNX Runtime" if options.graph is None else "ONNX Runtime and the model"
    print(f"{graph.neurons:,} neurons, {graph.edges:,} edges: {verdict} {whose}")
    return 0 if report.passed else 1


def known_detail(detail: str | None, path: str) -> str:
    """The level of detail that a file says it has."""
    from onnx2graphml.detail import LEVELS

    if detail not in LEVELS:
        raise Error(f"{path}: detail is {detail!r}; expected one of {', '.join(LEVELS)}")
    return detail


def _neuron_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "neuron",
        "One neuron: what it computes, its in-edges and out-edges, and its receptive field in the inputs.",
        "example:\n  onnx2graphml neuron digits.onnx conv1 0,0,5",
    )
    parser.add_argument("layer", metavar="LAYER", help="the layer's name, as info prints it")
    parser.add_argument("index", metavar="INDEX", help="the position in the layer's shape, such as 3,12,5")
    parser.add_argument(
        "--limit", type=int, default=20, help="how many edges to print each way (default 20; 0 for all)"
    )
    return parser


def _neuron(options: argparse.Namespace) -> int:
    from onnx2graphml import tables

    graph = _load(options)
    print(tables.neuron(graph, graph.neuron(options.layer, position(options.index)), options.limit))
    return 0


def position(text: str) -> tuple[int, ...]:
    """`3,12,5` as integers."""
    try:
        return tuple(int(n) for n in text.split(",") if n.strip())
    except ValueError:
        raise Error(f"INDEX is {text!r}; expected integers such as 3,12,5") from None
