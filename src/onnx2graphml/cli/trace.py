"""`onnx2graphml trace MODEL --input INPUT`: where an output comes from."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from onnx2graphml.cli.neuron import position
from onnx2graphml.cli.options import INPUT, add_model, add_preprocess, add_seed, load_model_graph
from onnx2graphml.files.inputs import refuse_inputs

if TYPE_CHECKING:
    from onnx2graphml.cli.parser import Parser

DESCRIPTION = (
    "Go back from one output neuron to the input along the edges that carry its value, and print what is kept and cut "
    "at each layer. A softmax at the end is left out: the logit is explained. Of a maximum, the chosen candidate takes "
    "all."
)
EXAMPLES = (
    "trace digits.onnx --input digit.npy",
    "trace digits.onnx --input digit.npy --target digit:3 --keep 0.8 -o three.graphml",
    "trace digits.onnx --input three.npy --baseline eight.npy -o difference.png",
    "trace vgg16.keras --input cat.jpg --preprocess caffe --net --keep 0.95 -o cat.graphml",
    "trace vgg16.keras --input cat.jpg --rule lrp-epsilon --rule block1_conv1=lrp-gamma --top-k 5 -o cat.graphml",
)


def add_options(parser: Parser) -> None:
    """The options."""
    from onnx2graphml.attribution.rules import RULES

    add_model(parser)
    parser.add_argument(
        "--input", metavar="INPUT", default="random", help=f"input to explain (default random): {INPUT}"
    )
    parser.add_argument(
        "--target",
        metavar="LAYER:INDEX",
        type=target,
        help="neuron to explain, such as digit:3 or conv2:0,1,5 (default: the largest of the last output)",
    )
    parser.add_argument(
        "--rule",
        metavar="RULE|LAYER=RULE",
        type=rule,
        action="append",
        default=[],
        help=f"how a neuron's share is divided among its in-edges: {', '.join(RULES)} (default lrp-0: by weight · "
        "value); LAYER=RULE gives one layer another, and may be repeated",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--keep",
        metavar="SHARE",
        type=float,
        help="keep the strongest flows of each layer that carry this share of their absolute sum (default 0.95)",
    )
    how.add_argument("--top-k", metavar="K", type=int, help="keep the K strongest in-edges of each neuron instead")
    parser.add_argument(
        "--net",
        action="store_true",
        help="keep that share of the sum of flows, in which what speaks against the target cancels what speaks for it: "
        "far fewer edges, all of which speak for it",
    )
    parser.add_argument(
        "--max-edges",
        metavar="N",
        type=int,
        default=50_000,
        help="keep at most N edges, shared out among the layers (default 50000); what that cuts is printed",
    )
    parser.add_argument(
        "--baseline",
        metavar="INPUT",
        help="a second input: trace what differs, the first one's flows less the second's",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write the trace as .graphml, or draw it as .png, .svg or .pdf"
    )
    add_preprocess(parser)
    add_seed(parser)


def run(options: argparse.Namespace) -> int:
    """Trace, print what was kept, and write it."""
    from onnx2graphml import api
    from onnx2graphml.attribution.rules import find

    if options.output:
        refuse_inputs(options.output, filter(None, [options.model, options.input, options.baseline]))
    by_layer = dict(options.rule)
    general = by_layer.pop(None, "lrp-0")
    graph = load_model_graph(options)
    found = api.trace(
        graph,
        options.input,
        options.output,
        baseline=options.baseline,
        target=options.target,
        rule=general,
        rules=by_layer,
        keep=options.keep,
        top_k=options.top_k,
        net=options.net,
        max_edges=options.max_edges,
        seed=options.seed,
        preprocess=options.preprocess,
    )
    layer = graph.layer_of(found.relevance.target)
    at = ",".join(map(str, graph.index_of(found.relevance.target)))
    values = " and ".join(f"{float(value[found.relevance.target]):.6g}" for value in found.relevance.values)
    print(f"{layer.name} {at}: {values}")
    print(found.summary())
    print(f"{len(found.neurons):,} neurons, {len(found):,} edges")
    print(f"inputs {found.of_inputs:.6g}, biases {found.of_biases:.6g}")
    for name in dict.fromkeys([general, *by_layer.values()]):
        print(f"{name}: {find(name).conserves}")
    return 0


def rule(text: str) -> tuple[str | None, str]:
    """`lrp-gamma`, for all layers, or `conv1=lrp-gamma`."""
    from onnx2graphml.attribution.rules import RULES

    layer, equals, name = text.rpartition("=")
    if name not in RULES or (equals and not layer):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected RULE or LAYER=RULE, RULE one of {', '.join(RULES)}")
    return layer or None, name


def target(text: str) -> tuple[str, tuple[int, ...]]:
    """`conv2:0,1,5` as a layer and a position."""
    layer, colon, index = text.rpartition(":")
    if not colon or not layer:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected LAYER:INDEX, such as conv2:0,1,5")
    return layer, position(index)
