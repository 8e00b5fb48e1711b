"""Negative controls: a graph with any one thing wrong is found out, and the layer that is wrong is named."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnx2graphml.api import load, verify
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph import kernels
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.inference import inputs
from onnx2graphml.verification.recompute import recompute
from small import model, node, weights

FIXTURES = Path(__file__).parents[1] / "fixtures"
Values = Mapping[str, Any]
Damage = Callable[[Layer, Values], Layer | None]
"""A layer with something wrong about it; None where it has nothing of that kind."""


@functools.cache
def fixture(name: str, level: str) -> tuple[NeuronGraph, dict[str, Any], dict[str, Any]]:
    """A graph, an input to it, and the values that its layers then have."""
    graph = load(FIXTURES / f"{name}.onnx", detail=level)
    assert graph.model is not None
    feeds = inputs.made("random", graph.model)
    if name == "digits":
        feeds["image"] = np.load(FIXTURES / "digits.npz")["x"][:1]
    values: dict[str, Any] = {}
    for layer in graph.layers:
        given = layer.aggregation == "input"
        values[layer.name] = feeds[layer.provenance.tensor].ravel() if given else recompute(layer, values).value
    return graph, feeds, values


def with_block(layer: Layer, block: EdgeBlock) -> Layer:
    """The layer with another block in place of its first."""
    first, *others = layer.incoming
    return dataclasses.replace(layer, incoming=(Incoming(first.source, block, first.port), *others))


def with_axis(block: EdgeBlock, position: int, axis: Axis) -> EdgeBlock:
    return EdgeBlock((*block.axes[:position], axis, *block.axes[position + 1 :]), block.weights)


def windows(block: EdgeBlock) -> list[int]:
    """The axes along which a window slides: neither side nor the tap says what the others are."""
    return [
        k
        for k, a in enumerate(block.axes)
        if len(set(a.tap.tolist())) > 1
        and len(set(a.source.tolist())) < len(a)
        and len(set(a.target.tolist())) < len(a)
    ]


# -------------------------------------------------------------------------------------------------------------- damages


def one_weight(layer: Layer, values: Values) -> Layer | None:
    """By 1 % of the largest, at the liveliest in-edge of the layer's liveliest neuron."""
    first = layer.incoming[0]
    if first.block.weights.size < 2 or layer.aggregation != "sum":
        return None
    target = int(np.abs(values[layer.name]).argmax())
    edges = ax.product(first.block.select("target", target)[0].axes)
    tap = edges.tap[np.abs(values[first.source][edges.source]).argmax()]
    changed = first.block.weights.copy()
    changed[tap] += 0.01 * np.abs(changed).max()
    return with_block(layer, EdgeBlock(first.block.axes, changed))


def shifted_taps(layer: Layer, values: Values) -> Layer | None:
    """Along one axis, each window starts with its second tap."""
    block = layer.incoming[0].block
    if layer.op != "Conv" or not windows(block):
        return None
    axis = block.axes[windows(block)[0]]
    distinct = np.unique(axis.tap)
    following = distinct[(np.searchsorted(distinct, axis.tap) + 1) % len(distinct)]
    return with_block(layer, with_axis(block, windows(block)[0], Axis(axis.source, axis.target, following)))


def shifted_sources(layer: Layer, values: Values) -> Layer | None:
    """Along one axis, every edge comes from the neighbour of where it should."""
    block = layer.incoming[0].block
    long = [k for k, a in enumerate(block.axes) if len(np.unique(a.source)) > 2]
    if not long:
        return None
    axis = block.axes[long[-1]]
    distinct = np.unique(axis.source)
    neighbour = distinct[(np.searchsorted(distinct, axis.source) + 1) % len(distinct)]
    return with_block(layer, with_axis(block, long[-1], Axis(neighbour, axis.target, axis.tap)))


