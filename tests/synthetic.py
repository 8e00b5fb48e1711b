"""Small graphs made by hand, with every kind of node and edge that a writer has to write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph, Provenance, numbered
from onnx2graphml.graph.neurons import Activation

WEIRD = "in\x00put <&>\"' 🧠 ]]> \t\r\n \\u0041 \udc80 \uffff"
HARD_FLOATS = [0.1, -0.0, 0.0, 1, -1, 1e-45, 1.1754944e-38, 3.4028235e38, -1.2345679e-06, 16777216, 1e16, 1 / 3, 100.5]


def array(values: Sequence[float], dtype: Any = np.float32) -> np.ndarray:
    return np.array(values, dtype)


def window_block(channels: int, side: int, weights: np.ndarray) -> EdgeBlock:
    """A 3x3 window, padded by 1, from each channel to itself, over square pictures laid out (channel, row, column)."""
    axis = ax.window(side, side, 3, pad=1)
    channel = ax.same(channels).strided(side * side, side * side)
    return EdgeBlock((channel, axis.strided(side, side, 3), axis.strided(1, 1, 1)), weights)


def to_channels_last(channels: int, side: int) -> EdgeBlock:
    """Every neuron of a (channel, row, column) picture to its place in a (row, column, channel) one."""
    return EdgeBlock((ax.same(channels).strided(side * side, 1), ax.same(side * side).strided(1, channels)))


def dense(sources: int, targets: int, weights: np.ndarray) -> EdgeBlock:
    return EdgeBlock((ax.gather(sources).strided(1, 0, targets), ax.spread(targets)), weights)


def same(n: int) -> EdgeBlock:
    return EdgeBlock((ax.same(n).strided(1, 1),))


def graph_of(*layers: Layer) -> NeuronGraph:
    return NeuronGraph(numbered(list(layers)), (layers[-1].name,), f"{WEIRD}.onnx", "ab" * 32, "op")


def every_kind() -> NeuronGraph:
    """Input, constants, sums, a maximum, a product, ports, three float types, four layouts; no parallel edges."""
    rng = np.random.default_rng(0)
    clip = Activation("Clip", (("min", 0.0), ("max", 6.0)))
    softmax = Activation("Softmax", (("axis", "0"),))
    return graph_of(
        Layer(WEIRD, "Input", (2, 3, 3), "input", spatial=(0, 1, 2)),
        Layer(
            "conv",
            "Conv",
            (2, 3, 3),
            bias=np.broadcast_to(array([0.1, -2.5e-9]).reshape(2, 1, 1), (2, 3, 3)),
            activation=(Activation("Relu"), clip),
            incoming=(Incoming(WEIRD, window_block(2, 3, rng.normal(size=9).astype(np.float32))),),
            spatial=(0, 1, 2),
        ),
        Layer(
            "pool", "MaxPool", (3, 3, 2), "max", incoming=(Incoming("conv", to_channels_last(2, 3)),), spatial=(2, 0, 1)
        ),
        Layer("flat", "Flatten", (18,), incoming=(Incoming("pool", same(18)),)),
        Layer(
            "wide",
            "Gemm",
            (13,),
            bias=rng.normal(size=13),
            incoming=(Incoming("flat", dense(18, 13, rng.normal(size=18 * 13))),),
            dtype=np.dtype(np.float64),
        ),
        Layer("hard", "Mul", (13,), incoming=(Incoming("wide", EdgeBlock((ax.same(13),), array(HARD_FLOATS))),)),
        Layer(
            "other",
            "Mul",
            (13,),
            incoming=(Incoming("wide", EdgeBlock((ax.same(13),), rng.normal(size=13).astype(np.float32))),),
        ),
        Layer("both", "Mul", (13,), "product", incoming=(Incoming("hard", same(13)), Incoming("other", same(13)))),
        Layer("scalar", "Constant", (), "constant", bias=np.array(1e-7)),
        Layer("halves", "Constant", (2,), "constant", bias=array([0.1, 65504], np.float16)),
        Layer(
            "ratio",
            "Div",
            (13,),
            "Div",
            incoming=(
                Incoming("both", same(13), 0),
                Incoming("scalar", EdgeBlock((ax.spread(13).strided(0, 1),)), 12),
            ),
            activation=(softmax,),
        ),
        Layer("line", "Conv", (2, 9), incoming=(Incoming("flat", same(18)),), spatial=(0, 1)),
        Layer("volume", "Conv", (2, 1, 3, 3), incoming=(Incoming("line", same(18)),), spatial=(0, 1, 2, 3)),
        Layer("unfed", "Sum", (1,), incoming=(Incoming("ratio", EdgeBlock((ax.same(0),))),)),
    )


def parallel() -> NeuronGraph:
    """Div(x, x): two edges between the same two neurons, told apart by their port."""
    x = Layer("x", "Input", (3,), "input")
    return graph_of(x, Layer("y", "Div", (3,), "Div", incoming=(Incoming("x", same(3), 0), Incoming("x", same(3), 1))))


def products() -> NeuronGraph:
    """x·y + c, matrices of (2, 3), (3, 2) and (2, 2): each product of two edges is a term, and c comes in without."""
    row, column, summed = ax.same(2), ax.same(2), ax.same(3).with_term(np.arange(3))
    left = EdgeBlock((row.strided(3, 2), column.strided(0, 1), summed.strided(1, 0)), array([0.5]))
    right = EdgeBlock((row.strided(0, 2), column.strided(1, 1), summed.strided(2, 0)))
    edges = Incoming("x", left, 0), Incoming("y", right, 1), Incoming("c", same(4))
    return graph_of(
        Layer("x", "Input", (2, 3), "input", provenance=Provenance("x")),
        Layer("y", "Input", (3, 2), "input", provenance=Provenance("y")),
        Layer("c", "Input", (2, 2), "input", provenance=Provenance("c")),
        Layer("z", "Gemm", (2, 2), bias=np.tile(array([1.0, 2.0]), (2, 1)), incoming=edges),
    )


def conv_graph(channels: int, side: int) -> NeuronGraph:
    """A convolution between all channels: about 9 · channels² · side² edges."""
    axis, plane = ax.window(side, side, 3, pad=1), side * side
    weights = np.random.default_rng(1).normal(size=channels * channels * 9).astype(np.float32)
    block = EdgeBlock(
        (
            ax.spread(channels).strided(0, plane, channels * 9),
            ax.gather(channels).strided(plane, 0, 9),
            axis.strided(side, side, 3),
            axis.strided(1, 1, 1),
        ),
        weights,
    )
    shape = (channels, side, side)
    return graph_of(Layer("x", "Input", shape, "input"), Layer("y", "Conv", shape, incoming=(Incoming("x", block),)))


def dense_graph(sources: int, targets: int) -> NeuronGraph:
    """A dense layer: as many weights as edges."""
    weights = np.random.default_rng(2).normal(size=sources * targets).astype(np.float32)
    return graph_of(
        Layer("x", "Input", (sources,), "input"),
        Layer("y", "Gemm", (targets,), incoming=(Incoming("x", dense(sources, targets, weights)),)),
    )
