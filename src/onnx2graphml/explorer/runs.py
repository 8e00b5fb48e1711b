"""What a page shows values of: every input, in every checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onnx2graphml.errors import Error
from onnx2graphml.explorer.pool import Array
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.inference.activations import Forward
from onnx2graphml.inference.inputs import InputLike, is_picture, resolve


@dataclass(frozen=True, eq=False)
class Run:
    """The values of all layers for one input in one checkpoint.

    Attributes:
        name: of the input, with the checkpoint's where there are several.
        model: the checkpoint's number.
        values: by layer, in their shapes.
    """

    name: str
    model: int
    values: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Explored:
    """Networks of one structure, and what inputs make of them.

    Attributes:
        graphs: the first is the one whose edges' positions are meant; the others are checkpoints of the same network.
        names: of the graphs.
        runs: in the order of checkpoints, then inputs.
        bgr: whether an input of three channels has blue first, as the preprocess `caffe` makes it.
    """

    graphs: tuple[NeuronGraph, ...]
    names: tuple[str, ...]
    runs: tuple[Run, ...]
    bgr: bool = False


def explored(
    graphs: Sequence[NeuronGraph],
    inputs: Sequence[InputLike],
    *,
    names: Sequence[str] = (),
    seed: int = 0,
    preprocess: str | None = None,
) -> Explored:
    """Run every input through every checkpoint.

    Args:
        graphs: one or more, of the same layers and edges.
        inputs: as for `activations`; one or more.
        names: of the inputs; by default what they were given as.
        seed: random seed of the first input made by name; the next has the next one.
        preprocess: how pictures are scaled.

    Raises:
        Error: a checkpoint has other layers, or an input does not fit.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> [run.name for run in explored([graph], ["ties", "random"]).runs]
        ['ties', 'random']
    """
    for other in graphs[1:]:
        check_alike(graphs[0], other)
    given = list(names) or [input_name(x, k) for k, x in enumerate(inputs)]
    models = _distinct([graph.model_name for graph in graphs])
    runs = []
    for number, graph in enumerate(graphs):
        forward = Forward(graph)
        for k, (each, name) in enumerate(zip(inputs, given, strict=True)):
            of_it = preprocess if is_picture(each) else None
            feeds = resolve(graph, each, seed=seed + k, preprocess=of_it, quiet=number > 0)
            shown = f"{name} · {models[number]}" if len(graphs) > 1 else name
            runs.append(Run(shown, number, forward(feeds)))
    return Explored(tuple(graphs), tuple(models), tuple(runs), preprocess == "caffe")


def input_name(given: InputLike, number: int) -> str:
    """What an input is called: a file's name, a word, or its number."""
    return Path(given).name if isinstance(given, str | Path) else f"input {number + 1}"


def _distinct(names: Sequence[str]) -> list[str]:
    """Names that differ: with their number where they would not."""
    return [name if names.count(name) == 1 else f"{name} {k + 1}" for k, name in enumerate(names)]


def check_alike(graph: NeuronGraph, other: NeuronGraph) -> None:
    """`Error` where another checkpoint's layers or edges are not those of the first."""
    if len(graph.layers) != len(other.layers):
        raise Error(f"the checkpoints have {len(graph.layers)} and {len(other.layers)} layers: give two of one network")
    for a, b in zip(graph.layers, other.layers, strict=True):
        if _form(a) != _form(b):
            raise Error(f"layer {a.name!r} of the first checkpoint is {b.name!r} in another: give two of one network")


def _form(layer: Any) -> tuple[object, ...]:
    joined = tuple((i.source, i.port, tuple(len(a) for a in i.block.axes)) for i in layer.incoming)
    return (layer.name, layer.shape, layer.aggregation, joined)