def transposed_kernel(layer: Layer, values: Values) -> Layer | None:
    """Rows and columns of the kernel exchanged."""
    block = layer.incoming[0].block
    found = windows(block)
    if layer.op != "Conv" or len(found) != 2:
        return None
    (i, rows), (j, columns) = ((k, block.axes[k]) for k in found)
    up, across = (np.unique(a.tap) for a in (rows, columns))
    rows_ = Axis(rows.source, rows.target, across[np.searchsorted(up, rows.tap)])
    columns_ = Axis(columns.source, columns.target, up[np.searchsorted(across, columns.tap)])
    return with_block(layer, with_axis(with_axis(block, i, rows_), j, columns_))


def dropped_entry(layer: Layer, values: Values) -> Layer | None:
    """One entry of one axis is missing, such as one position of a window."""
    block = layer.incoming[0].block
    long = [k for k, a in enumerate(block.axes) if len(a) > 1]
    if not long:
        return None
    axis = block.axes[long[-1]]
    entries = np.arange(len(axis))
    # Of three, the one that shows most: a candidate that wins no maximum changes no value.
    wrong = [
        with_block(layer, with_axis(block, long[-1], axis[entries != k])) for k in (0, len(axis) // 2, len(axis) - 1)
    ]
    return max(wrong, key=lambda w: float(np.abs(recompute(w, values).value - values[layer.name]).max()))


def dropped_bias(layer: Layer, values: Values) -> Layer | None:
    return None if layer.bias is None else dataclasses.replace(layer, bias=None)


def dropped_activation(layer: Layer, values: Values) -> Layer | None:
    return dataclasses.replace(layer, activation=layer.activation[:-1]) if layer.activation else None


def leaky_activation(layer: Layer, values: Values) -> Layer | None:
    """Relu with a slope of 1 % where it should be 0."""
    if not any(a.op == "Relu" for a in layer.activation):
        return None
    leaky = Activation("LeakyRelu", (("alpha", 0.01),))
    return dataclasses.replace(layer, activation=tuple(leaky if a.op == "Relu" else a for a in layer.activation))


def wrong_count(layer: Layer, values: Values) -> Layer | None:
    """A mean over one more than there are."""
    block = layer.incoming[0].block
    if layer.op not in ("AveragePool", "GlobalAveragePool", "ReduceMean"):
        return None
    return with_block(layer, EdgeBlock(block.axes, (1 / (1 / block.weights + 1)).astype(block.weights.dtype)))


def swapped_neurons(layer: Layer, values: Values) -> Layer | None:
    """The in-edges of the largest and of the smallest neuron exchanged."""
    order = np.arange(layer.neurons)
    a, b = int(values[layer.name].argmax()), int(values[layer.name].argmin())
    order[[a, b]] = b, a
    edges = ax.product(layer.incoming[0].block.axes)
    swapped = EdgeBlock((Axis(edges.source, order[edges.target], edges.tap),), layer.incoming[0].block.weights)
    return with_block(layer, swapped)


def wrong_combination(layer: Layer, values: Values) -> Layer | None:
    """The least candidate of a window where it should be the greatest."""
    return dataclasses.replace(layer, aggregation="min") if layer.aggregation == "max" else None


def dropped_block(layer: Layer, values: Values) -> Layer | None:
    """One of several inputs is missing."""
    return dataclasses.replace(layer, incoming=layer.incoming[1:]) if len(layer.incoming) > 1 else None


DAMAGES: dict[Damage, dict[str, int]] = {  # and how many layers have such a thing, at `layer`, at least
    one_weight: {"digits": 6, "residual": 9},
    shifted_taps: {"digits": 2, "residual": 3},
    shifted_sources: {"digits": 9, "residual": 14},
    transposed_kernel: {"digits": 2, "residual": 3},
    dropped_entry: {"digits": 9, "residual": 15},
    dropped_bias: {"digits": 5, "residual": 5},
    dropped_activation: {"digits": 4, "residual": 3},
    leaky_activation: {"digits": 3, "residual": 3},
    wrong_count: {"digits": 1, "residual": 1},
    swapped_neurons: {"digits": 9, "residual": 15},
    wrong_combination: {"digits": 1, "residual": 0},
    dropped_block: {"digits": 0, "residual": 1},
}


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["digits", "residual"])
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__)
def test_damage_is_found_in_its_layer(name: str, level: str, damage: Damage) -> None:
    graph, feeds, values = fixture(name, level)
    damaged = 0
    for position, layer in enumerate(graph.layers):
        wrong = damage(layer, values) if layer.incoming else None
        if wrong is None or np.allclose(recompute(wrong, values).value, values[layer.name], 1e-12, 1e-12):
            continue  # such as a mean of the same neurons in another order: no damage
        damaged += 1
        layers = (*graph.layers[:position], wrong, *graph.layers[position + 1 :])
        report = verify(dataclasses.replace(graph, layers=layers), feeds)
        assert [r.layer for r in report.rows if not r.passed] == [layer.name]
        assert not report.passed
    if level == "layer":
        assert damaged >= DAMAGES[damage][name], "the control has found nothing to damage"


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["digits", "residual"])
def test_the_undamaged_graph_passes_on_the_same_input(name: str, level: str) -> None:
    graph, feeds, _ = fixture(name, level)
    assert verify(graph, feeds).passed


