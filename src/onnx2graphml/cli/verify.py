"""`onnx2graphml verify MODEL [GRAPH]`: does the graph compute the network?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import INPUT, add_device, add_graph, add_preprocess, load_graph
from onnx2graphml.errors import Error
from onnx2graphml.files.atomic_file import check_parent
from onnx2graphml.files.inputs import refuse_inputs

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser
    from onnx2graphml.graph.graph import NeuronGraph
    from onnx2graphml.verification.report import Report

WORST = 3  # layers whose worst neuron is printed
DESCRIPTION = (
    "Recompute every layer from its edges and its nodes' attributes alone, and compare it with ONNX Runtime's value of "
    "the same tensor. A difference beyond what float rounding explains is a mismatch. A framework's own prediction is "
    "compared, too. With a written GRAPH, what stands in the file is checked, and its nodes and edges are compared "
    "with the model's. The exit status is 0 if everything is equal, 1 for a mismatch, 2 if it could not be checked."
)
EXAMPLES = (
    "verify digits.onnx",
    "verify vgg16.keras --fast",
    "verify vit.onnx --sample-neurons 16",
    "verify digits.onnx digits.graphml --report report.json --report report.xml",
    "verify digits.keras --input digit.png --input zeros --input ties",
)


def add_options(parser: Parser) -> None:
    """The options."""
    from onnx2graphml.formats.registry import FORMATS

    add_graph(parser, input=False)
    parser.add_argument(
        "graph",
        metavar="GRAPH",
        nargs="?",
        help=f"a written graph of the model, checked at its own level of detail: {', '.join(FORMATS)}",
    )
    parser.add_argument(
        "--input",
        metavar="INPUT",
        action="append",
        help=f"input to compute with (default random); may be repeated, each with the next seed: {INPUT}",
    )
    add_preprocess(parser)
    parser.add_argument(
        "--fast",
        action="store_true",
        help="sum by planes of edges, as matrix products, instead of edge by edge; not for a written GRAPH",
    )
    parser.add_argument(
        "--sample-neurons",
        metavar="N",
        type=int,
        help="check only N random neurons of each layer, each from all edges into it: for networks of billions of "
        "edges; not with --fast or a written GRAPH",
    )
    add_device(parser)
    parser.add_argument(
        "--report",
        metavar="FILE",
        action="append",
        default=[],
        help="write what was found, as .json, or as .xml in JUnit's format; may be repeated",
    )


def run(options: argparse.Namespace) -> int:
    """Verify, print the table, write the reports."""
    from onnx2graphml import api
    from onnx2graphml.verification.file.check import detail_of
    from onnx2graphml.verification.reports import check_suffix

    if options.fast and options.graph:
        raise Error("--fast is for a model alone: a written graph is read edge by edge; leave out one of the two")
    if options.sample_neurons is not None and (options.fast or options.graph):
        raise Error("--sample-neurons is for a model alone, edge by edge; leave out --fast and the written graph")
    if options.device == "cuda" and options.graph:
        raise Error("--device cuda is for a model alone: a written graph is read on the processors; leave out one")
    read = [path for path in (options.model, options.graph, *(options.input or [])) if path]
    for path in options.report:
        refuse_inputs(path, read)
        check_suffix(path)
        check_parent(path)
    graph = load_graph(options, detail_of(options.graph) if options.graph else None)
    for path in options.report:
        refuse_inputs(path, graph.require_model().files)
    report = _verified(options, graph)
    about = report.about
    print(report)
    verdict = "every layer equals" if report.passed else "MISMATCH with"
    whose = "ONNX Runtime and the model" if options.graph else "ONNX Runtime"
    looked_at = f", {sum(r.neurons for r in report.rows):,} neurons looked at" if about.sampled else ""
    print(f"{about.neurons:,} neurons, {about.edges:,} edges{looked_at}: {verdict} {whose}")
    for path in options.report:
        api.write_report(report, path)
    return 0 if report.passed else 1


def _verified(options: argparse.Namespace, graph: NeuronGraph) -> Report:
    from onnx2graphml import api
    from onnx2graphml.progress import progress

    inputs = options.input or ["random"]
    random = {"seed": options.seed, "preprocess": options.preprocess}
    if options.sample_neurons is not None:
        return api.verify(graph, inputs, sample_neurons=options.sample_neurons, **random)
    if options.graph is None:
        with progress("verifying", graph.edges * len(inputs)) as advance:
            return api.verify(graph, inputs, fast=options.fast, device=options.device, progress=advance, **random)
    with progress("verifying", graph.edges) as advance:
        return api.verify_file(graph, options.graph, inputs, worst=WORST, progress=advance, **random)
