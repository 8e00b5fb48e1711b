"""`onnx2graphml verify MODEL [GRAPH]`: does the graph compute the network?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from onnx2graphml.cli.options import Parser, graph_parser, load_graph
from onnx2graphml.errors import Error
from onnx2graphml.files.inputs import refuse_inputs

if TYPE_CHECKING:
    from onnx2graphml.graph.graph import NeuronGraph
    from onnx2graphml.verification.against_runtime import Report

SHOWN = 3  # layers whose worst neuron is printed: each takes a pass over the file
WHOSE = {False: "ONNX Runtime", True: "ONNX Runtime and the model"}


def parser() -> Parser:
    """The options."""
    from onnx2graphml.formats import registry
    from onnx2graphml.inference import inputs

    parser = graph_parser(
        "verify",
        "Recompute every layer from its expanded edges and its nodes' attributes alone, and compare it with ONNX "
        "Runtime's value of the same tensor. A difference beyond what float rounding explains is a mismatch. A "
        "framework's own prediction is compared, too. Of a written GRAPH, the same is done with what stands in the "
        "file, and its nodes and edges are compared with those that the model has.",
        "exit status: 0 everything is equal, 1 a mismatch, 2 it could not be checked\n\nexamples:\n"
        "  onnx2graphml verify digits.onnx\n"
        "  onnx2graphml verify digits.onnx digits.graphml --report report.json --junit report.xml\n"
        "  onnx2graphml verify digits.keras --pattern digit.npy --pattern zeros --pattern ties",
    )
    parser.add_argument(
        "graph",
        metavar="GRAPH",
        nargs="?",
        help=f"a written graph of the model, to be checked at its own level of detail: {', '.join(registry.FORMATS)}",
    )
    parser.add_argument(
        "--pattern",
        metavar="P",
        action="append",
        help=f"what goes in: {', '.join(inputs.MADE)}, an .npy file for a network of one input, or an .npz file with "
        "an array per input name; may be repeated, each random one has a seed of its own (default: random)",
    )
    parser.add_argument("--report", metavar="FILE.json", help="write what was found as JSON")
    parser.add_argument("--junit", metavar="FILE.xml", help="write it as JUnit XML, a test case for each layer")
    return parser


def run(options: argparse.Namespace) -> int:
    """Verify, print the table, write the reports."""
    from onnx2graphml.cli import tables
    from onnx2graphml.verification import reports

    of_file = options.graph is not None
    for out in filter(None, (options.report, options.junit)):
        refuse_inputs(out, filter(None, (options.model, options.graph, *(options.pattern or []))))
    if of_file:
        options.detail = file_detail(options)
    graph = load_graph(options)
    for out in filter(None, (options.report, options.junit)):
        refuse_inputs(out, graph.model.files if graph.model else ())
    report = _verified(options, graph)
    print(tables.verification(report))
    if of_file:
        _print_worst(graph, options.graph, report)
    verdict = "every layer equals" if report.passed else "MISMATCH with"
    print(f"{graph.neurons:,} neurons, {graph.edges:,} edges: {verdict} {WHOSE[of_file]}")
    about = reports.About(options.model, options.graph, graph.detail, graph.neurons, graph.edges)
    if options.report:
        reports.write_json(about, report, options.report)
    if options.junit:
        reports.write_junit(about, report, options.junit)
    return 0 if report.passed else 1


def _print_worst(graph: NeuronGraph, path: str, report: Report) -> None:
    """The worst neuron of each of the first layers that differ, with its in-edges in the file and in the model."""
    from onnx2graphml.cli import tables
    from onnx2graphml.verification.file import worst_neuron

    failed = [row for row in report.rows if not row.passed and row.op != "framework"]
    for row in failed[:SHOWN]:
        print(tables.worst(worst_neuron(graph, path, row)))


def _verified(options: argparse.Namespace, graph: NeuronGraph) -> Report:
    """The report for all patterns together."""
    from onnx2graphml.inference.inputs import resolve
    from onnx2graphml.progress import progress
    from onnx2graphml.verification.against_runtime import together, verify
    from onnx2graphml.verification.file import verify_file

    names = options.pattern or ["random"]
    feeds = [resolve(graph, name, seed=options.seed + at) for at, name in enumerate(names)]
    found = {}
    with progress("verifying", graph.edges * len(feeds)) as advance:
        for at, (name, inputs) in enumerate(zip(names, feeds, strict=True)):
            if options.graph is None:
                report = verify(graph, inputs, progress=advance)
            else:
                report = verify_file(graph, options.graph, inputs, progress=advance)
            found[f"{name} {options.seed + at}" if name == "random" else name] = report
    return together(found)


def file_detail(options: argparse.Namespace) -> str:
    """The level of detail that a file says it has; where its format can't, the one that was asked for."""
    from onnx2graphml.build.detail import LEVELS
    from onnx2graphml.formats import reading, registry

    with reading.open_graph(options.graph) as file:
        found = file.about().get("detail")
    if found is None and "graph attributes" in registry.FORMATS[registry.suffix(options.graph)].cannot_hold:
        return str(options.detail)
    if found not in LEVELS:
        raise Error(f"{options.graph}: detail is {found!r}; expected one of {', '.join(LEVELS)}")
    return found
