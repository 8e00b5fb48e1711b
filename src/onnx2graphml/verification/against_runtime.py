"""Does the graph compute the network? Every layer, recomputed from its edges, against ONNX Runtime."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.cuda.device import in_use
from onnx2graphml.errors import Error, ModelError, reason
from onnx2graphml.functions.rounding import about_floats
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.inference.activations import activations
from onnx2graphml.inference.runtime import Runtime, original_outputs
from onnx2graphml.model import Model
from onnx2graphml.verification.recompute import Progress, Values, recompute
from onnx2graphml.verification.report import Report, Row, about, merge_rows
from onnx2graphml.verification.sampled import positions, recompute_neuron, single
from onnx2graphml.verification.tolerance import SPARE, fan_in_factor, unit_roundoff
from onnx2graphml.verification.unspecified import settled, tossed

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Sample:
    """At most so many random neurons of each layer."""

    neurons: int
    seed: int = 0


def verify(
    graph: NeuronGraph,
    inputs: Mapping[str, Mapping[str, Array]],
    progress: Progress | None = None,
    fast: bool = False,
    sample: Sample | None = None,
) -> Report:
    """Recompute every layer from the edges into it and compare it with ONNX Runtime's value of the same tensor.

    Args:
        graph: made from a model, at any level of detail.
        inputs: by the name that the report gives an input, its arrays by input name.
        progress: called with numbers of edges as they are used.
        fast: sums by planes of edges, instead of edge by edge.
        sample: which neurons of each layer; all of them if it is None.

    Raises:
        Error: as `network_values`.
    """
    unchecked: list[str] = []
    rows = {name: _rows(graph, feeds, progress, unchecked, fast, sample) for name, feeds in inputs.items()}
    sums = "cuda" if in_use() == "cuda" else "planes" if fast else "edges"
    how = about(graph, sums, sample.neurons if sample else 0)
    return Report(merge_rows(rows), tuple(dict.fromkeys(unchecked)), how)


def _rows(
    graph: NeuronGraph,
    feeds: Mapping[str, Array],
    progress: Progress | None,
    unchecked: list[str],
    fast: bool,
    sample: Sample | None,
) -> tuple[Row, ...]:
    values = network_values(graph, feeds)
    computed = [layer for layer in graph.layers if layer.aggregation != "input"]
    if sample is None:
        rows = [_row(layer, values, progress, fast) for layer in computed]
    else:
        rows = [_sampled_row(layer, values, progress, sample, k) for k, layer in enumerate(computed)]
    model = graph.require_model()
    if model.predict is not None:
        try:
            rows += prediction_rows(graph, model, feeds)
        except Exception as e:  # of any kind: another program's, which can't run this on this machine
            unchecked.append(f"the framework's own prediction: {type(e).__name__}: {reason(e)}")
    if model.original is not None:
        try:
            found = output_rows(graph, model, feeds, ("original", "ONNX Runtime"), original_outputs(model, feeds))
            layer = None
            if any(not row.passed for row in found):
                layer = tossed(graph, values, roundings_of(graph, model) * roundoff(graph, model))
            if layer is not None:
                found = []
                unchecked.append(
                    f"the model before its composite operators were replaced: layer {layer!r} chooses between values "
                    f"that are equal but for rounding"
                )
            rows += found
        except ModelError as e:
            unchecked.append(f"the model before its composite operators were replaced: {e}")
    return tuple(rows)


def prediction_rows(graph: NeuronGraph, model: Model, feeds: Mapping[str, Array]) -> list[Row]:
    """The framework's own prediction against ONNX Runtime; of several ways to predict, one that agrees.

    Raises:
        Exception: of any kind, the framework's own, where it can't predict in any way.
    """
    found: list[list[Row]] = []
    failed: list[Exception] = []
    for predict in filter(None, (model.predict, *model.other_predictions)):
        try:
            outputs = predict(feeds)
        except Exception as e:
            failed.append(e)
            continue
        found.append(output_rows(graph, model, feeds, ("prediction of", "framework"), outputs))
        if all(row.passed for row in found[-1]):
            return found[-1]
    if not found:
        raise failed[0]
    return found[0]


def network_values(graph: NeuronGraph, feeds: Mapping[str, Array]) -> dict[str, Values]:
    """ONNX Runtime's values of every layer, flat, as float64.

    Raises:
        Error: edges were left out of the graph, an array is missing or has the wrong shape, or ONNX Runtime can't run
            the model.
    """
    if graph.thinned:
        raise Error(f"the graph is thinned ({graph.thinned}): without all edges it computes something else")
    if all(layer.aggregation == "input" for layer in graph.layers):
        raise Error("there is nothing to compare: the network's outputs are its inputs")
    return {name: np.array(value, np.float64).ravel() for name, value in activations(graph, feeds).items()}


def _row(layer: Layer, values: Mapping[str, Values], progress: Progress | None, fast: bool) -> Row:
    recomputed, expected = recompute(layer, values, progress, fast), values[layer.name]
    got = settled(layer, values, recomputed, expected)
    return compared(layer.name, layer.op, layer.in_edges, got, expected, recomputed.tolerance)


def _sampled_row(
    layer: Layer, values: Mapping[str, Values], progress: Progress | None, sample: Sample, number: int
) -> Row:
    chosen = positions(layer, sample.neurons, sample.seed + number)
    found = [recompute_neuron(layer, p, values, progress) for p in chosen]
    expected = values[layer.name][chosen]
    got, tolerance, edges = np.zeros(len(found)), np.zeros(len(found)), 0
    for k, (one, count) in enumerate(found):
        own = slice(k, k + 1)
        got[own], tolerance[own] = settled(single(layer, chosen[k]), values, one, expected[own]), one.tolerance
        edges += count
    row = compared(layer.name, layer.op, edges, got, expected, tolerance)
    return dataclasses.replace(row, worst=chosen[row.worst] if chosen else 0)


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


CANCELS = 316.0  # 1/sqrt(epsilon), by which normalizing multiplies what rounding leaves of equal numbers
ABSOLUTE = dict.fromkeys(("GRU", "LSTM", "RNN"), SPARE) | dict.fromkeys(
    ("GroupNorm", "GroupNormalization", "InstanceNormalization", "LayerNormalization",
     "MeanVarianceNormalization", "SkipGroupNorm", "SkipLayerNormalization", "EmbedLayerNormalization"), CANCELS
)  # fmt: skip
"""Operators whose kernels go through values of that size, whose rounding the smallest result has: Tanh and Sigmoid
through values around 1, a normalization of equal numbers through what its epsilon makes of them, before all cancels."""

MOST_CANCELLED = 0.05
"""How far outputs may be off where a variance is what is left of larger numbers: of equal ones, their rounding."""

ROUNDING = ("sum", "product")
"""How values are combined that are rounded at each step."""

JITTER = 2.0**-12  # far above float32's rounding, small enough for the network to respond in proportion


def output_rows(
    graph: NeuronGraph, model: Model, feeds: Mapping[str, Array], labels: tuple[str, str], outputs: Sequence[Array]
) -> list[Row]:
    """What somebody else makes of the feeds against ONNX Runtime's outputs.

    Both round in every layer, each in its own order: mostly no more of that reaches the output than the output would be
    rounded itself, once for each layer. Where more does, it is measured how much can: by how much the output answers to
    a relative change of the input. Integers are equal.
    """
    names = list(model.outputs)
    variances = _variances(model)
    runtime = Runtime(model, [*names, *itertools.chain(*variances)], lean=True)
    least = roundoff(graph, model)
    jitter = max(JITTER, 16 * least)
    expected = runtime.run(feeds)
    roundings = roundings_of(graph, model)
    cancelled, most = _cancelled(expected, variances), MOST_CANCELLED / (least or 1.0)
    original = () if model.original is None else model.original.graph.node
    least_size = max([ABSOLUTE.get(n.op_type, 0) for n in original] + [min(roundings * cancelled**0.5, most)])
    roundings += min(roundings * cancelled, most)

    def rows(moved: Mapping[str, Array]) -> list[Row]:
        found = []
        for name, output in zip(names, outputs, strict=True):
            y, is_float = expected[name].astype(np.float64).ravel(), expected[name].dtype.kind not in "iub"
            with np.errstate(invalid="ignore"):
                answer = np.nanmax(np.abs(moved[name].astype(np.float64).ravel() - y), initial=0) / jitter
            largest = np.abs(y[np.isfinite(y)]).max(initial=0)
            u = max(unit_roundoff(expected[name].dtype), least) if is_float else 0.0
            step = float(about_floats(expected[name].dtype).smallest_subnormal) if is_float else 0.0
            tolerance = np.full(y.shape, u * (roundings * max(answer, largest) + least_size) + roundings * step)
            label, op = labels
            found.append(compared(f"{label} {name}", op, 0, np.asarray(output, np.float64).ravel(), y, tolerance))
        return found

    found = rows(expected)
    return found if all(row.passed for row in found) else rows(runtime.run(_jittered(feeds, jitter)))


def _variances(model: Model) -> list[tuple[str, str]]:
    """The tensors of which ONNX's function bodies make a variance: E[x²], and what is left of it without E[x]²."""
    made = {o for node in model.proto.graph.node for o in node.output}
    squares = (t for t in sorted(made) if t.endswith("/MeanOfSquare"))
    pairs = ((t, t.removesuffix("MeanOfSquare") + "VarPlusEpsilon") for t in squares)
    return [pair for pair in pairs if pair[1] in made]


