"""Does the graph compute the network? Every layer, recomputed from its edges, against ONNX Runtime."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error, ModelError
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.inference.activations import activations
from onnx2graphml.inference.inputs import checked, made
from onnx2graphml.inference.runtime import Runtime, original_outputs
from onnx2graphml.model import Model
from onnx2graphml.verification.recompute import Progress, Values, recompute
from onnx2graphml.verification.tolerance import fan_in_factor, unit_roundoff

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Row:
    """What was found of one layer.

    Attributes:
        layer, op, neurons, edges: of the layer.
        absolute, relative: the largest difference between the recomputed and the runtime's value, as it is, and over
            the layer's largest value.
        tolerance: the largest difference that rounding explains, where it is largest.
        share: the largest difference over the tolerance of its own neuron; up to 1 the layer passes.
        worst: the position of that neuron in the layer; in a file where in-edges differ from the model's, of the first
            neuron that has such.
        problems: what else is wrong, in words: how a layer in a file differs from the model's.
        pattern: which of several patterns the differences are largest with.
    """

    layer: str
    op: str
    neurons: int
    edges: int
    absolute: float
    relative: float
    tolerance: float
    share: float
    worst: int
    problems: tuple[str, ...] = ()
    pattern: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing differs by more than rounding explains."""
        return self.share <= 1 and not self.problems


@dataclass(frozen=True)
class Report:
    """The rows of all layers; and in `unchecked`, in words, what could not be compared because the file lacks it."""

    rows: tuple[Row, ...]
    unchecked: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every layer passed, and there was one."""
        return bool(self.rows) and all(row.passed for row in self.rows)


def together(reports: Mapping[str, Report]) -> Report:
    """The reports for several patterns, by their names, as one: of each layer the row with the largest share.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> together({str(seed): verify(graph, seed=seed) for seed in range(3)}).passed
        True
    """
    rows = []
    for same in zip(*(report.rows for report in reports.values()), strict=True):
        pattern, row = max(zip(reports, same, strict=True), key=lambda pair: (not pair[1].passed, pair[1].share))
        rows.append(dataclasses.replace(row, pattern=pattern))
    every = itertools.chain.from_iterable(report.unchecked for report in reports.values())
    return Report(tuple(rows), tuple(dict.fromkeys(every)))


def verify(
    graph: NeuronGraph,
    inputs: Mapping[str, Array] | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Recompute every layer from the edges into it and compare it with ONNX Runtime's value of the same tensor.

    The framework's own prediction, where the model came from one, is compared with ONNX Runtime's outputs, too; and so
    are, where composite operators were replaced by their parts, the outputs of the model as it was before.

    Each layer starts from ONNX Runtime's values of the layers before it, so that a difference is found in the layer
    that makes it, and only that layer's own rounding has to be allowed for.

    Args:
        graph: made from a model, at any level of detail.
        inputs: arrays by input name, in the model's shapes; random normal by `seed` where none are given.
        progress: called with numbers of edges as they are used.

    Raises:
        Error: an input is missing or has the wrong shape, or ONNX Runtime can't run the model.
    """
    model, feeds, values = network_values(graph, inputs, seed)
    rows = [_row(layer, values, progress) for layer in graph.layers if layer.aggregation != "input"]
    unchecked = []
    if model.predict is not None:
        rows += _output_rows(graph, model, feeds, ("prediction of", "framework"), model.predict(feeds))
    if model.original is not None:
        try:
            rows += _output_rows(graph, model, feeds, ("original", "ONNX Runtime"), original_outputs(model, feeds))
        except ModelError as e:
            unchecked.append(f"the model before its composite operators were replaced: {e}")
    return Report(tuple(rows), tuple(unchecked))


def network_values(
    graph: NeuronGraph, inputs: Mapping[str, Array] | None, seed: int
) -> tuple[Model, dict[str, Array], dict[str, Values]]:
    """The graph's model, what it is fed, and ONNX Runtime's values of every layer, flat; otherwise as `verify`."""
    if graph.thinned:
        raise Error(f"the graph is thinned ({graph.thinned}): without all edges it computes something else")
    model = graph.require_model()
    feeds = checked(model, inputs) if inputs is not None else made("random", model, seed)
    values = {name: np.array(value, np.float64).ravel() for name, value in activations(graph, feeds).items()}
    return model, feeds, values


def _row(layer: Layer, values: Mapping[str, Values], progress: Progress | None) -> Row:
    recomputed = recompute(layer, values, progress)
    return compared(layer.name, layer.op, layer.in_edges, recomputed.value, values[layer.name], recomputed.tolerance)


def compared(name: str, op: str, edges: int, got: Values, expected: Values, tolerance: Values) -> Row:
    """Compare neuron by neuron; equal infinities and NaN on both sides are no difference."""
    with np.errstate(all="ignore"):
        equal = (got == expected) | (np.isnan(got) & np.isnan(expected))
        difference = np.where(equal, 0, np.abs(got - expected))
        share = np.where(equal, 0, difference / tolerance)
    share = np.where(np.isnan(share), np.inf, share)
    difference = np.where(np.isnan(difference), np.inf, difference)
    worst = int(share.argmax()) if share.size else 0
    largest = float(np.abs(expected[np.isfinite(expected)]).max(initial=0))
    absolute = float(difference.max(initial=0))
    return Row(
        layer=name,
        op=op,
        neurons=got.size,
        edges=edges,
        absolute=absolute,
        relative=absolute / largest if largest else absolute,
        tolerance=float(tolerance[np.isfinite(tolerance)].max(initial=0)),
        share=float(share.max(initial=0)),
        worst=worst,
    )


JITTER = 2.0**-12  # far above rounding, small enough for the network to respond in proportion


def _output_rows(
    graph: NeuronGraph, model: Model, feeds: Mapping[str, Array], labels: tuple[str, str], outputs: Sequence[Array]
) -> list[Row]:
    """What somebody else makes of the feeds against ONNX Runtime's outputs.

    Both round in every layer, each in its own order. How much of that reaches the output is measured: by how much the
    output answers to a relative change of the input, once for each layer's own rounding. Integers are equal.
    """
    names = list(model.outputs)
    runtime = Runtime(model, names)
    expected, moved = runtime.run(feeds), runtime.run(_jittered(feeds))
    degrees = [sum(i.block.degree("target") for i in x.incoming) for x in graph.layers if x.aggregation == "sum"]
    roundings = sum(fan_in_factor(n) for n in degrees)
    rows = []
    for name, output in zip(names, outputs, strict=True):
        y, is_float = expected[name].astype(np.float64).ravel(), expected[name].dtype.kind not in "iub"
        answer = np.abs(moved[name].astype(np.float64).ravel() - y).max(initial=0) / JITTER
        u = unit_roundoff(expected[name].dtype) if is_float else 0.0
        tolerance = np.full(y.shape, u * roundings * max(answer, np.abs(y).max(initial=0)))
        label, op = labels
        rows.append(compared(f"{label} {name}", op, 0, np.asarray(output, np.float64).ravel(), y, tolerance))
    return rows


def _jittered(feeds: Mapping[str, Array]) -> dict[str, Array]:
    """The feeds, those that are floats changed by a relative `JITTER`."""
    random = np.random.default_rng(0)
    return {
        n: x if x.dtype.kind in "iub" else (x * (1 + JITTER * random.choice([-1, 1], x.shape))).astype(x.dtype)
        for n, x in feeds.items()
    }
