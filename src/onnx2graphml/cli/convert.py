"""`onnx2graphml MODEL OUT`: write the graph, or a graph as a model again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import add_graph, load_graph
from onnx2graphml.errors import Error
from onnx2graphml.files.atomic_file import check_parent
from onnx2graphml.files.inputs import refuse_inputs
from onnx2graphml.progress import size

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser
    from onnx2graphml.graph.graph import NeuronGraph

DESCRIPTION = (
    "Write the graph of a network: a node for every neuron, an edge for every multiplication. MODEL may also be a "
    "graph that was written before, edited since or not; unless parts are chosen it is converted edge by edge. An OUT "
    "that ends in .onnx is a network again, which computes what the graph says."
)
EXAMPLES = (
    "digits.onnx digits.graphml",
    "digits.onnx strongest.graphml --layers conv1:conv2 --top-k 3",
    "digits.onnx three.graphml --input digit.npy --winners",
    "vgg16.keras vgg16.parquet --dry-run",
    "vgg16.keras vgg16.parquet --part 3/64",
    "vgg16.keras vgg16.parquet --partition layer",
    "resnet.onnx - --shape input=1,3,224,224 --detail neuron",
    "vgg16.parquet vgg16.graphml.zst",
    "edited.graphml edited.onnx",
    "digits.npz digits-again.onnx --original digits.onnx",
    "vgg16.onnx smaller.onnx --min-abs-weight 0.01",
    "digits.onnx pruned.onnx --prune synflow --keep 0.5 --by-layer --inputs digits.npy",
)


def add_options(parser: Parser) -> None:
    """The options."""
    from onnx2graphml.formats.registry import BY_LAYER, WRITTEN

    add_graph(parser)
    parser.add_argument(
        "out", metavar="OUT", help=f"file to write: a name in {', '.join(WRITTEN)}, .onnx; - is standard output"
    )
    parser.add_argument(
        "--original",
        metavar="FILE",
        help="model that a written graph was made from: for the names, shapes and types of inputs and outputs; an "
        ".npz needs it",
    )
    add_pruning(parser)
    parser.add_argument("--jobs", metavar="N", type=int, help="number of threads (default: all processors)")
    parser.add_argument(
        "--labels",
        action="store_true",
        help="for GraphML that people look at: also write label, depth, x and y of nodes, and abs_weight of edges",
    )
    parser.add_argument(
        "--ids",
        choices=("int64", "int32"),
        default="int64",
        help="type of ids in a .parquet folder (default int64); cuGraph takes int32 in half the memory",
    )
    parser.add_argument(
        "--partition",
        choices=(BY_LAYER,),
        help="in a .parquet folder, a folder for the edges into each layer, edges/layer=conv1/, as Hive has them",
    )
    parser.add_argument(
        "--part",
        metavar="K/N",
        type=part,
        help="write only the Kth of N parts of a .parquet folder, each on a machine of its own; then merge OUT",
    )
    parser.add_argument("--max-edges", metavar="N", type=int, help="refuse a graph of more than N edges")
    parser.add_argument("--dry-run", action="store_true", help="print the size and the time, and write nothing")


def add_pruning(parser: Parser) -> None:
    """Which edges or neurons stay, by a measure."""
    from onnx2graphml.pruning import MEASURES

    part = parser.add_argument_group("pruning", "leave out what counts least; trained edges and neurons only")
    part.add_argument("--prune", choices=MEASURES, help="measure to prune by")
    part.add_argument("--keep", metavar="SHARE", type=float, help="share that stays, such as 0.2 (default 0.5)")
    part.add_argument(
        "--of",
        choices=("edges", "weights", "neurons"),
        default="edges",
        help="what is left out: edges, each by itself (default); weights, each with all edges that have it, so that a "
        "convolution stays one; or neurons",
    )
    part.add_argument("--by-layer", action="store_true", help="keep that share of each layer, not of all together")
    part.add_argument(
        "--inputs",
        metavar="FILE",
        help="many inputs, an .npy or .npz file: print how far predictions move; contributions need it",
    )


def _pruned(options: argparse.Namespace) -> NeuronGraph:
    """The graph that the options ask for, pruned or not; what was left out is printed."""
    from onnx2graphml import api

    if options.prune is None:
        given = [name for name in ("keep", "inputs") if getattr(options, name) is not None]
        given += ["by-layer"] * options.by_layer
        if given:
            raise Error(f"--{given[0]} is for --prune; give a measure to prune by, such as --prune weight")
        return load_graph(options)
    found = api.prune(
        load_graph(options),
        options.prune,
        0.5 if options.keep is None else options.keep,
        of=options.of,
        by_layer=options.by_layer,
        inputs=options.inputs,
    )
    print(found, file=sys.stderr)
    return found.graph


def part(text: str) -> tuple[int, int]:
    """`3/64`."""
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is no part: expected K/N, such as 3/64")
    return int(number), int(count)


def run(options: argparse.Namespace) -> int:
    """Write the graph, or print what it would cost."""
    from onnx2graphml import api
    from onnx2graphml.formats import registry
    from onnx2graphml.progress import progress

    if options.out.lower().endswith(api.export.SUFFIX):
        return _write_model(options)
    to_file = options.out != registry.STDOUT
    suffix = registry.suffix(options.out) if to_file else registry.DEFAULT
    found = registry.find(suffix)
    # a mistake is told before the model is read
    registry.options(found, options.jobs, options.labels, options.ids, options.partition)
    if to_file:
        check_parent(options.out)
        refuse_inputs(options.out, [options.model])
    if _is_converted(options) and _convert(options, to_file):
        return 0
    graph = _pruned(options)
    counts = f"{graph.neurons:,} nodes, {graph.edges:,} edges"
    if options.dry_run:
        target = options.out if to_file else suffix
        print(f"{counts}: {api.estimate(graph, target, jobs=options.jobs, labels=options.labels)}")
        return 0
    with progress("writing", graph.edges) as advance:
        api.write(
            graph,
            options.out,
            jobs=options.jobs,
            labels=options.labels,
            max_edges=options.max_edges,
            part=options.part,
            ids=options.ids,
            partition=options.partition,
            progress=advance,
        )
    if options.part is not None:
        print(f"{options.out}: part {options.part[0]}/{options.part[1]}", file=sys.stderr)
    elif to_file:
        print(f"{options.out}: {counts}", file=sys.stderr)
    return 0


def _is_converted(options: argparse.Namespace) -> bool:
    """Whether a written graph is wanted in another format, and all of it as it is."""
    from onnx2graphml.cli.parser import parser_for
    from onnx2graphml.formats.registry import FORMATS, suffix_of

    _, own = parser_for(options.command)
    given = {name for name, value in vars(options).items() if value != own.get_default(name)}
    is_graph = suffix_of(options.model) in {*FORMATS} - {".npz"} and Path(options.model).exists()
    return is_graph and given <= {"command", "model", "out", "jobs", "labels", "partition"}


def _convert(options: argparse.Namespace, to_file: bool) -> bool:
    """Convert a written graph; whether it could be: one that was edited is loaded instead."""
    from onnx2graphml import api
    from onnx2graphml.formats.conversion.layers import EditedError
    from onnx2graphml.progress import progress

    try:
        with progress("writing", None) as advance:
            found = api.convert(
                options.model,
                options.out,
                jobs=options.jobs,
                labels=options.labels,
                partition=options.partition,
                progress=advance,
            )
    except EditedError:
        return False
    if to_file:
        ((nodes, edges),) = found.rows
        print(f"{options.out}: {nodes} nodes, {edges} edges", file=sys.stderr)
    return True


def _write_model(options: argparse.Namespace) -> int:
    """Write the graph as a network again, or print how large it would be."""
    from onnx2graphml import api
    from onnx2graphml.api.export import refuse_labels
    from onnx2graphml.export.model import NOT_COMPUTED
    from onnx2graphml.export.multiplications import multiplications

    refuse_labels(options.labels)
    if options.part is not None:
        raise Error("parts are of a .parquet folder; leave --part out of an .onnx file")
    check_parent(options.out)
    refuse_inputs(options.out, [options.model])
    graph = _pruned(options)
    counts = f"{graph.neurons:,} neurons, {graph.edges:,} edges"
    if options.dry_run:
        print(f"{counts}: {api.estimate(graph, options.out)}")
        return 0
    most = {} if options.max_edges is None else {"max_edges": options.max_edges}
    model = api.to_onnx(graph, options.out, **most)
    about = {p.key: p.value for p in model.metadata_props}
    files = graph.model.files if graph.model is not None else ()
    before = sum(path.stat().st_size for path in files if path.is_file())
    of_all = f" of {multiplications(graph.model.proto):,}" if graph.model is not None else ""
    print(
        f"{options.out}: {counts}, {len(model.graph.node):,} operators, {size(model.ByteSize())}"
        f"{f' of {size(before)}' if before else ''}, {multiplications(model):,}{of_all} multiplications; "
        f"{int(about[NOT_COMPUTED]):,} neurons need not be computed",
        file=sys.stderr,
    )
    if graph.thinned and 0 < before < model.ByteSize():
        print(
            "the file is larger than the model's: edges that differ by position are written one by one or under masks; "
            "--of weights and --min-abs-weight keep a convolution whole",
            file=sys.stderr,
        )
    return 0