def _cancelled(values: Mapping[str, Array], variances: Sequence[tuple[str, str]]) -> float:
    """How many times as large as a variance, at most, the squares are of which it is the difference."""
    with np.errstate(all="ignore"):
        shares = [np.asarray(values[a], np.float64) / np.asarray(values[b], np.float64) for a, b in variances]
    return max((float(s[np.isfinite(s)].max(initial=0)) for s in shares), default=0.0)


def roundings_of(graph: NeuronGraph, model: Model) -> float:
    """How often a value on its way through the network is rounded.

    A greatest value is not, nor a chosen one; but a framework that computes in a shorter type has rounded it to that.
    """
    degrees = [sum(i.block.degree("target") for i in x.incoming) for x in graph.layers if x.aggregation in ROUNDING]
    computed = sum(x.aggregation not in ("input", "constant", *ROUNDING) for x in graph.layers)
    shortened = computed if model.framework_roundoff else 0
    return sum(fan_in_factor(n) for n in degrees) + shortened + _roundings_of_coordinates(graph)


def _roundings_of_coordinates(graph: NeuronGraph) -> int:
    """Resizing weights neighbours by where a pixel lies between them: a number as large as a side, and rounded."""
    resized = [x for x in graph.layers if x.op in ("Resize", "Upsample", "GridSample")]
    return sum(2 * max(graph.layer(i.source).shape, default=0) for x in resized for i in x.incoming)


def roundoff(graph: NeuronGraph, model: Model) -> float:
    """The largest unit roundoff that a value on its way through the network meets, here or in the framework."""
    layers = (unit_roundoff(layer.dtype) for layer in graph.layers if layer.aggregation not in ("input", "constant"))
    return max(model.framework_roundoff, max(layers, default=0.0))


def _jittered(feeds: Mapping[str, Array], jitter: float) -> dict[str, Array]:
    """The feeds, those that are floats changed by that much, relatively."""
    random = np.random.default_rng(0)
    return {
        n: x if x.dtype.kind in "iub" else (x * (1 + jitter * random.choice([-1, 1], x.shape))).astype(x.dtype)
        for n, x in feeds.items()
    }