# ---------------------------------------------------------------------------------------------- parameters of functions


@pytest.mark.parametrize(
    ("made", "parameter", "change"),
    [
        (node("LeakyRelu", "p", "y", alpha=0.3), "alpha", 0.003),
        (node("Elu", "p", "y", alpha=1.5), "alpha", 0.015),
        (node("Clip", "p low high", "y"), "max", 0.01),
        (node("Clip", "p low high", "y"), "min", -0.01),
        (node("HardSigmoid", "p", "y", alpha=0.2, beta=0.4), "beta", 0.001),
        (node("PRelu", "p slope", "y"), "slope", 0.001),
        (node("Pow", "p two", "y"), "exponent", 2.0),
        (node("ThresholdedRelu", "p", "y", alpha=0.5), "alpha", 0.5),
    ],
    ids=lambda v: getattr(v, "op_type", v),
)
def test_a_wrong_parameter_is_found(made: Any, parameter: str, change: float) -> None:
    constants = {"w": weights(8, 40), "low": -0.5, "high": 0.5, "slope": 0.2, "two": 2.0}
    typed = {n: np.asarray(v, np.float32) for n, v in constants.items()}
    graph = load(model([node("MatMul", "x w", "p"), made], {"x": [1, 8]}, typed))
    assert verify(graph).passed
    layer = graph.layers[-1]
    parameters = dict(layer.activation[0].parameters)
    parameters[parameter] = float(parameters[parameter]) + change
    activation = Activation(layer.activation[0].op, tuple(parameters.items()))
    wrong = dataclasses.replace(layer, activation=(activation,))
    assert not verify(dataclasses.replace(graph, layers=(*graph.layers[:-1], wrong))).passed


@pytest.mark.parametrize("axis", [1, 2])
def test_a_wrong_axis_of_softmax_is_found(axis: int) -> None:
    graph = load(model([node("Softmax", "x", "y", axis=axis)], {"x": [1, 3, 4]}), detail="op")
    wrong = Activation("Softmax", (("axis", str(2 - axis)),))
    layer = dataclasses.replace(graph.layers[-1], activation=(wrong,))
    assert verify(graph).passed
    assert not verify(dataclasses.replace(graph, layers=(graph.layers[0], layer))).passed


@pytest.mark.parametrize(
    "made",
    [node("MatMul", "x w", "y"), node("MatMul", "x x", "y"), node("ReduceMax", "x", "y"), node("ReduceProd", "x", "y")],
    ids=["a sum", "a sum of products", "a maximum", "a product"],
)
def test_the_loop_that_writers_use_is_the_one_that_is_checked(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a fault in the compiled `expand`, from which files are written, `verify` fails."""
    graph = load(model([made], {"x": [5, 5]}, {"w": weights(5, 5)} if "w" in made.input else {}), detail="op")
    assert verify(graph).passed
    whole = kernels.expand

    def wrong(*arguments: Any) -> None:
        whole(*arguments)
        arguments[-1][:] *= 2  # the weights

    monkeypatch.setattr(kernels, "expand", wrong)
    assert not verify(graph).passed
